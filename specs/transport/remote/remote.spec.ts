/** How it is found out what a server at a URL speaks, and over which of the transports. */
import { describe, expect, it, vi } from 'vitest';
import { ConnectionClosed, InvalidAnswer, Misconfigured, NoCommonRevision, remote, RpcError, sse } from 'rxmcp';
import { virtualTime } from './clock.ts';
import { dial, discovered, done, far, shaken, url, type Call } from './scripted.ts';

virtualTime();

/** A server with sessions, which takes the modern request as it is told. */
const session = (probed: (call: Call) => void, revision = '2025-11-25') =>
  far((call) => {
    if (call.asks === 'server/discover') return probed(call);
    if (call.asks === 'initialize') return void call.answer(shaken(revision));
    if (call.asks === 'GET') return void call.whole(405, '');
    call.accept();
  });
const opening = ['server/discover', 'initialize', 'notifications/initialized', 'GET'];

describe('a server of unknown revision', () => {
  it('is asked in the newest first, and its discovery is the connection (VER-28)', () => {
    const server = far((call) => void call.answer(discovered()));
    const { client, close } = dial(server);
    expect(client.revision).toBe('2026-07-28');
    expect(server.asked()).toEqual(['server/discover']);
    close();
  });

  it.each([400, 404, 405, 406, 410, 415, 422, 500, 501])(
    'that refuses the modern request with status %i and nothing that it says of this era is asked to initialize (VER-29, AMB-04)',
    (status) => {
      const server = session((call) => call.whole(status, ''));
      const { client, close } = dial(server);
      expect(server.asked()).toEqual(opening);
      expect(client.revision).toBe('2025-11-25');
      close();
      server.last().accept();
    },
  );

  it.each([
    ['an error of any other code, status 400', (call: Call) => call.refuse(400, -32000)],
    ['an error without an id, status 400', (call: Call) => call.refuse(400, -32000, undefined, null)],
    ['an unknown method, status 200', (call: Call) => call.refuse(200, -32601)],
    ['a page', (call: Call) => call.whole(200, '<html>', { 'content-type': 'text/html' })],
    ['nothing', (call: Call) => call.accept()],
    ['an empty result', (call: Call) => call.answer({})],
  ])('that answers it with %s is asked to initialize', (_, probed) => {
    const server = session((call) => void probed(call));
    const { client, close } = dial(server);
    expect(server.asked()).toEqual(opening);
    expect(client.revision).toBe('2025-11-25');
    close();
    server.last().accept();
  });

  it('that is silent is asked to initialize after probeMs, and the probe is given up (VER-25)', () => {
    const server = session(() => undefined);
    const { seen, close } = dial(server, { probeMs: 500 });
    vi.advanceTimersByTime(500);
    server.pump();
    expect(server.calls[0]?.aborted).toBe(true);
    expect(seen.client?.revision).toBe('2025-11-25');
    close();
    server.last().accept();
  });

  it.each([-32020, -32021, -32022])(
    'that refuses it with a modern error is not asked to initialize: %i (VER-24, AMB-04)',
    (code) => {
      const server = session(
        (call) => void call.refuse(400, code, code === -32022 ? { supported: ['2099-01-01'] } : undefined),
      );
      const { seen } = dial(server);
      expect(server.asked()).toEqual(['server/discover']);
      if (code === -32022) expect(seen.error).toBeInstanceOf(NoCommonRevision);
      else expect(seen.error).toMatchObject({ code });
    },
  );

  it('that does not know the method, and says so by its status too, is not asked to initialize (AMB-04)', () => {
    const server = session((call) => void call.refuse(404, -32601));
    const { seen } = dial(server);
    expect(server.asked()).toEqual(['server/discover']);
    expect(seen.error).toBeInstanceOf(RpcError);
  });

  it('is asked again in a revision that both have, under a header that says so (VER-07, HTTP26-24)', () => {
    const server = far((call) =>
      call.headers['mcp-protocol-version'] === 'draft'
        ? void call.answer(discovered(['draft']))
        : void call.refuse(400, -32022, { supported: ['draft'], requested: '2026-07-28' }),
    );
    const { client, close } = dial(server);
    expect(client.revision).toBe('draft');
    expect(server.asked()).toEqual(['server/discover', 'server/discover']);
    close();
  });

  it.each([401, 403, 407, 429, 502, 503])('that refuses everybody is not asked for anything else: %i', (status) => {
    const server = session((call) => void call.whole(status, '', { 'www-authenticate': 'Bearer' }));
    const { seen } = dial(server);
    expect(server.asked()).toEqual(['server/discover']);
    expect(seen.error).toBeInstanceOf(ConnectionClosed);
    expect((seen.error as ConnectionClosed).cause).toMatchObject({ status, wwwAuthenticate: 'Bearer' });
  });

  it('that is not there is not asked for anything else', () => {
    const server = far((call) => void call.fail(true));
    const { seen } = dial(server);
    expect(server.asked()).toEqual(['server/discover']);
    expect(seen.error).toMatchObject({ _tag: 'ConnectionClosed', unopened: true });
  });
});

