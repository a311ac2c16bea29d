/** Streamable HTTP of the handshake revisions: a session, and a stream for each request. */
import { describe, expect, it, vi } from 'vitest';
import { ConnectionClosed, InvalidAnswer, NotSupported, type Context, type JsonObject } from 'rxmcp';
import { metaKeys, type LegacyRevision } from '../../../lib/protocol/revisions.ts';
import { virtualTime } from './clock.ts';
import { dial, far, follow, shaken, type Call } from './scripted.ts';

virtualTime();

/** A server with sessions. What is not about opening and closing them is done by hand. */
const session = (
  revision: LegacyRevision = '2025-11-25',
  { respond, id = 'one' }: { readonly respond?: (call: Call) => Call | undefined; readonly id?: string | null } = {},
) => {
  let count = 0;
  const server = far((call) => {
    if (respond?.(call) !== undefined) return;
    if (call.asks === 'initialize') {
      count += 1;
      call.answer(shaken(revision), id === null ? {} : { 'mcp-session-id': count === 1 ? id : `${id}-${count}` });
    } else if (call.asks.startsWith('notifications/')) call.accept();
    else if (call.asks === 'DELETE') call.whole(200, '');
  });
  return server;
};
/** Calls wait no longer for the stream that listens. */
const heardOf = (): void => void vi.advanceTimersByTime(250);
const opened = (
  revision: LegacyRevision = '2025-11-25',
  script: Parameters<typeof session>[1] = {},
  options: Parameters<typeof dial>[1] = {},
) => {
  const server = session(revision, script);
  const link = dial(server, { revisions: [revision], ...options });
  heardOf();
  const close = (): void => {
    link.close();
    server.pump();
  };
  const ask = (method: string) => server.calls.filter(({ asks }) => asks === method);
  return { server, link, close, ask };
};
/** Before its stream has been answered. */
const dialled = () => {
  const server = session();
  const { client, close } = dial(server, { revisions: ['2025-11-25'] });
  return { server, client, close };
};
const calling = (...given: Parameters<typeof opened>) => {
  const { server, link, close, ask } = opened(...given);
  const { seen, stop } = follow(link.client.call('echo', { text: 'é' }));
  return { server, link, close, ask, seen, stop, post: server.last() };
};
const events = (calls: readonly Call[]): Call => {
  const call = calls.findLast(({ method }) => method === 'GET');
  if (call === undefined) throw new Error('no stream was asked for');
  return call;
};

