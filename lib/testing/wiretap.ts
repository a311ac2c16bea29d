/** Listens in on a channel: what went over it, and whether both sides kept the rules. */
import { filter, firstValueFrom, map, Observable, ReplaySubject, tap as listen } from 'rxjs';
import type { Channel } from '../exchange/exchange.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';

/** One message that went over the channel. */
export interface Overheard {
  /** Which way it went, as seen from where the channel was opened. */
  readonly way: 'out' | 'in';
  /** The message; of a batch, each item by itself. */
  readonly message: JsonObject;
}

/** A channel that remembers what went over it. */
export interface Tapped extends Channel {
  /** All messages so far, over all connections, in order. */
  readonly overheard: readonly Overheard[];
  /** How many connections are open now. */
  readonly open: number;
  /** Resolves with the first message from `from` on that fits; waits for it where it has not come yet. */
  next(fits: (overheard: Overheard) => boolean, from?: number): Promise<JsonObject>;
}

/**
 * Listens in on a channel without changing what goes over it.
 *
 * @param channel - what to listen to; what is given back takes its place
 * @example
 * const wire = tap(inMemory(weather));
 * await using inside = await open(wire);
 * await inside.callTool('forecast', { city: 'Oslo' });
 * expect(breaches(wire.overheard)).toEqual([]);
 */
export const tap = (channel: Channel): Tapped => {
  const overheard: Overheard[] = [];
  const heard = new ReplaySubject<{ readonly at: number; readonly one: Overheard }>(Infinity);
  let open = 0;
  const hear = (way: Overheard['way'], value: unknown): void => {
    for (const message of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      if (!isObject(message)) continue;
      const one = { way, message };
      heard.next({ at: overheard.push(one) - 1, one });
    }
  };
  const tapped: Channel = (outbound) =>
    new Observable((subscriber) => {
      open += 1;
      const inbound = channel(outbound.pipe(listen((frame) => hear('out', frame))))
        .pipe(listen((value) => hear('in', value)))
        .subscribe(subscriber);
      return () => {
        open -= 1;
        inbound.unsubscribe();
      };
    });
  return Object.defineProperties(tapped, {
    overheard: { get: () => [...overheard] },
    open: { get: () => open },
    next: {
      value: (fits: (one: Overheard) => boolean, from = 0) =>
        firstValueFrom(
          heard.pipe(
            filter(({ at, one }) => at >= from && fits(one)),
            map(({ one }) => one.message),
          ),
          { defaultValue: {} },
        ),
    },
  }) as Tapped;
};
