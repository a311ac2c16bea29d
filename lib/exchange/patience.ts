/** Time that does not pass while somebody is being asked. */
import { distinctUntilChanged, NEVER, switchMap, take, timer, type Observable, type Subscription } from 'rxjs';

/**
 * Emits once, and completes, after so much time in one piece in which nobody was being asked.
 *
 * @param ms - in milliseconds; Infinity: never
 * @param held$ - whether somebody is being asked now; emits at once
 */
export const unheld = (ms: number, held$: Observable<boolean>): Observable<unknown> =>
  held$.pipe(
    distinctUntilChanged(),
    switchMap((held) => (held || ms === Infinity ? NEVER : timer(ms))),
    take(1),
  );

/**
 * Does something after so much time in one piece in which nobody was being asked; unsubscribe, and it is not done.
 *
 * @param ms - in milliseconds
 * @param held$ - whether somebody is being asked now; emits at once, and never fails
 */
export const onceUnheld = (ms: number, held$: Observable<boolean>, act: () => void): Subscription =>
  unheld(ms, held$).subscribe({ next: act, error: act });
