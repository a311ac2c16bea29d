/** Lists and resources that stay fresh: fetched once somebody looks, and again whenever the server says so. */
import { auditTime, concat, merge, NEVER, of, share, shareReplay, skip, switchMap, take, type Observable } from 'rxjs';

/** How long changes are gathered before one fetch answers them all, in milliseconds. */
const burstMs = 20;

/**
 * The latest value of something far away, shared by all who look; the server is listened to while anybody does.
 *
 * @param changes$ - emits once the server listens (what is fetched from then on cannot be missed), then on each change
 * @param fetch$ - fetches on subscription
 */
export const live = <T>(changes$: Observable<unknown>, fetch$: Observable<T>): Observable<T> => {
  const shared$ = changes$.pipe(share());
  return merge(shared$.pipe(take(1)), shared$.pipe(skip(1), auditTime(burstMs))).pipe(
    switchMap(() => fetch$),
    shareReplay({ bufferSize: 1, refCount: true }),
  );
};

/** For what never changes: one look, which stays. */
export const once$: Observable<unknown> = concat(of(undefined), NEVER);