describe('a session', () => {
  it('is opened by initialize, named from then on, and closed by DELETE (SHTTP-06, 07, 43, 47, 51, 53, 54)', () => {
    const { server, link, close } = opened();
    expect(link.client.revision).toBe('2025-11-25');
    expect(server.asked()).toEqual(['initialize', 'notifications/initialized', 'GET']);
    const [initialize, initialized, stream] = server.calls;
    const both = { 'mcp-session-id': 'one', 'mcp-protocol-version': '2025-11-25' };
    const posting = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
    expect(initialize?.headers).toEqual(posting);
    expect(initialized?.headers).toEqual({ ...posting, ...both });
    expect(stream?.headers).toEqual({ accept: 'text/event-stream', ...both });
    follow(link.client.call('x'));
    expect(server.last().headers).toEqual({ ...posting, ...both });
    close();
    expect(server.last()).toMatchObject({ method: 'DELETE', headers: both });
    expect(server.open()).toEqual([]);
  });

  it.each([
    ['2025-03-26', undefined],
    ['2025-06-18', '2025-06-18'],
    ['2025-11-25', '2025-11-25'],
  ] as const)('at %s says its revision as %s (SHTTP-53)', (revision, said) => {
    const { server, close } = opened(revision);
    expect(events(server.calls).headers['mcp-protocol-version']).toBe(said);
    close();
  });

  it('may have no id, and is then not closed', () => {
    const { server, close } = opened('2025-11-25', { id: null });
    expect(events(server.calls).headers).not.toHaveProperty('mcp-session-id');
    close();
    expect(server.asked()).not.toContain('DELETE');
  });

  it('is not named by what no header can carry (SHTTP-45)', () => {
    const { server, close } = opened('2025-11-25', { id: 'a\nb' });
    expect(events(server.calls).headers).not.toHaveProperty('mcp-session-id');
    close();
  });

  it('is open once the server has taken notice: nothing overtakes that', () => {
    const server = far((call) => void (call.asks === 'initialize' && call.answer(shaken('2025-11-25'))));
    const { client, close } = dial(server, { revisions: ['2025-11-25'] });
    follow(client.call('x'));
    expect(server.asked()).toEqual(['initialize', 'notifications/initialized']);
    server.last().accept();
    expect(server.asked()).toEqual(['initialize', 'notifications/initialized', 'GET']);
    server.last().stream();
    expect(server.asked()).toEqual(['initialize', 'notifications/initialized', 'GET', 'tools/call']);
    close();
  });

  it.each([
    ['refused', (call: Call) => call.whole(405, '')],
    ['no stream', (call: Call) => call.whole(200, '')],
    ['broken', (call: Call) => call.fail()],
  ])('is open where the stream for what belongs to no request is %s', (_, end) => {
    const { client, close, server } = dialled();
    follow(client.call('x'));
    end(server.last());
    expect(server.asked().filter((asked) => asked !== 'GET')).toHaveLength(3);
    close();
    server.pump();
  });

  it('is open where that stream is slow: what is asked waits a quarter of a second for it, in its order', () => {
    const { client, close, server } = dialled();
    follow(client.call('x'));
    vi.advanceTimersByTime(249);
    follow(client.call('y'));
    expect(server.asked()).toHaveLength(3);
    vi.advanceTimersByTime(1);
    const names = server.calls.slice(3).map(({ body }) => (body['params'] as JsonObject)['name']);
    expect(names).toEqual(['x', 'y']);
    close();
    server.pump();
  });

  it('is open where the server answers that notice with a stream that it leaves open', () => {
    const { link, close, ask } = opened('2025-11-25', {
      respond: (call) => (call.asks === 'notifications/initialized' ? call.stream() : undefined),
    });
    follow(link.client.call('x'));
    expect(ask('tools/call')).toHaveLength(1);
    vi.advanceTimersByTime(500);
    expect(ask('notifications/initialized')[0]?.aborted).toBe(true);
    close();
  });

  it('is used even where that notice is refused', () => {
    const { link, close, ask } = opened('2025-11-25', {
      respond: (call) => (call.asks === 'notifications/initialized' ? call.whole(400, '') : undefined),
    });
    follow(link.client.call('x'));
    expect(ask('tools/call')).toHaveLength(1);
    close();
  });

  it('is used where the refusal of that notice does not end', () => {
    const { link, close, ask } = opened('2025-11-25', {
      respond: (call) => (call.asks === 'notifications/initialized' ? call.head(400).text('x') : undefined),
    });
    const { seen } = follow(link.client.call('x'));
    vi.advanceTimersByTime(9_999);
    expect(ask('tools/call')).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(ask('notifications/initialized')[0]?.aborted).toBe(true);
    ask('tools/call')[0]?.answer({ content: [] });
    expect(seen.values).toHaveLength(1);
    close();
  });

  it('that cannot be closed is left after a while (SHTTP-52)', () => {
    const { server, link } = opened();
    link.close();
    expect(server.last()).toMatchObject({ method: 'DELETE', aborted: false });
    vi.advanceTimersByTime(2_000);
    expect(server.last().aborted).toBe(true);
  });
});

