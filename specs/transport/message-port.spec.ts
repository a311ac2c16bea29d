import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { NEVER, Observable, of, Subject } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connect, messagePort, open, portTo, serve, server, tool, type Channel, type Frame } from '../../lib/index.ts';
import { UnreadableResponse } from '../../lib/frame/unreadable-response.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

const frame = (n: number): Frame => ({ jsonrpc: '2.0', method: `m${n}` });
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const use = (channel: Channel) => {
  const out = new Subject<Frame>();
  const seen: unknown[] = [];
  const subscription = channel(out).subscribe({
    next: (value) => seen.push(value),
    complete: () => seen.push('complete'),
    error: (error: unknown) => seen.push(error),
  });
  closers.push(() => subscription.unsubscribe());
  return { out, seen, subscription };
};

const pair = (limit?: number) => {
  const { port1, port2 } = new MessageChannel();
  return [use(messagePort(port1)), use(messagePort(port2, { messageLimit: limit }))] as const;
};

/** One channel, and the bare port at its other end. */
const bare = (limit?: number) => {
  const { port1, port2 } = new MessageChannel();
  const heard: unknown[] = [];
  port2.addEventListener('close', () => heard.push('closed'));
  port2.addEventListener('message', ({ data }) => heard.push(data));
  port2.start();
  closers.push(() => port2.close());
  return { ...use(messagePort(port1, { messageLimit: limit })), port: port2, heard };
};

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5_000, interval: 2 });
const goodbye = { type: 'rxmcp/goodbye' };

describe('a port', () => {
  it('carries frames as objects, in order, either way (TRN-02, TRN-03, TRN-06)', async () => {
    const [left, right] = pair();
    for (let n = 1; n <= 3; n += 1) left.out.next(frame(n));
    right.out.next(frame(4));
    await until(() => expect(right.seen).toEqual([frame(1), frame(2), frame(3)]));
    await until(() => expect(left.seen).toEqual([frame(4)]));
  });

  it.each([0, 1])('that is left completes the other, after all that was said (side %i)', async (side) => {
    const sides = pair();
    const [leaver, stayer] = side === 0 ? sides : [sides[1], sides[0]];
    leaver.out.next(frame(1));
    leaver.subscription.unsubscribe();
    await until(() => expect(stayer.seen).toEqual([frame(1), 'complete']));
    expect([leaver.out.observed, stayer.out.observed]).toEqual([false, false]);
    expect(leaver.seen).toEqual([]);
  });

  it('says goodbye once, and takes it for the end', async () => {
    const left = bare();
    left.subscription.unsubscribe();
    await until(() => expect(left.heard).toEqual([goodbye, 'closed']));
    const told = bare();
    told.port.postMessage(goodbye);
    await until(() => expect(told.seen).toEqual(['complete']));
    await until(() => expect(told.heard).toEqual(['closed']));
  });

  it('that is closed without a word completes where the platform tells', async () => {
    const { port, seen } = bare();
    port.close();
    await until(() => expect(seen).toEqual(['complete']));
  });

  it('can be left before anybody listens at its other end, and opened once only', async () => {
    const { port1, port2 } = new MessageChannel();
    const first = messagePort(port1);
    use(first).subscription.unsubscribe();
    expect(use(first).seen).toMatchObject([{ _tag: 'ConnectionClosed', unopened: true }]);
    const late = use(messagePort(port2));
    await until(() => expect(late.seen).toEqual(['complete']));
  });

  it('fails where what is written fails', async () => {
    const { port1, port2 } = new MessageChannel();
    const seen: unknown[] = [];
    messagePort(port1)(new Observable((out) => out.error(new Error('broken')))).subscribe({
      error: (error: unknown) => seen.push(error),
    });
    expect(seen).toMatchObject([{ message: 'broken' }]);
    const other = use(messagePort(port2));
    await until(() => expect(other.seen).toEqual(['complete']));
  });

  it('says what a clone would say differently as JSON does', async () => {
    const { out, heard, seen } = bare();
    const when = new Date(0);
    const proxy = new Proxy({ a: 1 }, {});
    out.next({ jsonrpc: '2.0', id: 1, result: { when, gone: undefined, nan: NaN, proxy, f: () => 1 } });
    out.next({ jsonrpc: '2.0', id: 2, result: { proxy } });
    await until(() => expect(heard).toHaveLength(2));
    expect(heard).toStrictEqual([
      { jsonrpc: '2.0', id: 1, result: { when: when.toJSON(), nan: null, proxy: { a: 1 } } },
      { jsonrpc: '2.0', id: 2, result: { proxy: { a: 1 } } },
    ]);
    out.next({ jsonrpc: '2.0', id: 3, result: { big: 1n } });
    out.next({ jsonrpc: '2.0', id: 4, method: 'm', params: { big: 1n } });
    await until(() => expect(heard.slice(2)).toMatchObject([{ id: 3, error: { code: -32603 } }]));
    expect(seen).toMatchObject([{ answers: 4 }]);
  });
});

