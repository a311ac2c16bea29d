/** Knows which proofs have been seen. */

/** How far the clock of whoever made a proof may be from ours, in seconds. */
export const windowS = 300;

/**
 * Remembers proofs for as long as they could be used. Where there are too many to be remembered, those that were made
 * longest ago are forgotten, and no others of their time are taken any more: none is ever taken twice.
 */
export class Replays {
  /** By the second in which they were made. */
  readonly #seen = new Map<number, Set<string>>();
  readonly #max: number;
  #size = 0;
  /** What was made in this second or before is not taken. */
  #floor = -Infinity;
  #swept = 0;

  /** @param max - how many are remembered */
  constructor(max: number) {
    this.#max = max;
  }

  /** How many are remembered now. */
  get size(): number {
    return this.#size;
  }

  /**
   * Whether this one is new, and was made within the time that we look back on; then it is not new any more.
   *
   * @param name - tells it from all others
   * @param iat - when it was made, in seconds since 1970
   */
  isFirst(name: string, iat: number): boolean {
    const second = Math.floor(iat);
    this.#sweep();
    if (second <= this.#floor) return false;
    const names = this.#seen.get(second) ?? new Set();
    if (names.has(name)) return false;
    this.#seen.set(second, names.add(name));
    this.#size += 1;
    while (this.#size > this.#max) this.#forget(Math.min(...this.#seen.keys()));
    return second > this.#floor;
  }

  #sweep(): void {
    const now = Math.floor(Date.now() / 1000);
    if (now === this.#swept) return;
    this.#swept = now;
    // One second more than they are good for.
    for (const second of this.#seen.keys()) if (second < now - windowS - 1) this.#drop(second);
  }

  #forget(second: number): void {
    this.#drop(second);
    this.#floor = Math.max(this.#floor, second);
  }

  #drop(second: number): void {
    this.#size -= this.#seen.get(second)?.size ?? 0;
    this.#seen.delete(second);
  }
}
