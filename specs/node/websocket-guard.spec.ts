/** Whom a guarded server lets in over WebSockets: it is asked in the handshake. */
import { once } from 'node:events';
import { request as ask, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Subject } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { server, tool, type Context, type ServeEvent, type Served } from '../../lib/index.ts';
import { webSockets, type WebSocketsOptions } from '../../lib/node/websocket.ts';
import { serve } from '../../lib/server/serve.ts';
import type { Guard } from '../../lib/exchange/guard.ts';
import { call, initialize, modernized } from '../transport/http/desk.ts';
import { as, challenge, fakeGuard, protect } from '../transport/http/fake-guard.ts';
import { next } from './next.ts';
import { afterwards, closed, peer, settled, until } from './sockets.ts';

const start = async (options: WebSocketsOptions = {}, replaced: Partial<Guard> = {}) => {
  const guard = Object.assign(fakeGuard(), replaced);
  const contexts: Context[] = [];
  const house = server(
    { name: 'house', version: '1' },
    tool('who', {}, (_, { principal }) => principal ?? 'nobody'),
  );
  const watched: Served = (request, context) => {
    contexts.push(context);
    return house(request, context);
  };
  const bound = new Subject<AddressInfo>();
  const address = next(bound);
  const transport = webSockets({ ...options, onListening: (where) => bound.next(where as AddressInfo) });
  const events: ServeEvent[] = [];
  const subscription = serve(protect(guard, watched), transport).subscribe((event) => events.push(event));
  afterwards(() => subscription.unsubscribe());
  const { port } = await address;
  return { guard, contexts, events, port, url: `ws://127.0.0.1:${port}/mcp`, stop: () => subscription.unsubscribe() };
};

interface Refused {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** A handshake, and what it is answered with; undefined where its connection was cut. */
const shake = (port: number, headers: Record<string, string> = {}) => {
  const asked = ask({
    port,
    host: '127.0.0.1',
    path: '/mcp?a=b',
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-protocol': 'mcp',
      ...headers,
    },
  });
  const answer = new Promise<Refused | undefined>((resolve) => {
    asked.on('error', () => resolve(undefined));
    asked.on('response', (response) => {
      response.resume();
      resolve({ status: response.statusCode, headers: response.headers });
    });
    asked.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode, headers: response.headers });
    });
  });
  asked.end();
  return { answer, leave: () => asked.destroy() };
};

const says = async (socket: WebSocket, frame: unknown): Promise<unknown> => {
  const answer = once(socket, 'message');
  socket.send(JSON.stringify(frame));
  return JSON.parse(String((await answer)[0]));
};

describe('a handshake with a guarded server', () => {
  it('is refused without a proof, and says where to get one; no header comes of what a refusal says', async () => {
    const { port, guard } = await start();
    expect(await shake(port).answer).toMatchObject({ status: 401, headers: { 'www-authenticate': challenge } });
    const malformed = await shake(port, { authorization: 'Bearer a, Bearer b' }).answer;
    expect(malformed?.status).toBe(400);
    expect(malformed?.headers).not.toHaveProperty('x-evil');
    expect(guard.knocks).toMatchObject([{ method: 'GET', path: '/mcp', headers: { upgrade: 'websocket' } }, {}]);
    expect((await shake(port, { ...as('ada'), origin: 'https://evil.example' }).answer)?.status).toBe(403);
    expect(guard.knocks).toHaveLength(2);
  });

  it.each(['at once', 'later'])('makes known who asks, for as long as it lasts, in both eras: %s', async (when) => {
    const { url, guard, contexts } = await start();
    if (when === 'later') guard.hold();
    const opening = peer(url, { headers: { ...as('ada'), cookie: 'c=1' } });
    if (when === 'later') {
      await until(() => guard.waiting() === 1);
      guard.answer();
    }
    const socket = await opening;
    const named = { result: { content: [{ text: 'ada' }] } };
    expect(await says(socket, modernized(call(1, 'who')))).toMatchObject(named);
    await says(socket, initialize());
    expect(await says(socket, call(2, 'who'))).toMatchObject(named);
    expect(contexts.length).toBeGreaterThan(2);
    for (const { principal, access, headers } of contexts) {
      expect([principal, access?.principal]).toEqual(['ada', 'ada']);
      // Those of the handshake are of no request.
      expect(headers).toBeUndefined();
    }
    const [first, last] = [contexts[0]?.connection, contexts.at(-1)?.connection];
    expect(first).toBeDefined();
    expect(last).toBe(first);
    const other = await peer(url, { headers: as('ada') });
    await says(other, modernized(call(1, 'who')));
    expect(contexts.at(-1)?.connection).not.toBe(first);
  });

  it('counts among the connections while it waits', async () => {
    const { port, guard, url, contexts } = await start({ maxConnections: 1 });
    guard.hold();
    const opening = peer(url, { headers: as('ada') });
    await until(() => guard.waiting() === 1);
    expect((await shake(port, as('ada')).answer)?.status).toBe(503);
    guard.answer();
    expect(await says(await opening, modernized(call(1, 'who')))).toMatchObject({ result: {} });
    expect(contexts).toHaveLength(1);
  });

  it('of a client that leaves before it is known who it is leaves nothing behind', async () => {
    const { port, guard, contexts, events } = await start();
    guard.hold();
    const early = shake(port, as('ada'));
    await until(() => guard.waiting() === 1);
    early.leave();
    expect(await early.answer).toBeUndefined();
    guard.answer();
    const of = (kind: string): number => events.filter(({ type }) => type === kind).length;
    // Whether its end is seen before or after that is the network's affair.
    await settled(() => of('disconnected'));
    expect(of('disconnected')).toBe(of('connected'));
    expect(contexts).toEqual([]);
  });

  it('that waits ends with the server', async () => {
    const { port, guard, stop } = await start();
    guard.hold();
    const early = shake(port, as('ada'));
    await until(() => guard.waiting() === 1);
    stop();
    expect(await early.answer).toBeUndefined();
    guard.answer();
  });

  it('holds for as long as the proof does: whoever stays is to prove again who they are', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const expiresAt = Date.now() + 60_000;
    const { url, events } = await start({}, { admit: () => ({ principal: 'ada', scopes: [], claims: {}, expiresAt }) });
    const socket = await peer(url, { headers: as('ada') });
    expect(await says(socket, modernized(call(1, 'who')))).toMatchObject({ result: {} });
    const end = closed(socket);
    vi.advanceTimersByTime(59_999);
    expect(await says(socket, modernized(call(2, 'who')))).toMatchObject({ result: {} });
    vi.advanceTimersByTime(1);
    expect(await end).toEqual({ code: 1008, reason: 'what has proved who asks has expired' });
    expect(events.map(({ type }) => type)).not.toContain('failure');
  });

  it.each<[string, Partial<Guard>]>([
    ['throws', { admit: () => expect.unreachable('secret') }],
    ['rejects', { admit: () => Promise.reject(new Error('secret')) }],
  ])('is not let in by a guard that %s', async (_, replaced) => {
    const { port } = await start({}, replaced);
    expect((await shake(port, as('ada')).answer)?.status).toBe(503);
  });
});