const loop = (): object => {
  const value: Record<string, unknown> = {};
  value['again'] = value;
  return value;
};
/** From each of two objects there are two ways on, so that no end of ways is within the depth. */
const tangle = (): object => {
  const [one, other]: [Record<string, unknown>, Record<string, unknown>] = [{}, {}];
  return Object.assign(one, { one, other: Object.assign(other, { one, other }) });
};
/** Small to post, and 2^64 parts to look through. */
const lace = (): object => {
  let value: unknown[] = [];
  for (let n = 0; n < 64; n += 1) value = [value, value];
  return value;
};
const deep = (levels: number): object => {
  let value: object = {};
  for (let n = 1; n < levels; n += 1) value = { value };
  return value;
};
const hole: unknown[] = [];
hole.length = 4_000_000_000;

describe('a hostile message', () => {
  it.each<[string, unknown, RegExp]>([
    ['a Map', new Map([[1, 2]]), /\[object Map\] is not JSON/],
    ['a Date', new Date(0), /Date/],
    ['bytes', new Uint8Array(8), /Uint8Array/],
    ['an error', new Error('no'), /Error/],
    ['a boxed string', new String('x'), /String/],
    ['a bigint', 1n, /bigint/],
    ['no number', NaN, /NaN/],
    ['a loop', loop(), /deeper than 512/],
    ['loops that meet', tangle(), /deeper than 512/],
    ['too many levels', deep(512), /deeper than 512/],
    ['shared parts that multiply', lace(), /longer than is allowed/],
    ['an array that is nothing but long', hole, /undefined/],
    ['a key that is a prototype', JSON.parse('{"__proto__":{"a":1}}'), /__proto__/],
  ])('with %s is refused by its id, and the next one is read (RPC-03)', async (_, part, reason) => {
    const { port, seen } = bare(100_000);
    port.postMessage({ jsonrpc: '2.0', id: 7, method: 'm', params: { part } });
    port.postMessage({ jsonrpc: '2.0', id: 8, result: { part } });
    port.postMessage(part);
    port.postMessage(frame(1));
    await until(() => expect(seen).toHaveLength(4));
    expect(seen).toMatchObject([
      { reason: expect.stringMatching(reason), code: -32600, id: 7 },
      { reason: expect.stringMatching(reason), answers: 8 },
      {},
      frame(1),
    ]);
    expect(seen[0]).not.toBeInstanceOf(UnreadableResponse);
    expect(seen[1]).toBeInstanceOf(UnreadableResponse);
  });

  it('is refused beyond its bound in characters', async () => {
    const { port, seen } = bare(100);
    port.postMessage({ jsonrpc: '2.0', id: 1, method: 'm', params: { text: 'x'.repeat(100) } });
    port.postMessage({ jsonrpc: '2.0', id: 'y'.repeat(2_000), method: 'm' });
    port.postMessage({ jsonrpc: '2.0', id: 2, method: 'm', params: { text: 'x'.repeat(10) } });
    await until(() => expect(seen).toHaveLength(3));
    expect(seen).toMatchObject([{ reason: 'longer than is allowed', id: 1 }, { id: undefined }, { method: 'm' }]);
  });

  it('may be as deep as any other, and have members that are undefined', async () => {
    const { port, seen } = bare();
    port.postMessage({ jsonrpc: '2.0', id: 1, result: deep(511), gone: undefined });
    await until(() => expect(seen).toStrictEqual([{ jsonrpc: '2.0', id: 1, result: deep(511) }]));
  });

  it('cannot pass for a goodbye, and what cannot be cloned is malformed', async () => {
    const { port1 } = new MessageChannel();
    const { seen } = use(messagePort(port1));
    port1.dispatchEvent(new Event('messageerror'));
    expect(seen).toMatchObject([{ code: -32700 }]);
    const { port, seen: other } = bare();
    port.postMessage({ ...goodbye, ...frame(1) });
    port.postMessage([goodbye]);
    await until(() => expect(other).toEqual([{ ...goodbye, ...frame(1) }, [goodbye]]));
  });

  it('brings ports that nobody wants: they are closed', async () => {
    const { port, seen } = bare();
    const stray = new MessageChannel();
    const closed = once(stray.port1, 'close');
    port.postMessage(frame(1), [stray.port2]);
    await closed;
    expect(seen).toEqual([frame(1)]);
  });
});

