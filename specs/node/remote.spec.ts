/** The client over HTTP in Node, against small servers of `node:http` itself. */
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request as ask, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect as connectTo, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { open, ConnectionClosed, fetchCarrier, type JsonObject } from 'rxmcp';
import { agentCarrier, remote, sse, type NodeRemoteOptions } from 'rxmcp/node';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();
const closers: (() => void)[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const close of closers.splice(0)) close();
});

type Respond = (frame: JsonObject, response: ServerResponse, request: IncomingMessage) => void;

const answer = (response: ServerResponse, { id }: JsonObject, result: JsonObject): void => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
};
const discovered = {
  resultType: 'complete',
  supportedVersions: ['2026-07-28'],
  capabilities: { tools: {} },
  ttlMs: 0,
  cacheScope: 'private',
};
const said = (text: string): JsonObject => ({ resultType: 'complete', content: [{ type: 'text', text }] });

const listening = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1');
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};
/** Node remembers the date for a second, with a timer that would be taken for a leak. */
const undated = (response: ServerResponse): void => void (response.sendDate = false);
const responding =
  (respond: Respond) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    undated(response);
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => (body += part));
    request.on('end', () => {
      const frame = (body === '' ? {} : JSON.parse(body)) as JsonObject;
      if (frame['method'] === 'server/discover') answer(response, frame, discovered);
      else respond(frame, response, request);
    });
  };

/** A server that knows who it is, and counts its sockets; the rest is for the spec to say. */
const serving = async (respond: Respond = (frame, response) => answer(response, frame, said('hi'))) => {
  const sockets: Socket[] = [];
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    responding(respond)(request, response);
  });
  server.on('connection', (socket) => sockets.push(socket));
  const port = await listening(server);
  return { url: `http://127.0.0.1:${port}/mcp`, sockets, requests, server };
};
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};

