/** Requests since 2026-07-28: each a POST of its own. */
import { describe, expect, it, vi } from 'vitest';
import { EMPTY } from 'rxjs';
import { ConnectionClosed, InvalidAnswer, remote, RpcError, type HttpRefusal } from 'rxmcp';
import { metaKeys } from '../../../lib/protocol/revisions.ts';
import { virtualTime } from './clock.ts';
import { dial, discovered, done, far, follow, url, type Call } from './scripted.ts';

virtualTime();

/** A server that says who it is; the rest is done by hand. */
const modern = (respond: (call: Call) => void = () => undefined) =>
  far((call) => (call.asks === 'server/discover' ? void call.answer(discovered()) : respond(call)));

const calling = (
  options: Parameters<typeof dial>[1] = {},
  call: Parameters<ReturnType<typeof dial>['client']['call']>[2] = {},
) => {
  const server = modern();
  const link = dial(server, options);
  const { seen, stop } = follow(link.client.call('echo', { text: 'é' }, call));
  return { server, link, seen, stop, post: server.last() };
};

describe('a request', () => {
  it('is a POST with the metadata headers, which say what its body says (HTTP26-05..08, 23, 24, 30, 31, VER-01..03)', () => {
    const { server, link, post, stop } = calling({ info: { name: 'me', version: '1' } });
    const [probe] = server.calls;
    expect(probe).toMatchObject({
      method: 'POST',
      url,
      headers: {
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'server/discover',
      },
      body: { jsonrpc: '2.0', id: 1, method: 'server/discover' },
    });
    expect(probe?.headers).not.toHaveProperty('mcp-name');
    expect(post.headers).toEqual({
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
    });
    expect(post.body).toEqual({
      jsonrpc: '2.0',
      id: 2,
      method: 'tools/call',
      params: {
        name: 'echo',
        arguments: { text: 'é' },
        _meta: {
          progressToken: 2,
          [metaKeys.protocolVersion]: '2026-07-28',
          [metaKeys.clientCapabilities]: {},
          [metaKeys.clientInfo]: { name: 'me', version: '1' },
        },
      },
    });
    stop();
    link.close();
  });

  it.each([
    ['prompts/get', { name: 'a prompt' }, 'a prompt'],
    ['resources/read', { uri: 'file:///ü' }, '=?base64?ZmlsZTovLy/DvA==?='],
    ['tools/call', { name: '=?base64?x?=', arguments: {} }, '=?base64?PT9iYXNlNjQ/eD89?='],
  ] as const)(
    '%s says in Mcp-Name what it is about, encoded where need be (HTTP26-31, HTTP26-33)',
    (method, params, name) => {
      const server = modern();
      const { client, close } = dial(server);
      follow(client.exchange({ method, params }, {}));
      expect(server.last().headers['mcp-name']).toBe(name);
      close();
    },
  );

  it('passes mirrored arguments on, and nothing else that its caller sent', () => {
    const server = modern();
    const { seen, stop } = follow(
      remote(url, { carrier: server.carrier }).dial({ info: { name: 'me', version: '1' } }),
    );
    server.pump();
    const headers = { 'mcp-param-city': 'Oslo', authorization: 'Bearer secret', 'mcp-session-id': 's', cookie: 'c' };
    follow(seen.values[0]?.exchange({ method: 'tools/call', params: { name: 'x' } }, { headers }) ?? EMPTY);
    expect(server.last().headers).toEqual({
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'x',
      'mcp-param-city': 'Oslo',
    });
    stop();
  });

  it('is answered by JSON, whatever case its type is written in', () => {
    const { post, seen, link } = calling();
    post.whole(200, { jsonrpc: '2.0', id: 2, result: done }, { 'content-type': 'Application/JSON; charset=utf-8' });
    expect(seen).toEqual({ values: [{ kind: 'result', result: done }], complete: true });
    link.close();
  });

  it('is answered by a stream: progress of its own that rises, log lines, then the result (PRG-03, PRG-04)', () => {
    const { post, seen, link } = calling();
    const progress = (progressToken: unknown, progress: number) => ({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken, progress, total: 3 },
    });
    post.stream().text(': keep-alive\r\n\r\n');
    post.say(progress(2, 1)).say(progress(1, 2)).say(progress('2', 2)).say(progress(2, 1)).say(progress(2, 2));
    post.say({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'on it' } });
    // What only a server of an older revision may do.
    post.say({ jsonrpc: '2.0', id: 2, method: 'roots/list' });
    post.result(done).end();
    expect(seen).toEqual({
      values: [
        { kind: 'progress', progress: 1, total: 3 },
        { kind: 'progress', progress: 2, total: 3 },
        { kind: 'log', level: 'info', data: 'on it' },
        { kind: 'result', result: done },
      ],
      complete: true,
    });
    expect(post.aborted).toBe(false);
    link.close();
  });

  it('is cancelled by closing it, and by nothing else (CAN-03)', () => {
    const { server, post, stop, link } = calling();
    stop();
    expect(post.aborted).toBe(true);
    expect(server.asked()).toEqual(['server/discover', 'tools/call']);
    link.close();
  });

  it('has an id that was never used before (AMB-36)', () => {
    const server = modern((call) => void call.answer(done));
    const { client, close } = dial(server);
    for (let count = 0; count < 3; count += 1) {
      follow(client.call('x'));
      server.pump();
    }
    expect(server.calls.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
    close();
  });

  it('that JSON cannot express fails, and is not sent', () => {
    const server = modern();
    const { client, close } = dial(server);
    const { seen } = follow(client.exchange({ method: 'tools/call', params: { name: 'x', arguments: 1n } }, {}));
    expect(seen.error).toBeInstanceOf(InvalidAnswer);
    expect(server.asked()).toEqual(['server/discover']);
    close();
  });
});

