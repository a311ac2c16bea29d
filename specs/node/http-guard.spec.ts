/** Whom a guarded server lets in, over real sockets: its own server, a framework's, and the oldest transport. */
import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Misconfigured, server, tool, type Context, type Served } from '../../lib/index.ts';
import { http, toNode, type HttpOptions } from '../../lib/node/index.ts';
import { serve } from '../../lib/server/serve.ts';
import { createLedger } from '../../lib/testing/index.ts';
import { call, headersOf, holds, initialize, modernized, turn } from '../transport/http/desk.ts';
import {
  as,
  challenge,
  documentPath,
  documentText,
  fakeGuard,
  insufficient,
  protect,
} from '../transport/http/fake-guard.ts';
import { afterwards, dial, send, start, written } from './peers.ts';

const who = modernized(call(1, 'who'));
const ask = (body = who, headers: Record<string, string> = {}) => ({
  body,
  headers: { ...headersOf(body), ...headers },
});

const house = () => {
  const guard = fakeGuard();
  const ledger = createLedger();
  const contexts: Context[] = [];
  const inner = server(
    { name: 'house', version: '1' },
    tool('who', {}, (_, { principal }) => principal ?? 'nobody'),
    tool('delete', {}, () => 'deleted'),
    tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
  );
  const watched: Served = (request, context) => {
    contexts.push(context);
    return inner(request, context);
  };
  return { guard, ledger, contexts, served: protect(guard, watched) };
};

const served = async (options: HttpOptions = {}) => {
  const made = house();
  return { ...made, ...(await start(made.served, options)) };
};

const listening = async (listener: RequestListener): Promise<number> => {
  const outer = createServer(listener);
  afterwards(() => {
    outer.close();
    outer.closeAllConnections();
  });
  await once(outer.listen(0, '127.0.0.1'), 'listening');
  return (outer.address() as AddressInfo).port;
};

