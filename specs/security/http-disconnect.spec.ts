/** A client of an HTTP server that is gone in the middle of anything: an advisory of another implementation, by its id. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { concat, NEVER, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { progress, server, tool, type JsonObject } from '../../lib/index.ts';
import { createLedger } from '../../lib/testing/index.ts';
import { dial, send, start, written } from '../node/peers.ts';
import { call, headersOf, holds, initialize, modernized, request } from '../transport/http/desk.ts';

const ledger = createLedger();
const house = server(
  { name: 'house', version: '1' },
  tool('echo', {}, () => 'hi'),
  tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
  tool('says', {}, () => concat(of(progress(1)), NEVER).pipe(ledger.watch('says'))),
);
const token = { _meta: { progressToken: 1 } };
const modern = (frame: JsonObject): string => {
  const whole = modernized(frame);
  return written(JSON.stringify(whole), headersOf(whole));
};

/** Waits until the server has said something over this connection. */
const answered = async (socket: Socket): Promise<void> => {
  await once(socket, 'data');
};
const working = (name: string) => (): Promise<void> => holds(() => ledger.live[name] === 1);

type Point = readonly [
  where: string,
  text: (session: Record<string, string>) => string,
  until?: (socket: Socket) => Promise<void>,
];

const post = (frame: JsonObject) => (session: Record<string, string>) => written(JSON.stringify(frame), session);
const get = (session: Record<string, string>): string =>
  `GET /mcp HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\nmcp-session-id: ${session['mcp-session-id']}\r\n\r\n`;
const listen = request(1, 'subscriptions/listen', { notifications: {} });

const points: readonly Point[] = [
  ['before a word', () => ''],
  ['in the first line', () => 'POST /m'],
  ['in the headers', () => written('').slice(0, 60)],
  ['before the body', () => written('', { 'content-length': '100' })],
  ['in the middle of the body', () => modern(call(1, 'echo')).slice(0, -20)],
  [
    'in the middle of a chunk',
    () => written('', { 'content-length': undefined, 'transfer-encoding': 'chunked' }) + 'ff\r\n{',
  ],
  [
    'in the middle of a body that is refused',
    () => written('x'.repeat(10), { 'content-type': 'text/plain', 'content-length': '20' }),
  ],
  ['right behind a request', () => modern(call(1, 'echo'))],
  ['before the answer', () => modern(call(1, 'hang')), working('hang')],
  ['in the middle of an answer', () => modern(call(1, 'says', {}, token)), answered],
  ['in the middle of a subscription', () => modern(listen), answered],
  ['right behind a handshake', post(initialize())],
  ['in a session, before the answer', post(call(1, 'hang')), working('hang')],
  ['in a session, in the middle of an answer', post(call(1, 'says', {}, token)), answered],
  ['in the stream of a session', get, answered],
  ['with the next request behind', () => modern(call(1, 'hang')) + modern(call(2, 'says', {}, token)), working('says')],
];

describe('CVE-2025-53365: a client that is gone ends its own requests only', () => {
  it.each(points.map(([where, text, until]) => ({ where, text, until })))(
    'CVE-2025-53365: $where',
    async ({ text, until }) => {
      const { port, events, stop } = await start(house);
      const opened = await send(port, { body: initialize() });
      const session = { 'mcp-session-id': String(opened.headers['mcp-session-id']) };
      for (const how of ['reset', 'end', 'destroy'] as const) {
        const socket = await dial(port);
        socket.resume().write(text(session));
        await until?.(socket);
        if (how === 'reset') socket.resetAndDestroy();
        else if (how === 'end') socket.end();
        else socket.destroy();
        if (!socket.closed && how !== 'end') await once(socket, 'close');
        // Another one is served as if nothing had been; in a session, work goes on (SHTTP-26), until it is cancelled.
        const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
        expect((await send(port, { body: cancelled, headers: session })).status).toBe(202);
        const whole = modernized(call(9, 'echo'));
        expect((await send(port, { body: whole, headers: headersOf(whole) })).status).toBe(200);
        await ledger.idle();
      }
      expect(events).toEqual([]);
      stop();
      expect(ledger.live).toEqual({});
    },
  );
});