describe('a stream of events', () => {
  const text = JSON.stringify({ jsonrpc: '2.0', id: 2, result: done });
  it.each([
    ['CRLF', [`data: ${text}\r\n\r\n`]],
    ['CR', [`data: ${text}\r\rdata: \r\r`]],
    ['several lines of data', [text.replace(/,/g, ',\n').replace(/^/gm, 'data: ') + '\n\n']],
    ['any breaks between its parts', [...`event: message\nid: 1\ndata:${text}\n\n`]],
    ['a byte order mark', [`\ufeffdata: ${text}\n\n`]],
    ['comments and events without data (HTTP26-18)', [`: hi\n\nid: 7\ndata:\n\nretry: 5\n\ndata: ${text}\n\n`]],
    ['events of other types', [`event: ping\ndata: {}\n\nevent: error\ndata: ${text}x\n\ndata: ${text}\n\n`]],
  ])('may have %s', (_, parts) => {
    const { post, seen, link } = calling();
    post
      .stream()
      .text(...parts)
      .end();
    expect(seen.values).toEqual([{ kind: 'result', result: done }]);
    link.close();
  });

  it('gets a moment to end after its last message, and is then cut', () => {
    const { post, link } = calling();
    post.stream().result(done);
    vi.advanceTimersByTime(499);
    expect(post.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(post.aborted).toBe(true);
    link.close();
  });

  it.each([
    ['ends', (post: Call) => post.end()],
    ['breaks', (post: Call) => post.fail()],
  ])(
    'that %s without an answer fails its request: nothing is resumed or repeated (HTTP26-19, HTTP26-20, AMB-12)',
    (_, end) => {
      const { server, post, seen, link } = calling();
      end(post.stream().text('id: 1\ndata:\n\n'));
      expect(seen.error).toBeInstanceOf(ConnectionClosed);
      vi.advanceTimersByTime(60_000);
      expect(server.calls).toHaveLength(2);
      link.close();
    },
  );

  it('that breaks is asked for once more where the call may be repeated, with a new id (HTTP26-20, AMB-12)', () => {
    const { server, post, seen, link } = calling({}, { idempotent: true });
    post
      .stream()
      .say({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 2, progress: 5 } })
      .fail();
    const again = server.last();
    expect(again.body).toMatchObject({ id: 3, method: 'tools/call', params: { _meta: { progressToken: 3 } } });
    for (const progress of [4, 6])
      again.stream().say({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 3, progress } });
    again.result(done).end();
    expect(seen.values.map((event) => (event.kind === 'progress' ? event.progress : event.kind))).toEqual([
      5,
      6,
      'result',
    ]);
    link.close();
  });

  it('that breaks twice is not asked for a third time', () => {
    const { server, post, seen, link } = calling({}, { idempotent: true });
    post.stream().fail();
    server.last().stream().end();
    expect(seen.error).toBeInstanceOf(ConnectionClosed);
    expect(server.calls).toHaveLength(3);
    link.close();
  });

  it.each([
    [{ readOnlyHint: true }, 3],
    [{ idempotentHint: true }, 3],
    [{ destructiveHint: false }, 2],
  ])('is asked for again where a listed tool says that it may be: %o', (annotations, count) => {
    const server = modern((call) => {
      if (call.asks !== 'tools/list') return;
      const tools = [{ name: 'echo', inputSchema: { type: 'object' }, annotations }];
      call.answer({ resultType: 'complete', tools, ttlMs: 0, cacheScope: 'private' });
    });
    const { client, close } = dial(server);
    follow(client.listTools());
    server.pump();
    const { seen } = follow(client.call('echo'));
    server.last().stream().fail();
    const posts = server.calls.filter(({ asks }) => asks === 'tools/call');
    expect(posts).toHaveLength(count - 1);
    if (count === 2) expect(seen.error).toBeInstanceOf(ConnectionClosed);
    close();
  });
});

