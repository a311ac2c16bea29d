import { take, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import {
  EventsForgotten,
  memoryEvents,
  type EventStore,
  type MemoryEventsOptions,
} from '../../../lib/transport/http/event-store.ts';
import { eventStoreContract } from './event-store.contract.ts';

eventStoreContract('memory', () => ({ store: memoryEvents({ scheduler: new VirtualTimeScheduler() }) }));

/** What a stream and an event take, besides two bytes a character. */
const perStream = 512;
const perEvent = 64;
const eventOf = (characters: number): number => perEvent + 2 * characters;

/** The texts that a store gives back at once; undefined where it has forgotten some. */
const after = (store: EventStore, stream: string, position = 0): readonly string[] | undefined => {
  const seen: string[] = [];
  let outcome: unknown;
  store.after(stream, position).subscribe({
    next: ({ data }) => seen.push(data),
    error: (error: unknown) => (outcome = error),
    complete: () => (outcome = 'complete'),
  });
  if (outcome === 'complete') return seen;
  expect(outcome).toBeInstanceOf(EventsForgotten);
  return undefined;
};

const virtual = (options: MemoryEventsOptions = {}) => {
  const scheduler = new VirtualTimeScheduler();
  return {
    scheduler,
    store: memoryEvents({ scheduler, ...options }),
    /** Lets time pass: what is due until then happens. */
    pass: (ms: number) => {
      scheduler.maxFrames = scheduler.frame + ms;
      scheduler.schedule(() => undefined, ms);
      scheduler.flush();
    },
    /** How many timers run. */
    timers: () => scheduler.actions.length,
  };
};

describe('events in memory', () => {
  it('come at once, and stop where the reader has enough', () => {
    const { store } = virtual();
    for (const position of [1, 2, 3]) store.append('s', position, `${position}`);
    const seen: string[] = [];
    store
      .after('s', 0)
      .pipe(take(2))
      .subscribe(({ data }) => seen.push(data));
    expect(seen).toEqual(['1', '2']);
  });

  it('keep of one stream what fits, the newest', () => {
    const { store } = virtual({ streamMaxBytes: perStream + 3 * eventOf(10) });
    const texts = Array.from({ length: 1_000 }, (_, index) => `${index + 1}`.padEnd(10));
    texts.forEach((text, index) => store.append('s', index + 1, text));
    expect(after(store, 's', 997)).toEqual(texts.slice(997));
    expect(after(store, 's', 999)).toEqual(texts.slice(999));
    expect(after(store, 's', 996)).toBeUndefined();
  });

  it('do without one that is too large by itself, and what was before it', () => {
    const { store } = virtual({ streamMaxBytes: 10_000 });
    store.append('s', 1, 'one');
    store.append('s', 2, 'x'.repeat(10_000));
    expect(after(store, 's', 1)).toBeUndefined();
    expect(after(store, 's', 2)).toEqual([]);
    store.append('s', 3, 'three');
    expect(after(store, 's', 2)).toEqual(['three']);
  });

  it('bound a stream by what all may have, where that is less', () => {
    const { store } = virtual({ maxBytes: perStream + eventOf(1), streamMaxBytes: 1e9 });
    store.append('s', 1, '1');
    store.append('s', 2, '2');
    expect(after(store, 's', 0)).toBeUndefined();
    expect(after(store, 's', 1)).toEqual(['2']);
  });

  it('forget, when there are too many, what has ended first, the oldest first; then what was silent longest', () => {
    const { store } = virtual({ maxBytes: 4 * (perStream + eventOf(1)) });
    for (const stream of ['old', 'a', 'b', 'c']) store.append(stream, 1, stream[0] ?? '');
    store.end('b');
    store.end('a');
    const kept = () =>
      ['old', 'a', 'b', 'c', 'd', 'e', 'f', 'g'].filter((stream) => after(store, stream) !== undefined);
    expect(kept()).toEqual(['old', 'a', 'b', 'c']);
    store.append('d', 1, 'd');
    expect(kept()).toEqual(['old', 'a', 'c', 'd']);
    store.append('e', 1, 'e');
    expect(kept()).toEqual(['old', 'c', 'd', 'e']);
    store.append('f', 1, 'f');
    expect(kept()).toEqual(['c', 'd', 'e', 'f']);
    store.append('c', 2, '2');
    expect(kept()).toEqual(['c', 'e', 'f']);
    expect(after(store, 'c')).toEqual(['c', '2']);
  });

  it('never hold more than they may, whatever is said, ended and dropped', () => {
    const maxBytes = 50_000;
    const { store } = virtual({ maxBytes, streamMaxBytes: 20_000 });
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const positions = new Map<string, number>();
    const held = () => {
      let sum = 0;
      for (const [stream, last] of positions) {
        // The first position that is still kept.
        let from = last;
        if (after(store, stream, from) === undefined) continue;
        while (from > 0 && after(store, stream, from - 1) !== undefined) from -= 1;
        sum += perStream;
        for (const text of after(store, stream, from) ?? []) sum += eventOf(text.length);
      }
      return sum;
    };
    let most = 0;
    for (let step = 0; step < 5_000; step += 1) {
      const stream = `${random(40)}`;
      const kind = random(20);
      if (kind === 0) store.end(stream);
      else if (kind === 1) {
        store.drop(stream);
        positions.delete(stream);
      } else {
        const position = (positions.get(stream) ?? 0) + 1;
        positions.set(stream, position);
        store.append(stream, position, 'x'.repeat(random(3_000)));
      }
      if (step % 100 === 0) most = Math.max(most, held());
    }
    expect(most).toBeLessThanOrEqual(maxBytes);
    // And not much less: what fits is kept.
    expect(most).toBeGreaterThan(maxBytes / 2);
  });

  it('are forgotten some time after the end of their stream, and not while it goes on', () => {
    const { store, pass } = virtual({ keepMs: 1_000 });
    store.append('on', 1, 'on');
    store.append('a', 1, 'a');
    store.end('a');
    pass(500);
    store.append('b', 1, 'b');
    store.end('b');
    pass(499);
    expect(after(store, 'a')).toEqual(['a']);
    pass(1);
    expect(after(store, 'a')).toBeUndefined();
    expect(after(store, 'b')).toEqual(['b']);
    pass(500);
    expect(after(store, 'b')).toBeUndefined();
    pass(100_000);
    expect(after(store, 'on')).toEqual(['on']);
  });

  it('share one timer, which wakes ten times in a keeping time at most', () => {
    const { store, scheduler, timers } = virtual({ keepMs: 1_000 });
    const schedule = vi.spyOn(scheduler, 'schedule');
    for (let index = 0; index < 100; index += 1) {
      store.append(`${index}`, 1, 'x');
      store.end(`${index}`);
      expect(timers()).toBe(1);
      scheduler.frame += 10;
    }
    scheduler.maxFrames = 5_000;
    scheduler.flush();
    expect(timers()).toBe(0);
    expect(schedule.mock.calls.length).toBeLessThanOrEqual(12);
    expect(after(store, '99')).toBeUndefined();
  });

  it('leave no timer behind when nothing that has ended is kept', () => {
    const { store, timers, pass } = virtual({ keepMs: 1_000, maxBytes: 2 * (perStream + eventOf(1)) });
    store.append('on', 1, 'x');
    expect(timers()).toBe(0);
    store.append('a', 1, 'x');
    store.end('a');
    expect(timers()).toBe(1);
    store.drop('a');
    expect(timers()).toBe(0);
    store.append('b', 1, 'x');
    store.end('b');
    expect(timers()).toBe(1);
    // There is no room for both.
    store.append('on', 2, 'x'.repeat(200));
    expect(timers()).toBe(0);
    store.append('on', 3, '');
    store.drop('on');
    store.append('c', 1, 'x');
    store.end('c');
    pass(1_000);
    expect(timers()).toBe(0);
  });

  it('take no more after the end', () => {
    const { store } = virtual();
    store.append('s', 1, 'one');
    store.end('s');
    store.append('s', 2, 'two');
    expect(after(store, 's')).toEqual(['one']);
  });

  it('are kept for ever on request', () => {
    const { store, pass } = virtual({ keepMs: Infinity });
    store.append('s', 1, 'one');
    store.end('s');
    pass(2 ** 31);
    expect(after(store, 's')).toEqual(['one']);
  });
});
