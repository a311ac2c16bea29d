/** Lists and resources that stay fresh: fetched once somebody looks, and again whenever the server says so. */
import {
  auditTime,
  concat,
  connect,
  merge,
  NEVER,
  of,
  shareReplay,
  skip,
  switchMap,
  take,
  type Observable,
} from 'rxjs';

/** How long changes are gathered before one fetch answers them all, in milliseconds. */
const burstMs = 20;

/**
 * The latest value of something far away, shared by all who look; the server is listened to while anybody does.
 *
 * @param changes$ - emits once the server listens (what is fetched from then on cannot be missed), then on each change
 * @param fetch$ - fetches on subscription
 */
export const live = <T>(changes$: Observable<unknown>, fetch$: Observable<T>): Observable<T> =>
  changes$.pipe(
    // Both look before the server is listened to: it may answer at once.
    connect((each$) => merge(each$.pipe(take(1)), each$.pipe(skip(1), auditTime(burstMs)))),
    switchMap(() => fetch$),
    shareReplay({ bufferSize: 1, refCount: true }),
  );

/** For what never changes: one look, which stays. */
export const once$: Observable<unknown> = concat(of(undefined), NEVER);