describe('a request in a session', () => {
  it('is answered in one piece (SHTTP-13)', () => {
    const { post, seen, close } = calling();
    post.answer({ content: [] });
    expect(seen.values).toEqual([{ kind: 'result', result: { content: [], resultType: 'complete' } }]);
    close();
  });

  it('is answered in a stream, with what belongs to it before that (SHTTP-13, SHTTP-15)', () => {
    const { post, seen, close } = calling();
    const params = { progressToken: post.meta['progressToken'], progress: 1 };
    post.stream().say({ jsonrpc: '2.0', method: 'notifications/progress', params }).result({ content: [] }).end();
    expect(seen.values.map(({ kind }) => kind)).toEqual(['progress', 'result']);
    close();
  });

  it('is answered in an array, as at 2025-03-26', () => {
    const { post, seen, close } = calling('2025-03-26');
    const log = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } };
    post.whole(200, [log, { jsonrpc: '2.0', id: post.id, result: { content: [] } }]);
    expect(seen.values).toHaveLength(1);
    close();
  });

  it('is cancelled by a message, and its stream left once that has been taken (SHTTP-27)', () => {
    const { server, post, stop, close } = calling();
    stop();
    expect(post.aborted).toBe(false);
    expect(server.last().body).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: post.id },
    });
    server.pump();
    expect(post.aborted).toBe(true);
    close();
  });

  it('is refused by an error, whatever the status, and whether or not it names the request', () => {
    for (const [status, id] of [
      [200, undefined],
      [400, null],
      [400, undefined],
    ] as const) {
      const { post, seen, close } = calling();
      post.refuse(status, -32602, 'x', id === undefined ? post.id : id);
      expect(seen.error).toMatchObject({ _tag: 'RpcError', code: -32602, data: 'x' });
      close();
    }
  });

  it('is refused by a status alone, and fails alone', () => {
    const { link, post, seen, close } = calling();
    post.whole(500, 'oh');
    expect((seen.error as ConnectionClosed).cause).toMatchObject({ status: 500, body: 'oh' });
    expect(link.seen.error).toBeUndefined();
    close();
  });

  it('is refused by a status alone also where nothing ends what is said with it', () => {
    const { link, post, seen, close } = calling();
    post.head(500).text('oh');
    vi.advanceTimersByTime(10_000);
    expect((seen.error as ConnectionClosed).cause).toMatchObject({ status: 500, body: 'oh' });
    expect(post.aborted).toBe(true);
    expect(link.seen.error).toBeUndefined();
    close();
  });

  it.each([
    ['is no JSON', (post: Call) => post.whole(200, '{')],
    ['is a page', (post: Call) => post.whole(200, '<html>', { 'content-type': 'text/html' })],
    ['is only accepted', (post: Call) => post.accept()],
    ['names another request', (post: Call) => post.whole(200, { jsonrpc: '2.0', id: 'x', result: {} })],
  ])('whose answer %s fails, and does not wait for ever', (_, say) => {
    const { post, seen, close } = calling();
    say(post);
    expect(seen.error).toBeInstanceOf(InvalidAnswer);
    close();
  });

  it('that JSON cannot express fails, and is not sent', () => {
    const { link, server, close } = opened();
    const { seen } = follow(link.client.exchange({ method: 'tools/call', params: { name: 'x', arguments: 1n } }, {}));
    expect(seen.error).toBeInstanceOf(InvalidAnswer);
    expect(server.asked()).not.toContain('tools/call');
    close();
  });

  it('of the server is answered by a POST of its own (SHTTP-09, AMB-40)', () => {
    const { server, post, seen, close } = calling('2025-11-25', {}, { answers: { roots: [] } });
    post.stream().say({ jsonrpc: '2.0', id: 'ask', method: 'ping' });
    expect(server.last().body).toEqual({ jsonrpc: '2.0', id: 'ask', result: {} });
    server.last().accept();
    post.result({ content: [] }).end();
    expect(seen.values).toHaveLength(1);
    close();
  });
});

