/**
 * Time limits of calls: an idle one that every sign of life starts again, and a total one. All calls of a connection
 * share one timer, because starting one for each costs more than the rest of a call.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/cancellation#timeouts
 */
import { asyncScheduler, type SchedulerLike, type Subscription } from 'rxjs';
import { TimedOut } from '../frame/errors.ts';

/** How long a call may take, and how long it may be silent. */
export interface Limits {
  /** How long, in milliseconds, a call may give no sign of life; progress is one. Default 60000. Infinity: for ever. */
  readonly idleMs?: number;
  /** How long, in milliseconds, a call may take in all. Default 900000. Infinity: for ever. */
  readonly totalMs?: number;
}

export const defaultIdleMs = 60_000;
export const defaultTotalMs = 900_000;

/** Timers that are set for longer go off at once. */
const longestTimer = 2 ** 31 - 1;

/** One call under time limits. */
export interface Watched {
  readonly method: string;
  /** Called once, if a limit runs out. */
  expired(error: TimedOut): void;
}

interface Entry {
  readonly call: Watched;
  readonly idleMs: number;
  readonly totalMs: number;
  readonly started: number;
  heard: number;
}

export class Deadlines {
  readonly #entries = new Map<Watched, Entry>();
  readonly #scheduler: SchedulerLike;
  #timer: Subscription | undefined;
  #due = Infinity;

  constructor(scheduler: SchedulerLike = asyncScheduler) {
    this.#scheduler = scheduler;
  }

  watch(call: Watched, { idleMs = defaultIdleMs, totalMs = defaultTotalMs }: Limits): void {
    const now = this.#scheduler.now();
    this.#entries.set(call, { call, idleMs, totalMs, started: now, heard: now });
    const due = now + Math.min(idleMs, totalMs);
    if (due < this.#due) this.#wake(due, now);
  }

  /** A sign of life: the idle clock starts again. */
  heard(call: Watched): void {
    const entry = this.#entries.get(call);
    if (entry !== undefined) entry.heard = this.#scheduler.now();
  }

  /** The call has ended. The timer is left to run out: it finds nothing to do. */
  done(call: Watched): void {
    this.#entries.delete(call);
  }

  /** Forgets all calls and stops the timer. */
  close(): void {
    this.#entries.clear();
    this.#timer?.unsubscribe();
    this.#due = Infinity;
  }

  #wake(due: number, now: number): void {
    this.#timer?.unsubscribe();
    this.#due = due;
    this.#timer = this.#scheduler.schedule(() => this.#check(), Math.min(due - now, longestTimer));
  }

  #check(): void {
    const now = this.#scheduler.now();
    let next = Infinity;
    for (const entry of [...this.#entries.values()]) {
      const idle = entry.heard + entry.idleMs;
      const total = entry.started + entry.totalMs;
      if (now >= idle || now >= total) this.#expire(entry, now >= total ? 'total' : 'idle');
      else next = Math.min(next, idle, total);
    }
    this.#due = Infinity;
    if (next !== Infinity) this.#wake(next, now);
  }

  #expire({ call, idleMs, totalMs }: Entry, limit: 'idle' | 'total'): void {
    this.#entries.delete(call);
    const ms = limit === 'idle' ? idleMs : totalMs;
    const why = limit === 'idle' ? 'gave no sign of life' : 'did not end';
    call.expired(new TimedOut({ method: call.method, limit, ms, message: `${call.method} ${why} within ${ms} ms` }));
  }
}
