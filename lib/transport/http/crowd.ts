/**
 * Those who come and go with every request. An array, because the tables that a `Set` leaves behind when many pass through
 * it refer to each other, and keep alive what they held until everything is collected.
 */

/** Knows its own place; whoever is in no crowd has none, and says -1. */
export interface Member {
  at: number;
}

export class Crowd<T extends Member> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: T): void {
    member.at = this.#members.push(member) - 1;
  }

  /** Whether it was there. The last one takes its place. */
  remove(member: T): boolean {
    const { at } = member;
    if (this.#members[at] !== member) return false;
    const last = this.#members.pop();
    if (last !== undefined && last !== member) {
      this.#members[at] = last;
      last.at = at;
    }
    member.at = -1;
    return true;
  }

  /** As they are now: whoever is dealt with may go. */
  all(): readonly T[] {
    return [...this.#members];
  }
}
