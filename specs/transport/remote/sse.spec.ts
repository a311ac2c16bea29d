/** HTTP+SSE of 2024-11-05. */
import { describe, expect, it, vi } from 'vitest';
import {
  connect,
  ConnectionClosed,
  InvalidAnswer,
  NoCommonRevision,
  sse,
  type Client,
  type ConnectOptions,
} from 'rxmcp';
import { virtualTime } from './clock.ts';
import { far, follow, shaken, type Call } from './scripted.ts';

virtualTime();

const url = 'https://far.example/a/sse?key=1';

const dialled = (endpoint: string | undefined, options: ConnectOptions & { readonly openMs?: number } = {}) => {
  const { openMs, ...rest } = options;
  const server = far((call) => {
    if (call.method === 'GET') {
      call.stream();
      if (endpoint !== undefined) call.text(`event: endpoint\ndata: ${endpoint}\n\n`);
      return;
    }
    call.accept();
    const [stream] = server.calls;
    const { id } = call;
    if (call.asks === 'initialize') stream?.say({ jsonrpc: '2.0', id, result: shaken('2024-11-05') });
  });
  const channel = sse(url, { carrier: server.carrier, ...(openMs === undefined ? undefined : { openMs }) });
  const { seen, stop } = follow<Client>(connect(channel, rest));
  server.pump();
  return {
    server,
    seen,
    stop,
    get client(): Client {
      const [client] = seen.values;
      if (client === undefined) throw new Error('not connected', { cause: seen.error });
      return client;
    },
    get stream(): Call {
      const [stream] = server.calls;
      if (stream === undefined) throw new Error('no stream');
      return stream;
    },
  };
};

describe('HTTP+SSE', () => {
  it.each([
    ['/messages?session=1', 'https://far.example/messages?session=1'],
    ['messages', 'https://far.example/a/messages'],
    ['?session=1', 'https://far.example/a/sse?session=1'],
    ['https://far.example/else', 'https://far.example/else'],
  ])(
    'posts where the stream says, %s, and speaks by handshake only (SSE-02, SSE-03, SSE-04, SSE-09)',
    (endpoint, to) => {
      const { server, client, stream, stop } = dialled(endpoint);
      expect(server.asked()).toEqual(['GET', 'initialize', 'notifications/initialized']);
      expect(stream).toMatchObject({ url, headers: { accept: 'text/event-stream' } });
      expect(client.revision).toBe('2024-11-05');
      const { seen } = follow(client.call('x'));
      expect(server.last()).toMatchObject({ method: 'POST', url: to, headers: { 'content-type': 'application/json' } });
      server.last().accept();
      stream.say({ jsonrpc: '2.0', id: server.last().id, result: { content: [] } });
      expect(seen.values).toHaveLength(1);
      stop();
      expect(stream.aborted).toBe(true);
      expect(server.open()).toEqual([]);
    },
  );

  it.each([
    'https://evil.example/messages',
    '//evil.example/messages',
    'http://far.example/messages',
    'https://far.example:8443/messages',
    'https://far.example@evil.example/',
    'javascript:alert(1)',
    'http://[',
  ])('posts nothing to another origin: %s', (endpoint) => {
    const { server, seen, stream } = dialled(endpoint);
    expect(seen.error).toMatchObject({ _tag: 'ConnectionClosed', unopened: true });
    expect(server.asked()).toEqual(['GET']);
    expect(stream.aborted).toBe(true);
  });

  it('is told once where to post', () => {
    const { server, client, stream, stop } = dialled('/one');
    stream.text('event: endpoint\ndata: /two\n\n');
    follow(client.call('x'));
    expect(server.last().url).toBe('https://far.example/one');
    stop();
    vi.advanceTimersByTime(2_000);
    expect(server.open()).toEqual([]);
  });

  it('lets nothing overtake the end of the handshake', () => {
    const server = far((call) => {
      if (call.method === 'GET') call.stream().text('event: endpoint\ndata: /one\n\n');
      if (call.asks !== 'initialize') return;
      call.accept();
      server.calls[0]?.say({ jsonrpc: '2.0', id: call.id, result: shaken('2024-11-05') });
    });
    const { seen, stop } = follow<Client>(connect(sse(url, { carrier: server.carrier })));
    server.pump();
    if (seen.values[0] !== undefined) follow(seen.values[0].call('x'));
    expect(server.asked()).toEqual(['GET', 'initialize', 'notifications/initialized']);
    server.last().accept();
    expect(server.asked().at(-1)).toBe('tools/call');
    server.last().accept();
    stop();
  });

  it('does not wait for ever to be told where to post', () => {
    const { seen, stream } = dialled(undefined, { openMs: 300 });
    vi.advanceTimersByTime(299);
    expect(seen.error).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(seen.error).toMatchObject({ _tag: 'ConnectionClosed', unopened: true });
    expect(stream.aborted).toBe(true);
  });

  it('ends when its stream does', () => {
    const ended = dialled('/one');
    const call = follow(ended.client.call('x'));
    ended.server.last().accept();
    ended.stream.end();
    expect(call.seen.error).toBeInstanceOf(ConnectionClosed);
    expect(ended.seen).toMatchObject({ complete: true });
    const broken = dialled('/one');
    broken.stream.fail();
    expect(broken.seen.error).toBeInstanceOf(ConnectionClosed);
    expect(broken.seen.error).not.toMatchObject({ unopened: true });
  });

  it.each([
    ['a status of failure', (call: Call) => call.whole(401, 'who?', { 'www-authenticate': 'Bearer' }), { status: 401 }],
    ['a page', (call: Call) => call.whole(200, '<html>', { 'content-type': 'text/html' }), undefined],
    ['an end', (call: Call) => call.stream().end(), undefined],
    ['no connection', (call: Call) => call.fail(true), undefined],
  ])('was never opened where its stream is %s', (_, answer, cause) => {
    const server = far((call) => void answer(call));
    const { seen } = follow(connect(sse(url, { carrier: server.carrier })));
    server.pump();
    expect(seen.error).toMatchObject({ _tag: 'ConnectionClosed', unopened: true });
    if (cause !== undefined) expect((seen.error as ConnectionClosed).cause).toMatchObject(cause);
  });

  it('fails a request alone whose POST is refused, or which JSON cannot express', () => {
    const { server, seen, client, stop } = dialled('/one');
    const refused = follow(client.call('x'));
    server.last().whole(413, 'too much');
    expect((refused.seen.error as ConnectionClosed).cause).toMatchObject({ status: 413 });
    const broken = follow(client.call('x'));
    server.last().fail();
    expect(broken.seen.error).toBeInstanceOf(ConnectionClosed);
    const odd = follow(client.exchange({ method: 'tools/call', params: { name: 'x', arguments: 1n } }, {}));
    expect(odd.seen.error).toBeInstanceOf(InvalidAnswer);
    expect(seen.error).toBeUndefined();
    stop();
  });

  it('is not for who speaks newer revisions only', () => {
    const { server, seen } = dialled('/one', { revisions: ['2026-07-28'] });
    expect(seen.error).toBeInstanceOf(NoCommonRevision);
    expect(server.calls).toEqual([]);
  });
});