describe('a stream that breaks', () => {
  it('before any event had an id fails its request: it cannot be taken up again', () => {
    const { server, post, seen, close } = calling();
    post.stream().fail();
    vi.advanceTimersByTime(60_000);
    expect(seen.error).toBeInstanceOf(ConnectionClosed);
    expect(server.calls.filter(({ headers }) => 'last-event-id' in headers)).toEqual([]);
    close();
  });

  it('is taken up after its last event, not before the server wants that (SHTTP-20, 21, 23, 24, 40)', () => {
    const { server, post, seen, close } = calling();
    // The first event only says where the stream is.
    post.stream().text('id: a1\nretry: 700\ndata:\n\n');
    post.say({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } }, 'id: a2\n').end();
    vi.advanceTimersByTime(699);
    const before = server.calls.length;
    vi.advanceTimersByTime(1);
    expect(server.calls).toHaveLength(before + 1);
    const resumed = server.last();
    expect(resumed).toMatchObject({
      method: 'GET',
      headers: { accept: 'text/event-stream', 'last-event-id': 'a2', 'mcp-session-id': 'one' },
    });
    expect(resumed.headers).not.toHaveProperty('content-type');
    // And again, as often as the server likes: it is its way to have itself polled.
    for (let count = 0; count < 20; count += 1) {
      server.last().stream().end();
      vi.advanceTimersByTime(700);
    }
    const last = server.last().stream();
    last.say({ jsonrpc: '2.0', id: post.id, result: { content: [] } }, 'id: a3\n').end();
    expect(seen.values).toHaveLength(1);
    expect(server.calls).toHaveLength(before + 21);
    close();
  });

  it.each(['é', 'a\u0007', ' a', 'a\u2028b'])('is taken up after no event whose id no header can hold: %j', (id) => {
    const one = calling();
    one.post.stream().text(`id: ${id}\ndata:\n\n`).end();
    vi.advanceTimersByTime(60_000);
    expect(one.ask('GET').filter(({ headers }) => 'last-event-id' in headers)).toEqual([]);
    expect(one.seen.error).toBeInstanceOf(ConnectionClosed);
    one.close();
    const two = calling();
    two.post.stream().text('id: a1\ndata:\n\n', `id: ${id}\ndata:\n\n`).end();
    vi.advanceTimersByTime(250);
    expect(two.server.last().headers).toMatchObject({ 'last-event-id': 'a1' });
    two.close();
  });

  it('is tried more and more rarely, and no more often than the schedule allows', () => {
    const { server, post, seen, close } = calling('2025-11-25', {}, { retry: { attempts: 2 } });
    post.stream().text('id: a1\ndata:\n\n').fail();
    const before = server.calls.length;
    vi.advanceTimersByTime(250);
    server.last().fail();
    vi.advanceTimersByTime(499);
    expect(server.calls).toHaveLength(before + 1);
    vi.advanceTimersByTime(1);
    expect(server.calls).toHaveLength(before + 2);
    server.last().fail();
    expect(seen.error).toBeInstanceOf(ConnectionClosed);
    close();
  });

  it('is taken up later where the server cannot do so now', () => {
    const { server, post, seen, close } = calling();
    post.stream().text('id: a1\ndata:\n\n').fail();
    vi.advanceTimersByTime(250);
    server.last().whole(503, '', { 'retry-after': '3' });
    const before = server.calls.length;
    vi.advanceTimersByTime(2_999);
    expect(server.calls).toHaveLength(before);
    vi.advanceTimersByTime(1);
    server
      .last()
      .stream()
      .say({ jsonrpc: '2.0', id: post.id, result: { content: [] } })
      .end();
    expect(seen.values).toHaveLength(1);
    close();
  });

  it('is not taken up where the answer has come, and is none', () => {
    const { server, post, seen, close } = calling();
    post
      .stream()
      .text(`id: a1\ndata: {"jsonrpc":"2.0","id":${String(post.id)},"result":{\n\n`)
      .fail();
    expect(seen.error).toBeInstanceOf(InvalidAnswer);
    const before = server.calls.length;
    vi.advanceTimersByTime(60_000);
    expect(server.calls).toHaveLength(before);
    close();
  });

  it('that the server will not take up fails its request', () => {
    for (const status of [400, 404, 405]) {
      const { server, post, seen, close } = calling();
      post.stream().text('id: a1\ndata:\n\n').fail();
      vi.advanceTimersByTime(250);
      server.last().whole(status, '');
      expect(seen.error).toBeInstanceOf(ConnectionClosed);
      // It may have been carried out: it is not made again, in whatever session.
      server.pump();
      expect(server.calls.filter(({ asks }) => asks === 'tools/call')).toHaveLength(1);
      close();
    }
  });

  it('that cannot be taken up because the server has no streams leaves the session alone (SHTTP-31)', () => {
    const { server, link, post, seen, ask, close } = calling();
    events(server.calls).whole(404, 'Cannot GET /mcp');
    post.stream().text('id: a1\ndata:\n\n').fail();
    vi.advanceTimersByTime(250);
    server.last().whole(404, 'Cannot GET /mcp');
    server.pump();
    expect(seen.error).toBeInstanceOf(ConnectionClosed);
    expect(ask('initialize')).toHaveLength(1);
    expect(link.seen.error).toBeUndefined();
    close();
  });

  it('tells, once streams were taken up, that the server has forgotten the session (SHTTP-49)', () => {
    const { server, post, ask, close } = calling();
    events(server.calls).whole(405, '');
    post.stream().text('id: a1\ndata:\n\n').fail();
    vi.advanceTimersByTime(250);
    server.last().stream().fail();
    vi.advanceTimersByTime(500);
    server.last().whole(404, '');
    server.pump();
    expect(ask('initialize')).toHaveLength(2);
    close();
  });

  it('is not taken up for a request that was cancelled meanwhile', () => {
    const { server, post, stop, close } = calling();
    post.stream().text('id: a1\ndata:\n\n').fail();
    stop();
    server.pump();
    const before = server.calls.length;
    vi.advanceTimersByTime(60_000);
    expect(server.calls).toHaveLength(before);
    close();
  });
});

