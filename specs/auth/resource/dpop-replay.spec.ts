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
    expect(replays.isFirst('a', iat)).toBe(true);
    vi.setSystemTime(Date.now() + 300_000);
    expect(replays.isFirst('b', seconds())).toBe(true);
    expect(replays.isFirst('a', iat)).toBe(false);
  });

  it('are told apart by when they were made, too', () => {
    const replays = new Replays(10);
    expect(replays.isFirst('a', seconds())).toBe(true);
    expect(replays.isFirst('a', seconds() - 1)).toBe(true);
    expect(replays.isFirst('a', seconds() + 0.5)).toBe(false);
  });

  it('make room for new ones without ever being taken again', () => {
    const replays = new Replays(3);
    const start = seconds();
    const first = [start - 4, start - 3, start - 2, start - 1, start];
    expect(first.map((iat) => replays.isFirst('a', iat))).toEqual([true, true, true, true, true]);
    expect(first.map((iat) => replays.isFirst('a', iat))).toEqual([false, false, false, false, false]);
    // What was made as long ago as those that are forgotten cannot be told from them.
    expect(replays.isFirst('b', start - 3)).toBe(false);
    expect(replays.isFirst('b', start)).toBe(true);
  });

  it('are forgotten once they are of no use, so that there is room', () => {
    const replays = new Replays(4);
    for (const name of ['a', 'b', 'c']) replays.isFirst(name, seconds());
    vi.setSystemTime(Date.now() + 302_000);
    const old = seconds() - 299;
    expect([replays.size, replays.isFirst('d', seconds()), replays.size]).toEqual([3, true, 1]);
    expect(['a', 'b'].map((name) => replays.isFirst(name, old))).toEqual([true, true]);
  });
});
