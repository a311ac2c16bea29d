import { finalize, mergeMap, NEVER, Observable, of, Subject, takeUntil } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  Misconfigured,
  open,
  ports,
  portTo,
  portToWindow,
  serve,
  server,
  tool,
  type Channel,
  type PortsOptions,
} from '../../lib/index.ts';
import { createLedger } from '../../lib/testing/index.ts';
import { leavesNothing } from '../behaviour/leaks.ts';
import { arrive, twoWindows } from './windows.ts';

leavesNothing();

const page = 'https://page.example';
const tools = 'https://tools.example';
const hello = { type: 'rxmcp/connect' };
const ledger = createLedger();
const made = server(
  { name: 's', version: '1' },
  tool('hello', {}, () => 'Hello'),
  tool('wait', {}, () => NEVER.pipe(ledger.watch('wait'))),
);
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5_000, interval: 2 });
afterEach(() => vi.useRealTimers());

/** Counts who gets in, and hangs up on them. */
const doorOf = (window: EventTarget, options?: PortsOptions) => {
  let count = 0;
  const running = ports(window, options)
    .pipe(
      mergeMap((channel) => {
        count += 1;
        return channel(NEVER).pipe(takeUntil(of('at once')));
      }),
    )
    .subscribe();
  return { running, count: () => count };
};

describe('connections between windows', () => {
  it.each(['2026-07-28', '2025-11-25'] as const)('have a port each, at %s', async (revision) => {
    const [host, frame] = twoWindows(page, tools);
    const events: string[] = [];
    const serving = serve(made, ports(frame.here, { origins: [page] })).subscribe(({ type }) => events.push(type));
    const target = portToWindow(host.there, { origin: tools });
    const [one, two] = [await open(target, { revisions: [revision] }), await open(target)];
    expect(await one.callTool('hello', {})).toMatchObject({ content: [{ text: 'Hello' }] });
    await one.close();
    await until(() => expect(events).toEqual(['connected', 'connected', 'disconnected']));
    expect(await two.callTool('hello', {})).toMatchObject({ content: [{ text: 'Hello' }] });
    const waiting = two.callTool('wait', {});
    await until(() => expect(ledger.live).toEqual({ wait: 1 }));
    serving.unsubscribe();
    await expect(waiting).rejects.toBeDefined();
    await two.close();
    expect(ledger.live).toEqual({});
  });

  it('are made by allowed origins and the one source only; others are not even answered', () => {
    const window = new EventTarget();
    const { source, stranger } = { source: {}, stranger: {} };
    const door = doorOf(window, { origins: [page], source });
    const knock = (origin: string, from: object | null, data: unknown = hello): boolean => {
      const { port1, port2 } = new MessageChannel();
      const post = vi.spyOn(port2, 'postMessage');
      arrive(window, { data, origin, source: from, ports: [port2] });
      port1.close();
      return post.mock.calls.length > 0;
    };
    const refused = [
      knock(tools, source),
      knock('https://page.example.evil', source),
      knock('http://page.example', source),
      knock('null', source),
      knock('', source),
      knock(page, stranger),
      knock(page, null),
      knock(page, source, { ...hello, jsonrpc: '2.0' }),
      knock(page, source, 'rxmcp/connect'),
      knock(page, source, null),
    ];
    expect(refused).toEqual(refused.map(() => false));
    expect(door.count()).toBe(0);
    expect(knock(page, source)).toBe(true);
    expect(door.count()).toBe(1);
    door.running.unsubscribe();
    expect(knock(page, source)).toBe(false);
  });

  it('are refused to any window where no origin is allowed', () => {
    const window = new EventTarget();
    const door = doorOf(window);
    const { port2, port1 } = new MessageChannel();
    for (const origin of [page, 'null']) arrive(window, { data: hello, origin, ports: [port2] });
    expect(door.count()).toBe(0);
    arrive(window, { data: hello });
    expect(door.count()).toBe(0);
    arrive(window, { data: hello, ports: [port2] });
    expect(door.count()).toBe(1);
    door.running.unsubscribe();
    port1.close();
  });

  it('come out of a sandboxed frame, where that frame is named', async () => {
    const [host, frame] = twoWindows(page, 'null');
    const serving = serve(made, ports(host.here, { origins: ['null'], source: host.there })).subscribe();
    const client = await open(portToWindow(frame.there, { origin: page }));
    expect(await client.callTool('hello', {})).toMatchObject({ content: [{ text: 'Hello' }] });
    await client.close();
    serving.unsubscribe();
  });

  it.each([
    '*',
    '/',
    '',
    'null',
    'page.example',
    `${page}/`,
    `${page}:443`,
    'https://*.example',
    'HTTPS://page.example',
  ])('do not go by %j for an origin', (origin) => {
    const [host] = twoWindows(page, tools);
    expect(() => portToWindow(host.there, { origin })).toThrow(Misconfigured);
    expect(() => ports(host.here, { origins: [origin] })).toThrow(Misconfigured);
  });

  it('cannot be asked of a window without an origin', () => {
    // @ts-expect-error It is no worker.
    const wrong = (window: Window): Channel => portTo(window);
    expect(wrong).toBeTypeOf('function');
  });

  it('go by origins of applications', () => {
    const [host] = twoWindows(page, tools);
    for (const origin of [
      'chrome-extension://abcdef',
      'tauri://localhost',
      'http://localhost:8080',
      'http://[::1]:80a',
    ])
      if (origin.endsWith('a')) expect(() => portToWindow(host.there, { origin })).toThrow(Misconfigured);
      else expect(() => portToWindow(host.there, { origin })).not.toThrow();
  });
});