describe('an answer', () => {
  it.each([
    ['names another request', (post: Call) => post.whole(200, { jsonrpc: '2.0', id: 7, result: done })],
    ['names it as text', (post: Call) => post.whole(200, { jsonrpc: '2.0', id: '2', result: done })],
    ['names none', (post: Call) => post.whole(200, { jsonrpc: '2.0', error: { code: 1, message: 'x' } })],
    ['is an array (HTTP26-08)', (post: Call) => post.whole(200, [{ jsonrpc: '2.0', id: 2, result: done }])],
    ['is a request', (post: Call) => post.whole(200, { jsonrpc: '2.0', id: 2, method: 'ping' })],
    ['is no message', (post: Call) => post.whole(200, { jsonrpc: '2.0', id: 2, result: 1 })],
    ['is no JSON', (post: Call) => post.whole(200, '{"jsonrpc"')],
    ['is a page', (post: Call) => post.whole(200, '<html>', { 'content-type': 'text/html' })],
    [
      'is of a type that only begins like JSON',
      (post: Call) => post.whole(200, '{}', { 'content-type': 'application/jsonp' }),
    ],
    ['is only accepted', (post: Call) => post.accept()],
    ['names another request, in a stream', (post: Call) => post.stream().say({ jsonrpc: '2.0', id: 7, result: done })],
    ['is malformed, in a stream', (post: Call) => post.stream().say({ jsonrpc: '2.0', id: 2, result: 1 })],
    ['breaks off, in a stream', (post: Call) => post.stream().text('data: {"jsonrpc":"2.0","id":2,"result":{\n\n')],
  ])('that %s is none', (_, say) => {
    const { post, seen, link } = calling();
    say(post);
    expect(seen.error).toBeInstanceOf(InvalidAnswer);
    expect(post.aborted || post.over).toBe(true);
    link.close();
  });

  it.each([
    ['names the request', 2],
    ['does not know its id (AMB-15)', undefined],
    ['says null for its id', null],
  ])('with a status of failure and an error that %s is that error', (_, id) => {
    const { post, seen, link } = calling();
    post.refuse(400, -32602, { why: 'x' }, id);
    expect(seen.error).toMatchObject({ _tag: 'RpcError', code: -32602, data: { why: 'x' } });
    link.close();
  });

  it('with a status of failure says which, and the beginning of what came with it', () => {
    const { post, seen, link } = calling();
    post.whole(502, `Bad gateway ${'x'.repeat(1000)}`, { 'content-type': 'text/plain' });
    const { message, cause } = seen.error as ConnectionClosed;
    expect(seen.error).toBeInstanceOf(ConnectionClosed);
    expect(message).toMatch(/^the server answered with HTTP status 502: "Bad gateway x{88}…"$/);
    expect(cause).toMatchObject({ _tag: 'HttpRefusal', status: 502 });
    expect((cause as HttpRefusal).body.length).toBeLessThan(250);
    link.close();
  });

  it('about another request does not hide a status of failure', () => {
    const { post, seen, link } = calling();
    post.refuse(500, -32603, undefined, 99);
    expect((seen.error as ConnectionClosed).cause).toMatchObject({ status: 500 });
    link.close();
  });

  it.each([401, 403])('of status %i keeps it, and how one may prove who one is, whatever its body says', (status) => {
    const { post, seen, link } = calling();
    const error = { jsonrpc: '2.0', id: 2, error: { code: -32001, message: 'unauthorized' } };
    post.whole(status, error, { 'www-authenticate': 'Bearer resource_metadata="x"' });
    expect((seen.error as ConnectionClosed).cause).toMatchObject({
      status,
      wwwAuthenticate: 'Bearer resource_metadata="x"',
    });
    link.close();
  });

  it.each([
    ['7', 7_000],
    ['Thu, 01 Jan 1970 00:01:40 GMT', 40_000],
    ['Thu, 01 Jan 1970 00:00:10 GMT', 0],
    ['soon', undefined],
  ])('that says when to come back, "%s", is kept with that', (header, ms) => {
    vi.setSystemTime(60_000);
    const { post, seen, link } = calling();
    post.whole(503, '', { 'retry-after': header });
    expect((seen.error as ConnectionClosed).cause).toMatchObject({ status: 503 });
    expect(((seen.error as ConnectionClosed).cause as HttpRefusal).retryAfterMs).toBe(ms);
    link.close();
  });

  it.each([
    ['in one piece', (post: Call) => post.head(200, { 'content-type': 'application/json' }).text('x'.repeat(250), 'y')],
    ['as an event', (post: Call) => post.stream().text(`data: ${'x'.repeat(251)}`)],
    ['as a whole event', (post: Call) => post.stream().text(`data: ${'x'.repeat(251)}\n\n`)],
    ['as lines of an event', (post: Call) => post.stream().text(...Array<string>(30).fill('data: xxxxxxxxx\n'))],
  ])('longer than is taken, %s, ends the request', (_, say) => {
    const server = modern();
    // The discovery is longer than that itself.
    const { client, close } = dial(server, { maxBytes: 250 });
    const { seen } = follow(client.call('x'));
    say(server.last());
    expect(seen.error).toBeInstanceOf(ConnectionClosed);
    expect(String(seen.error)).toContain('longer than 250');
    expect(server.last().aborted).toBe(true);
    close();
  });
});