describe('the stream for what belongs to no request', () => {
  const log = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'hi' } };

  it('brings that (SHTTP-29, SHTTP-30)', () => {
    const { server, link, close } = opened();
    const { seen } = follow(link.client.logs$);
    events(server.calls).stream().say(log);
    expect(seen.values).toEqual([{ kind: 'log', level: 'info', data: 'hi' }]);
    close();
    expect(server.open()).toEqual([]);
  });

  it.each([
    ['405 (SHTTP-31)', (call: Call) => call.whole(405, '')],
    ['404, by a server without sessions', (call: Call) => call.whole(404, '')],
    ['401', (call: Call) => call.whole(401, '')],
    ['a page', (call: Call) => call.whole(200, '<html>', { 'content-type': 'text/html' })],
  ])('may not be offered, and is then not asked for again: %s', (_, say) => {
    const { server, link, close } = opened('2025-11-25', { id: null });
    say(events(server.calls));
    const before = server.calls.length;
    vi.advanceTimersByTime(600_000);
    expect(server.calls).toHaveLength(before);
    expect(link.seen.error).toBeUndefined();
    close();
  });

  it('may be unknown to a server, which has forgotten no session by that (SHTTP-31, SHTTP-49)', () => {
    const { server, link, ask, close } = opened();
    events(server.calls).whole(404, 'Cannot GET /mcp');
    server.pump();
    vi.advanceTimersByTime(600_000);
    expect([ask('initialize'), ask('GET')].map(({ length }) => length)).toEqual([1, 1]);
    expect(link.seen.error).toBeUndefined();
    const { seen } = follow(link.client.call('x'));
    server.last().answer({ content: [] });
    expect(seen.values).toHaveLength(1);
    close();
  });

  it('is taken up after no event whose id no header can hold', () => {
    const { server, close } = opened();
    events(server.calls).stream().text('id: g1\ndata:\n\n', 'id: é\u0007\ndata:\n\n').end();
    vi.advanceTimersByTime(250);
    expect(events(server.calls).headers).toMatchObject({ 'last-event-id': 'g1' });
    close();
  });

  it.each([
    ['break', (call: Call) => call.stream().fail()],
    ['end', (call: Call) => call.stream().end()],
    ['not come about', (call: Call) => call.fail(true)],
    ['be refused for now', (call: Call) => call.whole(503, '')],
  ])('may %s, which fails nothing: it is asked for again (SHTTP-35)', (_, end) => {
    const { server, link, close } = opened();
    const before = server.calls.length;
    end(events(server.calls));
    vi.advanceTimersByTime(250);
    expect(server.calls).toHaveLength(before + 1);
    end(events(server.calls));
    vi.advanceTimersByTime(499);
    expect(server.calls).toHaveLength(before + 1);
    vi.advanceTimersByTime(1);
    expect(server.calls).toHaveLength(before + 2);
    const { seen } = follow(link.client.logs$);
    events(server.calls).stream().say(log);
    expect(seen.values).toHaveLength(1);
    close();
  });

  it('goes on after its last event, when the server wants that', () => {
    const { server, close } = opened();
    events(server.calls).stream().text('id: g1\nretry: 1500\ndata:\n\n').end();
    const before = server.calls.length;
    vi.advanceTimersByTime(1_499);
    expect(server.calls).toHaveLength(before);
    vi.advanceTimersByTime(1);
    expect(events(server.calls).headers).toMatchObject({ 'last-event-id': 'g1' });
    close();
  });
});

