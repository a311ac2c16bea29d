import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { Observable, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { progress, server, tool, type Context, type Exchange, type Request, type ServeEvent } from 'rxmcp';
import type { HttpRequest } from '../../../lib/transport/http/message.ts';
import type { HttpDesk } from '../../../lib/transport/http/desk.ts';
import { sseServer, type SseServerOptions } from '../../../lib/transport/http/sse-server.ts';
import { fakeReply, type FakeReply } from './fake-reply.ts';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

const get = (over: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  ...over,
  headers: { host: '127.0.0.1:4000', accept: 'text/event-stream', ...over.headers },
});
const post = (over: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'POST',
  ...over,
  headers: { host: '127.0.0.1:4000', 'content-type': 'application/json', ...over.headers },
});

/** What a parser that others keep reads on a stream. */
const read = (text: string): readonly EventSourceMessage[] => {
  const events: EventSourceMessage[] = [];
  createParser({ onEvent: (event) => events.push(event) }).feed(text);
  return events;
};
const endpointOf = (reply: FakeReply): string => read(reply.text)[0]?.data ?? '';
const messagesOf = (reply: FakeReply): readonly unknown[] =>
  read(reply.text)
    .filter(({ event }) => event === 'message')
    .map(({ data }): unknown => JSON.parse(data));

const initialize = (id: number, protocolVersion = '2024-11-05') => ({
  jsonrpc: '2.0',
  id,
  method: 'initialize',
  params: { protocolVersion, capabilities: {}, clientInfo: { name: 'old', version: '1' } },
});
const call = (id: number, name: string, more: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: {}, ...more },
});

const torn: string[] = [];
const house = server(
  { name: 'house', version: '1' },
  tool('hello', {}, () => 'hello'),
  tool('steps', {}, async function* () {
    yield progress(1, 2);
    yield progress(2, 2);
    return 'done';
  }),
  tool(
    'hang',
    {},
    () =>
      new Observable<string>(() => () => {
        torn.push('hang');
      }),
  ),
);

const setUp = (options: Partial<SseServerOptions> = {}, exchange: Exchange = house) => {
  const scheduler = new VirtualTimeScheduler();
  const events: ServeEvent[] = [];
  const heard: Request[] = [];
  const callers: Context[] = [];
  const old = sseServer(
    (request, context) => {
      heard.push(request);
      callers.push(context);
      return exchange(request, context);
    },
    options,
    { scheduler, bound: () => '127.0.0.1', tell: (event) => events.push(event) },
  );
  /** Does what an adapter does. */
  const take = (desk: HttpDesk, request: HttpRequest, body = '') => {
    const reply = fakeReply();
    const refused = desk.admit(request);
    if (refused === undefined) return { reply, handling: desk.handle(request, body, reply) };
    reply.send(refused.status, refused.headers, refused.body);
    return { reply, handling: undefined };
  };
  return {
    old,
    open: (request = get()) => take(old.stream('/message'), request),
    say: (url: string, message: unknown, request = post()): FakeReply => {
      const body = typeof message === 'string' ? message : JSON.stringify(message);
      const { reply } = take(old.message(url), request, body);
      expect(reply.state).toBe('ended');
      return reply;
    },
    events,
    heard,
    callers,
    timers: () => scheduler.actions.length,
    pass: (ms: number) => {
      scheduler.maxFrames = scheduler.frame + ms;
      scheduler.flush();
      scheduler.frame = scheduler.maxFrames;
    },
  };
};

