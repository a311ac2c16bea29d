/** The server that pages talk to: each step of its work is the spec's to allow. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { concat, map, merge, of, Subject, take } from 'rxjs';
import { progress, Schema, serve, server, tool } from '../../lib/index.ts';
import { http, webSockets } from '../../lib/node/index.ts';
import { createLedger } from '../../lib/testing/index.ts';

/** How much work there is in all. */
const total = 3;

/** What this takes goes in a header too, which a page may send to another origin by permission only. */
const located = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
  required: ['region'],
} as const;

export const house = () => {
  const ledger = createLedger();
  const step$ = new Subject<void>();
  const work$ = concat(
    of(1),
    step$.pipe(
      take(total - 1),
      map((_, index) => index + 2),
    ),
  ).pipe(map((done) => progress(done, total)));
  const made = server(
    { name: 'house', version: '1.0.0' },
    tool('hello', { input: Schema.Struct({ to: Schema.String }) }, ({ to }) => {
      ledger.note(`hello ${to}`);
      return `Hello, ${to}`;
    }),
    tool('locate', { input: located }, ({ region }) => {
      ledger.note(`locate ${region}`);
      return `In ${region}`;
    }),
    tool('work', {}, () => concat(work$, of('done')).pipe(ledger.watch('work'))),
  );
  return { made, ledger, step: () => step$.next() };
};

export type House = ReturnType<typeof house>;

export interface Serving {
  readonly http: string;
  readonly webSocket: string;
  /** The methods of the requests that have come, those for a WebSocket as `UPGRADE`. */
  readonly asked: readonly string[];
  /** Cuts every connection; there may be others at once. */
  readonly cut: () => void;
  readonly close: () => Promise<void>;
}

/** Over every transport that a browser has, on one port. */
export const serving = async ({ made }: House, allowedOrigins: readonly string[] = []): Promise<Serving> => {
  const listener = createServer();
  const asked: string[] = [];
  listener.on('request', ({ method = '' }) => asked.push(method)).on('upgrade', () => asked.push('UPGRADE'));
  const sockets = new Set<Socket>();
  listener.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const running = merge(
    serve(made, http({ server: listener, path: '/mcp', allowedOrigins })),
    serve(made, webSockets({ server: listener, path: '/ws', allowedOrigins })),
  ).subscribe();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return {
    http: `http://127.0.0.1:${port}/mcp`,
    asked,
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    webSocket: `ws://127.0.0.1:${port}/ws`,
    close: async () => {
      running.unsubscribe();
      const closed = once(listener, 'close');
      listener.close();
      listener.closeAllConnections();
      await closed;
    },
  };
};
