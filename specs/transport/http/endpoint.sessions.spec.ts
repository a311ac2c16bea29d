import { concat, NEVER, Observable, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { codes, resource, server, tool, tools, type JsonObject } from 'rxmcp';
import { legacyRevisions } from '../../../lib/protocol/revisions.ts';
import { createLedger } from '../../../lib/testing/index.ts';
import { call, desk, initialize, notice, request, turn } from './desk.ts';

const info = { name: 'house', version: '1' };
const house = () => {
  const ledger = createLedger();
  const exchange = server(
    info,
    tool('echo', {}, () => 'hi'),
    tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
    resource('a:b', { live: true }, () => concat(of('x'), NEVER).pipe(ledger.watch('watched'))),
    tools(concat(of([]), NEVER).pipe(ledger.watch('list'))),
  );
  return { ledger, exchange };
};
const ping = request('p', 'ping');

describe('a handshake', () => {
  it('opens a session with an id of its own, which is long, random and visible ASCII (SHTTP-43, SHTTP-44, SHTTP-45)', () => {
    const { post } = desk(house().exchange);
    const opened = Array.from({ length: 100 }, () => post(initialize()));
    const ids = opened.map(({ reply }) => String(reply.headers['mcp-session-id']));
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) expect(id).toMatch(/^[\x21-\x7e]{36}$/);
    expect(opened[0]?.reply).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
    expect(opened[0]?.json()).toMatchObject({
      id: 'init',
      result: { protocolVersion: '2025-11-25', serverInfo: info },
    });
  });

  it.each(legacyRevisions)('of %s, and the session speaks that', (revision) => {
    const { post } = desk(house().exchange);
    const opened = post(initialize(revision));
    expect(opened.json()).toMatchObject({ result: { protocolVersion: revision } });
    const headers = { 'mcp-session-id': opened.reply.headers['mcp-session-id'] };
    // What names no version is of the session's own (SHTTP-55).
    const answer = post(call(2, 'echo'), headers);
    expect(answer.json()).toMatchObject({ id: 2, result: { content: [{ text: 'hi' }] } });
    // The id is told once, with what opens the session (SHTTP-43).
    expect(answer.reply.headers).not.toHaveProperty('mcp-session-id');
  });

  it('of a version that nobody knows is answered with one that is served, and a session (LIFE-06)', () => {
    const { post } = desk(house().exchange);
    for (const version of ['1999-01-01', '2026-07-28', '']) {
      const opened = post(initialize(version));
      expect(opened.json()).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
      expect(opened.reply.headers).toHaveProperty('mcp-session-id');
    }
  });

  it('that fails opens none', () => {
    const { post } = desk(house().exchange, { sessions: { max: 1 } });
    for (let round = 0; round < 3; round += 1) {
      const failed = post(request('init', 'initialize', { protocolVersion: 5 }));
      expect(failed.json()).toMatchObject({ id: 'init', error: { code: codes.invalidParams } });
      expect(failed.reply.headers).not.toHaveProperty('mcp-session-id');
    }
    expect(post(initialize()).reply.status).toBe(200);
  });

  it('within a session is refused, and the session goes on', () => {
    const { post, session } = desk(house().exchange);
    const headers = session();
    const again = post(initialize(), headers);
    expect(again.reply.status).toBe(400);
    expect(again.json()).toMatchObject({ id: 'init', error: { code: codes.invalidRequest } });
    expect(post(ping, headers).reply.status).toBe(200);
  });

  it('opens a new one for a client whose session has gone, whether it names that or not (SHTTP-50)', () => {
    const { post, session, remove } = desk(house().exchange);
    const headers = session();
    remove(headers);
    expect(post(ping, headers).reply.status).toBe(404);
    const again = post(initialize(), headers);
    expect(again.reply.status).toBe(200);
    const fresh = { 'mcp-session-id': again.reply.headers['mcp-session-id'] };
    expect(fresh).not.toEqual({ 'mcp-session-id': headers['mcp-session-id'] });
    expect(post(call(1, 'echo'), fresh).reply.status).toBe(200);
    expect(post(ping, headers).reply.status).toBe(404);
  });
});

