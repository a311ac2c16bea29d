/** Remembers what became of tokens: so many, for so long, and without a clock of its own. */

interface Kept<V> {
  readonly verdict: V;
  readonly until: number;
  /** Asked for since it was last passed over. */
  used: boolean;
}

/**
 * Those that are asked for stay; of the others, the oldest go. Being asked for costs a look and a mark, where a list in
 * the order of use would be rebuilt with each request.
 */
export class Verdicts<V> {
  readonly #kept = new Map<string, Kept<V>>();
  readonly #max: number;

  /** @param max - how many there may be */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** The verdict on a token, where it is known and still holds. */
  get(token: string): V | undefined {
    const kept = this.#kept.get(token);
    if (kept === undefined) return undefined;
    if (Date.now() < kept.until) {
      kept.used = true;
      return kept.verdict;
    }
    this.#kept.delete(token);
    return undefined;
  }

  /**
   * Remembers a verdict.
   *
   * @param until - when it ends to hold, in milliseconds since 1970
   */
  keep(token: string, verdict: V, until: number): void {
    const now = Date.now();
    if (!(until > now) || this.#max < 1) return;
    this.#kept.delete(token);
    if (this.#kept.size >= this.#max) this.#makeRoom(now);
    this.#kept.set(token, { verdict, until, used: false });
  }

  clear(): void {
    this.#kept.clear();
  }

  #makeRoom(now: number): void {
    // Each is passed over at most once, so this comes to an end.
    for (const [token, kept] of this.#kept) {
      this.#kept.delete(token);
      if (!kept.used || kept.until <= now) return;
      kept.used = false;
      this.#kept.set(token, kept);
    }
  }
}
