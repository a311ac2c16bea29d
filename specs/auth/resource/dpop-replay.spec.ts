import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Replays } from '../../../lib/auth/resource/dpop-replay.ts';
import { seconds } from './issuer.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('proofs that have been seen (RFC 9449 11.1)', () => {
  it('are known for as long as they could be used', () => {
    const replays = new Replays(10);
    const iat = seconds();
    expect(replays.isFirst('k', 'a', iat)).toBe(true);
    vi.setSystemTime(Date.now() + 300_000);
    expect(replays.isFirst('k', 'b', seconds())).toBe(true);
    expect(replays.isFirst('k', 'a', iat)).toBe(false);
  });

  it('are told apart by when they were made, too', () => {
    const replays = new Replays(10);
    expect(replays.isFirst('k', 'a', seconds())).toBe(true);
    expect(replays.isFirst('k', 'a', seconds() - 1)).toBe(true);
    expect(replays.isFirst('k', 'a', seconds() + 0.5)).toBe(false);
  });

  it('make room for new ones without ever being taken again', () => {
    const replays = new Replays(3);
    const start = seconds();
    const first = [start - 4, start - 3, start - 2, start - 1, start];
    expect(first.map((iat) => replays.isFirst('k', 'a', iat))).toEqual([true, true, true, true, true]);
    expect(first.map((iat) => replays.isFirst('k', 'a', iat))).toEqual([false, false, false, false, false]);
    // What was made as long ago as those that are forgotten cannot be told from them.
    expect(replays.isFirst('k', 'b', start - 3)).toBe(false);
    expect(replays.isFirst('k', 'b', start)).toBe(true);
  });

  it('are forgotten once they are of no use, so that there is room', () => {
    const replays = new Replays(4);
    for (const name of ['a', 'b', 'c']) replays.isFirst('k', name, seconds());
    vi.setSystemTime(Date.now() + 302_000);
    const old = seconds() - 299;
    expect([replays.size, replays.isFirst('k', 'd', seconds()), replays.size]).toEqual([3, true, 1]);
    expect(['a', 'b'].map((name) => replays.isFirst('k', name, old))).toEqual([true, true]);
  });

  it('of one key that are too many shut out nobody else, whatever time they say', () => {
    const replays = new Replays(3);
    const ahead = seconds() + 290;
    expect(replays.isFirst('ada', 'a', seconds())).toBe(true);
    const flood = ['a', 'b', 'c', 'd', 'e'].map((name) => replays.isFirst('mallory', name, ahead));
    expect(flood).toEqual([true, true, false, false, false]);
    expect(replays.size).toBe(1);
    expect(replays.isFirst('ada', 'a', seconds())).toBe(false);
    expect(replays.isFirst('ada', 'b', seconds())).toBe(true);
    expect(replays.isFirst('bob', 'a', ahead)).toBe(true);
  });

  it('of too many keys are never taken again either, and leave nothing behind', () => {
    const replays = new Replays(2);
    const iat = seconds();
    const keys = ['a', 'b', 'c', 'd', 'e'];
    keys.map((key, index) => replays.isFirst(key, 'x', iat - index));
    expect(keys.map((key, index) => replays.isFirst(key, 'x', iat - index))).toEqual(keys.map(() => false));
    expect(replays.size).toBeLessThanOrEqual(2);
    vi.setSystemTime(Date.now() + 602_000);
    expect([replays.isFirst('a', 'x', seconds()), replays.size]).toEqual([true, 1]);
  });
});
