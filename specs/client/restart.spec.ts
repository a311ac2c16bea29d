import { concat, concatMap, defer, EMPTY, NEVER, of, switchMap, throwError, timer, type Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  connect,
  ConnectionClosed,
  HttpRefusal,
  NoCommonRevision,
  restart,
  type Client,
  type Schedule,
} from '../../lib/index.ts';
import { createLedger, puppet } from '../../lib/testing/index.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  const left = vi.getTimerCount();
  vi.useRealTimers();
  expect(left).toBe(0);
});

const even: Schedule = { jitter: 0 };

/** When each subscription was made, in milliseconds. */
const times = (runs: readonly Observable<unknown>[], schedule: Schedule) => {
  const at: number[] = [];
  const seen: unknown[] = [];
  const start = Date.now();
  const source = defer(() => {
    at.push(Date.now() - start);
    return runs[at.length - 1] ?? NEVER;
  });
  const subscription = source.pipe(restart(schedule)).subscribe({
    next: (value) => seen.push(value),
    error: (error: unknown) => seen.push(error),
    complete: () => seen.push('complete'),
  });
  return { at, seen, stop: () => subscription.unsubscribe() };
};

const broken = throwError(() => new Error('broken'));

describe('restart', () => {
  it('waits longer each time, up to the longest wait', () => {
    const { at, stop } = times(Array(6).fill(broken), { ...even, initialMs: 100, maxMs: 500 });
    vi.advanceTimersByTime(10_000);
    expect(at).toEqual([0, 100, 300, 700, 1200, 1700, 2200]);
    stop();
  });

  it('leaves a server alone for as long as that wants (Retry-After), be it longer than the longest wait', () => {
    const refused = (retryAfterMs: number) =>
      throwError(() => {
        const cause = new HttpRefusal({ message: 'later', status: 503, body: '', retryAfterMs });
        return new ConnectionClosed({ message: 'later', cause });
      });
    const { at, stop } = times([refused(60_000), refused(10), refused(1e12)], { ...even, maxMs: 1_000 });
    vi.advanceTimersByTime(200_000_000);
    expect(at).toEqual([0, 60_000, 60_500, 86_460_500]);
    stop();
  });

  it('begins anew after each success', () => {
    const up = concat(of('up'), broken);
    const { at, seen, stop } = times([broken, broken, up, up, broken], { ...even, initialMs: 100, stableMs: 0 });
    vi.advanceTimersByTime(10_000);
    expect(at).toEqual([0, 100, 300, 400, 500, 700]);
    expect(seen).toEqual(['up', 'up']);
    stop();
  });

  it('takes for a success only what has lasted: what dies of its first request is waited for longer and longer', () => {
    const brief = concat(of('up'), broken);
    const lasting = concat(of('up'), timer(5_000).pipe(concatMap(() => broken)));
    const { at, stop } = times([brief, brief, lasting, brief], { ...even, initialMs: 100 });
    vi.advanceTimersByTime(6_000);
    expect(at).toEqual([0, 100, 300, 5_400, 5_600]);
    stop();
  });

  it('does not repeat what no attempt can mend', () => {
    const hopeless = throwError(() => new NoCommonRevision({ message: 'none', offered: [], supported: [] }));
    const { at, seen } = times([hopeless], { ...even, initialMs: 1 });
    vi.advanceTimersByTime(1000);
    expect(at).toEqual([0]);
    expect(seen).toHaveLength(1);
  });

  it('opens again what ended in good order, or leaves it at that', () => {
    const once = times([of('up')], { ...even, initialMs: 100 });
    vi.advanceTimersByTime(1000);
    expect(once.at).toEqual([0, 100]);
    once.stop();
    const { at, seen } = times([broken, of('up')], { ...even, initialMs: 100, always: false });
    vi.advanceTimersByTime(1000);
    expect(at).toEqual([0, 100]);
    expect(seen).toEqual(['up', 'complete']);
  });

  it('gives up with the last error', () => {
    const { at, seen } = times(Array(9).fill(broken), { ...even, initialMs: 1, attempts: 3 });
    vi.advanceTimersByTime(1000);
    expect(at).toHaveLength(4);
    expect(seen).toEqual([new Error('broken')]);
  });

  it('strays by its jitter, either way', () => {
    for (const [random, wait] of [
      [0, 80],
      [0.5, 100],
      [1, 120],
    ] as const) {
      const { at, stop } = times([EMPTY], { initialMs: 100, jitter: 0.2, random: () => random });
      vi.advanceTimersByTime(wait - 1);
      expect(at).toHaveLength(1);
      vi.advanceTimersByTime(1);
      expect(at).toHaveLength(2);
      stop();
    }
  });

  it('stops while it waits', () => {
    const { at, stop } = times([broken], even);
    stop();
    vi.advanceTimersByTime(100_000);
    expect(at).toHaveLength(1);
  });

  const listening = () =>
    puppet((asked) => {
      const { id, method } = asked as { id: number; method: string };
      if (method === 'server/discover')
        return {
          jsonrpc: '2.0',
          id,
          result: { supportedVersions: ['2026-07-28'], capabilities: { resources: { subscribe: true } } },
        };
      if (method !== 'subscriptions/listen') return undefined;
      const params = {
        notifications: { resourceSubscriptions: ['a:b'] },
        _meta: { 'io.modelcontextprotocol/subscriptionId': id },
      };
      return { jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params };
    });
  const opening = ['server/discover', 'subscriptions/listen'];

  /** A connection breaks with the failure itself; what hangs on its client may stand before the restart, or after it. */
  it.each([
    ['in good order', undefined],
    ['by breaking', new ConnectionClosed({ message: 'it broke' })],
  ])('re-establishes what hangs on a client whose connection ends %s: it listens again (SUB-15, SUB-16)', (_, end) => {
    const listen = (client: Client) => client.listen({ resourceSubscriptions: ['a:b'] });
    for (const pipeline of [
      (clients: Observable<Client>) => clients.pipe(restart({ ...even, initialMs: 100 }), switchMap(listen)),
      (clients: Observable<Client>) => clients.pipe(switchMap(listen), restart({ ...even, initialMs: 100 })),
    ]) {
      const ledger = createLedger();
      const far = listening();
      const subscription = pipeline(connect(far.channel).pipe(ledger.watch('connection'))).subscribe();
      const asked = (): unknown[] => far.sent.map((frame) => (frame as { method: string }).method);
      expect(asked()).toEqual(opening);
      far.end(end);
      expect(far.open).toBe(0);
      vi.advanceTimersByTime(100);
      expect(asked()).toEqual([...opening, ...opening]);
      expect(ledger.live).toEqual({ connection: 1 });
      subscription.unsubscribe();
      expect(ledger.live).toEqual({});
      expect(far.open).toBe(0);
    }
  });
});
