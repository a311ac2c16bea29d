/** Servers and peers of the WebSocket specs: ours at one end, whatever misbehaves at the other. */
import { once } from 'node:events';
import { request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';
import { catchError, EMPTY, filter, finalize, mergeMap, Subject, tap, type Observable } from 'rxjs';
import { afterEach } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import type { Channel } from '../../lib/exchange/exchange.ts';
import type { Frame, RequestFrame } from '../../lib/frame/frame.ts';
import { webSockets, type WebSocketsOptions } from '../../lib/node/websocket.ts';
import { leavesNothing } from '../behaviour/leaks.ts';
import { next } from './next.ts';

export const request = (id: number, text = ''): RequestFrame => ({
  jsonrpc: '2.0',
  id,
  method: 'echo',
  params: { text },
});
export const result = (id: number, text = ''): Frame => ({ jsonrpc: '2.0', id, result: { text } });

/** Echoes calls; what one connection fails with is its own. */
export const echo = (channel: Channel): Observable<unknown> => {
  const out = new Subject<Frame>();
  return channel(out).pipe(
    filter((value): value is RequestFrame => typeof value === 'object' && value !== null && 'method' in value),
    tap(({ id, params }) => out.next({ jsonrpc: '2.0', id, result: params ?? {} })),
    catchError(() => EMPTY),
    finalize(() => out.complete()),
  );
};

// First what is here is closed, then nothing may be left: hooks run in reverse.
leavesNothing();
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Done when the spec is over, whatever becomes of it. */
export const afterwards = (close: () => void): void => void closers.push(close);

/** What a channel has said, and how it ended. */
export const follow = (channel: Channel) => {
  const out = new Subject<Frame>();
  const values = new Subject<unknown>();
  const log = { completed: false, error: undefined as unknown };
  let done = () => {};
  const ended = new Promise<void>((resolve) => (done = resolve));
  const subscription = channel(out).subscribe({
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
  afterwards(() => subscription.unsubscribe());
  const call = (id: number, text?: string) => {
    const answer = next(values);
    out.next(request(id, text));
    return answer;
  };
  return { out, values, call, log, ended, subscription };
};

/** A server of ours, running. */
export const start = async (
  options: WebSocketsOptions = {},
  handle: (channel: Channel) => Observable<unknown> = echo,
) => {
  let listening: (address: AddressInfo) => void = () => {};
  const bound = new Promise<AddressInfo>((resolve) => (listening = resolve));
  const subscription = webSockets({ ...options, onListening: (address) => listening(address as AddressInfo) })
    .pipe(mergeMap(handle))
    .subscribe();
  afterwards(() => subscription.unsubscribe());
  const { port, address } = await bound;
  return { port, address, url: `ws://127.0.0.1:${port}/mcp`, subscription };
};

/** A server whose first channel is looked at. */
export const startOne = async (options: WebSocketsOptions = {}) => {
  const channels = new Subject<ReturnType<typeof follow>>();
  const started = await start(options, (channel) => {
    channels.next(follow(channel));
    return EMPTY;
  });
  return { ...started, first: next(channels) };
};

/** A peer that does what it is told, and nothing else. */
export const peer = async (url: string, options: ClientOptions = {}): Promise<WebSocket> => {
  const socket = new WebSocket(url, 'mcp', options);
  socket.on('error', () => undefined);
  afterwards(() => socket.terminate());
  await once(socket, 'open');
  return socket;
};

/** How a socket was closed from the other side. */
export const closed = async (socket: WebSocket): Promise<{ readonly code: number; readonly reason: string }> => {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
};

/** What a handshake is answered with: its status. */
export const knock = (
  port: number,
  headers: Readonly<Record<string, string>> = {},
  path = '/mcp',
): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const asked = ask({
      port,
      host: '127.0.0.1',
      path,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-protocol': 'mcp',
        ...headers,
      },
    });
    asked.on('error', reject);
    asked.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    asked.end();
  });

/** Turns of the loop, until something holds; five seconds of them at most. */
export const until = async (holds: () => boolean): Promise<void> => {
  const deadline = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`it never holds: ${holds.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
};

/** Turns of the loop, until a number has stood still for a while. */
export const settled = async (count: () => number): Promise<number> => {
  for (let still = 0, last = count(); still < 200; still += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (count() !== last) still = 0;
    last = count();
  }
  return count();
};
