import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { catchError, EMPTY, finalize, mergeMap, NEVER, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { ConnectionClosed } from '../../lib/frame/errors.ts';
import type { Frame } from '../../lib/frame/frame.ts';
import { Unreadable } from '../../lib/frame/unreadable.ts';
import { webSocket, webSockets } from '../../lib/node/websocket.ts';
import { next } from './next.ts';
import {
  afterwards,
  closed,
  echo,
  follow,
  knock,
  peer,
  request,
  result,
  settled,
  start,
  startOne,
  until,
} from './sockets.ts';

const portOf = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1');
  afterwards(() => server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

/** A server of `ws` alone, for what ours would not do. */
const foreign = async (handle: (socket: WebSocket) => void, protocol: string | false = 'mcp') => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => protocol });
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    handle(socket);
  });
  afterwards(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
};

describe('webSockets', () => {
  it('serves two clients, and one of them dies unnoticed by the other', async () => {
    const ended = new Subject<void>();
    const { url } = await start({}, (channel) => echo(channel).pipe(finalize(() => ended.next())));
    const [one, two] = [follow(webSocket(url)), follow(webSocket(url))];
    expect(await Promise.all([one.call(1, 'é'), two.call(1, 'b')])).toEqual([result(1, 'é'), result(1, 'b')]);
    const gone = next(ended);
    (await peer(url)).terminate();
    await gone;
    one.subscription.unsubscribe();
    expect(await two.call(2, 'still here')).toEqual(result(2, 'still here'));
  });

  it('closes the server and every connection when it is unsubscribed', async () => {
    const { url, subscription } = await start();
    const client = follow(webSocket(url));
    await client.call(1);
    subscription.unsubscribe();
    await client.ended;
    expect(client.log).toEqual({ completed: true, error: undefined });
    const late = follow(webSocket(url));
    await late.ended;
    expect(late.log.error).toBeInstanceOf(ConnectionClosed);
    expect(late.log.error).toMatchObject({ unopened: true, cause: { code: 'ECONNREFUSED' } });
  });

  it('says that it goes to whoever is served apart from it (1001), and sends last words first', async () => {
    const { url, subscription, first } = await startOne();
    const socket = await peer(url);
    const served = await first;
    const said = once(socket, 'message');
    served.out.next(result(1, 'last words'));
    subscription.unsubscribe();
    const end = closed(socket);
    expect(JSON.parse(String((await said)[0]))).toEqual(result(1, 'last words'));
    expect(await end).toEqual({ code: 1001, reason: 'the server is ending' });
    await served.ended;
    expect(served.log.completed).toBe(true);
  });

  it('listens on this machine only, at a port of its own, unless told otherwise', async () => {
    expect(await start()).toMatchObject({ address: '127.0.0.1', port: expect.any(Number) as unknown });
  });

  it('fails when it cannot listen', async () => {
    const { port } = await start();
    const failed = await new Promise((resolve) => webSockets({ port }).subscribe({ error: resolve }));
    expect(failed).toMatchObject({ _tag: 'ConnectionClosed', cause: { code: 'EADDRINUSE' } });
  });

  it('closes a connection that nobody subscribes to, and does so at once when it is unsubscribed', async () => {
    const { url } = await start({ claimMs: 10 }, () => NEVER);
    expect(await closed(await peer(url))).toMatchObject({ code: 1006 });
    const patient = await start({}, () => NEVER);
    const socket = await peer(patient.url);
    const end = closed(socket);
    patient.subscription.unsubscribe();
    expect(await end).toMatchObject({ code: 1006 });
  });

  it('lets a channel be subscribed later, and loses nothing until then', async () => {
    const later = new Subject<void>();
    const { url } = await start({}, (channel) => later.pipe(mergeMap(() => echo(channel))));
    const client = follow(webSocket(url));
    const answer = client.call(1, 'patience');
    await until(() => later.observed);
    later.next();
    expect(await answer).toEqual(result(1, 'patience'));
  });

  it('refuses connections beyond maxConnections, and takes them again', async () => {
    const { url, port } = await start({ maxConnections: 1 });
    const socket = await peer(url);
    expect(await knock(port)).toBe(503);
    socket.close(1000);
    await closed(socket);
    let status: number | undefined;
    while (status !== 101) status = await knock(port);
  });

  it('answers what is no handshake, or is one elsewhere', async () => {
    const { port } = await start();
    expect(await knock(port, {}, '/mcp?key=1')).toBe(101);
    expect(await knock(port, {}, '/other')).toBe(404);
    expect(await knock(port, {}, '/mcp/')).toBe(404);
    expect((await fetch(`http://127.0.0.1:${port}/mcp`)).status).toBe(426);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
    expect(await knock(port, { 'sec-websocket-key': 'short' })).toBe(400);
  });

  it.each(['', 'chat', 'mcp2, chat'])('refuses a client that offers "%s" and not mcp', async (offered) => {
    const { port } = await start();
    expect(await knock(port, { 'sec-websocket-protocol': offered })).toBe(400);
    expect(await knock(port, { 'sec-websocket-protocol': 'chat, mcp' })).toBe(101);
  });
});

