import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catchError, EMPTY, filter, finalize, mergeMap, NEVER, Subject, tap, type Observable } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Channel } from '../../lib/exchange/exchange.ts';
import { ConnectionClosed } from '../../lib/frame/errors.ts';
import type { Frame, RequestFrame } from '../../lib/frame/frame.ts';
import { listen, socket, type ListenerOptions } from '../../lib/node/socket.ts';
import { next } from './next.ts';

const request = (id: number, text = ''): RequestFrame => ({ jsonrpc: '2.0', id, method: 'echo', params: { text } });
const result = (id: number, text = ''): Frame => ({ jsonrpc: '2.0', id, result: { text } });

/** Echoes calls; what one connection fails with is its own. */
const serve = (channel: Channel): Observable<unknown> => {
  const out = new Subject<Frame>();
  return channel(out).pipe(
    filter((value): value is RequestFrame => typeof value === 'object' && value !== null && 'method' in value),
    tap(({ id, params }) => out.next({ jsonrpc: '2.0', id, result: params ?? {} })),
    catchError(() => EMPTY),
    finalize(() => out.complete()),
  );
};

const folders: string[] = [];
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const start = async (options: ListenerOptions, handle: (channel: Channel) => Observable<unknown> = serve) => {
  let listening: (to: NetConnectOpts) => void = () => {};
  const bound = new Promise<NetConnectOpts>((resolve) => (listening = resolve));
  const errors: unknown[] = [];
  const subscription = listen({
    ...options,
    onListening: (address) =>
      listening(typeof address === 'string' ? { path: address } : { port: address.port, host: address.address }),
  })
    .pipe(mergeMap(handle))
    .subscribe({ error: (error: unknown) => errors.push(error) });
  closers.push(() => subscription.unsubscribe());
  return { to: await bound, subscription, errors };
};

const open = (to: NetConnectOpts) => {
  const out = new Subject<Frame>();
  const values = new Subject<unknown>();
  const log = { completed: false, error: undefined as unknown };
  let done = () => {};
  const ended = new Promise<void>((resolve) => (done = resolve));
  const subscription = socket(to)(out).subscribe({
    next: (value) => values.next(value),
    error: (error: unknown) => {
      log.error = error;
      done();
    },
    complete: () => {
      log.completed = true;
      done();
    },
  });
  closers.push(() => subscription.unsubscribe());
  const ask = (id: number, text?: string) => {
    const answer = next(values);
    out.next(request(id, text));
    return answer;
  };
  return { out, values, ask, log, ended, subscription };
};

const path = () => {
  const folder = mkdtempSync(join(tmpdir(), 'rxmcp-'));
  folders.push(folder);
  return join(folder, 'socket');
};

describe.each<[string, () => ListenerOptions]>([
  ['TCP', () => ({ port: 0 })],
  ['a Unix socket', () => ({ path: path() })],
])('over %s', (_, options) => {
  it('serves two clients, and one of them dies unnoticed by the other', async () => {
    const ended = new Subject<void>();
    const { to } = await start(options(), (channel) => serve(channel).pipe(finalize(() => ended.next())));
    const [one, two] = [open(to), open(to)];
    expect(await Promise.all([one.ask(1, 'é'), two.ask(1, 'b')])).toEqual([result(1, 'é'), result(1, 'b')]);
    const raw = connect(to);
    await once(raw, 'connect');
    const gone = next(ended);
    raw.write('{"jsonrpc":"2.0","id":1,"meth', () => raw.destroy());
    await gone;
    one.subscription.unsubscribe();
    expect(await two.ask(2, 'still here')).toEqual(result(2, 'still here'));
  });

  it('closes the server and every connection when it is unsubscribed', async () => {
    const { to, subscription } = await start(options());
    const client = open(to);
    await client.ask(1);
    subscription.unsubscribe();
    await client.ended;
    expect(client.log).toEqual({ completed: true, error: undefined });
    const late = open(to);
    await late.ended;
    expect(late.log.error).toBeInstanceOf(ConnectionClosed);
    expect(late.log.error).toMatchObject({
      unopened: true,
      cause: { code: expect.stringMatching(/ECONNREFUSED|ENOENT/) },
    });
    if ('path' in to) expect(existsSync(to.path)).toBe(false);
  });

  it('writes what is queued before it closes', async () => {
    const out = new Subject<Frame>();
    const { to, subscription } = await start(options(), (channel) => channel(out));
    const client = open(to);
    client.out.next(request(1));
    while (!out.observed) await new Promise((resolve) => setImmediate(resolve));
    const last = next(client.values);
    out.next(result(1, 'last words'));
    subscription.unsubscribe();
    expect(await last).toEqual(result(1, 'last words'));
    await client.ended;
  });
});

