/** How the server can be reached, by the names that its command line has for it. */
import { fromEvent, merge, take, takeUntil, type Observable } from 'rxjs';
import type { Channel, Listener } from 'rxmcp';
import { http, stdio, webSockets } from 'rxmcp/node';

/** Where a transport that listens is to do so. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

type Open = (place: Place) => Observable<Channel> | Listener;

const path = '/mcp';

/** The longest body taken, in bytes: an argument of 4 MiB, and what is around it. */
const maxBytes = 4 * 1024 * 1024 + 64 * 1024;

/** The signals that end a server; one more ends it at once. */
const interrupted = (): Observable<unknown> =>
  merge(fromEvent(process, 'SIGTERM'), fromEvent(process, 'SIGINT')).pipe(take(1));

/** Tells people where the server is, once it is there. */
const telling =
  (scheme: string, { host, port }: Place, where = path) =>
  (at: string | { readonly port: number }): void =>
    console.error(
      `listening ${scheme}://${host.includes(':') ? `[${host}]` : host}:${typeof at === 'string' ? port : at.port}${where}`,
    );

const transports: ReadonlyMap<string, Open> = new Map<string, Open>([
  ['stdio', () => stdio()],
  ['http', (place) => http({ ...place, path, maxBytes, until: interrupted(), onListening: telling('http', place) })],
  [
    'sse',
    (place) =>
      http({ ...place, sse: true, maxBytes, until: interrupted(), onListening: telling('http', place, '/sse') }),
  ],
  [
    'ws',
    (place) =>
      webSockets({ ...place, path, maxBytes, onListening: telling('ws', place) }).pipe(takeUntil(interrupted())),
  ],
]);

/** @throws Error where there is no such transport */
export const transportOf = (name: string): Open => {
  const open = transports.get(name);
  if (open !== undefined) return open;
  throw new Error(`--transport must be one of ${[...transports.keys()].join(', ')}; got ${JSON.stringify(name)}`);
};
