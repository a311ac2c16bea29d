import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { PassThrough, Writable, type Readable } from 'node:stream';
import { EMPTY, NEVER, Subject, throwError, type Observable } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Channel } from '../../lib/exchange/exchange.ts';
import { ConnectionClosed } from '../../lib/frame/errors.ts';
import type { Frame } from '../../lib/frame/frame.ts';
import { Unreadable } from '../../lib/frame/unreadable.ts';
import { UnreadableResponse } from '../../lib/frame/unreadable-response.ts';
import { duplex } from '../../lib/node/duplex.ts';

const result = (id: number, text = ''): Frame => ({ jsonrpc: '2.0', id, result: { text } });
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Subscribes to a channel and notes what comes. */
const open = (channel: Channel, outbound: Observable<Frame | readonly Frame[]> = NEVER) => {
  const values: unknown[] = [];
  const log = { values, completed: false, error: undefined as unknown };
  let done = () => {};
  const ended = new Promise<void>((resolve) => (done = resolve));
  const subscription = channel(outbound).subscribe({
    next: (value) => values.push(value),
    error: (error: unknown) => {
      log.error = error;
      done();
    },
    complete: () => {
      log.completed = true;
      done();
    },
  });
  return { ...{ subscription, ended }, log };
};

const listeners = (...streams: (Readable | Writable)[]) =>
  streams.map((stream) => stream.eventNames().map((name) => [String(name), stream.listenerCount(name)]));

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Both ends of a TCP connection. */
const sockets = async (): Promise<[Socket, Socket]> => {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const near = connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true });
  const [[far]] = await Promise.all([once(server, 'connection'), once(near, 'connect')]);
  return [near, far];
};