describe('a server of your own', () => {
  it('carries TLS, and is neither started nor closed', async () => {
    const key = Buffer.from('a key that both sides have');
    const suite = { ciphers: 'PSK', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
    const server = createTlsServer({ ...suite, pskCallback: () => key });
    const running = webSockets({ server }).pipe(mergeMap(echo)).subscribe();
    afterwards(() => running.unsubscribe());
    const port = await portOf(server);
    const tls = { ...suite, pskCallback: () => ({ psk: key, identity: 'us' }), checkServerIdentity: () => undefined };
    const client = follow(webSocket(`wss://127.0.0.1:${port}/mcp`, { tls }));
    expect(await client.call(1, 'secret')).toEqual(result(1, 'secret'));
    running.unsubscribe();
    await client.ended;
    expect(client.log.completed).toBe(true);
    expect(server.listening).toBe(true);
    expect(server.listenerCount('upgrade')).toBe(0);
  });

  it('keeps its other paths where somebody else serves them', async () => {
    const server = createServer();
    const port = await portOf(server);
    const told = new Subject<unknown>();
    const where = next(told);
    const running = webSockets({ server, onListening: (address) => told.next(address) })
      .pipe(mergeMap(echo))
      .subscribe();
    afterwards(() => running.unsubscribe());
    expect(await where).toMatchObject({ port });
    expect(await knock(port, {}, '/other')).toBe(404);
    server.on('upgrade', ({ url }, socket) => {
      if (url === '/other') socket.end('HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n');
    });
    expect(await knock(port, {}, '/other')).toBe(418);
    expect(await knock(port)).toBe(101);
  });
});

describe('messages', () => {
  it('travel one in each text message, however many are written at once', async () => {
    const { url, first } = await startOne();
    const socket = await peer(url);
    const got: unknown[] = [];
    socket.on('message', (data: Buffer, isBinary) => got.push([isBinary, JSON.parse(data.toString())]));
    const served = await first;
    const batch = [result(3), result(4)];
    served.out.next(result(1, 'a\nb'));
    served.out.next(result(2, '\u2028'));
    (served.out as Subject<Frame | readonly Frame[]>).next(batch);
    await until(() => got.length === 3);
    expect(got).toEqual([
      [false, result(1, 'a\nb')],
      [false, result(2, '\u2028')],
      [false, batch],
    ]);
  });

  it('are passed on as unreadable where they are no JSON, and the connection lives (RPC-24)', async () => {
    const { url, first } = await startOne();
    const socket = await peer(url);
    const served = await first;
    for (const text of ['', '{"jsonrpc":', 'x\n{}']) {
      const value = next(served.values);
      socket.send(text);
      expect(await value).toMatchObject({ code: -32700 });
      expect(await value).toBeInstanceOf(Unreadable);
    }
    expect(served.log).toEqual({ completed: false, error: undefined });
  });

  it('that are binary close the connection with 1003, on either side', async () => {
    const { url, first } = await startOne();
    const socket = await peer(url);
    const served = await first;
    const end = closed(socket);
    socket.send(Buffer.from('{}'));
    expect(await end).toEqual({ code: 1003, reason: 'messages are text' });
    expect(served.log.error).toMatchObject({ _tag: 'ConnectionClosed', cause: { code: 1003 } });

    let heard: Promise<unknown> | undefined;
    const client = follow(
      webSocket(
        await foreign((other) => {
          heard = closed(other);
          other.send(Buffer.from('{}'));
        }),
      ),
    );
    await client.ended;
    expect(await heard).toMatchObject({ code: 1003 });
    expect(client.log.error).not.toHaveProperty('unopened');
  });

  it('that are longer than the bound close it with 1009, on either side', async () => {
    const { url, first } = await startOne({ maxBytes: 100 });
    const socket = await peer(url);
    const served = await first;
    const value = next(served.values);
    socket.send(JSON.stringify('x'.repeat(98)));
    expect(await value).toHaveLength(98);
    const end = closed(socket);
    socket.send(JSON.stringify('x'.repeat(99)));
    expect(await end).toMatchObject({ code: 1009 });
    expect(served.log.error).toMatchObject({ message: expect.stringContaining('Max payload size') as unknown });

    let heard: Promise<unknown> | undefined;
    const answering = await foreign((other) => {
      heard = closed(other);
      other.send(JSON.stringify('x'.repeat(99)));
    });
    const client = follow(webSocket(answering, { maxBytes: 100 }));
    await client.ended;
    expect(await heard).toMatchObject({ code: 1009 });
    expect(client.log.error).toBeInstanceOf(ConnectionClosed);
  });

  it('have a bound of 4 MiB on a server', async () => {
    const { url } = await start();
    const client = follow(webSocket(url));
    const text = 'x'.repeat(4 * 1024 * 1024 - 100);
    expect(await client.call(1, text)).toEqual(result(1, text));
    client.out.next(request(2, `${text}${'x'.repeat(100)}`));
    await client.ended;
    expect(client.log.error).toMatchObject({ cause: { code: 1009 } });
  });

  it('of 1 MiB pass either way, many at once', async () => {
    const { url } = await start();
    const { out, values, log } = follow(webSocket(url));
    const text = 'é'.repeat(512 * 1024);
    const all = new Promise<void>((resolve) => {
      let count = 0;
      values.subscribe((value) => {
        expect(value).toEqual(result((count += 1), text));
        if (count === 30) resolve();
      });
    });
    for (let id = 1; id <= 30; id += 1) out.next(request(id, text));
    await all;
    expect(log.error).toBeUndefined();
  });
});

describe('the end', () => {
  it.each([
    [1000, ''],
    [1001, 'restarting'],
    [undefined, ''],
  ])('with code %s is good order, on either side', async (code, reason) => {
    const { url, first } = await startOne();
    const socket = await peer(url);
    const served = await first;
    socket.close(code, reason);
    await served.ended;
    expect(served.log).toEqual({ completed: true, error: undefined });
    const client = follow(webSocket(await foreign((other) => other.close(code, reason))));
    await client.ended;
    expect(client.log).toEqual({ completed: true, error: undefined });
  });

  it.each([
    [1008, 'not you', 'the connection was closed with code 1008: "not you"'],
    [1011, '', 'the connection was closed with code 1011'],
    [4000, 'a\nb', String.raw`the connection was closed with code 4000: "a\nb"`],
  ])('with code %i is a failure that tells it, on either side', async (code, reason, message) => {
    const { url, first } = await startOne();
    const socket = await peer(url);
    const served = await first;
    socket.close(code, reason);
    await served.ended;
    expect(served.log.error).toMatchObject({ _tag: 'ConnectionClosed', message, cause: { code, reason } });
    const client = follow(webSocket(await foreign((other) => other.close(code, reason))));
    await client.ended;
    expect(client.log.error).toMatchObject({ _tag: 'ConnectionClosed', message, cause: { code, reason } });
    expect(client.log.error).not.toHaveProperty('unopened');
  });

  it('without a farewell is a failure', async () => {
    const client = follow(webSocket(await foreign((other) => other.terminate())));
    await client.ended;
    expect(client.log.error).toMatchObject({ _tag: 'ConnectionClosed', cause: { code: 1006 } });
  });

  it('is said with 1000 by whoever unsubscribes, after all that is queued', async () => {
    let heard: Promise<unknown> | undefined;
    const got: string[] = [];
    const url = await foreign((other) => {
      heard = closed(other);
      other.on('message', (data: Buffer) => got.push(data.toString()));
    });
    const client = follow(webSocket(url));
    await until(() => heard !== undefined);
    client.out.next(request(1));
    await until(() => got.length === 1);
    client.out.next(request(2));
    client.subscription.unsubscribe();
    expect(await heard).toEqual({ code: 1000, reason: '' });
    expect(got).toHaveLength(2);
  });

  it('is said with 1011 where there is nothing more to send, because it failed', async () => {
    const out = new Subject<Frame>();
    const { url } = await start({}, (channel) => channel(out).pipe(catchError(() => EMPTY)));
    const socket = await peer(url);
    await until(() => out.observed);
    const end = closed(socket);
    out.error(new Error('broken'));
    expect(await end).toMatchObject({ code: 1011 });
  });

  it('does not wait for ever for a peer that says no farewell', async () => {
    const server = createServer();
    const frames: number[] = [];
    let gone = false;
    server.on('upgrade', ({ headers }, stream) => {
      const key = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = createHash('sha1').update(key).digest('base64');
      const head = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Protocol: mcp'];
      stream.write(`HTTP/1.1 101 _\r\n${head.join('\r\n')}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
      stream.on('data', (data: Buffer) => frames.push(data[0] ?? 0));
      stream.once('end', () => {
        gone = true;
        stream.destroy();
      });
    });
    const client = follow(webSocket(`ws://127.0.0.1:${await portOf(server)}`, { flushMs: 20 }));
    client.out.next(request(1));
    await until(() => frames.length === 1);
    client.subscription.unsubscribe();
    await until(() => gone);
    // Text, then a farewell, which nobody answered.
    expect(frames).toEqual([0x81, 0x88]);
  });
});

describe('liveness', () => {
  it('gives up a client that answers no ping', async () => {
    const { url, first } = await startOne({ pingMs: 20 });
    const socket = await peer(url, { autoPong: false });
    const served = await first;
    expect(await closed(socket)).toMatchObject({ code: 1006 });
    await served.ended;
    expect(served.log.error).toMatchObject({
      _tag: 'ConnectionClosed',
      message: 'the peer gave no sign of life for 20 ms',
    });
  });

  it('gives up a server that answers no ping', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false });
    afterwards(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = follow(webSocket(`ws://127.0.0.1:${port}`, { pingMs: 20 }));
    await client.ended;
    expect(client.log.error).toMatchObject({ message: 'the peer gave no sign of life for 20 ms' });
    await until(() => server.clients.size === 0);
  });

  it('keeps one that answers', async () => {
    const { url, first } = await startOne({ pingMs: 10 });
    const socket = await peer(url);
    const served = await first;
    let pings = 0;
    socket.on('ping', () => (pings += 1));
    await until(() => pings === 10);
    expect(served.log).toEqual({ completed: false, error: undefined });
  });
});

describe('backpressure', () => {
  const text = 'x'.repeat(1024 * 1024);

  it('cuts off a peer that leaves more unread than the budget, and sends all to one that reads in time', async () => {
    const { url, first } = await startOne({ maxQueuedBytes: 8 * 1024 * 1024 });
    const socket = await peer(url);
    const served = await first;
    socket.pause();
    for (let id = 1; served.log.error === undefined; id += 1) {
      served.out.next(result(id, text));
      await new Promise((resolve) => setImmediate(resolve));
      expect(id).toBeLessThan(100);
    }
    expect(served.log.error).toMatchObject({ message: expect.stringMatching(/^the peer does not read: \d+ bytes/) });
    const end = closed(socket);
    socket.resume();
    expect(await end).toMatchObject({ code: 1006 });
  });

  it('reads nothing more from a peer that takes nothing, and loses nothing', async () => {
    let asked = 0;
    const { url } = await start({}, (channel) => {
      const out = new Subject<Frame>();
      return channel(out).pipe(
        mergeMap(() => {
          out.next(result((asked += 1), text));
          return [];
        }),
      );
    });
    const socket = await peer(url);
    socket.pause();
    const count = 3_000;
    for (let id = 1; id <= count; id += 1) socket.send(JSON.stringify(request(id, 'x'.repeat(10_000))));
    const seen = await settled(() => asked);
    expect(seen).toBeGreaterThan(0);
    expect(seen).toBeLessThan(50);
    let got = 0;
    socket.on('message', () => (got += 1));
    socket.resume();
    await until(() => got > seen + 50);
  });
});

describe('webSocket', () => {
  it('opens a connection per subscription, and none before', async () => {
    let count = 0;
    const { url } = await start({}, (channel) => {
      count += 1;
      return echo(channel);
    });
    const channel = webSocket(url);
    expect(count).toBe(0);
    for (let id = 1; id <= 2; id += 1) {
      const client = follow(channel);
      expect(await client.call(id)).toEqual(result(id));
      client.subscription.unsubscribe();
    }
    expect(count).toBe(2);
  });

  it('sends its headers', async () => {
    const server = createServer();
    const seen = new Subject<unknown>();
    server.on('upgrade', ({ headers }, socket) => {
      seen.next(headers);
      socket.destroy();
    });
    const headers = next(seen);
    const port = await portOf(server);
    const client = follow(webSocket(`ws://127.0.0.1:${port}/mcp`, { headers: { authorization: 'Bearer x' } }));
    expect(await headers).toMatchObject({ authorization: 'Bearer x', 'sec-websocket-protocol': 'mcp' });
    await client.ended;
    expect(client.log.error).toMatchObject({ unopened: true });
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    [
      'speaks HTTP only',
      async () => {
        const server = createServer((_, response) => response.writeHead(200, { connection: 'close' }).end('hello'));
        return `ws://127.0.0.1:${await portOf(server)}`;
      },
      /Unexpected server response: 200/,
    ],
    [
      'speaks something else',
      async () =>
        `ws://127.0.0.1:${await portOf(
          createTcpServer((stream) =>
            stream
              .on('error', () => undefined)
              .resume()
              .end('220 mail\r\n'),
          ),
        )}`,
      /Parse Error/,
    ],
    [
      'hangs up in the handshake',
      async () =>
        `ws://127.0.0.1:${await portOf(createTcpServer((stream) => stream.once('data', () => stream.end())))}`,
      /socket hang up/,
    ],
    ['speaks another subprotocol', () => foreign(() => undefined, 'chat'), /invalid subprotocol/],
    ['speaks no subprotocol', () => foreign(() => undefined, false), /no subprotocol/],
    ['would not have us', async () => `${(await start()).url}/other`, /Unexpected server response: 404/],
    ['has no address', async () => 'nonsense', /Invalid URL/],
  ])('was never open, where the server %s', async (_, prepare, message) => {
    const client = follow(webSocket(await prepare()));
    await client.ended;
    expect(client.log.error).toBeInstanceOf(ConnectionClosed);
    expect(client.log.error).toMatchObject({ unopened: true, message: expect.stringMatching(message) as unknown });
  });

  it('gives up a handshake that takes too long, and can be unsubscribed in the midst of one', async () => {
    const held: Socket[] = [];
    const port = await portOf(createTcpServer((stream) => held.push(stream.on('error', () => undefined).resume())));
    const url = `ws://127.0.0.1:${port}`;
    const client = follow(webSocket(url, { openMs: 20 }));
    await client.ended;
    expect(client.log.error).toMatchObject({ unopened: true, message: 'the handshake took too long' });
    const other = follow(webSocket(url));
    other.out.next(request(1));
    await until(() => held.length === 2);
    other.subscription.unsubscribe();
    expect(other.out.observed).toBe(false);
    await until(() => held.every(({ closed }) => closed));
    // Before `ws` itself is there.
    follow(webSocket(url)).subscription.unsubscribe();
  });

  it('leaves ws alone until it is needed', () => {
    const script = `
      import { createRequire } from 'node:module';
      await import(${JSON.stringify(new URL('../../lib/node/index.ts', import.meta.url).href)});
      const { cache } = createRequire(import.meta.url);
      const loaded = () => Object.keys(cache).some((path) => /node_modules.ws./.test(path));
      const before = loaded();
      await import('ws');
      console.log(before, loaded());
    `;
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    const output = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { cwd });
    expect(output.toString().trim()).toBe('false true');
  });
});
