/**
 * Frames in memory: handed over as they are, or as text, so that what works in one process also works over a wire.
 */
import { Observable, type Subscriber } from 'rxjs';
import type { Channel } from '../exchange/exchange.ts';
import type { Frame } from '../frame/frame.ts';
import { codes } from '../frame/errors.ts';
import { parse } from '../frame/json.ts';
import { UnreadableResponse } from '../frame/unreadable-response.ts';
import { serialise as textOf } from './outbox.ts';

/** How frames are handed over. */
export interface MemoryOptions {
  /** Sends text instead of objects: slower, and exact. Default false. */
  readonly serialise?: boolean;
}

/** In place of a message: the far side has closed, after all that it has said. */
const end = Symbol('end');

/** Delivers in order and one at a time: what a delivery provokes waits for its turn, so no chain of calls grows the stack. */
class Courier {
  readonly #waiting: (readonly [Side, unknown])[] = [];
  #busy = false;

  post(to: Side, value: unknown): void {
    this.#waiting.push([to, value]);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        const [side, value] = next;
        if (value === end) side.inbound?.complete();
        else if (side.inbound !== undefined) side.inbound.next(value);
        else if (!side.closed) side.early.push(value);
      }
    } finally {
      this.#busy = false;
    }
  }
}

/** One listener for each side, once it is open. */
interface Side {
  inbound: Subscriber<unknown> | undefined;
  closed: boolean;
  /** What came before it was opened. */
  readonly early: unknown[];
}

/**
 * Two channels, each the far side of the other. Either may be opened once; closing one completes the other.
 *
 * @param options - `serialise: true` sends text instead of objects
 * @example
 * const [near, far] = memoryPair({ serialise: true });
 * const serving = serveChannel(weather)(far).subscribe();
 * const over = await open(near);
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
export const memoryPair = ({ serialise = false }: MemoryOptions = {}): readonly [Channel, Channel] => {
  const courier = new Courier();
  const left: Side = { inbound: undefined, closed: false, early: [] };
  const right: Side = { inbound: undefined, closed: false, early: [] };
  const channel =
    (here: Side, there: Side): Channel =>
    (outbound) =>
      new Observable((subscriber) => {
        // The far side has gone before this one came.
        if (there.closed) return subscriber.complete();
        here.inbound = subscriber;
        const writing = outbound.subscribe({
          next: (item) => {
            if (!serialise) return courier.post(there, item);
            const text = textOf(item, (frame, reason) => courier.post(here, unsendable(frame, reason)));
            if (text !== undefined) courier.post(there, parse(text));
          },
          error: (error: unknown) => subscriber.error(error),
        });
        for (const value of here.early.splice(0)) courier.post(here, value);
        return () => {
          writing.unsubscribe();
          here.inbound = undefined;
          here.closed = true;
          courier.post(there, end);
        };
      });
  return [channel(left, right), channel(right, left)];
};

/** In place of the answer that a request cannot have, because it could not be sent. */
const unsendable = (frame: Frame, reason: string): unknown =>
  'method' in frame && 'id' in frame
    ? new UnreadableResponse(reason, codes.internalError, frame.method, frame.id)
    : undefined;