describe('duplex', () => {
  it('reads and writes one message per line', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const out = new Subject<Frame | readonly Frame[]>();
    const { log } = open(duplex(input, output), out);
    input.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\r\n\n[1,2]\n');
    out.next(result(1));
    out.next([result(2), result(3)]);
    await turn();
    expect(log.values).toEqual([{ jsonrpc: '2.0', id: 1, method: 'ping' }, [1, 2]]);
    expect(String(output.read())).toBe(
      [result(1), [result(2), result(3)]].map((frame) => `${JSON.stringify(frame)}\n`).join(''),
    );
  });

  it('passes on what cannot be read, and lives', async () => {
    const input = new PassThrough();
    const { log } = open(duplex(input, new PassThrough(), { lineLimit: 50 }));
    input.write(`{"id":1,]\n${'{"id":2,"a":"'.padEnd(100)}"}\n{"id":3}\n`);
    await turn();
    expect(log.values).toMatchObject([{ code: -32700, id: 1 }, { code: -32600, id: 2 }, { id: 3 }]);
    expect(log.values.map((value) => value instanceof Unreadable)).toEqual([true, true, false]);
  });

  it('tells the asker of a request that JSON cannot express', async () => {
    const out = new Subject<Frame>();
    const { log } = open(duplex(new PassThrough(), new PassThrough()), out);
    out.next({ jsonrpc: '2.0', id: 8, method: 'tools/call', params: { n: 1n } });
    expect(log.values).toMatchObject([{ answers: 8, id: undefined }]);
    expect(log.values[0]).toBeInstanceOf(UnreadableResponse);
    await turn();
  });

  it('completes at the end of the input, and still writes answers until outbound completes', async () => {
    const [near, far] = await sockets();
    const out = new Subject<Frame>();
    const { log, ended } = open(duplex(near, near), out);
    far.end('{"id":1}\n{"id":2}');
    await ended;
    expect(log).toMatchObject({ completed: true, values: [{ id: 1 }, { id: 2 }] });
    out.next(result(1, 'late'));
    const [chunk] = await once(far, 'data');
    expect(JSON.parse(String(chunk))).toEqual(result(1, 'late'));
    out.next(result(2, 'last'));
    out.complete();
    const rest = once(far, 'data');
    await once(far, 'end');
    expect(JSON.parse(String((await rest)[0]))).toEqual(result(2, 'last'));
    if (!near.closed) await once(near, 'close');
  });

  it('does not wait longer than it is told for late answers', async () => {
    const [near, far] = await sockets();
    const { ended } = open(duplex(near, near, { lingerMs: 10 }));
    far.end();
    await ended;
    far.resume();
    await once(far, 'end');
    if (!near.closed) await once(near, 'close');
    expect(near.destroyed).toBe(true);
  });

  it('writes what is queued when it is unsubscribed, and then closes', async () => {
    const [near, far] = await sockets();
    const out = new Subject<Frame>();
    const { subscription } = open(duplex(near, near), out);
    let text = '';
    far.on('data', (chunk) => (text += String(chunk)));
    far.on('end', () => far.end());
    for (let id = 0; id < 100; id += 1) out.next(result(id, 'x'.repeat(10_000)));
    subscription.unsubscribe();
    await Promise.all([once(far, 'end'), once(near, 'close')]);
    expect(text.trimEnd().split('\n')).toHaveLength(100);
    expect(out.observed).toBe(false);
  });

  it('gives up on a peer that does not take what is left', async () => {
    const [near, far] = await sockets();
    far.pause();
    const out = new Subject<Frame>();
    const { subscription } = open(duplex(near, near, { flushMs: 20 }), out);
    out.next(result(1, 'x'.repeat(30_000_000)));
    subscription.unsubscribe();
    await once(near, 'close');
    expect(near.destroyed).toBe(true);
    far.destroy();
  });

  it('reads nothing while the peer takes nothing, and goes on when it does', async () => {
    const input = new PassThrough();
    const taken: (() => void)[] = [];
    const output = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => void taken.push(done) });
    const out = new Subject<Frame>();
    const { log } = open(duplex(input, output), out);
    out.next(result(1));
    await turn();
    input.write('{"id":1}\n');
    await turn();
    expect(input.isPaused()).toBe(true);
    expect(log.values).toEqual([]);
    taken.shift()?.();
    await turn();
    expect(log.values).toEqual([{ id: 1 }]);
  });

  it('goes on reading where it is told to', async () => {
    const input = new PassThrough();
    const output = new Writable({ highWaterMark: 1, write: () => undefined });
    const out = new Subject<Frame>();
    const { log } = open(duplex(input, output, { pauseReader: false }), out);
    out.next(result(1));
    await turn();
    input.write('{"id":1}\n');
    await turn();
    expect(log.values).toEqual([{ id: 1 }]);
  });

  it('cuts off a peer that does not read', async () => {
    const output = new Writable({ highWaterMark: 1, write: () => undefined });
    const input = new PassThrough();
    const out = new Subject<Frame>();
    const { log } = open(duplex(input, output, { maxQueuedBytes: 10_000 }), out);
    for (let id = 0; id < 100; id += 1) {
      out.next(result(id, 'x'.repeat(1_000)));
      await turn();
    }
    expect(log.error).toBeInstanceOf(ConnectionClosed);
    expect(log.error).toMatchObject({ message: expect.stringContaining('10000') });
    expect([input.destroyed, output.destroyed, out.observed]).toEqual([true, true, false]);
  });

  it('fails with the cause when writing fails', async () => {
    const cause = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    const output = new Writable({ write: (_chunk, _encoding, done) => done(cause) });
    const out = new Subject<Frame>();
    const { log, ended } = open(duplex(new PassThrough(), output), out);
    out.next(result(1));
    await ended;
    expect(log.error).toBeInstanceOf(ConnectionClosed);
    expect(log.error).toMatchObject({ cause });
    await turn();
  });

  it('fails when the peer resets the connection', async () => {
    const [near, far] = await sockets();
    const { log, ended } = open(duplex(near, near));
    far.resetAndDestroy();
    await ended;
    expect(log.error).toMatchObject({ _tag: 'ConnectionClosed', cause: { code: 'ECONNRESET' } });
  });

  it('fails when the input is closed before its end, in the middle of a message', async () => {
    const input = new PassThrough();
    const { log, ended } = open(duplex(input, new PassThrough()));
    input.write('{"id":');
    await turn();
    input.destroy();
    await ended;
    expect(log.error).toBeInstanceOf(ConnectionClosed);
    expect(log.values).toEqual([]);
  });

  it('fails with what outbound fails with', async () => {
    const mine = new Error('mine');
    const { log, ended } = open(
      duplex(new PassThrough(), new PassThrough()),
      throwError(() => mine),
    );
    await ended;
    expect(log.error).toBe(mine);
  });

  it('stays open when outbound has nothing more to say', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const { log } = open(duplex(input, output), EMPTY);
    input.write('{"id":1}\n');
    await turn();
    expect(log).toMatchObject({ completed: false, values: [{ id: 1 }] });
    expect(output.writableEnded).toBe(false);
  });

  it('ends at once over streams that have ended', async () => {
    const ended = new PassThrough();
    ended.end();
    ended.resume();
    await once(ended, 'close');
    expect(open(duplex(ended, new PassThrough()), EMPTY).log.completed).toBe(true);
    const destroyed = new PassThrough();
    destroyed.destroy();
    expect(open(duplex(destroyed, new PassThrough()), EMPTY).log.error).toBeInstanceOf(ConnectionClosed);
  });

  it.each<[string, (open: { input: PassThrough; output: PassThrough; unsubscribe: () => void }) => void]>([
    ['unsubscribed', ({ unsubscribe }) => unsubscribe()],
    ['ended by the peer', ({ input }) => input.end()],
    ['broken', ({ output }) => output.destroy(new Error('broken'))],
  ])('leaves no listener behind when %s', async (_, end) => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const before = listeners(input, output);
    const out = new Subject<Frame>();
    const { subscription, ended } = open(duplex(input, output), out);
    out.next(result(1));
    await turn();
    output.resume();
    end({ input, output, unsubscribe: () => subscription.unsubscribe() });
    if (!subscription.closed) await ended;
    out.complete();
    if (!input.closed) await once(input, 'close');
    if (!output.closed) await once(output, 'close');
    await turn();
    output.pause();
    expect(listeners(input, output)).toEqual(before);
  });

  it('leaves no handle behind', async () => {
    // Whatever vitest itself has open stays the same.
    const handles = () =>
      process
        .getActiveResourcesInfo()
        .filter((name) => name.startsWith('TCP') || name === 'Timeout')
        .sort();
    const before = handles();
    const [near, far] = await sockets();
    const a = open(duplex(near, near), new Subject<Frame>());
    const b = open(duplex(far, far), new Subject<Frame>());
    await turn();
    a.subscription.unsubscribe();
    await b.ended;
    far.destroy();
    for (const socket of [near, far]) if (!socket.closed) await once(socket, 'close');
    servers.pop()?.close();
    while (handles().length > before.length) await turn();
    expect(handles()).toEqual(before);
  });
});
