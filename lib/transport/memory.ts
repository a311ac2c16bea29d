/**
 * Frames in memory: handed over as they are, or as text, so that what works in one process also works over a wire.
 */
import { Observable, type Subscriber } from 'rxjs';
import type { Channel } from '../exchange/exchange.ts';
import type { Frame } from '../frame/frame.ts';
import { parse, stringify } from '../frame/json.ts';

export interface MemoryOptions {
  /** Sends text instead of objects: slower, and exact. Default false. */
  readonly serialise?: boolean;
}

type Item = Frame | readonly Frame[];

/** Delivers in order and one at a time: what a delivery provokes waits for its turn, so no chain of calls grows the stack. */
class Courier {
  readonly #waiting: (readonly [Side, unknown])[] = [];
  #busy = false;

  post(to: Side, value: unknown): void {
    this.#waiting.push([to, value]);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
        next[0].inbound?.next(next[1]);
    } finally {
      this.#busy = false;
    }
  }
}

/** One listener for each side, once it is open. */
interface Side {
  inbound: Subscriber<unknown> | undefined;
  closed: boolean;
}

/**
 * Two channels, each the far side of the other. Either may be opened once; closing one completes the other.
 *
 * @example
 * const [near, far] = memoryPair();
 * serveChannel(weather)(far).subscribe();
 */
export const memoryPair = ({ serialise = false }: MemoryOptions = {}): readonly [Channel, Channel] => {
  const courier = new Courier();
  const left: Side = { inbound: undefined, closed: false };
  const right: Side = { inbound: undefined, closed: false };
  const pass = serialise ? (item: Item): unknown => parse(stringify(item)) : (item: Item): unknown => item;
  const channel =
    (here: Side, there: Side): Channel =>
    (outbound) =>
      new Observable((subscriber) => {
        // The far side has gone before this one came.
        if (there.closed) return subscriber.complete();
        here.inbound = subscriber;
        const writing = outbound.subscribe({
          next: (item) => courier.post(there, pass(item)),
          error: (error: unknown) => subscriber.error(error),
        });
        return () => {
          writing.unsubscribe();
          here.inbound = undefined;
          here.closed = true;
          there.inbound?.complete();
        };
      });
  return [channel(left, right), channel(right, left)];
};