describe('the oldest HTTP transport', () => {
  it('opens a stream, which first says where to post to (SSE-01, SSE-02)', () => {
    const { open } = setUp();
    const { reply, handling } = open();
    expect(handling).toBeDefined();
    expect(reply.status).toBe(200);
    expect(reply.headers).toMatchObject({ 'content-type': 'text/event-stream' });
    expect(read(reply.text)).toEqual([
      {
        id: undefined,
        event: 'endpoint',
        data: expect.stringMatching(/^\/message\?sessionId=[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/),
      },
    ]);
    expect(endpointOf(open().reply)).not.toBe(endpointOf(reply));
  });

  it('has a session: what is posted is answered on the stream, by message events (SSE-04)', async () => {
    const { open, say } = setUp();
    const { reply } = open();
    const url = endpointOf(reply);
    expect(say(url, initialize(1))).toMatchObject({ status: 202, text: '' });
    await tick();
    expect(say(url, { jsonrpc: '2.0', method: 'notifications/initialized' }).status).toBe(202);
    expect(say(url, call(2, 'hello')).status).toBe(202);
    await tick();
    say(url, call(3, 'steps', { _meta: { progressToken: 'p' } }));
    await tick();
    expect(messagesOf(reply)).toMatchObject([
      { id: 1, result: { protocolVersion: '2024-11-05', serverInfo: { name: 'house' } } },
      { id: 2, result: { content: [{ type: 'text', text: 'hello' }] } },
      { method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } },
      { method: 'notifications/progress', params: { progressToken: 'p', progress: 2 } },
      { id: 3, result: { content: [{ text: 'done' }] } },
    ]);
    expect(reply.state).toBe('open');
  });

  it('decides the era as every channel does (SSE-09)', async () => {
    const { open, say } = setUp();
    const { reply } = open();
    say(endpointOf(reply), initialize(1, '2025-11-25'));
    await tick();
    expect(messagesOf(reply)).toMatchObject([{ id: 1, result: { protocolVersion: '2025-11-25' } }]);
  });

  it('keeps sessions apart, whatever ids their clients choose', async () => {
    const { open, say } = setUp();
    const [a, b] = [open().reply, open().reply];
    say(endpointOf(a), initialize(1));
    say(endpointOf(b), initialize(1));
    await tick();
    say(endpointOf(a), call(2, 'hello'));
    await tick();
    expect(messagesOf(a)).toHaveLength(2);
    expect(messagesOf(b)).toHaveLength(1);
  });

  it("is another principal's for nobody, and does not even say that there is one", async () => {
    const { open, say, heard, callers } = setUp();
    const { reply } = open(get({ principal: 'ada' }));
    const url = endpointOf(reply);
    const stolen = say(url, initialize(1), post({ principal: 'eve' }));
    expect(stolen.status).toBe(404);
    for (const other of [
      say(url, initialize(1)),
      say('/message?sessionId=00000000-0000-0000-0000-000000000000', initialize(1)),
      say('/message', initialize(1)),
      say('/message?sessionId', initialize(1)),
    ]) {
      const { status, headers, text } = stolen;
      expect(other).toMatchObject({ status, headers, text });
    }
    await tick();
    expect(heard).toEqual([]);
    expect(messagesOf(reply)).toEqual([]);
    expect(say(url, initialize(1), post({ principal: 'ada' })).status).toBe(202);
    await tick();
    expect(messagesOf(reply)).toHaveLength(1);
    expect(new Set(callers.map(({ principal }) => principal))).toEqual(new Set(['ada']));
    expect(callers[0]?.headers).toMatchObject({ accept: 'text/event-stream' });
  });

  it('lets in by Host and Origin (SSE-05)', () => {
    const { open, say, heard } = setUp({ allowedOrigins: ['https://app.example'], allowedHosts: ['mcp.example'] });
    const url = endpointOf(open().reply);
    for (const headers of [
      { host: 'evil.example' },
      { host: undefined },
      { origin: 'https://evil.example' },
      { origin: 'null' },
    ]) {
      expect(open(get({ headers })).reply.status).toBe(403);
      expect(say(url, initialize(1), post({ headers })).status).toBe(403);
    }
    expect(heard).toEqual([]);
    for (const headers of [
      { host: 'mcp.example' },
      { origin: 'https://app.example' },
      { origin: 'http://localhost:8' },
    ]) {
      expect(open(get({ headers })).reply.status).toBe(200);
      expect(say(url, initialize(1), post({ headers })).status).toBe(202);
    }
  });

  it('serves GET here and POST there', () => {
    const { open, say } = setUp();
    const url = endpointOf(open().reply);
    for (const method of ['POST', 'DELETE', 'HEAD'])
      expect(open(get({ method })).reply).toMatchObject({ status: 405, headers: { allow: 'GET, OPTIONS' } });
    for (const method of ['GET', 'PUT'])
      expect(say(url, '', post({ method }))).toMatchObject({ status: 405, headers: { allow: 'POST, OPTIONS' } });
  });

  it('takes JSON only, and not too much of it', () => {
    const { old, open, say, heard } = setUp({ maxBytes: 100 });
    const url = endpointOf(open().reply);
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    for (const type of [undefined, '', 'text/plain', 'application/jsonp', 'application/json-patch+json'])
      expect(say(url, ping, post({ headers: { 'content-type': type } })).status).toBe(415);
    expect(say(url, ping, post({ headers: { 'content-length': '101' } })).status).toBe(413);
    expect(old.message(url).maxBytes).toBe(100);
    expect(heard).toEqual([]);
    for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/json ;x=y'])
      expect(say(url, ping, post({ headers: { 'content-type': type } })).status).toBe(202);
  });

  it('refuses what it cannot make sense of, and says so on the stream too', async () => {
    const { open, say, events } = setUp();
    const { reply } = open();
    const url = endpointOf(reply);
    expect(say(url, '{"jsonrpc":"2.0","id":7,"method":').status).toBe(400);
    expect(say(url, { jsonrpc: '2.0', id: 8, method: 5 }).status).toBe(400);
    expect(say(url, '').status).toBe(400);
    await tick();
    expect(messagesOf(reply)).toMatchObject([
      { id: 7, error: { code: -32700 } },
      { id: 8, error: { code: -32600 } },
      { error: { code: -32700 } },
    ]);
    expect(events.map(({ type }) => type)).toEqual(['connected', 'malformed', 'malformed', 'malformed']);
    say(url, initialize(1));
    await tick();
    expect(messagesOf(reply)).toHaveLength(4);
  });

  it('tears down what is in flight when its client hangs up; its session is no more', async () => {
    torn.length = 0;
    const { open, say, events, timers } = setUp();
    const { reply, handling } = open();
    const url = endpointOf(reply);
    say(url, initialize(1));
    await tick();
    say(url, call(2, 'hang'));
    await tick();
    expect(torn).toEqual([]);
    handling?.closed();
    expect(torn).toEqual(['hang']);
    expect(events.at(-1)).toEqual({ type: 'disconnected' });
    expect(say(url, call(3, 'hello')).status).toBe(404);
    expect(messagesOf(reply)).toHaveLength(1);
    expect(timers()).toBe(0);
  });

  it('ends every session when it is closed, the last words before the end, and begins none', async () => {
    const { old, open, say, timers, events } = setUp();
    const { reply, handling } = open();
    const url = endpointOf(reply);
    say(url, initialize(1));
    await tick();
    old.conclude();
    expect(open().reply.status).toBe(503);
    // Whoever is in stays until the end.
    expect(say(url, call(2, 'hello')).status).toBe(202);
    old.close();
    expect(messagesOf(reply)).toMatchObject([{ id: 1 }, { id: 2, result: {} }]);
    expect(reply.state).toBe('ended');
    expect(timers()).toBe(0);
    expect(events).toEqual([{ type: 'connected' }]);
    // What the adapter still has to say is too late, and does no harm.
    handling?.drained();
    handling?.closed();
    old.close();
    expect(open().reply.status).toBe(503);
    expect(say(url, call(3, 'hello')).status).toBe(404);
  });

  it('knows how much is under way, subscriptions aside', async () => {
    const { old, open, say } = setUp();
    const { reply, handling } = open();
    say(endpointOf(reply), initialize(1));
    await tick();
    expect(old.busy).toBe(0);
    say(endpointOf(reply), call(2, 'hang'));
    say(endpointOf(reply), call(3, 'hang'));
    say(endpointOf(reply), call(4, 'hello'));
    await tick();
    expect(old.busy).toBe(2);
    say(endpointOf(reply), { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } });
    expect(old.busy).toBe(1);
    handling?.closed();
    expect(old.busy).toBe(0);
  });

  it('refuses more sessions than it may have, and takes the next when one has gone', () => {
    const { open } = setUp({ maxSessions: 2 });
    const { handling } = open();
    open();
    expect(open().reply).toMatchObject({ status: 503, headers: { 'retry-after': '30' } });
    handling?.closed();
    expect(open().reply.status).toBe(200);
  });

  it('lets pages of a listed origin read what it says, and no others', () => {
    const { open, say } = setUp({ allowedOrigins: ['https://app.example'] });
    const from = (origin: string) => ({ headers: { origin } });
    const allowed = 'access-control-allow-origin';
    const { reply } = open(get(from('https://app.example')));
    const url = endpointOf(reply);
    for (const answer of [
      reply,
      say(url, initialize(1), post(from('https://app.example'))),
      say('/message', initialize(1), post(from('https://app.example'))),
      open({ ...get(from('https://app.example')), method: 'PUT' }).reply,
    ])
      expect(answer.headers[allowed]).toBe('https://app.example');
    expect(open(get(from('http://localhost:8'))).reply.headers).not.toHaveProperty(allowed);
    const asked = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };
    const preflight = { method: 'OPTIONS', headers: { origin: 'https://app.example', ...asked } };
    expect(say(url, '', post(preflight))).toMatchObject({
      status: 204,
      headers: { [allowed]: 'https://app.example', 'access-control-allow-methods': 'POST, OPTIONS' },
    });
  });

  it('tells its host of whom it could not identify, and the client nothing but that', () => {
    const { old, events } = setUp();
    const error = new Error('the database is down');
    const { status, body } = old.stream('/message').unknown(error);
    expect(status).toBe(500);
    expect(body).not.toContain('database');
    expect(events).toEqual([{ type: 'failure', method: 'principal', error }]);
  });

  it('keeps silent streams alive, with one timer for all, which goes with the last of them', async () => {
    const { open, say, pass, timers } = setUp({ keepAliveMs: 1_000 });
    const [a, b] = [open(), open()];
    const comments = ({ reply }: typeof a) => reply.text.split(': keep-alive\n\n').length - 1;
    // The endpoint was written in this time.
    pass(1_000);
    expect([comments(a), comments(b)]).toEqual([0, 0]);
    pass(500);
    say(endpointOf(a.reply), initialize(1));
    await tick();
    pass(500);
    expect([comments(a), comments(b)]).toEqual([0, 1]);
    pass(1_000);
    expect([comments(a), comments(b)]).toEqual([1, 2]);
    expect(read(a.reply.text)).toHaveLength(2);
    expect(timers()).toBe(1);
    a.handling?.closed();
    expect(timers()).toBe(1);
    b.handling?.closed();
    expect(timers()).toBe(0);
  });
});
