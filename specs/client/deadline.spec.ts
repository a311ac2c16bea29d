import { concat, concatMap, from, map, NEVER, of, timer, VirtualTimeScheduler } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadlines } from '../../lib/client/deadline.ts';
import {
  progress,
  Schema,
  server,
  TimedOut,
  tool,
  type CallOptions,
  type ConnectOptions,
  type Revision,
} from '../../lib/index.ts';
import { breaches, createLedger, linked } from '../../lib/testing/index.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

const ledger = createLedger();
/** Says something after each of these waits, in milliseconds, then hangs or answers. */
const slow = server(
  { name: 's', version: '1' },
  tool(
    'slow',
    { input: Schema.Struct({ waits: Schema.Array(Schema.Number), answers: Schema.Boolean }) },
    ({ waits, answers }) =>
      concat(
        from(waits.map((ms, index) => [ms, index + 1] as const)).pipe(
          concatMap(([ms, done]) => timer(ms).pipe(map(() => progress(done)))),
        ),
        answers ? of('done') : NEVER,
      ).pipe(ledger.watch('work')),
  ),
);

beforeEach(() => {
  vi.useFakeTimers();
  ledger.forget();
});
afterEach(() => {
  const left = vi.getTimerCount();
  vi.useRealTimers();
  expect(left).toBe(0);
  expect(ledger.live).toEqual({});
});

const call = async (
  waits: readonly number[],
  answers: boolean,
  given: CallOptions,
  { revision = '2026-07-28', client = {} }: { readonly revision?: Revision; readonly client?: ConnectOptions } = {},
) => {
  const link = await linked(slow, { revision, client });
  const seen: unknown[] = [];
  const started = Date.now();
  link.client.call('slow', { waits, answers }, given).subscribe({
    next: ({ kind }) => seen.push(kind),
    error: (error: unknown) => seen.push([Date.now() - started, error]),
  });
  return { seen, link };
};

describe.each(['2024-11-05', '2026-07-28'] as const)('a call at %s', (revision) => {
  it('ends when nothing has come for its idle limit: cancelled on the wire, stopped on the server (LIFE-17, LIFE-18, LIFE-19)', async () => {
    const { seen, link } = await call([], false, { idleMs: 100 }, { revision });
    await vi.advanceTimersByTimeAsync(99);
    expect(seen).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(seen).toEqual([[100, expect.any(TimedOut)]]);
    expect((seen[0] as [number, TimedOut])[1]).toMatchObject({ limit: 'idle', ms: 100, method: 'tools/call' });
    expect(link.wire.overheard.at(-1)?.message).toMatchObject({ method: 'notifications/cancelled' });
    expect(ledger.entries).toEqual(['work unsubscribed']);
    expect(breaches(link.wire.overheard)).toEqual([]);
    await link.client.close();
  });

  it('starts its idle clock again with each progress (LIFE-20)', async () => {
    const { seen, link } = await call([80, 80, 80, 80], true, { idleMs: 100 }, { revision });
    await vi.advanceTimersByTimeAsync(320);
    expect(seen).toEqual(['progress', 'progress', 'progress', 'progress', 'result']);
    await link.client.close();
  });

  it('ends at its total limit, whatever progress it makes (LIFE-21)', async () => {
    const { seen, link } = await call([80, 80, 80, 80], true, { idleMs: 100, totalMs: 200 }, { revision });
    await vi.advanceTimersByTimeAsync(400);
    expect(seen).toEqual(['progress', 'progress', [200, expect.any(TimedOut)]]);
    expect((seen[2] as [number, TimedOut])[1]).toMatchObject({ limit: 'total', ms: 200 });
    await link.client.close();
  });
});