describe('whoever names', () => {
  const everything = (asked: ReturnType<typeof desk>, headers: Readonly<Record<string, string | undefined>>) => [
    asked.post(ping, headers),
    asked.post(notice('notifications/initialized'), headers),
    asked.post({ jsonrpc: '2.0', id: 1, result: {} }, headers),
    asked.post([ping], headers),
    asked.get(headers),
    asked.get({ ...headers, 'last-event-id': 'p1.1' }),
    asked.remove(headers),
  ];

  it('no session is told to open one (400, SHTTP-48)', () => {
    const asked = desk(house().exchange);
    for (const { reply } of everything(asked, {})) expect(reply).toMatchObject({ status: 400, state: 'ended' });
    expect(asked.post(ping).json()).toMatchObject({ id: 'p', error: { code: codes.invalidRequest } });
  });

  it('one that never was, or is no more, is told so with 404, never 400 (SHTTP-49)', () => {
    const asked = desk(house().exchange);
    const ended = asked.session();
    expect(asked.remove(ended).reply).toMatchObject({ status: 200, text: '' });
    for (const headers of [
      ended,
      { 'mcp-session-id': crypto.randomUUID() },
      { 'mcp-session-id': '' },
      { 'mcp-session-id': '__proto__' },
    ])
      for (const { reply } of everything(asked, headers)) expect(reply).toMatchObject({ status: 404, state: 'ended' });
    expect(asked.post(ping, ended).json()).toMatchObject({ id: 'p', error: { code: codes.invalidRequest } });
  });

  it('a version that is not served is told so with 400; without one all is well (SHTTP-56)', () => {
    const asked = desk(house().exchange);
    const headers = { 'mcp-session-id': asked.session()['mcp-session-id'] };
    for (const version of ['1999-01-01', '', 'latest', '2025-11-25, 2025-11-25'])
      for (const { reply } of everything(asked, { ...headers, 'mcp-protocol-version': version }))
        expect(reply.status).toBe(400);
    expect(asked.post(ping, headers).reply.status).toBe(200);
    expect(asked.post(ping, { ...headers, 'mcp-protocol-version': '2025-06-18' }).reply.status).toBe(200);
  });
});

describe('what is sent in a session', () => {
  it('notifications and responses are accepted, and nothing comes back (SHTTP-10)', () => {
    const { post, session } = desk(house().exchange);
    const headers = session();
    for (const frame of [
      notice('notifications/roots/list_changed'),
      notice('notifications/unheard/of'),
      { jsonrpc: '2.0', id: 9, result: {} },
      { jsonrpc: '2.0', id: 9, error: { code: 1, message: '' } },
    ])
      expect(post(frame, headers).reply).toMatchObject({ status: 202, text: '' });
  });

  it('what is none is refused, with its id where it has one (SHTTP-11, AMB-15)', () => {
    const { post, session, told } = desk(house().exchange);
    const headers = session();
    for (const [body, id] of [
      [{ jsonrpc: '2.0', id: 3, method: 4 }, 3],
      [{ jsonrpc: '1.0', method: 'x' }, undefined],
      ['{', undefined],
      ['{"id":3,"method":"x",', 3],
    ] as const) {
      const { reply, json } = post(body, headers);
      expect(reply.status).toBe(400);
      expect(json()['id']).toBe(id);
    }
    expect(told.map(({ type }) => type)).toEqual(['malformed', 'malformed', 'malformed', 'malformed']);
  });

  it('a method that is unknown is answered with 200: 404 would say that the session has gone (AMB-05)', () => {
    const { post, session } = desk(house().exchange);
    const { reply, json } = post(request(1, 'no/such'), session());
    expect(reply.status).toBe(200);
    expect(json()).toMatchObject({ id: 1, error: { code: codes.methodNotFound } });
  });

  it('an id that is in flight is refused, without an id, as that would answer the first (RPC)', () => {
    const { ledger, exchange } = house();
    const { post, session } = desk(exchange);
    const headers = session();
    const first = post(call(1, 'hang'), headers);
    const second = post(call(1, 'echo'), headers);
    expect(second.reply.status).toBe(400);
    expect(second.json()).toEqual({
      jsonrpc: '2.0',
      error: { code: codes.invalidRequest, message: 'id "1" is already in flight' },
    });
    expect(first.reply.state).toBe('waiting');
    post(notice('notifications/cancelled', { requestId: 1 }), headers);
    expect(ledger.live['hang']).toBeUndefined();
    expect(post(call(1, 'echo'), headers).reply.status).toBe(200);
  });

  it('a request that is cancelled is accepted, and no more is said (CAN)', () => {
    const { post, session } = desk(house().exchange);
    const headers = session();
    const asked = post(call(1, 'hang'), headers);
    post(notice('notifications/cancelled', { requestId: 1 }), headers);
    expect(asked.reply).toMatchObject({ status: 202, text: '', state: 'ended' });
  });

  it('beyond as many as may be in flight is answered with an error (inflight)', () => {
    const { post, session } = desk(house().exchange, { inflight: 2 });
    const headers = session();
    for (const id of [1, 2]) post(call(id, 'hang'), headers);
    expect(post(call(3, 'echo'), headers).json()).toMatchObject({ id: 3, error: { code: codes.internalError } });
    expect(post(call(3, 'echo'), session()).json()).toMatchObject({ id: 3, result: {} });
  });
});