describe('a redirect', () => {
  it.each([307, 308])('within the origin is followed with all that was sent: %i', (status) => {
    const { server, post, seen, link } = calling({ headers: { Authorization: 'Bearer x' } });
    post.head(status, { location: '/mcp/' });
    expect(post.aborted).toBe(true);
    expect(server.last()).toMatchObject({ method: 'POST', url: `${url}/`, body: post.body, headers: post.headers });
    server.last().answer(done);
    expect(seen.values).toHaveLength(1);
    link.close();
  });

  it.each([
    ['to another host', 307, 'https://evil.example/mcp'],
    ['to another scheme', 308, 'http://far.example/mcp'],
    ['to another port', 307, 'https://far.example:444/mcp'],
    ['with another method', 302, '/mcp/'],
    ['to nowhere', 307, undefined],
    ['to no URL', 307, 'http://['],
  ])('%s is not followed: nothing is sent there', (_, status, location) => {
    const { server, post, seen, link } = calling({ headers: { authorization: 'Bearer x' } });
    post.head(status, location === undefined ? {} : { location });
    expect(seen.error).toBeInstanceOf(ConnectionClosed);
    expect((seen.error as ConnectionClosed).cause).toMatchObject({ status });
    expect(post.aborted).toBe(true);
    expect(server.calls).toHaveLength(2);
    link.close();
  });

  it('is not followed for ever', () => {
    const { server, seen, link } = calling();
    for (let count = 0; count < 10; count += 1) server.last().head(307, { location: '/again' });
    expect(server.calls).toHaveLength(7);
    expect(seen.error).toBeInstanceOf(ConnectionClosed);
    link.close();
  });
});

