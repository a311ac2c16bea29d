/** An HTTP server of ours on a real socket, and peers that send it whatever they like. */
import { once } from 'node:events';
import { request as ask, type IncomingHttpHeaders } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach } from 'vitest';
import { serve, type ServeEvent, type Served } from '../../lib/index.ts';
import { http, type HttpOptions } from '../../lib/node/index.ts';
import { both } from '../transport/http/desk.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

// Of a file, not of each spec: Node keeps the date that it puts into its headers for up to a second.
leavesNothing('all');
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

/** Done when the spec is over, whatever becomes of it. */
export const afterwards = (close: () => void): void => void closers.push(close);

export interface Running {
  readonly port: number;
  readonly events: readonly ServeEvent[];
  /** Resolves when `serve` has completed. */
  readonly ended: Promise<void>;
  /** Rejects when `serve` has failed. */
  readonly failed: Promise<never>;
  readonly stop: () => void;
}

/** Who sent a request is whoever it says, in a header. */
export const principal: HttpOptions['principal'] = ({ headers }) => {
  const user = headers['x-user'];
  return typeof user === 'string' ? user : undefined;
};

export const start = async (server: Served, options: HttpOptions = {}): Promise<Running> => {
  const events: ServeEvent[] = [];
  let listening: (address: AddressInfo) => void = () => undefined;
  let ended: () => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const bound = new Promise<AddressInfo>((resolve) => (listening = resolve));
  const end = new Promise<void>((resolve) => (ended = resolve));
  const failed = new Promise<never>((_, reject) => (fail = reject));
  failed.catch(() => undefined);
  const running = serve(
    server,
    http({ flushMs: 100, ...options, onListening: (address) => listening(address as AddressInfo) }),
  ).subscribe({ next: (event) => events.push(event), error: fail, complete: ended });
  afterwards(() => running.unsubscribe());
  const { port } = await bound;
  return { port, events, ended: end, failed, stop: () => running.unsubscribe() };
};

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Text as it is; anything else as JSON. */
  readonly body?: unknown;
}

/** The plainest headers that a POST can have. */
export const jsonHeaders = { 'content-type': 'application/json', accept: both };

/** Sends a request over a connection of its own, and waits for all of its answer. */
export const send = (port: number, { method = 'POST', path = '/mcp', headers = {}, body }: Sent): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const list = Object.entries({ ...(method === 'POST' ? jsonHeaders : undefined), ...headers });
    const known = list.filter((entry): entry is [string, string] => entry[1] !== undefined);
    const asked = ask({ port, host: '127.0.0.1', path, method, agent: false, headers: Object.fromEntries(known) });
    asked.on('error', reject);
    asked.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    asked.end(typeof body === 'string' ? body : JSON.stringify(body));
  });

/** A connection that says what it is told to, byte for byte. */
export const dial = async (port: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  afterwards(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
};

/** A whole POST as it goes over a socket. */
export const written = (body: string, headers: Readonly<Record<string, string | undefined>> = {}): string => {
  const all = { host: '127.0.0.1', ...jsonHeaders, 'content-length': String(Buffer.byteLength(body)), ...headers };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]));
  return `POST /mcp HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
};

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What this process holds in memory, garbage aside, in bytes. */
export const heldBytes = (): number => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

/** Everything that comes over a connection until it ends. */
export const heard = async (socket: Socket): Promise<string> => {
  let text = '';
  socket.on('data', (chunk) => (text += String(chunk)));
  await once(socket, 'close');
  return text;
};