describe('a batch', () => {
  const batch = [
    call(1, 'echo'),
    notice('notifications/x'),
    call(2, 'echo'),
    { jsonrpc: '2.0', id: 3 },
    [],
    initialize(),
  ];

  it('must not be empty', () => {
    const { session, post } = desk(house().exchange);
    expect(post([], session('2025-03-26')).reply.status).toBe(400);
  });

  it('is answered with one, at 2025-03-26 (SHTTP-08, SHTTP-14, RPC-18)', () => {
    const { post, session } = desk(house().exchange);
    const { reply } = post(batch, session('2025-03-26'));
    expect(reply).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
    const answers = JSON.parse(reply.text) as readonly JsonObject[];
    expect(answers.map(({ id }) => id)).toEqual([1, 2, 3, undefined, 'init']);
    expect(answers.map((answer) => 'result' in answer)).toEqual([true, true, false, false, false]);
  });

  it('of what needs no answer gets none (202)', () => {
    const { post, session } = desk(house().exchange);
    const headers = session('2025-03-26');
    for (const body of [[notice('notifications/x')], [{ jsonrpc: '2.0', id: 1, result: {} }]])
      expect(post(body, headers).reply).toMatchObject({ status: 202, text: '' });
  });

  it.each(['2024-11-05', '2025-06-18', '2025-11-25'])(
    'is refused at %s, and without a handshake (SHTTP-09)',
    (revision) => {
      const { post, session } = desk(house().exchange);
      expect(post(batch, session(revision)).reply.status).toBe(400);
      expect(post([initialize()]).reply.status).toBe(400);
    },
  );

  it('has a bound of its own', () => {
    const { post, session } = desk(house().exchange);
    expect(
      post(
        Array.from({ length: 1001 }, (_, id) => request(id, 'ping')),
        session('2025-03-26'),
      ).reply.status,
    ).toBe(400);
  });

  it('that waits is one stream, ended with the session', () => {
    const { ledger, exchange } = house();
    const { post, session, remove, endpoint } = desk(exchange);
    const headers = session('2025-03-26');
    const asked = post([call(1, 'hang'), call(2, 'echo')], headers);
    expect(endpoint.busy).toBe(1);
    remove(headers);
    expect(JSON.parse(asked.reply.text)).toMatchObject([
      { id: 2, result: {} },
      { id: 1, error: {} },
    ]);
    expect([ledger.live, endpoint.busy]).toEqual([{}, 0]);
  });
});

describe('a session ends', () => {
  const busy = async (options: Parameters<typeof desk>[1] = {}) => {
    const { ledger, exchange } = house();
    const made = desk(exchange, options);
    const headers = made.session();
    const [calling, left] = [made.post(call(1, 'hang'), headers), made.post(call(2, 'hang'), headers)];
    made.post(request(3, 'resources/subscribe', { uri: 'a:b' }), headers);
    const listening = made.get(headers);
    await turn();
    left.leave();
    expect(ledger.live).toEqual({ hang: 2, watched: 1, list: 1 });
    return { ...made, headers, calling, listening, ledger };
  };

  it('with DELETE: what is under way is answered with an error, and streams end (SHTTP-52)', async () => {
    const { remove, headers, calling, listening, ledger } = await busy();
    remove(headers);
    expect(calling.json()).toMatchObject({ id: 1, error: { code: codes.internalError } });
    expect(listening.reply.state).toBe('ended');
    expect(ledger.live).toEqual({});
  });

  it('once it has not been used for its time, if nobody listens or waits; work that nobody waits for ends with it', async () => {
    const { pass, headers, calling, listening, ledger, post } = await busy({ sessions: { ttlMs: 1000 } });
    pass(5000);
    expect(ledger.live['hang']).toBe(2);
    listening.leave();
    pass(5000);
    expect(ledger.live['hang']).toBe(2);
    calling.leave();
    pass(950);
    expect(post(ping, headers).reply.status).toBe(200);
    pass(950);
    expect(ledger.live['hang']).toBe(2);
    pass(200);
    expect(ledger.live).toEqual({});
    expect(post(ping, headers).reply.status).toBe(404);
  });

  it('with the server: what is under way is answered with an error, and there is no timer left', async () => {
    const { endpoint, calling, listening, ledger, pass } = await busy();
    expect(endpoint.busy).toBe(2);
    endpoint.conclude();
    expect([calling.reply.state, listening.reply.state]).toEqual(['waiting', 'ended']);
    endpoint.close();
    expect(calling.json()).toMatchObject({ id: 1, error: { code: codes.internalError } });
    expect([ledger.live, endpoint.busy]).toEqual([{}, 0]);
    pass(10_000_000);
  });

  it('also where something in it cannot be torn down in good order, which its host is told', async () => {
    const bad = new Observable<string>((subscriber) => {
      subscriber.next('x');
      return () => {
        throw new Error('teardown');
      };
    });
    const ledger = createLedger();
    const { session, post, remove, told } = desk(
      server(
        info,
        resource('a:b', { live: true }, () => bad),
        tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
      ),
    );
    const headers = session();
    post(request(1, 'resources/subscribe', { uri: 'a:b' }), headers);
    await turn();
    const calling = post(call(2, 'hang'), headers);
    expect(remove(headers).reply.status).toBe(200);
    expect(calling.json()).toMatchObject({ id: 2, error: {} });
    expect(ledger.live).toEqual({});
    expect(told).toMatchObject([{ type: 'failure' }]);
  });
});