describe('headers', () => {
  it('of the user go along, and replace none of the protocol', () => {
    const { post, link, stop } = calling({ headers: { 'X-Own': '1', 'MCP-Method': 'other', Accept: '*/*' } });
    expect(post.headers).toMatchObject({ 'x-own': '1', 'mcp-method': 'tools/call' });
    expect(post.headers['accept']).toBe('application/json, text/event-stream');
    expect(Object.keys(post.headers).every((name) => name === name.toLowerCase())).toBe(true);
    stop();
    link.close();
  });

  it('are made anew for each request by a function', () => {
    let count = 0;
    const { server, link, stop } = calling({ headers: () => ({ authorization: `Bearer ${(count += 1)}` }) });
    expect(server.calls.map(({ headers }) => headers['authorization'])).toEqual(['Bearer 1', 'Bearer 2']);
    stop();
    link.close();
  });

  it('may take their time; a call that is cancelled meanwhile is never made', async () => {
    const server = modern();
    const link = dial(server, { headers: () => Promise.resolve({ authorization: 'late' }) });
    await Promise.resolve();
    server.pump();
    expect(server.last().headers).toMatchObject({ authorization: 'late' });
    follow(link.client.call('x')).stop();
    await Promise.resolve();
    expect(server.calls).toHaveLength(1);
    link.close();
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no token');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no token'))],
  ])('that cannot be made fail the request: the function %s', async (_, headers) => {
    const { seen } = dial(modern(), { headers });
    await new Promise((resolve) => process.nextTick(resolve));
    await Promise.resolve();
    expect(seen.error).toBeInstanceOf(ConnectionClosed);
    expect(String(seen.error)).toContain('no token');
  });
});

describe('the end of a connection', () => {
  it('fails what is under way, completes subscriptions, and leaves nothing open', () => {
    const server = modern((call) => {
      if (call.asks === 'subscriptions/listen')
        call
          .stream()
          .say({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { notifications: {} } });
    });
    const link = dial(server);
    const call = follow(link.client.call('x'));
    const listen = follow(link.client.listen({ toolsListChanged: true }));
    vi.advanceTimersByTime(0);
    const state = follow(link.client.state$);
    server.pump();
    link.close();
    expect(call.seen.error).toBeInstanceOf(ConnectionClosed);
    expect(listen.seen.complete).toBe(true);
    expect(state.seen.values).toEqual(['connected', 'closed']);
    expect(server.open()).toEqual([]);
    const late = follow(link.client.call('x'));
    expect(late.seen.error).toBeInstanceOf(ConnectionClosed);
    expect(server.calls).toHaveLength(3);
  });
});

describe('errors of the server', () => {
  it('are those of its answers', () => {
    const { post, seen, link } = calling();
    post.refuse(200, -32000, 'x');
    expect(seen.error).toBeInstanceOf(RpcError);
    expect(seen.error).toMatchObject({ code: -32000, data: 'x', during: { method: 'tools/call', name: 'echo' } });
    link.close();
  });
});