describe.each([
  ['an agent', (): NodeRemoteOptions => ({})],
  ['fetch', (): NodeRemoteOptions => ({ carrier: fetchCarrier() })],
])('remote over %s', (_, options) => {
  it('calls, in text of any script, and large', async () => {
    const { url } = await serving((frame, response) => {
      const { arguments: args } = frame['params'] as { readonly arguments: { readonly text: string } };
      answer(response, frame, said(args.text));
    });
    await using client = await open(remote(url, options()));
    expect((await client.callTool('x', { text: 'é🙂' })).content).toEqual([{ type: 'text', text: 'é🙂' }]);
    const large = 'é'.repeat(1024 * 1024);
    expect((await client.callTool('x', { text: large })).content).toEqual([{ type: 'text', text: large }]);
  });

  it('hears a stream as it comes, broken anywhere', async () => {
    let more: () => void = () => undefined;
    const { url } = await serving((frame, response) => {
      const { id, params } = frame as { readonly id: number; readonly params: { readonly _meta: JsonObject } };
      const token = params._meta['progressToken'];
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const progress = { progressToken: token, progress: 1, message: 'ü' };
      response.write(
        `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: progress })}\n\n`,
      );
      more = () => {
        const bytes = Buffer.from(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result: said('ü') })}\n\n`);
        const half = bytes.indexOf(0xc3) + 1;
        response.write(bytes.subarray(0, half));
        setImmediate(() => response.end(bytes.subarray(half)));
      };
    });
    await using client = await open(remote(url, options()));
    const events = await new Promise<unknown[]>((resolve, reject) => {
      const heard: unknown[] = [];
      client.call('x').subscribe({
        next: (event) => {
          heard.push(event);
          if (event.kind === 'progress') more();
        },
        error: reject,
        complete: () => resolve(heard),
      });
    });
    expect(events).toEqual([
      { kind: 'progress', progress: 1, message: 'ü' },
      { kind: 'result', result: said('ü') },
    ]);
  });

  it('closes the connection of a call that is cancelled, and no other (CAN-03)', async () => {
    const closed: unknown[] = [];
    const { url, requests } = await serving((frame, response) => {
      response.on('close', () => closed.push((frame['params'] as JsonObject)['name']));
      if ((frame['params'] as JsonObject)['name'] === 'quick') answer(response, frame, said('hi'));
    });
    await using client = await open(remote(url, options()));
    const slow = client.call('slow').subscribe();
    const other = client.call('other').subscribe({ error: () => undefined });
    await until(() => requests.length === 3);
    slow.unsubscribe();
    await until(() => closed.length === 1);
    expect(closed).toEqual(['slow']);
    await client.callTool('quick', {});
    other.unsubscribe();
    await until(() => closed.length === 3);
  });

  it('closes everything when it ends', async () => {
    const { url, server, requests } = await serving(() => undefined);
    const client = await open(remote(url, options()));
    const failed = client.callTool('x', {}).catch((error: unknown) => error);
    await until(() => requests.length === 2);
    await client.close();
    expect(await failed).toBeInstanceOf(ConnectionClosed);
    await until(() => !requests.some(({ complete, destroyed }) => complete && !destroyed));
    server.close();
  });

  it.each([307, 308, 302])('sends nothing to where another origin is named: %i', async (status) => {
    const elsewhere = await serving();
    const { url } = await serving((__, response) => {
      response.writeHead(status, { location: elsewhere.url }).end();
    });
    await using client = await open(remote(url, { ...options(), headers: { authorization: 'Bearer secret' } }));
    await expect(client.callTool('x', {})).rejects.toMatchObject({ _tag: 'ConnectionClosed', cause: { status } });
    expect(elsewhere.requests).toEqual([]);
  });

  it('follows a redirect within the origin, with all that was sent', async () => {
    const { url, requests } = await serving((frame, response, request) => {
      if (request.url === '/mcp') response.writeHead(307, { location: '/mcp/' }).end();
      else answer(response, frame, said(request.url ?? ''));
    });
    await using client = await open(remote(url, { ...options(), headers: { authorization: 'Bearer x' } }));
    expect((await client.callTool('x', {})).content).toEqual([{ type: 'text', text: '/mcp/' }]);
    expect(requests.at(-1)?.headers).toMatchObject({ authorization: 'Bearer x', 'mcp-method': 'tools/call' });
  });

  it('says that nobody is there', async () => {
    const { url, server } = await serving();
    server.close();
    await expect(open(remote(url, options()))).rejects.toMatchObject({
      _tag: 'ConnectionClosed',
      unopened: true,
      message: expect.stringMatching(/ECONNREFUSED/) as unknown,
    });
  });

  it('fails a call whose connection breaks, and only that', async () => {
    const { url } = await serving((frame, response) => {
      if ((frame['params'] as JsonObject)['name'] === 'dies') response.destroy();
      else answer(response, frame, said('hi'));
    });
    await using client = await open(remote(url, options()));
    await expect(client.callTool('dies', {})).rejects.toBeInstanceOf(ConnectionClosed);
    expect(await client.callTool('x', {})).toEqual(said('hi'));
  });

  it('fails a call that is answered with another protocol', async () => {
    const { url } = await serving((frame, response) => {
      if ((frame['params'] as JsonObject)['name'] === 'x') return answer(response, frame, said('hi'));
      response.socket?.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
    });
    await using client = await open(remote(url, options()));
    await expect(client.callTool('switches', {})).rejects.toBeInstanceOf(ConnectionClosed);
    expect(await client.callTool('x', {})).toEqual(said('hi'));
  });

  it('takes a long answer whose connection is closed at once after it', async () => {
    const long = 'x'.repeat(4 * 1024 * 1024);
    const { url } = await serving((frame, response) => {
      response.setHeader('connection', 'close');
      answer(response, frame, said(long));
    });
    await using client = await open(remote(url, options()));
    expect(await client.callTool('x', {})).toEqual(said(long));
  });

  it('fails a call that no header can carry, before anything is sent', async () => {
    const { url, requests } = await serving();
    let token = 'good';
    await using client = await open(remote(url, { ...options(), headers: () => ({ authorization: token }) }));
    token = 'bad\r\nx-injected: 1';
    await expect(client.callTool('x', {})).rejects.toBeInstanceOf(ConnectionClosed);
    expect(requests).toHaveLength(1);
  });
});

describe('agentCarrier', () => {
  it('uses its connections again, for answers in one piece and in streams, and asks for no compression', async () => {
    const { url, sockets, requests } = await serving((frame, response) => {
      if ((frame['params'] as JsonObject)['name'] === 'whole') return answer(response, frame, said('hi'));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: frame['id'], result: said('hi') })}\n\n`);
    });
    await using client = await open(remote(url));
    for (const name of ['whole', 'stream', 'whole', 'stream', 'stream', 'whole']) {
      await client.callTool(name, {});
      // The end of the stream is under way still.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sockets).toHaveLength(1);
    expect(requests).toHaveLength(7);
    const { headers } = requests[1] ?? {};
    expect(headers).not.toHaveProperty('accept-encoding');
    expect(headers).not.toHaveProperty('transfer-encoding');
    expect(headers).toMatchObject({ connection: 'keep-alive', host: new URL(url).host });
  });

  it('keeps no process alive with them', async () => {
    const { url } = await serving();
    const script = `
      const { open } = await import(${JSON.stringify(new URL('../../lib/index.ts', import.meta.url).href)});
      const { remote } = await import(${JSON.stringify(new URL('../../lib/node/index.ts', import.meta.url).href)});
      const client = await open(remote(${JSON.stringify(url)}));
      await client.callTool('x', {});
      await client.close();
      const at = performance.now();
      process.on('exit', () => console.log(performance.now() - at < 3000 ? 'at once' : 'late'));
    `;
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      { cwd },
    );
    expect(stdout.trim()).toBe('at once');
  });

  it('speaks TLS, with what it is told of certificates', async () => {
    const made = execFileSync(
      'openssl',
      [
        ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost'.split(' '),
        ...'-addext subjectAltName=IP:127.0.0.1 -keyout - -out -'.split(' '),
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    ).toString();
    const [key, cert] = [/-----BEGIN PRIVATE[^]*?END PRIVATE KEY-----/, /-----BEGIN CERT[^]*?END CERTIFICATE-----/].map(
      (block) => block.exec(made)?.[0] ?? '',
    );
    const server = createTlsServer(
      { key, cert },
      responding((frame, response) => answer(response, frame, said('safe'))),
    );
    const port = await listening(server);
    const url = `https://127.0.0.1:${port}/mcp`;
    await expect(open(remote(url))).rejects.toMatchObject({ message: expect.stringMatching(/self-signed/) as unknown });
    await using client = await open(remote(url, { tls: { ca: cert ?? '' } }));
    expect(await client.callTool('x', {})).toEqual(said('safe'));
  });

  it('speaks IPv6', async (context) => {
    const server = createServer(responding((frame, response) => answer(response, frame, said('six'))));
    closers.push(() => {
      server.close();
      server.closeAllConnections();
    });
    const heard = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(0, '::1', () => resolve(true));
    });
    if (!heard) return context.skip('this machine has no IPv6');
    await using client = await open(remote(`http://[::1]:${(server.address() as AddressInfo).port}/mcp`));
    expect(await client.callTool('x', {})).toEqual(said('six'));
  });

  it('takes an agent of the user', async () => {
    const { Agent } = await import('node:http');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    closers.push(() => agent.destroy());
    const { url, sockets } = await serving();
    await using client = await open(remote(url, { carrier: agentCarrier({ agent }) }));
    await Promise.all([client.callTool('x', {}), client.callTool('x', {}), client.callTool('x', {})]);
    expect(sockets).toHaveLength(1);
  });
});