describe('a connection', () => {
  const open$ = (channel: Channel) => {
    const seen: unknown[] = [];
    const subscription = channel(new Subject()).subscribe({
      next: (value) => seen.push(value),
      complete: () => seen.push('complete'),
      error: (error: unknown) => seen.push(error),
    });
    return { seen, subscription };
  };

  it('that nobody accepts in time fails, and its timer is gone when somebody has', async () => {
    const [host, frame] = twoWindows(page, tools);
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { seen } = open$(portToWindow(host.there, { origin: 'https://other.example', acceptMs: 500 }));
    vi.advanceTimersByTime(499);
    expect(seen).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(seen).toMatchObject([{ _tag: 'ConnectionClosed', unopened: true }]);
    const serving = ports(frame.here, { origins: [page] })
      .pipe(mergeMap((channel) => channel(NEVER)))
      .subscribe();
    const other = open$(portToWindow(host.there, { origin: tools, acceptMs: 500 }));
    expect(vi.getTimerCount()).toBe(1);
    await until(() => expect(vi.getTimerCount()).toBe(0));
    other.subscription.unsubscribe();
    serving.unsubscribe();
    const left = open$(portToWindow(host.there, { origin: tools, acceptMs: 500 }));
    left.subscription.unsubscribe();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('beyond the bound is refused, and there is room again when another has ended', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { port1, port2 } = new MessageChannel();
    let ended = 0;
    const count = (): void => void (ended += 1);
    const serving = ports(port2, { maxConnections: 1 })
      .pipe(mergeMap((channel) => channel(NEVER).pipe(finalize(count))))
      .subscribe();
    const first = open$(portTo(port1));
    const second = open$(portTo(port1));
    await until(() => expect(second.seen).toEqual(['complete']));
    expect(first.seen).toEqual([]);
    first.subscription.unsubscribe();
    await until(() => expect(ended).toBe(1));
    const third = open$(portTo(port1));
    await until(() => expect(vi.getTimerCount()).toBe(0));
    expect(third.seen).toEqual([]);
    third.subscription.unsubscribe();
    serving.unsubscribe();
    port1.close();
  });

  it('is closed with the listener, whether anybody had taken it or not', async () => {
    const { port1, port2 } = new MessageChannel();
    const failures: unknown[] = [];
    const taken: Channel[] = [];
    const listening = ports(port2).subscribe((channel) => taken.push(channel));
    const [first, second] = [open$(portTo(port1)), open$(portTo(port1))];
    await until(() => expect(taken).toHaveLength(2));
    taken[0]?.(new Observable()).subscribe({ error: (error: unknown) => failures.push(error) });
    listening.unsubscribe();
    await until(() => expect([first.seen, second.seen]).toEqual([['complete'], ['complete']]));
    expect(failures).toMatchObject([{ _tag: 'ConnectionClosed', message: 'the listener was closed' }]);
    port1.close();
  });
});
