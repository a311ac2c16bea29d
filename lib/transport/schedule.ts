/** How long to wait before trying again, and how often. */
import { asyncScheduler } from 'rxjs';
import { refusalIn } from '../frame/http-refusal.ts';

/** How long to wait before connecting again, and how often to try. */
export interface Schedule {
  /** The first wait, in milliseconds. Default 250. */
  readonly initialMs?: number;
  /** How much longer each wait is than the one before. Default 2. */
  readonly factor?: number;
  /** The longest wait, in milliseconds; only a server that asks for more time gets it. Default 30000. */
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

/** The longest wait that a server may ask for: a day. A timer cannot take more than 24 of them. */
const longestMs = 86_400_000;

/** Where one is on a schedule. */
export class Waits {
  readonly #schedule: Schedule;
  #waits = 0;
  #failures = 0;
  #since = Infinity;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  /** It works; from now on it counts how long that lasts. */
  begun(): void {
    this.#since = Math.min(this.#since, asyncScheduler.now());
  }

  /** It has ended. Only what has lived for a while was a success: a server may well die of the first request. */
  ended(): void {
    if (this.stable) this.reset();
    this.#since = Infinity;
  }

  /** Whether it has lasted long enough to count as a success. */
  get stable(): boolean {
    return asyncScheduler.now() - this.#since >= (this.#schedule.stableMs ?? 5_000);
  }

  /** It has not failed after all: the schedule begins anew. */
  reset(): void {
    this.#waits = this.#failures = 0;
  }

  /** One more has failed; says whether that was one too many. */
  failed(): boolean {
    this.#failures += 1;
    return this.#failures > (this.#schedule.attempts ?? Infinity);
  }

  /**
   * How long to wait now, in milliseconds.
   *
   * @param atLeastMs - what the far side asks for: `Retry-After`, or `retry` of a stream
   */
  next(atLeastMs = 0): number {
    const { initialMs = 250, factor = 2, maxMs = 30_000, jitter = 0.2, random = Math.random } = this.#schedule;
    const strayed = initialMs * factor ** this.#waits * (1 + jitter * (2 * random() - 1));
    this.#waits += 1;
    return Math.max(Math.min(maxMs, strayed), Math.min(atLeastMs, longestMs));
  }
}

/** How long the far side wants to be left alone after this error, in milliseconds. */
export const patienceFor = (error: unknown): number => refusalIn(error)?.retryAfterMs ?? 0;