describe('http() before a guarded server', () => {
  it.each(['at once', 'later'])('lets in whom the guard lets in: %s', async (when) => {
    const { port, guard, contexts } = await served();
    if (when === 'later') guard.hold();
    const refused = send(port, ask());
    const taken = send(port, ask(who, { ...as('ada'), cookie: 'c=1' }));
    if (when === 'later') {
      await holds(() => guard.waiting() === 2);
      guard.answer();
    }
    expect(await refused).toMatchObject({ status: 401, headers: { 'www-authenticate': challenge } });
    expect(JSON.parse((await taken).text)).toMatchObject({ result: { content: [{ text: 'ada' }] } });
    expect(contexts).toMatchObject([{ principal: 'ada', access: { principal: 'ada' } }]);
    expect(contexts[0]?.headers).not.toHaveProperty('authorization');
    expect(contexts[0]?.headers).not.toHaveProperty('cookie');
    expect(guard.knocks.map(({ method, path }) => [method, path])).toEqual([
      ['POST', '/mcp'],
      ['POST', '/mcp'],
    ]);
  });

  it('shows the guard both of two tokens, of which Node keeps the first (AUTHS-11)', async () => {
    const { port, guard } = await served();
    const socket = await dial(port);
    const text = written(JSON.stringify(who), { ...headersOf(who), ...as('ada') });
    socket.write(text.replace('\r\n\r\n', '\r\nAuthorization: Bearer eve\r\n\r\n'));
    const [head] = (await once(socket, 'data')) as [Buffer];
    expect(String(head)).toMatch(/^HTTP\/1.1 400 /);
    expect(guard.knocks[0]?.headers['authorization']).toBe('Bearer ada, Bearer eve');
  });

  it('keeps nothing of a client that has left before it was known who it is (HTTP26-21)', async () => {
    const { port, guard, contexts, ledger } = await served();
    const hang = modernized(call(1, 'hang'));
    guard.hold();
    const socket = await dial(port);
    socket.write(written(JSON.stringify(hang), { ...headersOf(hang), ...as('ada') }).repeat(2));
    await holds(() => guard.waiting() === 2);
    socket.destroy();
    for (let turns = 0; turns < 20; turns += 1) await turn();
    guard.answer();
    for (let turns = 0; turns < 20; turns += 1) await turn();
    expect([contexts, ledger.live]).toEqual([[], {}]);
    // The others are served as before.
    expect((await send(port, ask(who, as('ada')))).status).toBe(200);
  });

  it('answers with what a request needs more, and runs nothing (AUTHS-07)', async () => {
    const { port, contexts } = await served();
    const refused = await send(port, ask(modernized(call(7, 'delete')), as('ada')));
    expect(refused).toMatchObject({ status: 403, headers: { 'www-authenticate': insufficient } });
    expect(JSON.parse(refused.text)).toMatchObject({ id: 7, error: { code: -32600 } });
    expect(contexts).toEqual([]);
  });

  it('serves its metadata to anybody, and nothing where there is none (AUTHS-03)', async () => {
    const { port, guard } = await served({ health: true });
    const answer = await send(port, { method: 'GET', path: `${documentPath}?a=b` });
    expect(answer).toMatchObject({ status: 200, text: documentText, headers: { 'content-type': 'application/json' } });
    const statusOf = async (method: string, path: string, headers = {}) =>
      (await send(port, { method, path, headers })).status;
    expect(await statusOf('POST', documentPath)).toBe(405);
    expect(await statusOf('GET', documentPath, { origin: 'https://evil.example' })).toBe(403);
    expect(await statusOf('GET', documentPath, { host: 'evil.example' })).toBe(403);
    expect(await statusOf('GET', '/.well-known/other')).toBe(404);
    expect(await statusOf('GET', '/healthz')).toBe(200);
    expect(guard.knocks).toEqual([]);
  });

  it('serves its metadata on a server of one’s own, and leaves the rest to that', async () => {
    const own = createServer();
    own.on('request', ({ url }, response) => url === '/mine' && response.end('mine'));
    afterwards(() => {
      own.close();
      own.closeAllConnections();
    });
    await once(own.listen(0, '127.0.0.1'), 'listening');
    const { port } = own.address() as AddressInfo;
    await served({ server: own });
    expect((await send(port, { method: 'GET', path: documentPath })).text).toBe(documentText);
    expect((await send(port, { method: 'GET', path: '/mine' })).text).toBe('mine');
  });

  it('does not break off what another one on the same server has answered', async () => {
    const own = createServer();
    const broken: string[] = [];
    own.on('connection', (socket) => socket.on('close', () => broken.push('closed')));
    const agent = new Agent({ keepAlive: true });
    afterwards(() => {
      agent.destroy();
      own.close();
      own.closeAllConnections();
    });
    await once(own.listen(0, '127.0.0.1'), 'listening');
    const { port } = own.address() as AddressInfo;
    for (const path of ['/one', '/two']) await served({ server: own, path });
    for (let time = 0; time < 3; time += 1) {
      const asked = request({ port, host: '127.0.0.1', path: documentPath, agent }).end();
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      answer.resume();
      await once(answer, 'end');
      expect([answer.statusCode, asked.reusedSocket]).toEqual([200, time > 0]);
    }
    expect(broken).toEqual([]);
  });

  it('does not start where two say who asks', async () => {
    const { served: guarded } = house();
    const failed = new Promise((_, reject) => {
      serve(guarded, http({ principal: () => 'ada' })).subscribe({ error: reject });
    });
    await expect(failed).rejects.toThrow(Misconfigured);
    expect(() => toNode(guarded, { principal: () => 'ada' })).toThrow(/principal.*guard/);
  });
});