describe('listen', () => {
  it('listens on this machine only, unless told otherwise', async () => {
    const { to } = await start({ port: 0 });
    expect(to).toMatchObject({ host: '127.0.0.1' });
  });

  it('fails when it cannot listen', async () => {
    const { to } = await start({ port: 0 });
    if (!('port' in to)) throw new Error('no port');
    const failed = await new Promise((resolve) => listen({ port: to.port }).subscribe({ error: resolve }));
    expect(failed).toMatchObject({ _tag: 'ConnectionClosed', cause: { code: 'EADDRINUSE' } });
  });

  it('closes a connection that nobody subscribes to', async () => {
    const { to } = await start({ port: 0, claimMs: 10 }, () => NEVER);
    const client = open(to);
    await client.ended;
    expect(client.log.completed || client.log.error instanceof ConnectionClosed).toBe(true);
  });

  it('closes connections that nobody has subscribed to yet when it is unsubscribed', async () => {
    const arrived = new Subject<void>();
    const { to, subscription } = await start({ port: 0 }, () => {
      arrived.next();
      return NEVER;
    });
    const come = next(arrived);
    const client = open(to);
    await come;
    subscription.unsubscribe();
    await client.ended;
    while (process.getActiveResourcesInfo().some((name) => name.startsWith('TCP')))
      await new Promise((resolve) => setImmediate(resolve));
  });

  it('lets a channel be subscribed later', async () => {
    const later = new Subject<void>();
    const { to } = await start({ port: 0 }, (channel) => later.pipe(mergeMap(() => serve(channel))));
    const client = open(to);
    const answer = client.ask(1, 'patience');
    while (!later.observed) await new Promise((resolve) => setImmediate(resolve));
    later.next();
    expect(await answer).toEqual(result(1, 'patience'));
  });
});

describe('socket', () => {
  it('opens a connection per subscription, and none before', async () => {
    let count = 0;
    const { to } = await start({ port: 0 }, (channel) => {
      count += 1;
      return serve(channel);
    });
    const channel = socket(to);
    expect(count).toBe(0);
    for (let id = 1; id <= 2; id += 1) {
      const out = new Subject<Frame>();
      const answer = next(channel(out));
      out.next(request(id));
      expect(await answer).toEqual(result(id));
    }
    expect(count).toBe(2);
  });

  it('was open, where the connection breaks later', async () => {
    const { to } = await start({ port: 0 }, () => NEVER);
    const server = createServer((stream) => stream.once('data', () => stream.resetAndDestroy())).listen(0, '127.0.0.1');
    closers.push(() => server.close());
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const client = open({ ...to, port: address.port });
    client.out.next(request(1));
    await client.ended;
    expect(client.log.error).toMatchObject({ _tag: 'ConnectionClosed', cause: { code: 'ECONNRESET' } });
    expect(client.log.error).not.toHaveProperty('unopened');
  });

  it('can be unsubscribed while it connects', async () => {
    const { to } = await start({ port: 0 });
    const { out, subscription } = open(to);
    out.next(request(1));
    subscription.unsubscribe();
    expect(out.observed).toBe(false);
  });

  it('carries more than any buffer holds, either way at once', async () => {
    const { to } = await start({ port: 0 });
    const { out, values, log } = open(to);
    const text = 'x'.repeat(100_000);
    const all = new Promise<number>((resolve) => {
      let count = 0;
      values.subscribe(() => {
        count += 1;
        if (count === 300) resolve(count);
      });
    });
    for (let id = 1; id <= 300; id += 1) out.next(request(id, text));
    expect(await all).toBe(300);
    expect(log.error).toBeUndefined();
  });
});
