/**
 * The sessions of an endpoint: ids that nobody can guess, known to whoever opened them only, as many as may be, and none
 * longer than it is used.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
 */
import { asyncScheduler, type SchedulerLike, type Subscription } from 'rxjs';
import { isOf, type HttpSession } from './legacy-session.ts';
import { atLongest } from './longest.ts';
import type { HttpRequest } from './message.ts';

/** How long sessions of older clients last, and how many there may be. */
export interface SessionBounds {
  /** How long a session may go unused, in milliseconds; one that somebody listens to does not. Default 1,800,000. */
  readonly ttlMs?: number | undefined;
  /** How many sessions there may be at a time. Default 10,000. */
  readonly max?: number | undefined;
}

/** How often idle sessions are looked for, as a part of what they may be idle. */
const looks = 10;

export class Sessions {
  readonly #sessions = new Map<string, HttpSession>();
  readonly #ttlMs: number;
  readonly #max: number;
  readonly #scheduler: SchedulerLike;
  #sweeping: Subscription | undefined;

  constructor({ ttlMs = 1_800_000, max = 10_000 }: SessionBounds, scheduler: SchedulerLike = asyncScheduler) {
    this.#ttlMs = ttlMs;
    this.#max = max;
    this.#scheduler = scheduler;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** The session that a request names; undefined where there is none, or it is another's: nobody is told which. */
  find(id: string, request: HttpRequest): HttpSession | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined || !isOf(session, request)) return undefined;
    session.used = true;
    session.touched = this.#scheduler.now();
    return session;
  }

  /**
   * Makes room for one more: what was opened and never used gives way. False where all are in use: somebody who floods
   * the server with handshakes shuts out newcomers at most, and never those who are in (CVE-2026-67430).
   *
   * @param opening - how many are about to be added
   */
  makeRoom(opening: number): boolean {
    if (this.#sessions.size + opening < this.#max) return true;
    for (const session of this.#sessions.values())
      if (!session.used && !session.busy) {
        this.end(session);
        return true;
      }
    return false;
  }

  add(session: HttpSession): void {
    session.touched = this.#scheduler.now();
    this.#sessions.set(session.id, session);
    this.#sweeping ??= this.#look();
  }

  end(session: HttpSession): void {
    this.#sessions.delete(session.id);
    session.close();
    if (this.#sessions.size > 0) return;
    this.#sweeping?.unsubscribe();
    this.#sweeping = undefined;
  }

  all(): readonly HttpSession[] {
    return [...this.#sessions.values()];
  }

  *[Symbol.iterator](): Iterator<HttpSession> {
    yield* this.#sessions.values();
  }

  #look(): Subscription {
    return this.#scheduler.schedule(() => this.#sweep(), atLongest(this.#ttlMs / looks));
  }

  #sweep(): void {
    this.#sweeping = undefined;
    const now = this.#scheduler.now();
    for (const session of this.all()) {
      if (session.busy) session.touched = now;
      else if (now - session.touched >= this.#ttlMs) this.end(session);
    }
    if (this.#sessions.size > 0) this.#sweeping = this.#look();
  }
}