describe('the oldest transport', () => {
  /** Speaks HTTP+SSE at the same URL. */
  const oldest = (status: number, body: (call: Call) => unknown = () => '') => {
    let stream: Call | undefined;
    const server = far((call) => {
      if (call.method === 'GET')
        return void (stream = call.stream().text('event: endpoint\ndata: /messages?session=1\n\n'));
      if (!call.url.endsWith('/messages?session=1')) return void call.whole(status, body(call));
      call.accept();
      const { id } = call;
      if (call.asks === 'initialize') stream?.say({ jsonrpc: '2.0', id, result: shaken('2024-11-05') });
      else if (id !== undefined) stream?.say({ jsonrpc: '2.0', id, result: done });
    });
    return server;
  };

  it.each([400, 404, 405])(
    'is looked for where initialize is refused with %i (SHTTP-58, SHTTP-59, HTTP26-71)',
    (status) => {
      const server = oldest(status);
      const { client, close } = dial(server);
      expect(server.asked()).toEqual([
        'server/discover',
        'initialize',
        'GET',
        'initialize',
        'notifications/initialized',
      ]);
      expect(client.revision).toBe('2024-11-05');
      close();
      expect(server.open()).toEqual([]);
    },
  );

  it('is looked for where the refusal names no request', () => {
    const server = oldest(405, () => ({ jsonrpc: '2.0', id: null, error: { code: -32000, message: 'no' } }));
    const { client, close } = dial(server);
    expect(client.revision).toBe('2024-11-05');
    close();
  });

  it.each([406, 415, 418])('is looked for at %i only where no newer revision may be spoken (SHTTP-59)', (status) => {
    const newer = oldest(status);
    expect(dial(newer).seen.error).toBeInstanceOf(ConnectionClosed);
    expect(newer.asked()).toEqual(['server/discover', 'initialize']);
    const { client, close } = dial(oldest(status), { revisions: ['2024-11-05', '2025-03-26', '2025-06-18'] });
    expect(client.revision).toBe('2024-11-05');
    close();
  });

  it.each([
    [401, ''],
    [403, ''],
    [500, ''],
    [400, { jsonrpc: '2.0', id: null, error: { code: -32022, message: 'no', data: { supported: ['x'] } } }],
  ])('is not looked for where initialize is refused otherwise: %i %o (HTTP26-71)', (status, body) => {
    const server = far(
      (call) => void (call.asks === 'server/discover' ? call.whole(404, '') : call.whole(status, body)),
    );
    const { seen } = dial(server);
    expect(server.asked()).toEqual(['server/discover', 'initialize']);
    expect(seen.error).toBeInstanceOf(Error);
  });

  it('is not looked for where the error is about the request itself, nor where 2024-11-05 may not be spoken', () => {
    const refused = far((call) => void call.refuse(400, -32603));
    expect(dial(refused).seen.error).toMatchObject({ code: -32603 });
    expect(refused.asked()).toEqual(['server/discover', 'initialize']);
    const newer = oldest(404);
    expect(dial(newer, { revisions: ['2025-11-25', '2026-07-28'] }).seen.error).toBeInstanceOf(ConnectionClosed);
    expect(newer.asked()).toEqual(['server/discover', 'initialize']);
  });

  it('that is not there either is no reason to hide how initialize was refused', () => {
    const server = far((call) => void call.whole(call.method === 'GET' ? 418 : 404, call.asks));
    expect((dial(server).seen.error as ConnectionClosed).cause).toMatchObject({ status: 404, body: 'initialize' });
    expect(server.asked()).toEqual(['server/discover', 'initialize', 'GET']);
  });

  it('is remembered (VER-30)', () => {
    const server = oldest(404);
    const link = dial(server);
    link.close();
    const before = server.calls.length;
    const close = link.again();
    expect(server.asked().slice(before)).toEqual(['GET', 'initialize', 'notifications/initialized']);
    close();
  });
});

