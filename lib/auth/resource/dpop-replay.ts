/** Knows which proofs have been seen. */

/** How far the clock of whoever made a proof may be from ours, in seconds. */
export const windowS = 300;

/** The proofs of one key. */
class Seen {
  /** By the second in which they were made. */
  readonly #names = new Map<number, Set<string>>();
  size = 0;
  /** What was made in this second or before is not taken. */
  floor = -Infinity;

  /** Whether this one is new; then it is not any more. */
  add(name: string, second: number): boolean {
    if (second <= this.floor) return false;
    const names = this.#names.get(second) ?? new Set();
    if (names.has(name)) return false;
    this.#names.set(second, names.add(name));
    this.size += 1;
    return true;
  }

  /** Those that were made longest ago are not known any more, so that no others of their time can be taken. */
  forget(): void {
    const oldest = Math.min(...this.#names.keys());
    this.#drop(oldest);
    this.floor = Math.max(this.floor, oldest);
  }

  /** Lets go of what was made before this second, and is of no use to anybody. */
  sweep(before: number): void {
    for (const second of this.#names.keys()) if (second < before) this.#drop(second);
  }

  #drop(second: number): void {
    this.size -= this.#names.get(second)?.size ?? 0;
    this.#names.delete(second);
  }
}

/**
 * Remembers proofs for as long as they could be used. Where there are too many to be remembered, those of the key that has
 * made the most are forgotten, oldest first, and no others of their time are taken of it any more: none is ever taken
 * twice, and whoever floods us shuts out nobody else.
 */
export class Replays {
  readonly #keys = new Map<string, Seen>();
  readonly #max: number;
  #size = 0;
  /** What was made in this second or before is not taken of anybody. */
  #floor = -Infinity;
  #swept = 0;

  /** @param max - how many are remembered, and of how many keys */
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
   * @param key - whose it is
   * @param name - tells it from all others of this key
   * @param iat - when it was made, in seconds since 1970
   */
  isFirst(key: string, name: string, iat: number): boolean {
    const second = Math.floor(iat);
    this.#sweep();
    if (second <= this.#floor) return false;
    const seen = this.#keys.get(key) ?? new Seen();
    if (!seen.add(name, second)) return false;
    this.#keys.set(key, seen);
    this.#size += 1;
    while (this.#size > this.#max) this.#change(this.#busiest(seen), (busiest) => busiest.forget());
    if (this.#keys.size > this.#max) this.#forgetKey();
    return second > Math.max(this.#floor, seen.floor);
  }

  #sweep(): void {
    const now = Math.floor(Date.now() / 1000);
    if (now === this.#swept) return;
    this.#swept = now;
    // One second more than they are good for.
    const before = now - windowS - 1;
    for (const [key, seen] of this.#keys) {
      this.#change(seen, () => seen.sweep(before));
      if (seen.size === 0 && seen.floor < before) this.#keys.delete(key);
    }
  }

  #busiest(first: Seen): Seen {
    let busiest = first;
    for (const seen of this.#keys.values()) if (seen.size > busiest.size) busiest = seen;
    return busiest;
  }

  /** There are more keys than proofs, so one of them has none left: what was not to be taken of it is taken of nobody. */
  #forgetKey(): void {
    for (const [key, { size, floor }] of this.#keys)
      if (size === 0) {
        this.#floor = Math.max(this.#floor, floor);
        this.#keys.delete(key);
        return;
      }
  }

  #change(seen: Seen, change: (seen: Seen) => void): void {
    this.#size -= seen.size;
    change(seen);
    this.#size += seen.size;
  }
}
