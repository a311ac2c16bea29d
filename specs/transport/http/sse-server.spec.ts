import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { NEVER, Observable, Subject, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  ConnectionClosed,
  progress,
  server,
  serveChannel,
  tool,
  type Channel,
  type Frame,
  type ServeEvent,
} from 'rxmcp';
import type { HttpHandling, HttpRequest } from '../../../lib/transport/http/message.ts';
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
  tool('steps', {}, function* () {
    yield progress(1, { total: 2 });
    yield progress(2, { total: 2 });
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

const setUp = (options: Partial<SseServerOptions> = {}) => {
  const scheduler = new VirtualTimeScheduler();
  const events: ServeEvent[] = [];
  const running: (() => void)[] = [];
  const old = sseServer({
    scheduler,
    bound: () => '127.0.0.1',
    accept: (channel) => {
      const serving = serveChannel(house)(channel).subscribe((event) => events.push(event));
      running.push(() => serving.unsubscribe());
    },
    ...options,
  });
  const open = (request = get()): { readonly reply: FakeReply; readonly handling: HttpHandling | undefined } => {
    const reply = fakeReply();
    return { reply, handling: old.stream(request, '/message', reply) };
  };
  const say = (url: string, message: unknown, request = post()): FakeReply => {
    const reply = fakeReply();
    old.message(request, url, typeof message === 'string' ? message : JSON.stringify(message), reply);
    expect(reply.state).toBe('ended');
    return reply;
  };
  return {
    old,
    open,
    say,
    events,
    running,
    timers: () => scheduler.actions.length,
    pass: (ms: number) => {
      scheduler.maxFrames = scheduler.frame + ms;
      scheduler.flush();
      scheduler.frame = scheduler.maxFrames;
    },
  };
};

/** A session whose far end is in the spec's hands. */
const byHand = (options: Partial<SseServerOptions> = {}) => {
  const out = new Subject<Frame>();
  const heard: unknown[] = [];
  const ends: unknown[] = [];
  const all = setUp({
    accept: (channel) =>
      channel(out).subscribe({
        next: (value) => heard.push(value),
        error: (error: unknown) => ends.push(error),
        complete: () => ends.push('complete'),
      }),
    ...options,
  });
  return { ...all, out, heard, ends };
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
    expect(say(url, initialize(1))).toMatchObject({ status: 202, text: 'Accepted' });
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

  it("is another principal's for nobody, and does not even say that there is one", () => {
    const { open, say, heard } = byHand();
    const url = endpointOf(open(get({ principal: 'ada' })).reply);
    const stolen = say(url, initialize(1), post({ principal: 'eve' }));
    const nobody = say(url, initialize(1));
    const unknown = say('/message?sessionId=00000000-0000-0000-0000-000000000000', initialize(1));
    expect(stolen.status).toBe(404);
    for (const reply of [nobody, unknown, say('/message', initialize(1)), say('/message?sessionId', initialize(1))]) {
      const { status, headers, text } = stolen;
      expect(reply).toMatchObject({ status, headers, text });
    }
    expect(heard).toEqual([]);
    expect(say(url, initialize(1), post({ principal: 'ada' })).status).toBe(202);
    expect(heard).toEqual([initialize(1)]);
  });

  it('lets in by Host and Origin (SSE-05)', () => {
    const { open, say, heard } = byHand({ allowedOrigins: ['https://app.example'], allowedHosts: ['mcp.example'] });
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
    const { open, say } = byHand();
    const url = endpointOf(open().reply);
    for (const method of ['POST', 'DELETE', 'HEAD', 'OPTIONS'])
      expect(open(get({ method })).reply).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    for (const method of ['GET', 'PUT'])
      expect(say(url, '', post({ method }))).toMatchObject({ status: 405, headers: { allow: 'POST' } });
  });

  it('takes JSON only, and not too much of it', () => {
    const { open, say, heard } = byHand({ maxBytes: 100 });
    const url = endpointOf(open().reply);
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    for (const type of [undefined, '', 'text/plain', 'application/jsonp', 'application/json-patch+json'])
      expect(say(url, ping, post({ headers: { 'content-type': type } })).status).toBe(415);
    expect(say(url, { ...ping, params: { x: 'x'.repeat(100) } }).status).toBe(413);
    expect(say(url, ping, post({ headers: { 'content-length': '101' } })).status).toBe(413);
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
    say(url, call(2, 'hello'));
    await tick();
    handling?.closed();
    expect(events.at(-1)).toEqual({ type: 'disconnected' });
    expect(say(url, call(3, 'hello')).status).toBe(404);
    expect(messagesOf(reply)).toHaveLength(2);
    expect(timers()).toBe(0);
  });

  it('ends the stream when its channel is unsubscribed, the last words before the end', async () => {
    const { open, say, running, timers } = setUp();
    const { reply, handling } = open();
    say(endpointOf(reply), initialize(1));
    await tick();
    say(endpointOf(reply), call(2, 'hello'));
    for (const stop of running) stop();
    expect(messagesOf(reply)).toHaveLength(2);
    expect(reply.state).toBe('ended');
    expect(timers()).toBe(0);
    // What the adapter still has to say is too late, and does no harm.
    handling?.drained();
    handling?.closed();
    expect(say(endpointOf(reply), call(3, 'hello')).status).toBe(404);
  });

  it('refuses more sessions than it may have, and takes the next when one has gone', () => {
    const { open, ends } = byHand({ maxSessions: 2 });
    const { handling } = open();
    open();
    expect(open()).toMatchObject({ handling: undefined, reply: { status: 503 } });
    handling?.closed();
    expect(ends).toEqual(['complete']);
    expect(open().reply.status).toBe(200);
  });

  it('refuses whom nobody serves', () => {
    const { open, timers, say } = setUp({ accept: () => undefined });
    const { reply, handling } = open();
    expect(handling).toBeUndefined();
    expect(reply.status).toBe(503);
    expect(timers()).toBe(0);
    expect(say('/message?sessionId=x', initialize(1)).status).toBe(404);
  });

  it('tells who opened the stream', () => {
    const seen: HttpRequest[] = [];
    const { open } = setUp({ accept: (_, request) => seen.push(request) });
    const request = get({ principal: 'ada' });
    open(request);
    expect(seen).toEqual([request]);
  });

  it('is subscribed to once', () => {
    let again: unknown;
    const { open } = setUp({
      accept: (channel: Channel) => {
        const opened = channel(NEVER);
        opened.subscribe();
        opened.subscribe({ error: (error: unknown) => (again = error) });
      },
    });
    expect(open().reply).toMatchObject({ status: 200, state: 'open' });
    expect(again).toBeInstanceOf(Error);
  });

  it('adds to every answer what it is told to, as for CORS', () => {
    const { open, say } = byHand({ headers: ({ method }) => ({ 'x-was': method }) });
    const { reply } = open();
    expect(reply.headers).toMatchObject({ 'x-was': 'GET', 'content-type': 'text/event-stream' });
    expect(say(endpointOf(reply), initialize(1)).headers['x-was']).toBe('POST');
    expect(say('/message', initialize(1)).headers['x-was']).toBe('POST');
  });

  it('keeps silent streams alive with comments, which are no events, and others not', async () => {
    const { open, out, pass, timers } = byHand({ keepAliveMs: 1_000 });
    const { reply, handling } = open();
    const comments = () => reply.text.split(': keep-alive\n\n').length - 1;
    // The endpoint was written in this time.
    pass(1_000);
    expect(comments()).toBe(0);
    pass(1_000);
    expect(comments()).toBe(1);
    out.next({ jsonrpc: '2.0', method: 'notifications/message', params: {} });
    await tick();
    pass(1_000);
    pass(1_000);
    expect(comments()).toBe(2);
    expect(read(reply.text)).toHaveLength(2);
    // Whoever reads nothing is kept alive by nothing.
    reply.writable = false;
    out.next({ jsonrpc: '2.0', method: 'notifications/message', params: {} });
    await tick();
    pass(10_000);
    expect(comments()).toBe(2);
    reply.writable = true;
    handling?.drained();
    pass(2_000);
    expect(comments()).toBeGreaterThan(2);
    expect(timers()).toBe(1);
    handling?.closed();
    expect(timers()).toBe(0);
  });

  it('leaves out, for a slow reader, what is out of date, and no answer', async () => {
    const { open, out } = byHand();
    const { reply, handling } = open();
    reply.writable = false;
    out.next({ jsonrpc: '2.0', id: 0, result: {} });
    await tick();
    for (let done = 1; done <= 1_000; done += 1) {
      out.next({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: done } });
      if (done % 500 === 0) out.next({ jsonrpc: '2.0', id: done, result: {} });
    }
    await tick();
    expect(messagesOf(reply)).toHaveLength(1);
    reply.writable = true;
    handling?.drained();
    expect(messagesOf(reply).slice(1)).toMatchObject([{ id: 500 }, { params: { progress: 1_000 } }, { id: 1_000 }]);
  });

  it('cuts off who leaves too much unread, and no one else', async () => {
    const { open, out, ends, timers } = byHand({ maxQueuedBytes: 10_000 });
    const { reply, handling } = open();
    reply.writable = false;
    for (let id = 0; id < 100; id += 1) {
      out.next({ jsonrpc: '2.0', id, result: { text: 'x'.repeat(1_000) } });
      await tick();
    }
    expect(reply.state).toBe('destroyed');
    expect(reply.text.length).toBeLessThan(3_000);
    expect(ends).toEqual([expect.any(ConnectionClosed)]);
    handling?.closed();
    handling?.drained();
    expect(timers()).toBe(0);
  });

  it('ends every session when it is closed, and begins none', () => {
    const { old, open, say, ends, timers } = byHand();
    const replies = [open().reply, open().reply];
    old.close();
    expect(ends).toEqual(['complete', 'complete']);
    expect(replies.map(({ state }) => state)).toEqual(['ended', 'ended']);
    expect(open().reply.status).toBe(503);
    expect(say(endpointOf(replies[0] ?? fakeReply()), initialize(1)).status).toBe(404);
    expect(timers()).toBe(0);
  });
});