describe('a session that the server does not know any more', () => {
  it('is opened anew, once for all who notice, and what was refused is asked there (SHTTP-49, SHTTP-50)', () => {
    const { server, link, close, ask } = opened();
    const running = follow(link.client.call('slow'));
    const slow = server.last();
    const [one, two] = [follow(link.client.call('one')), follow(link.client.call('two'))];
    const [first, second] = server.calls.slice(-2);
    first?.whole(404, '');
    second?.refuse(404, -32001, undefined, null);
    expect(ask('initialize')).toHaveLength(2);
    expect(ask('initialize')[1]?.headers).not.toHaveProperty('mcp-session-id');
    // Whoever asks meanwhile waits for it.
    const three = follow(link.client.call('three'));
    server.pump();
    heardOf();
    const again = server.calls.filter(
      ({ asks, headers }) => asks === 'tools/call' && headers['mcp-session-id'] === 'one-2',
    );
    expect(again.map(({ body }) => (body['params'] as JsonObject)['name']).sort()).toEqual(['one', 'three', 'two']);
    for (const call of again) call.answer({ content: [] });
    for (const { seen } of [one, two, three]) expect(seen.values).toHaveLength(1);
    // What was under way in the old one may still be answered.
    expect(running.seen.error).toBeUndefined();
    slow.answer({ content: [] });
    expect(running.seen.values).toHaveLength(1);
    expect(follow(link.client.state$).seen.values).toEqual(['connected']);
    close();
    expect(server.open()).toEqual([]);
    expect(ask('DELETE').map(({ headers }) => headers['mcp-session-id'])).toEqual(['one-2']);
  });

  it('is noticed on the stream for what belongs to no request; subscriptions are asked for anew', () => {
    const { server, link, close, ask } = opened('2025-11-25', {
      respond: (call) => (call.asks === 'resources/subscribe' ? call.answer({}) : undefined),
    });
    const { seen } = follow(link.client.listen({ toolsListChanged: true, resourceSubscriptions: ['a:b'] }));
    server.pump();
    const old = events(server.calls);
    old.stream().fail();
    vi.advanceTimersByTime(250);
    events(server.calls).whole(404, '');
    server.pump();
    heardOf();
    server.pump();
    expect(ask('resources/subscribe').map(({ headers }) => headers['mcp-session-id'])).toEqual(['one', 'one-2']);
    events(server.calls).stream().say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    expect(seen.values.map(({ method }) => method)).toEqual([
      'notifications/subscriptions/acknowledged',
      'notifications/subscriptions/acknowledged',
      'notifications/tools/list_changed',
    ]);
    close();
  });

  it('is told apart from a method that the server does not know (AMB-05)', () => {
    const { post, seen, close, ask } = calling();
    post.refuse(404, -32601);
    expect(seen.error).toMatchObject({ _tag: 'RpcError', code: -32601 });
    expect(ask('initialize')).toHaveLength(1);
    close();
  });

  it('is not opened over and over: forgotten again before it has answered, it fails', () => {
    const { server, link, post, seen, ask } = calling();
    post.whole(404, '');
    server.pump();
    heardOf();
    ask('tools/call').at(-1)?.whole(404, '');
    expect(seen.error).toBeInstanceOf(ConnectionClosed);
    expect(link.seen.error).toBeInstanceOf(ConnectionClosed);
    expect(ask('initialize')).toHaveLength(2);
    server.pump();
  });

  it('is opened anew again after it has answered', () => {
    const { server, link, post, seen, close, ask } = calling();
    post.whole(404, '');
    server.pump();
    heardOf();
    ask('tools/call').at(-1)?.answer({ content: [] });
    expect(seen.values).toHaveLength(1);
    const next = follow(link.client.call('next'));
    ask('tools/call').at(-1)?.whole(404, '');
    server.pump();
    heardOf();
    ask('tools/call').at(-1)?.answer({ content: [] });
    expect(next.seen.values).toHaveLength(1);
    expect(ask('initialize')).toHaveLength(3);
    close();
  });

  it.each([
    ['another revision is spoken', (call: Call) => call.answer(shaken('2025-03-26'))],
    ['no other can be opened', (call: Call) => call.fail(true)],
  ])('fails, and all that waits for it, where %s', (_, reopened) => {
    let count = 0;
    const { server, link, post, seen } = calling(
      '2025-11-25',
      { respond: (call) => (call.asks === 'initialize' && (count += 1) > 1 ? reopened(call) : undefined) },
      { revisions: ['2025-03-26', '2025-06-18', '2025-11-25'] },
    );
    post.whole(404, '');
    const waiting = follow(link.client.call('x'));
    server.pump();
    for (const { error } of [seen, waiting.seen, link.seen]) expect(error).toBeInstanceOf(ConnectionClosed);
    expect(seen.error).not.toBeInstanceOf(NotSupported);
    server.pump();
    expect(server.open()).toEqual([]);
  });

  it('is not asked for anything more, nor closed', () => {
    let count = 0;
    const { server, link, post, ask } = calling('2025-11-25', {
      respond: (call) => (call.asks === 'initialize' && (count += 1) > 1 ? call : undefined),
    });
    post.whole(404, '');
    server.pump();
    heardOf();
    link.close();
    expect(ask('DELETE')).toEqual([]);
    expect(server.open()).toEqual([]);
  });
});

