import { endGroup, endWithUs, isAlive } from './process-group.ts';

/** How often the system is asked whether anybody is left, in ms: of processes not our own it gives no word. */
const pollMs = 20;
/** How long the killed may take to go, in ms. Later they are zombies that nobody collects, or beyond our reach. */
const killedMs = 1_000;

/**
 * The processes below one that we have started: ended together, first asked, then made to. Its timers run from
 * {@link ChildTree.end} until the last process is gone.
 */
export class ChildTree {
  readonly #leader: number;
  readonly #termGraceMs: number;
  readonly #onGone: () => void;
  readonly #release: () => void;
  #exited = false;
  #timer: NodeJS.Timeout | undefined;
  #ending: { readonly at: number; killedAt: number | undefined } | undefined;
  #gone = false;

  /**
   * @param leader - the process id of the one we have started
   * @param termGraceMs - from SIGTERM to SIGKILL
   * @param onGone - called once, when no process is left
   */
  constructor(leader: number, termGraceMs: number, onGone: () => void) {
    this.#leader = leader;
    this.#termGraceMs = termGraceMs;
    this.#onGone = onGone;
    this.#release = endWithUs(leader);
  }

  /** Whether it was asked to end. */
  get ending(): boolean {
    return this.#ending !== undefined;
  }

  /** The leader is no more; those whom it has left behind follow. */
  leaderExited(): void {
    this.#exited = true;
    if (isAlive(this.#leader)) this.end();
    else this.#finish();
  }

  /** Asks all to end, and makes them after the grace. */
  end(): void {
    if (this.#ending !== undefined || this.#gone) return;
    this.#ending = { at: performance.now(), killedAt: undefined };
    endGroup(this.#leader, 'SIGTERM');
    this.#timer = setInterval(() => this.#look(), pollMs);
  }

  #look(): void {
    const ending = this.#ending;
    if (ending === undefined) return;
    if (this.#exited && !isAlive(this.#leader)) return this.#finish();
    const now = performance.now();
    if (ending.killedAt === undefined) {
      if (now - ending.at < this.#termGraceMs) return;
      ending.killedAt = now;
      endGroup(this.#leader, 'SIGKILL');
    } else if (now - ending.killedAt >= killedMs) this.#finish();
  }

  #finish(): void {
    if (this.#gone) return;
    this.#gone = true;
    clearInterval(this.#timer);
    this.#release();
    this.#onGone();
  }
}