describe('what a server speaks', () => {
  it('is remembered: there is no second probe (VER-30)', () => {
    const server = session((call) => void call.whole(404, ''));
    const link = dial(server);
    link.close();
    server.pump();
    const before = server.calls.length;
    const close = link.again();
    expect(server.asked().slice(before)).toEqual(['initialize', 'notifications/initialized', 'GET']);
    close();
    server.pump();
  });

  it('is found out anew where it has changed (VER-31)', () => {
    let updated = false;
    const server = far((call) => {
      if (!updated && call.asks === 'initialize') return void call.answer(shaken('2025-06-18'));
      if (!updated) return void call.whole(404, '');
      if (call.asks === 'server/discover') call.answer(discovered());
      else call.refuse(404, -32601);
    });
    const link = dial(server);
    expect(link.client.revision).toBe('2025-06-18');
    link.close();
    server.pump();
    updated = true;
    const close = link.again();
    expect(server.asked().slice(-2)).toEqual(['initialize', 'server/discover']);
    expect(link.client.revision).toBe('2026-07-28');
    close();
  });

  it('stays as it was while nobody is there', () => {
    let there = true;
    const server = far((call) => {
      if (!there) return void call.fail(true);
      if (call.asks === 'initialize') call.answer(shaken('2025-06-18'));
      else call.whole(404, '');
    });
    const link = dial(server);
    link.close();
    server.pump();
    there = false;
    const before = server.calls.length;
    link.again();
    expect(server.asked().slice(before)).toEqual(['initialize']);
    expect(link.seen.error).toMatchObject({ unopened: true });
  });

  it.each([
    ['of one era only', ['2026-07-28'] as const, ['server/discover']],
    ['of the other only', ['2025-06-18'] as const, ['initialize']],
  ])('is not looked for beyond the revisions that may be spoken: %s', (_, revisions, asked) => {
    const server = far((call) => void call.whole(404, ''));
    const { seen } = dial(server, { revisions });
    expect(server.asked()).toEqual(asked);
    expect((seen.error as ConnectionClosed).cause).toMatchObject({ status: 404 });
  });

  it('modern only, is told by an answer that is none', () => {
    const server = far((call) => void call.answer({}));
    expect(dial(server, { revisions: ['2026-07-28'] }).seen.error).toBeInstanceOf(InvalidAnswer);
  });
});

describe('a URL', () => {
  it.each([
    'nowhere',
    '/mcp',
    'ws://far.example/',
    'file:///etc/passwd',
    'https://user:pass@far.example/',
    'https://user@x/',
  ])('that cannot work is said at once, without what is secret in it: %s', (given) => {
    for (const make of [remote, sse]) {
      expect(() => make(given)).toThrow(Misconfigured);
      expect(() => make(given)).not.toThrow(/pass@/);
    }
  });

  it('is taken without its fragment', () => {
    const server = far();
    const subscription = remote(new URL(`${url}?a=1#b`), { carrier: server.carrier })
      .dial({ info: {} })
      .subscribe();
    expect(server.last().url).toBe(`${url}?a=1`);
    subscription.unsubscribe();
    expect(server.open()).toEqual([]);
  });
});
