/** Connects again whenever a connection ends. */
import { defer, repeat, retry, tap, throwError, timer, type MonoTypeOperatorFunction } from 'rxjs';
import { Misconfigured, NoCommonRevision } from '../frame/errors.ts';
import { isUnproved } from '../frame/login-failed.ts';
import { patienceFor, Waits, type Schedule } from '../transport/schedule.ts';

export type { Schedule } from '../transport/schedule.ts';

/**
 * Subscribes again to what ended, on a schedule that begins anew after each success. What hangs on a client through
 * `switchMap` (live lists, watched resources) is re-established with the next one. A server that says when to come back
 * (`Retry-After`) is left alone until then.
 *
 * @param schedule - see {@link Schedule}; times are in milliseconds
 * @returns an operator that emits what its source emits, and completes only where `always` is false; it fails with the
 * source's last error once `attempts` are used up
 * @example
 * connect(spawn('node', ['weather.js']))
 *   .pipe(
 *     restart({ attempts: 5 }),
 *     switchMap((client) => client.tools$),
 *   )
 *   .subscribe((list) => console.log(list.map(({ name }) => name)));
 */
export const restart = <T>(schedule: Schedule = {}): MonoTypeOperatorFunction<T> => {
  const { always = true } = schedule;
  return (source) =>
    defer(() => {
      const waits = new Waits(schedule);
      const ended = (): void => waits.ended();
      return source.pipe(
        tap({ next: () => waits.begun(), error: ended, complete: ended }),
        always ? repeat({ delay: () => timer(waits.next()) }) : tap(),
        retry({
          delay: (error: unknown) =>
            waits.failed() || isHopeless(error) ? throwError(() => error) : timer(waits.next(patienceFor(error))),
        }),
      );
    });
};

/** What no further attempt can mend. */
const isHopeless = (error: unknown): boolean =>
  error instanceof NoCommonRevision || isMisconfigured(error) || isUnproved(error);

/** Also where it is a file that proofs are kept in. */
const isMisconfigured = (error: unknown): boolean =>
  error instanceof Misconfigured || (error instanceof Error && error.cause instanceof Misconfigured);
