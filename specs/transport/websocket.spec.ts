/** The platform's client: under the `WebSocket` of `ws`, which has the same face, and of Node itself in a process of its own. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { firstValueFrom, Subject } from 'rxjs';
import { connect, open, revisions, Schema, serve, server, tool, webSocket, type WebSocketOptions } from 'rxmcp';
import { webSocket as nodeWebSocket, webSockets } from 'rxmcp/node';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket as Socket, WebSocketServer } from 'ws';
import { ConnectionClosed } from '../../lib/frame/errors.ts';
import { closed, follow, request, result, settled, start, until } from '../node/sockets.ts';

const platform = { WebSocket: Socket as unknown as typeof globalThis.WebSocket };
const channel = (url: string, options: WebSocketOptions = {}) => webSocket(url, { ...platform, ...options });

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server of `ws` alone. */
const foreign = async (handle: (socket: Socket) => void, protocol: string | false = 'mcp') => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => protocol });
  server.on('connection', (socket) => handle(socket.on('error', () => undefined)));
  closers.push(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
};

const echoing = server(
  { name: 'echoing', version: '1' },
  tool('echo', { input: Schema.Struct({ text: Schema.String }) }, ({ text }) => text),
);

const running = async (): Promise<string> => {
  const listening = new Subject<AddressInfo | string>();
  const address = firstValueFrom(listening);
  const serving = serve(echoing, webSockets({ onListening: (where) => listening.next(where) })).subscribe();
  closers.push(() => serving.unsubscribe());
  return `ws://127.0.0.1:${((await address) as AddressInfo).port}/mcp`;
};

describe.each([
  ['the platform', channel],
  ['Node', nodeWebSocket],
])('a client over the WebSocket of %s', (_, reach) => {
  it.each(revisions)('calls at %s', async (revision) => {
    await using client = await open<typeof echoing>(reach(await running()), { revisions: [revision] });
    expect(client.revision).toBe(revision);
    expect((await client.callTool('echo', { text: 'é' })).content).toEqual([{ type: 'text', text: 'é' }]);
  });

  it.each(['2025-11-25', '2026-07-28'] as const)(
    'has 1 MiB and 10,000 calls at once answered at %s, and then closes',
    async (revision) => {
      const client = await open<typeof echoing>(reach(await running()), { revisions: [revision] });
      const large = 'x'.repeat(1024 * 1024);
      expect((await client.callTool('echo', { text: large })).content).toEqual([{ type: 'text', text: large }]);
      // As many as a server takes of one peer; the next when those are answered.
      let answered = 0;
      let failed = 0;
      for (let batch = 0; batch < 20; batch += 1) {
        const calls = Array.from({ length: 500 }, (_, index) => client.callTool('echo', { text: `${batch} ${index}` }));
        for (const [index, { content }] of (await Promise.all(calls)).entries())
          if (JSON.stringify(content) === JSON.stringify([{ type: 'text', text: `${batch} ${index}` }])) answered += 1;
          else failed += 1;
      }
      expect([answered, failed]).toEqual([10_000, 0]);
      await client.close();
    },
  );

  it('has 10,000 calls in flight settled when it closes', async () => {
    const client = await open<typeof echoing>(reach(await running()));
    const calls = Array.from({ length: 10_000 }, () => client.callTool('echo', { text: 'x' }));
    const settledAll = Promise.allSettled(calls);
    await client.close();
    const outcomes = await settledAll;
    expect(outcomes).toHaveLength(10_000);
    const strange = outcomes.filter(
      (outcome) => outcome.status === 'rejected' && !(outcome.reason instanceof ConnectionClosed),
    );
    expect(strange).toEqual([]);
    expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true);
  });
});