describe('toNode() before a guarded server', () => {
  it('in Express: asks with the whole path, takes a parsed body, and answers with the metadata', async () => {
    const { guard, served: guarded } = house();
    const handler = toNode(guarded);
    afterwards(() => void handler.close());
    const app = express();
    app.use(express.json());
    app.use('/api/mcp', handler);
    app.use('/.well-known', handler);
    const port = await listening((request, response) => void app(request, response));
    guard.hold();
    const answer = send(port, { path: '/api/mcp?a=b', ...ask(who, as('ada')) });
    await holds(() => guard.waiting() === 1);
    guard.answer();
    expect(JSON.parse((await answer).text)).toMatchObject({ result: { content: [{ text: 'ada' }] } });
    expect(guard.knocks).toMatchObject([{ path: '/api/mcp' }]);
    expect((await send(port, { path: '/api/mcp', ...ask() })).status).toBe(401);
    expect(await send(port, { method: 'GET', path: documentPath })).toMatchObject({ status: 200, text: documentText });
    expect((await send(port, { method: 'GET', path: '/.well-known/other' })).status).toBe(406);
  });

  it('leaves the proof in the request itself, which is the framework’s', async () => {
    const { served: guarded, contexts } = house();
    const handler = toNode(guarded);
    afterwards(() => void handler.close());
    const after: unknown[] = [];
    const port = await listening((request, response) => {
      handler(request, response);
      response.once('finish', () => after.push(request.headers.authorization));
    });
    expect((await send(port, ask(who, as('ada')))).status).toBe(200);
    await holds(() => after.length === 1);
    expect(after).toEqual(['Bearer ada']);
    expect(contexts[0]?.headers).not.toHaveProperty('authorization');
  });
});

describe('HTTP+SSE before a guarded server', () => {
  const stream = async (port: number, headers: Record<string, string>) => {
    const socket = await dial(port);
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    const lines = Object.entries({ host: '127.0.0.1', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET /sse HTTP/1.1\r\n${lines.join('')}\r\n`);
    await holds(() => /data: \S+\n|401 /.test(text));
    return { path: /data: (\S+)/.exec(text)?.[1] ?? '', text: () => text };
  };

  it('asks for the stream and for each message, which are one principal’s (AUTHS-11, CVE-2026-33946)', async () => {
    const { port, contexts } = await served({ sse: true });
    expect((await stream(port, {})).text()).toContain(`www-authenticate: ${challenge}`);
    const { path, text } = await stream(port, as('ada/first'));
    const post = (body: unknown, headers: Record<string, string> = {}) => send(port, { path, body, headers });
    expect((await post(initialize('2024-11-05'))).status).toBe(401);
    expect((await post(initialize('2024-11-05'), as('eve'))).status).toBe(404);
    expect((await post(initialize('2024-11-05'), as('ada/first'))).status).toBe(202);
    expect((await post(call(2, 'who'), as('ada/second'))).status).toBe(202);
    await holds(() => text().includes('"id":2'));
    expect(text()).toContain('"text":"ada"');
    expect(contexts.map(({ access }) => access?.claims['proof'])).toEqual(['first', 'second']);
    for (const { principal, headers } of contexts) {
      expect(principal).toBe('ada');
      expect(headers).not.toHaveProperty('authorization');
    }
  });

  it('answers the message itself with what it needs more (AUTHS-07)', async () => {
    const { port, contexts } = await served({ sse: true });
    const { path, text } = await stream(port, as('ada'));
    const refused = await send(port, { path, body: call(7, 'delete'), headers: as('ada') });
    expect(refused).toMatchObject({ status: 403, headers: { 'www-authenticate': insufficient } });
    expect(JSON.parse(refused.text)).toMatchObject({ id: 7, error: { code: -32600 } });
    const batch = await send(port, { path, body: [call(6, 'who'), call(7, 'delete')], headers: as('ada') });
    expect(batch.status).toBe(403);
    expect(contexts).toEqual([]);
    expect(text()).not.toContain('event: message');
  });
});
