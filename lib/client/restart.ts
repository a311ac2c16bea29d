/** Connects again whenever a connection ends. */
import {
  asyncScheduler,
  defer,
  repeat,
  retry,
  tap,
  throwError,
  timer,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import { Misconfigured, NoCommonRevision } from '../frame/errors.ts';

/** How long to wait before connecting again, and how often to try. */
export interface Schedule {
  /** The first wait, in milliseconds. Default 250. */
  readonly initialMs?: number;
  /** How much longer each wait is than the one before. Default 2. */
  readonly factor?: number;
  /** The longest wait, in milliseconds. Default 30000. */
  readonly maxMs?: number;
  /** How far a wait may stray from its length, as a part of it, so that many do not come back at once. Default 0.2. */
  readonly jitter?: number;
  /** How many times in a row to try again in vain before giving up with the last error. Default: for ever. */
  readonly attempts?: number;
  /** Whether a connection that ended in good order is opened again too. Default true. */
  readonly always?: boolean;
  /** How long a connection must last to count as a success, after which the schedule begins anew, in milliseconds. Default 5000. */
  readonly stableMs?: number;
  /** Chance, between 0 and 1. Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Subscribes again to what ended, on a schedule that begins anew after each success. What hangs on a client through
 * `switchMap` (live lists, watched resources) is re-established with the next one.
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
  const {
    initialMs = 250,
    factor = 2,
    maxMs = 30_000,
    jitter = 0.2,
    attempts = Infinity,
    always = true,
    stableMs = 5_000,
    random = Math.random,
  } = schedule;
  return (source) =>
    defer(() => {
      let waits = 0;
      let failures = 0;
      let since = Infinity;
      const wait = (): Observable<number> => {
        const strayed = initialMs * factor ** waits * (1 + jitter * (2 * random() - 1));
        waits += 1;
        return timer(Math.min(maxMs, strayed));
      };
      /** Only what has lived for a while was a success: a server may well die of the first request. */
      const ended = (): void => {
        if (asyncScheduler.now() - since >= stableMs) waits = failures = 0;
        since = Infinity;
      };
      return source.pipe(
        tap({ next: () => (since = Math.min(since, asyncScheduler.now())), error: ended, complete: ended }),
        always ? repeat({ delay: wait }) : tap(),
        retry({
          delay: (error: unknown) => {
            failures += 1;
            return failures > attempts || isHopeless(error) ? throwError(() => error) : wait();
          },
        }),
      );
    });
};

/** What no further attempt can mend. */
const isHopeless = (error: unknown): boolean => error instanceof NoCommonRevision || error instanceof Misconfigured;
