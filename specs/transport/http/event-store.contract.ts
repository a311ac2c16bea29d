/** What every event store does, in memory or not. */
import { lastValueFrom, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventsForgotten, type EventStore, type StoredEvent } from '../../../lib/transport/http/event-store.ts';

/** A store that nothing has been put into, and what gives it back. */
export interface StoreAtHand {
  readonly store: EventStore;
  readonly close?: (() => Promise<void>) | undefined;
}

const forgotten = 'forgotten';

export const eventStoreContract = (name: string, make: () => StoreAtHand | Promise<StoreAtHand>): void => {
  describe(`${name}, as an event store`, () => {
    let store: EventStore;
    let close: StoreAtHand['close'];

    beforeEach(async () => ({ store, close } = await make()));
    afterEach(() => close?.());

    /** What a stream said after a position, or that it is not known. */
    const after = (stream: string, position: number): Promise<readonly StoredEvent[] | typeof forgotten> =>
      lastValueFrom(store.after(stream, position).pipe(toArray())).catch((error: unknown) => {
        expect(error).toBeInstanceOf(EventsForgotten);
        return forgotten;
      });
    const say = (stream: string, ...words: readonly string[]): void =>
      words.forEach((data, index) => store.append(stream, index + 1, data));

    it('gives back what came after a position, in order (SHTTP-41)', async () => {
      say('s', 'one', 'two', 'three');
      expect(await after('s', 0)).toEqual([
        { position: 1, data: 'one' },
        { position: 2, data: 'two' },
        { position: 3, data: 'three' },
      ]);
      expect(await after('s', 2)).toEqual([{ position: 3, data: 'three' }]);
      expect(await after('s', 3)).toEqual([]);
    });

    it('gives it back as often as it is asked for, and with what has come since', async () => {
      say('s', 'one');
      const asked = store.after('s', 0).pipe(toArray());
      expect(await lastValueFrom(asked)).toHaveLength(1);
      store.append('s', 2, 'two');
      expect(await lastValueFrom(asked)).toHaveLength(2);
    });

    it('knows nothing that was never said', async () => {
      expect(await after('s', 0)).toBe(forgotten);
      say('s', 'one');
      expect(await after('s', 7)).toEqual([]);
      for (const position of [-1, NaN]) expect(await after('s', position)).toBe(forgotten);
    });

    it('keeps every text as it is', async () => {
      const texts = ['', 'ü 𝄞 \u2028', 'two\nlines\r\n', '{"a":"\\u0000"}', 'x'.repeat(100_000)];
      say('s', ...texts);
      expect(await after('s', 0)).toEqual(texts.map((data, index) => ({ position: index + 1, data })));
    });

    it('never gives one stream what another said (SHTTP-42)', async () => {
      say('a', 'of a');
      say('b', 'of b', 'more of b');
      say('__proto__', 'of nobody');
      expect(await after('a', 0)).toEqual([{ position: 1, data: 'of a' }]);
      expect(await after('b', 1)).toEqual([{ position: 2, data: 'more of b' }]);
      expect(await after('toString', 0)).toBe(forgotten);
    });

    it('keeps a stream that has ended, for whoever still comes back', async () => {
      say('s', 'one', 'two');
      store.end('s');
      store.end('s');
      expect(await after('s', 1)).toEqual([{ position: 2, data: 'two' }]);
    });

    it('forgets a stream that is dropped, and no other', async () => {
      say('a', 'one');
      say('b', 'one');
      say('c', 'one');
      store.end('b');
      for (const stream of ['a', 'b', 'unknown']) store.drop(stream);
      expect(await after('a', 0)).toBe(forgotten);
      expect(await after('b', 0)).toBe(forgotten);
      expect(await after('c', 0)).toEqual([{ position: 1, data: 'one' }]);
    });

    it('has a stream start anew after it was dropped', async () => {
      say('s', 'one', 'two');
      store.drop('s');
      store.append('s', 3, 'three');
      expect(await after('s', 2)).toEqual([{ position: 3, data: 'three' }]);
      expect(await after('s', 1)).toBe(forgotten);
    });

    it('lets whoever reads say more, and stop', async () => {
      say('s', 'one', 'two');
      const seen: string[] = [];
      await new Promise<void>((resolve, reject) => {
        store.after('s', 0).subscribe({
          next: ({ data }) => {
            seen.push(data);
            store.append('s', 2 + seen.length, `more ${data}`);
          },
          error: reject,
          complete: resolve,
        });
      });
      expect(seen.slice(0, 2)).toEqual(['one', 'two']);
      expect(await after('s', 2)).toEqual(seen.map((data, index) => ({ position: 3 + index, data: `more ${data}` })));
    });
  });
};
