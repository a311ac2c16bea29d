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

/** The longest that the timer sleeps, in milliseconds: calls long done are to keep no process alive. */
const stepMs = 1000;

/** One call under time limits. */
export interface Watched {
  readonly method: string;
  /** Called once, if a limit runs out. */
  expired(error: TimedOut): void;
  /** Kept here by who watches: in a Map, what comes and goes with every call is not collected while it is young. */
  entry?: Entry | undefined;
}

/** The clocks of one call. */
export interface Entry {
  /** Where it is among all. */
  at: number;
  readonly call: Watched;
  readonly idleMs: number;
  readonly totalMs: number;
  readonly started: number;
  heard: number;
  /** How many questions of this call wait for an answer of ours. */
  pauses: number;
}

export class Deadlines {
  /** In any order. */
  readonly #entries: Entry[] = [];
  readonly #scheduler: SchedulerLike;
  #timer: Subscription | undefined;
  #due = Infinity;
  #closed = false;
  #pauses = 0;

  constructor(scheduler: SchedulerLike = asyncScheduler) {
    this.#scheduler = scheduler;
  }

  watch(call: Watched, { idleMs = defaultIdleMs, totalMs = defaultTotalMs }: Limits): void {
    // Whatever is asked of a connection that has ended fails by itself, and at once.
    if (this.#closed) return;
    const now = this.#scheduler.now();
    const entry: Entry = { at: this.#entries.length, call, idleMs, totalMs, started: now, heard: now, pauses: 0 };
    this.#entries.push(entry);
    call.entry = entry;
    const due = now + Math.min(idleMs, totalMs);
    if (due < this.#due) this.#wake(due, now);
  }

  /** A sign of life: the idle clock starts again. */
  heard(call: Watched): void {
    if (call.entry !== undefined) call.entry.heard = this.#scheduler.now();
  }

  /**
   * Stops a call's idle clock, or where it is not known which call it is about, all of them: the server waits for an
   * answer of ours, and a person takes their time.
   *
   * @returns starts them again
   */
  pause(call?: Watched): () => void {
    const one = call?.entry;
    const add = (pauses: 1 | -1): void => {
      if (call === undefined) this.#pauses += pauses;
      else if (one !== undefined) one.pauses += pauses;
    };
    add(1);
    let paused = true;
    return () => {
      if (!paused) return;
      paused = false;
      add(-1);
      const now = this.#scheduler.now();
      for (const entry of one === undefined ? this.#entries : [one]) entry.heard = now;
    };
  }

  /** The call has ended. The timer is left to wake once more, and finds nothing to do. */
  done(call: Watched): void {
    const { entry } = call;
    if (entry === undefined) return;
    call.entry = undefined;
    const last = this.#entries.pop();
    if (last === undefined || last === entry) return;
    this.#entries[entry.at] = last;
    last.at = entry.at;
  }

  /** Forgets all calls and stops the timer. */
  close(): void {
    this.#closed = true;
    for (const { call } of this.#entries.splice(0)) call.entry = undefined;
    this.#timer?.unsubscribe();
    this.#due = Infinity;
  }

  #wake(due: number, now: number): void {
    this.#timer?.unsubscribe();
    this.#due = due;
    this.#timer = this.#scheduler.schedule(() => this.#check(), Math.min(due - now, stepMs));
  }

  #check(): void {
    const now = this.#scheduler.now();
    const late: (readonly [Entry, 'idle' | 'total'])[] = [];
    let next = Infinity;
    for (const entry of this.#entries) {
      const idle = (this.#pauses > 0 || entry.pauses > 0 ? now : entry.heard) + entry.idleMs;
      const total = entry.started + entry.totalMs;
      if (now >= idle || now >= total) late.push([entry, now >= total ? 'total' : 'idle']);
      else next = Math.min(next, idle, total);
    }
    for (const [{ call }] of late) this.done(call);
    this.#due = Infinity;
    if (next !== Infinity) this.#wake(next, now);
    // Last, as whoever is told may call again at once.
    for (const [entry, limit] of late) this.#expire(entry, limit);
  }

  #expire({ call, idleMs, totalMs }: Entry, limit: 'idle' | 'total'): void {
    const ms = limit === 'idle' ? idleMs : totalMs;
    const why = limit === 'idle' ? 'gave no sign of life' : 'did not end';
    call.expired(new TimedOut({ method: call.method, limit, ms, message: `${call.method} ${why} within ${ms} ms` }));
  }
}
