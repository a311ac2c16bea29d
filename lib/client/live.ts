/** Lists and resources that stay fresh: fetched once somebody looks, and again whenever the server says so. */
import {
  auditTime,
  catchError,
  concat,
  connect,
  EMPTY,
  endWith,
  ignoreElements,
  merge,
  of,
  shareReplay,
  skip,
  switchMap,
  take,
  takeUntil,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import { ConnectionClosed } from '../frame/errors.ts';

/** How long changes are gathered before one fetch answers them all, in milliseconds. */
const burstMs = 20;

/** How long a server may take to say that it listens before it is asked all the same, in milliseconds. */
const patienceMs = 5000;

/**
 * The latest value of something far away, shared by all who look; the server is listened to while anybody does. Completes
 * with the conversation, however that ends: the connection itself tells how. Fails where a fetch fails, and the conversation
 * goes on: nobody is to take an old value for the latest.
 *
 * @param changes$ - emits once the server listens (what is fetched from then on cannot be missed), then on each change
 * @param fetch$ - fetches on subscription
 */
export const live = <T>(changes$: Observable<unknown>, fetch$: Observable<T>): Observable<T> => {
  const fetched$ = fetch$.pipe(catchError(afterTheEnd));
  return changes$.pipe(
    catchError(overWithIt),
    // All look before the server is listened to: it may answer at once.
    connect((each$) =>
      merge(
        each$.pipe(take(1)),
        timer(patienceMs).pipe(takeUntil(each$.pipe(endWith(undefined)))),
        each$.pipe(skip(1), auditTime(burstMs)),
      ).pipe(switchMap(() => fetched$.pipe(takeUntil(each$.pipe(ignoreElements(), endWith(undefined)))))),
    ),
    shareReplay({ bufferSize: 1, refCount: true }),
  );
};

const overWithIt = (error: unknown): Observable<never> =>
  error instanceof ConnectionClosed ? EMPTY : throwError(() => error);

/** A connection that breaks fails its calls before it says that it has gone; over HTTP a call may break alone. */
const afterTheEnd = (error: unknown): Observable<never> => {
  const failed$ = throwError(() => error);
  return error instanceof ConnectionClosed ? timer(0).pipe(switchMap(() => failed$)) : failed$;
};

/** For what never changes: one look, which stays as long as the conversation. */
export const onceOf = (conversation$: Observable<unknown>): Observable<unknown> =>
  concat(of(undefined), conversation$.pipe(ignoreElements()));
