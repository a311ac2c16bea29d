/** A handler inside somebody else's HTTP server: who stands before it may take time, or not know who asks. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { NEVER } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { server, tool, type ServeEvent } from '../../lib/index.ts';
import { toNode, type ToNodeOptions } from '../../lib/node/index.ts';
import { createLedger } from '../../lib/testing/index.ts';
import { call, headersOf, holds, initialize, modernized, request, turn } from '../transport/http/desk.ts';
import { afterwards, dial, send, written } from './peers.ts';

const info = { name: 'house', version: '1' };
const hanging = modernized(call(1, 'hang'));
const hangingPost = written(JSON.stringify(hanging), headersOf(hanging));

/** Where each request waits, its body read as a framework would, until it is let through. */
const mounted = async (options: ToNodeOptions = {}) => {
  const ledger = createLedger();
  const handler = toNode(
    server(
      info,
      tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
      tool('who', {}, (_, { principal }) => principal ?? 'nobody'),
    ),
    options,
  );
  const waiting: (() => void)[] = [];
  const sockets = new Set<Socket>();
  let held = false;
  const onRequest: RequestListener = (asked, response) => {
    if (!held) return handler(asked, response);
    let text = '';
    sockets.add(asked.socket);
    asked.on('data', (chunk) => (text += String(chunk)));
    asked.on('end', () => {
      waiting.push(() => handler(text === '' ? asked : Object.assign(asked, { body: text }), response));
    });
  };
  const outer = createServer(onRequest);
  afterwards(() => {
    outer.close();
    outer.closeAllConnections();
    void handler.close();
  });
  await once(outer.listen(0, '127.0.0.1'), 'listening');
  const { port } = outer.address() as AddressInfo;
  return {
    port,
    ledger,
    /** From now on, requests wait. */
    hold: () => (held = true),
    /** Sends something and leaves; resolves when so many requests wait, and nobody is there for them. */
    leaving: async (text: string, requests = 1): Promise<void> => {
      const socket = await dial(port);
      socket.write(text);
      await holds(() => waiting.length === requests);
      socket.destroy();
      await holds(() => [...sockets].every((one) => one.destroyed));
      await turn();
    },
    letThrough: () => {
      held = false;
      for (const take of waiting.splice(0)) take();
    },
  };
};

describe('a client that has left before its request gets here', () => {
  it('has cancelled it (HTTP26-21)', async () => {
    const { ledger, hold, leaving, letThrough } = await mounted();
    hold();
    await leaving(hangingPost);
    letThrough();
    await turn();
    expect(ledger.live).toEqual({});
  });

  it('has cancelled also what stood in line on its connection (HTTP26-21)', async () => {
    const { ledger, hold, leaving, letThrough } = await mounted();
    hold();
    await leaving(hangingPost.repeat(2), 2);
    letThrough();
    await turn();
    expect(ledger.live).toEqual({});
  });

  it('listens to its session no more, which ends as any that nobody uses', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] });
    afterwards(() => vi.useRealTimers());
    const { port, hold, leaving, letThrough } = await mounted({ sessions: { ttlMs: 200 } });
    const { headers } = await send(port, { body: initialize() });
    const session = { 'mcp-session-id': String(headers['mcp-session-id']) };
    const get = Object.entries({ host: '127.0.0.1', accept: 'text/event-stream', ...session });
    hold();
    await leaving(`GET /mcp HTTP/1.1\r\n${get.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
    letThrough();
    vi.advanceTimersByTime(600);
    expect((await send(port, { body: request(2, 'ping'), headers: session })).status).toBe(404);
  });

  it('has ended its session, if that is what it came for', async () => {
    const { port, hold, leaving, letThrough } = await mounted();
    const { headers } = await send(port, { body: initialize() });
    const session = { 'mcp-session-id': String(headers['mcp-session-id']) };
    hold();
    await leaving(`DELETE /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nmcp-session-id: ${session['mcp-session-id']}\r\n\r\n`);
    letThrough();
    expect((await send(port, { body: request(2, 'ping'), headers: session })).status).toBe(404);
  });
});

describe('who asks', () => {
  const origin = 'https://app.example';

  it('is nobody’s question before it is let in, which browsers that ask first cannot answer (SEC-08)', async () => {
    let asked = 0;
    const { port } = await mounted({
      allowedOrigins: [origin],
      principal: () => {
        asked += 1;
        throw new Error('no token');
      },
    });
    const preflight = await send(port, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
    expect(preflight).toMatchObject({ status: 204, headers: { 'access-control-allow-origin': origin } });
    const body = modernized(call(1, 'who'));
    const foreign = { ...headersOf(body), origin: 'https://evil.example' };
    expect((await send(port, { body, headers: foreign })).status).toBe(403);
    expect(asked).toBe(0);
  });

  it('where nobody could say, is told to the host; the page that asked may read the refusal', async () => {
    const events: ServeEvent[] = [];
    const error = new Error('the database is down');
    const { port } = await mounted({
      allowedOrigins: [origin],
      onEvent: (event) => events.push(event),
      principal: () => {
        throw error;
      },
    });
    const body = modernized(call(1, 'who'));
    const answer = await send(port, { body, headers: { ...headersOf(body), origin } });
    expect(answer).toMatchObject({ status: 500, headers: { 'access-control-allow-origin': origin } });
    expect(answer.text).not.toContain('database');
    expect(events).toEqual([{ type: 'failure', method: 'principal', error }]);
  });

  it('is known to what answers', async () => {
    const { port } = await mounted({ principal: ({ headers }) => headers.authorization });
    const body = modernized(call(1, 'who'));
    const who = async (headers: Readonly<Record<string, string>>): Promise<unknown> =>
      JSON.parse((await send(port, { body, headers: { ...headersOf(body), ...headers } })).text);
    expect(await who({ authorization: 'ada' })).toMatchObject({ result: { content: [{ text: 'ada' }] } });
    expect(await who({})).toMatchObject({ result: { content: [{ text: 'nobody' }] } });
  });
});