describe('a worker', () => {
  const fixture = new URL('fixture.worker.mjs', import.meta.url);

  it.each(['2026-07-28', '2025-11-25'] as const)('serves connections of its own, at %s', async (revision) => {
    const worker = new Worker(fixture);
    const target = portTo(worker);
    const [one, two] = await Promise.all([1, 2].map(() => open(target, { revisions: [revision] })));
    expect(await one?.callTool('hello', { to: 'Ada' })).toMatchObject({ content: [{ text: 'Hello, Ada' }] });
    await one?.close();
    expect(await two?.callTool('hello', { to: 'Bo' })).toMatchObject({ content: [{ text: 'Hello, Bo' }] });
    await worker.terminate();
    await expect(two?.callTool('hello', { to: 'Cy' })).rejects.toMatchObject({ _tag: 'ConnectionClosed' });
    await two?.close();
  });

  it('that does not start fails what waits for it, and one that fails later does not', async () => {
    const worker = Object.assign(new EventTarget(), { postMessage: () => undefined });
    const { seen } = use(messagePort(worker));
    worker.dispatchEvent(new Event('error'));
    expect(seen).toMatchObject([{ _tag: 'ConnectionClosed', unopened: true }]);
    const later = use(messagePort(worker));
    worker.dispatchEvent(Object.assign(new Event('message'), { data: frame(1), ports: [] }));
    worker.dispatchEvent(new Event('error'));
    expect(later.seen).toEqual([frame(1)]);
  });

  it('is not ended by leaving it, nor is its scope', () => {
    const close = vi.fn();
    const scope = Object.assign(new EventTarget(), { postMessage: vi.fn(), close });
    const channel = messagePort(scope);
    for (let turn = 1; turn <= 2; turn += 1) use(channel).subscription.unsubscribe();
    expect(scope.postMessage.mock.calls).toEqual([[goodbye], [goodbye]]);
    expect(close).not.toHaveBeenCalled();
  });
});

describe('both ends in one process', () => {
  it('serve and connect over one pair of ports', async () => {
    const { port1, port2 } = new MessageChannel();
    const events: string[] = [];
    const here = server(
      { name: 's', version: '1' },
      tool('wait', {}, () => NEVER),
    );
    const serving = serve(here, of(messagePort(port2))).subscribe({
      next: ({ type }) => events.push(type),
      complete: () => events.push('complete'),
    });
    const revision = await new Promise((resolve) => {
      const client = connect(messagePort(port1)).subscribe((it) => {
        resolve(it.revision);
        client.unsubscribe();
      });
    });
    expect(revision).toBe('2026-07-28');
    await until(() => expect(events).toEqual(['connected', 'disconnected', 'complete']));
    expect(serving.closed).toBe(true);
  });

  it('leave nothing that keeps a process', async () => {
    const program = fileURLToPath(new URL('fixture.ports.ts', import.meta.url));
    const child = fork(program, { execArgv: ['--import', 'tsx'], stdio: 'ignore' });
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