describe('a client over the WebSocket of the platform', () => {
  it('sends what was said before it was open, one by one, and closes with 1000', async () => {
    const { url } = await start();
    const client = follow(channel(url));
    const got: unknown[] = [];
    client.values.subscribe((value) => got.push(value));
    for (let id = 1; id <= 3; id += 1) client.out.next(request(id));
    await until(() => got.length === 3);
    expect(got).toEqual([result(1), result(2), result(3)]);
  });

  it.each([1000, 1001, undefined])('completes at code %s', async (code) => {
    const client = follow(channel(await foreign((socket) => socket.close(code))));
    await client.ended;
    expect(client.log).toEqual({ completed: true, error: undefined });
  });

  it('fails at any other code, and tells it', async () => {
    const client = follow(channel(await foreign((socket) => socket.close(1008, 'not you'))));
    await client.ended;
    expect(client.log.error).toMatchObject({ _tag: 'ConnectionClosed', cause: { code: 1008, reason: 'not you' } });
    expect(client.log.error).not.toHaveProperty('unopened');
  });

  it.each([
    ['what is no text', Buffer.from('{}'), 4003],
    ['what is too long', JSON.stringify('x'.repeat(99)), 4009],
  ])('refuses %s with a code that a page may use', async (_, message, code) => {
    let heard: Promise<unknown> | undefined;
    const url = await foreign((socket) => {
      heard = closed(socket);
      socket.send(message);
    });
    const client = follow(channel(url, { maxBytes: 100 }));
    await client.ended;
    expect(client.log.error).toBeInstanceOf(ConnectionClosed);
    expect(await heard).toMatchObject({ code });
  });

  it.each<[string, () => Promise<string>]>([
    ['is not there', async () => 'ws://127.0.0.1:1/mcp'],
    ['would not have us', async () => `${(await start()).url}/other`],
    ['speaks no subprotocol', () => foreign(() => undefined, false)],
    ['has no address', async () => 'nonsense'],
  ])('was never open, where the server %s', async (_, prepare) => {
    const client = follow(channel(await prepare()));
    await client.ended;
    expect(client.log.error).toBeInstanceOf(ConnectionClosed);
    expect(client.log.error).toMatchObject({ unopened: true });
  });

  it('says what to do where there is none', async () => {
    const had = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
    Reflect.deleteProperty(globalThis, 'WebSocket');
    const failed = await new Promise((resolve) => connect(webSocket('ws://127.0.0.1:1')).subscribe({ error: resolve }));
    if (had !== undefined) Object.defineProperty(globalThis, 'WebSocket', had);
    expect(failed).toMatchObject({ unopened: true, message: expect.stringContaining('rxmcp/node') as unknown });
  });

  it('holds back what a server does not take, gives it up at the budget, and goes on when it takes more', async () => {
    const text = 'x'.repeat(1024 * 1024);
    const sockets: Socket[] = [];
    let got = 0;
    const url = await foreign((socket) => {
      sockets.push(socket);
      socket.on('message', () => (got += 1));
      socket.pause();
    });
    const patient = follow(channel(url));
    await until(() => sockets.length === 1);
    for (let id = 1; id <= 30; id += 1) patient.out.next(request(id, text));
    expect(await settled(() => got)).toBe(0);
    sockets[0]?.resume();
    await until(() => got === 30);
    const hasty = follow(channel(url, { maxQueuedBytes: 8 * 1024 * 1024 }));
    await until(() => sockets.length === 2);
    for (let id = 1; id <= 60 && hasty.log.error === undefined; id += 1) {
      hasty.out.next(request(id, text));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(hasty.log.error).toMatchObject({ message: expect.stringMatching(/^the peer does not read/) as unknown });
  });

  it('works with the WebSocket that Node itself has', async () => {
    const url = await running();
    const script = `
      import { open, webSocket } from ${JSON.stringify(new URL('../../lib/index.ts', import.meta.url).href)};
      const client = await open(webSocket(${JSON.stringify(url)}));
      const { content } = await client.callTool('echo', { text: 'é' });
      await client.close();
      console.log(WebSocket.name, content[0].text);
    `;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--experimental-websocket', '--import', 'tsx', '--input-type=module', '-e', script],
      { cwd: fileURLToPath(new URL('../..', import.meta.url)) },
    );
    expect(stdout.trim()).toBe('WebSocket é');
  });
});