describe('a question on the stream of a call', () => {
  const elicitation = {
    jsonrpc: '2.0',
    id: 'q',
    method: 'elicitation/create',
    params: { message: 'Really?', requestedSchema: { type: 'object', properties: {} } },
  };
  const sampling = {
    jsonrpc: '2.0',
    id: 'q',
    method: 'sampling/createMessage',
    params: { messages: [], maxTokens: 1 },
  };
  /** Calls made for others, each with its POST. */
  const standingIn = (revision: LegacyRevision = '2025-11-25') => {
    const { server, link, close, ask } = opened(
      revision,
      { respond: (call) => (call.asks === 'POST' ? call.accept() : undefined) },
      { relay: true },
    );
    const capabilities = { elicitation: { form: {} }, sampling: {} };
    const call = (name: string, context: Context) => {
      const params = { name, _meta: { [metaKeys.clientCapabilities]: capabilities } };
      const { seen, stop } = follow(link.client.exchange({ method: 'tools/call', params }, context));
      return { seen, stop, post: server.last() };
    };
    const told = () => server.calls.find(({ body }) => body['id'] === 'q')?.body;
    return { server, link, close, ask, call, told };
  };
  const asked = [{ result: { resultType: 'input_required' } }];

  it('is for who made that call, although they have made others since (SHTTP-16, BR-24)', () => {
    const { call, close } = standingIn();
    const [first, second] = [call('delete', { principal: 'ann' }), call('slow', { principal: 'ann' })];
    first.post.stream().say(elicitation);
    expect(first.seen.values).toMatchObject(asked);
    expect(second.seen.values).toEqual([]);
    close();
  });

  it('is for who made that call, whoever else has one under way (SHTTP-16, BR-12)', () => {
    const { call, told, close } = standingIn();
    const [first, second] = [call('delete', { connection: {} }), call('slow', { connection: {} })];
    first.post.stream().say(elicitation);
    expect(first.seen.values).toMatchObject(asked);
    expect([second.seen.values, told()]).toEqual([[], undefined]);
    close();
  });

  it('is for them also on the stream that follows a broken one (SHTTP-24)', () => {
    const { server, call, close } = standingIn();
    const [first, second] = [call('delete', { connection: {} }), call('slow', { connection: {} })];
    first.post.stream().text('id: a1\ndata:\n\n').fail();
    vi.advanceTimersByTime(250);
    server.last().stream().say(elicitation);
    expect(first.seen.values).toMatchObject(asked);
    expect(second.seen.values).toEqual([]);
    close();
  });

  it('is for them also in an array, as at 2025-03-26', () => {
    const { call, close } = standingIn('2025-03-26');
    const [first, second] = [call('delete', { connection: {} }), call('slow', { connection: {} })];
    first.post.stream().say([sampling]);
    expect(first.seen.values).toMatchObject(asked);
    expect(second.seen.values).toEqual([]);
    close();
  });

  it('that was cancelled is nobody’s any more', () => {
    const { server, call, told, close } = standingIn();
    const [first, second] = [call('delete', { principal: 'ann' }), call('slow', { principal: 'ann' })];
    first.post.stream();
    first.stop();
    first.post.say(elicitation);
    expect([second.seen.values, told()]).toEqual([[], undefined]);
    server.pump();
    expect(first.post.aborted).toBe(true);
    close();
  });

  it('elsewhere is the one person’s who has a call under way, and nobody’s among several', () => {
    const { server, call, told, close } = standingIn();
    const first = call('delete', { connection: {} });
    const stream = events(server.calls).stream();
    stream.say(elicitation);
    expect(first.seen.values).toMatchObject(asked);
    call('slow', { connection: {} });
    call('slow', { connection: {} });
    stream.say({ ...elicitation, id: 'r' });
    expect(told()).toBeUndefined();
    expect(server.calls.find(({ body }) => body['id'] === 'r')?.body).toMatchObject({ error: { code: -32602 } });
    close();
  });
});