describe('limits', () => {
  it('have defaults: a minute without a sign, a quarter of an hour in all', async () => {
    const { seen, link } = await call([], false, {});
    await vi.advanceTimersByTimeAsync(59_999);
    expect(seen).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(seen).toHaveLength(1);
    await link.client.close();
    const long = await call(Array<number>(100).fill(30_000), true, {});
    await vi.advanceTimersByTimeAsync(899_999);
    expect(long.seen.every((kind) => kind === 'progress')).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    expect(long.seen.at(-1)).toEqual([900_000, expect.any(TimedOut)]);
    await long.link.client.close();
  });

  it('of the connection are those of its calls, unless a call has its own', async () => {
    const { seen, link } = await call([], false, {}, { client: { idleMs: 50 } });
    await vi.advanceTimersByTimeAsync(50);
    expect(seen).toHaveLength(1);
    const own: unknown[] = [];
    link.client
      .call('slow', { waits: [], answers: false }, { idleMs: 10 })
      .subscribe({ error: (error: unknown) => own.push(error) });
    await vi.advanceTimersByTimeAsync(10);
    expect(own).toHaveLength(1);
    await link.client.close();
  });

  it('may be infinite, or longer than a timer can be, and keep nobody busy', () => {
    const scheduler = new VirtualTimeScheduler(undefined, 60_000);
    const schedule = vi.spyOn(scheduler, 'schedule');
    const deadlines = new Deadlines(scheduler);
    const late = (): never => expect.fail('it is not due');
    deadlines.watch({ method: 'endless', expired: late }, { idleMs: Infinity, totalMs: Infinity });
    expect(schedule).not.toHaveBeenCalled();
    const long = 40 * 24 * 3_600_000;
    deadlines.watch({ method: 'long', expired: late }, { idleMs: long, totalMs: long });
    scheduler.flush();
    expect(schedule.mock.calls.length).toBeLessThan(100);
    for (const [, delay = 0] of schedule.mock.calls) expect(delay).toBeLessThan(2 ** 31);
    deadlines.close();
  });

  it('do not count for a subscription (SUB-17)', async () => {
    const link = await linked(slow, { revision: '2026-07-28', client: { idleMs: 10, totalMs: 10 } });
    const seen: unknown[] = [];
    const listening = link.client
      .listen({ toolsListChanged: true })
      .subscribe({ next: (notice) => seen.push(notice.method), error: (error: unknown) => seen.push(error) });
    await vi.advanceTimersByTimeAsync(1_000_000);
    expect(seen).toEqual(['notifications/subscriptions/acknowledged']);
    listening.unsubscribe();
    await link.client.close();
  });

  it('use the scheduler that they are given, and one timer for all calls', () => {
    const scheduler = new VirtualTimeScheduler();
    const deadlines = new Deadlines(scheduler);
    const expired: unknown[] = [];
    const watched = (method: string) => ({
      method,
      expired: (error: TimedOut) => void expired.push([scheduler.frame, method, error.limit]),
    });
    deadlines.watch(watched('b'), { idleMs: 20, totalMs: 500 });
    deadlines.watch(watched('a'), { idleMs: 10, totalMs: 500 });
    const done = watched('done');
    deadlines.watch(done, { idleMs: 15 });
    deadlines.done(done);
    const kept = watched('kept');
    deadlines.watch(kept, { idleMs: 30, totalMs: 40 });
    scheduler.schedule(() => deadlines.heard(kept), 25);
    scheduler.schedule(() => deadlines.heard(done), 25);
    scheduler.flush();
    expect(expired).toEqual([
      [10, 'a', 'idle'],
      [20, 'b', 'idle'],
      [40, 'kept', 'total'],
    ]);
  });

  it('are forgotten with the connection', () => {
    const scheduler = new VirtualTimeScheduler();
    const deadlines = new Deadlines(scheduler);
    deadlines.watch({ method: 'x', expired: () => expect.fail('it is closed') }, { idleMs: 10 });
    deadlines.close();
    deadlines.watch({ method: 'y', expired: () => expect.fail('it is closed') }, { idleMs: 10 });
    scheduler.flush();
    expect(scheduler.frame).toBe(0);
    expect(scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
  });
});