describe('a proxy', () => {
  /** Forwards what it is asked for, and writes that down. */
  const proxying = async () => {
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      undated(response);
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      const onward = ask(request.url ?? '', { method: request.method, headers: request.headers }, (answered) => {
        response.writeHead(answered.statusCode ?? 500, answered.headers);
        answered.pipe(response);
      });
      request.pipe(onward);
    });
    proxy.on('connect', (request: IncomingMessage, stream: Socket) => {
      asked.push(`CONNECT ${request.url ?? ''}`);
      const onward = connectTo(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
        stream.write('HTTP/1.1 200 OK\r\n\r\n');
        stream.pipe(onward).pipe(stream);
      });
      closers.push(() => onward.destroy());
      for (const end of [stream, onward]) end.on('error', () => stream.destroy());
    });
    return { asked, url: `http://127.0.0.1:${await listening(proxy)}` };
  };

  it.each(['HTTP_PROXY', 'http_proxy', 'ALL_PROXY'])('is used where the environment names it: %s', async (name) => {
    const [{ url }, proxy] = [await serving(), await proxying()];
    vi.stubEnv(name, proxy.url);
    await using client = await open(remote(url, { headers: { 'x-own': '1' } }));
    expect(await client.callTool('x', {})).toEqual(said('hi'));
    expect(proxy.asked).toEqual([`POST ${url}`, `POST ${url}`]);
  });

  it('is not used where the environment, or the option, says so', async () => {
    const [{ url }, proxy] = [await serving(), await proxying()];
    vi.stubEnv('HTTP_PROXY', proxy.url);
    await using direct = await open(remote(url, { proxy: false }));
    vi.stubEnv('NO_PROXY', '127.0.0.1');
    await using excepted = await open(remote(url));
    for (const client of [direct, excepted]) expect(await client.callTool('x', {})).toEqual(said('hi'));
    expect(proxy.asked).toEqual([]);
  });

  it('is used where the option names it', async () => {
    const [{ url, requests }, proxy] = [await serving(), await proxying()];
    await using client = await open(remote(url, { proxy: proxy.url }));
    expect(await client.callTool('x', {})).toEqual(said('hi'));
    expect(proxy.asked).toHaveLength(2);
    expect(requests[1]?.headers).toMatchObject({ 'mcp-method': 'tools/call', 'content-type': 'application/json' });
  });

  it('is tunnelled through to TLS, whose other end it cannot read', async () => {
    const proxy = await proxying();
    const secret = createTcpServer((socket) =>
      socket.on('error', () => undefined).once('data', () => socket.destroy()),
    );
    secret.listen(0, '127.0.0.1');
    closers.push(() => secret.close());
    await once(secret, 'listening');
    const { port } = secret.address() as AddressInfo;
    vi.stubEnv('HTTPS_PROXY', proxy.url);
    await expect(open(remote(`https://127.0.0.1:${port}/mcp`))).rejects.toBeInstanceOf(ConnectionClosed);
    expect(proxy.asked).toEqual([`CONNECT 127.0.0.1:${port}`]);
  });

  it('that is none fails whatever would go through it', async () => {
    const { url } = await serving();
    await expect(open(remote(url, { proxy: 'nonsense' }))).rejects.toMatchObject({
      _tag: 'ConnectionClosed',
      unopened: true,
    });
  });
});

describe('sse', () => {
  it('connects over one stream, and posts elsewhere', async () => {
    let stream: ServerResponse | undefined;
    const closed = vi.fn();
    const server = createServer((request, response) => {
      undated(response);
      if (request.method === 'GET') {
        stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
        stream.on('close', closed);
        return void stream.write('event: endpoint\ndata: /messages?id=1\n\n');
      }
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => (body += part));
      request.on('end', () => {
        response.writeHead(202).end('Accepted');
        const { id, method } = JSON.parse(body) as JsonObject;
        if (id === undefined) return;
        const shaken = {
          protocolVersion: '2024-11-05',
          capabilities: { tools: {} },
          serverInfo: { name: 'o', version: '1' },
        };
        const result = method === 'initialize' ? shaken : { content: [] };
        stream?.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
      });
    });
    const port = await listening(server);
    const client = await open(sse(`http://127.0.0.1:${port}/sse`));
    expect(client.revision).toBe('2024-11-05');
    expect((await client.callTool('x', {})).content).toEqual([]);
    await client.close();
    await until(() => closed.mock.calls.length === 1);
  });
});
