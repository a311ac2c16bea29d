import { BehaviorSubject, concat, NEVER, of, Subject } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import {
  codes,
  resource,
  serverWith,
  server,
  tool,
  tools,
  updates,
  type Exchange,
  type Request,
  type Revision,
} from '../../lib/index.ts';
import { legacyRevisions, metaKeys } from '../../lib/protocol/revisions.ts';
import { createLedger } from '../../lib/testing/index.ts';
import { Unreadable } from '../../lib/frame/unreadable.ts';
import { initialize, initialized, knock, request } from './door.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

const info = { name: 's', version: '1' };
const echo = tool(
  'echo',
  { input: { type: 'object', properties: { text: { type: 'string' } } } },
  ({ text }) => text ?? '',
);
const simple = server(info, echo);
const _meta = { [metaKeys.protocolVersion]: '2026-07-28', [metaKeys.clientCapabilities]: {} };
const error = (code: number, id?: unknown) => ({
  jsonrpc: '2.0',
  ...(id === undefined ? undefined : { id }),
  error: expect.objectContaining({ code }) as unknown,
});
const called = (id: unknown, text = 'x') => request(id, 'tools/call', { name: 'echo', arguments: { text } });

describe('a session of the handshake revisions', () => {
  it('is opened by initialize; before it only ping is answered, and the rest is told why (LIFE-01, PING-05)', () => {
    const { reply } = knock(simple);
    expect(reply(request(1, 'ping'))).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }]);
    expect(reply(called(2))).toEqual([
      {
        jsonrpc: '2.0',
        id: 2,
        error: { code: codes.invalidParams, message: expect.stringContaining('initialize') as string },
      },
    ]);
    expect(reply(initialize('2025-11-25'))).toMatchObject([{ id: 'init', result: { protocolVersion: '2025-11-25' } }]);
    // Some clients forget to say `initialized`; they are answered all the same.
    expect(reply(called(3))).toMatchObject([{ id: 3, result: { content: [{ text: 'x' }] } }]);
  });

  it.each(legacyRevisions)('speaks the version that it was asked for: %s (LIFE-05)', (version) => {
    expect(knock(simple).reply(initialize(version))).toMatchObject([
      { result: { protocolVersion: version, serverInfo: info } },
    ]);
  });

  it.each(['1999-01-01', '2026-07-28', '', 'draft'])(
    'answers a version that it has not with its newest: %j (LIFE-06)',
    (version) => {
      expect(knock(simple).reply(initialize(version))).toMatchObject([{ result: { protocolVersion: '2025-11-25' } }]);
      const narrow = knock(simple, { revisions: ['2024-11-05', '2025-03-26'] });
      expect(narrow.reply(initialize(version))).toMatchObject([{ result: { protocolVersion: '2025-03-26' } }]);
    },
  );

  it('refuses a handshake that lacks something, and names it (LIFE-02)', () => {
    const { reply } = knock(simple);
    for (const [more, name] of [
      [{ protocolVersion: 5 }, 'protocolVersion'],
      [{ capabilities: undefined }, 'capabilities'],
      [{ clientInfo: [] }, 'clientInfo'],
      [{ clientInfo: { name: 'x' } }, 'version'],
    ] as const)
      expect(reply(initialize('2025-11-25', 'i', more))).toEqual([
        {
          jsonrpc: '2.0',
          id: 'i',
          error: { code: codes.invalidParams, message: expect.stringContaining(name) as string },
        },
      ]);
    expect(reply(called(1))).toEqual([error(codes.invalidParams, 1)]);
  });

  it('may be opened anew: the new version counts, and the old subscriptions are gone', () => {
    const ledger = createLedger();
    const live = server(
      info,
      resource('a:b', { live: true }, () => concat(of('now'), NEVER).pipe(ledger.watch('watched'))),
      echo,
    );
    const { reply, say } = knock(live);
    say(initialize('2025-11-25'), initialized);
    expect(reply(request(1, 'resources/subscribe', { uri: 'a:b' }))).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }]);
    expect(ledger.live).toEqual({ watched: 1 });
    expect(reply(initialize('2024-11-05', 2))).toMatchObject([{ id: 2, result: { protocolVersion: '2024-11-05' } }]);
    expect(ledger.live).toEqual({});
  });

  it('keeps what only a modern peer may say out of its requests (VER-14)', () => {
    const seen: unknown[] = [];
    const spy: Exchange = (asked, context) => {
      seen.push(asked.params);
      return simple(asked, context);
    };
    const { say } = knock(spy);
    say(initialize('2025-11-25'));
    say(
      request(1, 'tools/call', {
        name: 'echo',
        inputResponses: { a: 1 },
        requestState: 'forged',
        _meta: { [metaKeys.clientInfo]: { name: 'forged' }, [metaKeys.subscriptionId]: 1, 'example.com/k': 1 },
      }),
    );
    expect(seen[1]).toEqual({
      name: 'echo',
      _meta: {
        [metaKeys.protocolVersion]: '2025-11-25',
        [metaKeys.clientCapabilities]: {},
        [metaKeys.clientInfo]: { name: 'old', version: '1' },
        [metaKeys.logLevel]: 'info',
        'example.com/k': 1,
      },
    });
  });

  it('gives only what the server has declared (CAP-07, LIFE-12)', () => {
    const { reply, say } = knock(simple);
    say(initialize('2025-11-25'));
    for (const method of ['resources/list', 'prompts/list', 'completion/complete', 'resources/subscribe'])
      expect(reply(request(method, method, { uri: 'a:b' }))).toEqual([error(codes.methodNotFound, method)]);
  });

  /** A session, and the requests that come in through it. */
  const session = () => {
    const asked: Request[] = [];
    const ledger = createLedger();
    const inside: Exchange = (one, context) => {
      if (one.method === 'server/discover') return simple(one, context);
      asked.push(one);
      return NEVER.pipe(ledger.watch('work'));
    };
    const door = knock(inside);
    door.say(initialize('2025-11-25'));
    return { ...door, asked, ledger };
  };

  it("lets nobody ask for a task: since 2026-07-28 that is the server's to decide (BR-37)", () => {
    const { say, asked } = session();
    say(request(1, 'tools/call', { name: 'echo', arguments: {}, task: { ttl: 1 } }));
    expect(asked.map(({ params }) => Object.keys(params ?? {}).sort())).toEqual([['_meta', 'arguments', 'name']]);
  });

  it.each([
    ['the progress of a client, which only servers make since (BR-22)', 'progress', { progressToken: 1, progress: 1 }],
    ["that a client's roots have changed, which are asked for when they are needed (BR-31)", 'roots/list_changed', {}],
    ['a cancellation of nothing: its id may be left out at 2025-11-25 (BR-21)', 'cancelled', {}],
    ['a cancellation of nobody (BR-21)', 'cancelled', { requestId: null, reason: 'x' }],
    ['a cancellation of what is not there (CAN-11)', 'cancelled', { requestId: 7 }],
  ])('keeps to itself %s', (_, method, params) => {
    const { reply, asked, ledger } = session();
    expect(reply(called(1))).toEqual([]);
    expect(reply({ jsonrpc: '2.0', method: `notifications/${method}`, params })).toEqual([]);
    expect(asked).toHaveLength(1);
    expect(ledger.live).toEqual({ work: 1 });
  });

  it('tells of list changes once it is initialized, and until it is closed (LIFE-10, TOOL-05)', async () => {
    vi.useFakeTimers();
    try {
      const ledger = createLedger();
      const list$ = new BehaviorSubject([echo]);
      const { say, reply, said, leave } = knock(
        serverWith({ coalesceMs: 5 }, info, tools(list$.pipe(ledger.watch('list')))),
      );
      say(initialize('2025-11-25'));
      list$.next([]);
      await vi.advanceTimersByTimeAsync(10);
      expect(said).toHaveLength(1);
      expect(reply(initialized, initialized)).toEqual([]);
      list$.next([echo]);
      list$.next([]);
      await vi.advanceTimersByTimeAsync(10);
      expect(said.slice(1)).toEqual([{ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }]);
      leave();
      expect(ledger.live).toEqual({});
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('subscribes to a resource once, however often it is asked; unsubscribing what is not subscribed is fine (RES-13)', () => {
    const ledger = createLedger();
    const touched = new Subject<string>();
    const { say, reply } = knock(
      server(
        info,
        resource('a:b', {}, () => 'x'),
        updates(touched.pipe(ledger.watch('updates'))),
      ),
    );
    say(initialize('2025-11-25'), initialized);
    for (const id of [1, 2])
      expect(reply(request(id, 'resources/subscribe', { uri: 'a:b' }))).toEqual([{ jsonrpc: '2.0', id, result: {} }]);
    expect(ledger.live).toEqual({ updates: 1 });
    touched.next('a:b');
    expect(reply(request(3, 'resources/unsubscribe', { uri: 'a:b' }))).toEqual([{ jsonrpc: '2.0', id: 3, result: {} }]);
    expect(ledger.live).toEqual({});
    expect(reply(request(4, 'resources/unsubscribe', { uri: 'a:b' }))).toEqual([{ jsonrpc: '2.0', id: 4, result: {} }]);
    expect(reply(request(5, 'resources/subscribe', { uri: 'no:where' }))).toEqual([error(codes.resourceNotFound, 5)]);
    expect(reply(request(6, 'resources/subscribe', { uri: 5 }))).toEqual([error(codes.invalidParams, 6)]);
  });

  it('lets go of a subscription that is cancelled, or ends, before it is there (CAN-10)', () => {
    const ledger = createLedger();
    const listens: Subject<never>[] = [];
    const slow: Exchange = (asked, context) => {
      if (asked.method !== 'subscriptions/listen')
        return server(
          info,
          resource('a:b', { live: true }, () => NEVER),
        )(asked, context);
      const listen = new Subject<never>();
      listens.push(listen);
      return listen.pipe(ledger.watch('listen'));
    };
    const { say, reply, said } = knock(slow);
    say(initialize('2025-11-25'));
    say(request(1, 'resources/subscribe', { uri: 'a:b' }));
    expect(ledger.live).toEqual({ listen: 1 });
    expect(reply({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })).toEqual([]);
    expect(ledger.live).toEqual({});
    say(request(2, 'resources/subscribe', { uri: 'a:b' }));
    listens.at(-1)?.complete();
    expect(said.at(-1)).toEqual(error(codes.internalError, 2));
  });
});

describe('batches', () => {
  const open = (version: Revision) => {
    const door = knock(simple);
    door.say(initialize(version), initialized);
    return door;
  };

  it('are answered as one at 2025-03-26, in the order in which the answers came (RPC-16, BR-08)', () => {
    const { reply } = open('2025-03-26');
    const replies = reply([
      called(1),
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9 } },
      called(2, 'y'),
    ]);
    expect(replies).toMatchObject([
      [
        { id: 1, result: { content: [{ text: 'x' }] } },
        { id: 2, result: { content: [{ text: 'y' }] } },
      ],
    ]);
  });

  it('hold answers only for requests; of notifications alone there is none (RPC-14)', () => {
    expect(open('2025-03-26').reply([{ jsonrpc: '2.0', method: 'notifications/x' }])).toEqual([]);
  });

  it('answer each item that is wrong, and the others as well', () => {
    const { reply } = open('2025-03-26');
    const [replies] = reply([
      1,
      [],
      { jsonrpc: '2.0', id: 5, method: 'ping', params: [] },
      request(6, 'ping'),
      request(6, 'ping'),
    ]) as [unknown[]];
    expect(replies).toHaveLength(5);
    expect(replies).toEqual(
      expect.arrayContaining([
        error(codes.invalidRequest),
        error(codes.invalidRequest, 5),
        { jsonrpc: '2.0', id: 6, result: {} },
      ]),
    );
  });

  it('must not hold initialize, nor be empty (RPC-18)', () => {
    const { reply } = open('2025-03-26');
    expect(reply([initialize('2025-03-26', 'i'), request(1, 'ping')])).toEqual([
      [error(codes.invalidRequest, 'i'), { jsonrpc: '2.0', id: 1, result: {} }],
    ]);
    expect(reply([])).toEqual([error(codes.invalidRequest)]);
  });

  it('leave out what was cancelled meanwhile', () => {
    const ledger = createLedger();
    const { say, reply } = knock(
      server(
        info,
        tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
        echo,
      ),
    );
    say(initialize('2025-03-26'));
    say([request(1, 'tools/call', { name: 'hang' }), called(2)]);
    const replies = reply({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    expect(replies).toMatchObject([[{ id: 2 }]]);
    expect(ledger.live).toEqual({});
  });

  it.each(['2024-11-05', '2025-06-18', '2025-11-25'] as const)(
    'are refused at %s, each readable id by itself (RPC-19)',
    (version) => {
      const { reply } = open(version);
      expect(reply([called(1), initialized, called('b'), { id: null, method: 'x' }])).toEqual([
        error(codes.invalidRequest, 1),
        error(codes.invalidRequest, 'b'),
      ]);
      expect(reply([initialized])).toEqual([error(codes.invalidRequest)]);
      expect(reply(called(2))).toMatchObject([{ id: 2, result: {} }]);
    },
  );

  it('are refused where there is no session, and never answer for a request in flight', () => {
    const { reply, say } = knock(
      server(
        info,
        tool('hang', {}, () => NEVER),
      ),
    );
    expect(reply([initialize('2025-03-26', 'i')])).toEqual([error(codes.invalidRequest, 'i')]);
    say(request(1, 'tools/call', { name: 'hang', _meta }));
    expect(reply([called(1)])).toEqual([error(codes.invalidRequest)]);
  });
});

describe('one channel', () => {
  it('serves both eras, frame by frame (VER-14, VER-21, VER-22)', () => {
    const { reply, say } = knock(simple);
    expect(reply(request(1, 'tools/list', { _meta }))).toMatchObject([{ id: 1, result: { resultType: 'complete' } }]);
    say(initialize('2024-11-05'));
    const [legacy] = reply(request(2, 'tools/list')) as [{ result: object }];
    expect(legacy.result).not.toHaveProperty('resultType');
    expect(reply(request(3, 'tools/list', { _meta }))).toMatchObject([{ id: 3, result: { resultType: 'complete' } }]);
    expect(reply(request(4, 'server/discover'))).toEqual([error(codes.invalidParams, 4)]);
  });

  it('of a server without the modern era answers its requests as such servers do (VER-25, ERR-12)', () => {
    const { reply } = knock(simple, { revisions: ['2025-06-18'] });
    const [refusal] = reply(request(1, 'server/discover', { _meta })) as [{ error: { code: number } }];
    expect([-32020, -32021, -32022]).not.toContain(refusal.error.code);
    expect(reply(initialize('2025-06-18'))).toMatchObject([{ result: { protocolVersion: '2025-06-18' } }]);
  });

  it('of a server without the older ones opens no session, and names what it speaks (VER-32, VER-33)', () => {
    const { reply } = knock(simple, { revisions: ['2026-07-28'] });
    expect(reply(initialize('2025-11-25', 1))).toMatchObject([
      { id: 1, error: { data: { supported: ['2026-07-28'] } } },
    ]);
    expect(reply(request(2, 'ping', { _meta }))).toEqual([error(codes.methodNotFound, 2)]);
    expect(reply(request(3, 'ping'))).toEqual([error(codes.invalidParams, 3)]);
    expect(reply(request(4, 'server/discover', { _meta }))).toMatchObject([
      { result: { supportedVersions: ['2026-07-28'] } },
    ]);
  });

  it('answers what could not be read with its id, unless that is in flight, and tells its host', () => {
    const { reply, say, events } = knock(
      server(
        info,
        tool('hang', {}, () => NEVER),
      ),
    );
    expect(reply(new Unreadable('it is malformed', codes.parseError, '{"id":5', 5))).toEqual([
      error(codes.parseError, 5),
    ]);
    say(request(5, 'tools/call', { name: 'hang', _meta }));
    expect(reply(new Unreadable('it is malformed', codes.parseError, '{"id":5', 5))).toEqual([error(codes.parseError)]);
    expect(events.filter(({ type }) => type === 'malformed')).toHaveLength(2);
  });

  it('that its peer has left lets work go on for a while, then stops it (STDIO shutdown)', async () => {
    vi.useFakeTimers();
    try {
      const ledger = createLedger();
      const { say, leave, events } = knock(
        server(
          info,
          tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
        ),
        { drainMs: 100 },
      );
      say(request(1, 'tools/call', { name: 'hang', _meta }));
      leave();
      await vi.advanceTimersByTimeAsync(99);
      expect(ledger.live).toEqual({ hang: 1 });
      await vi.advanceTimersByTimeAsync(1);
      expect(ledger.live).toEqual({});
      expect(events.at(-1)).toEqual({ type: 'disconnected' });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('that is stopped ends its subscriptions in good order, and everything else (SUB-13)', () => {
    const ledger = createLedger();
    const { say, stop, said } = knock(
      server(
        info,
        tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
      ),
    );
    say(
      request('l', 'subscriptions/listen', { notifications: {}, _meta }),
      request(1, 'tools/call', { name: 'hang', _meta }),
    );
    const { length } = said;
    stop();
    expect(said.slice(length)).toMatchObject([
      { method: 'notifications/cancelled', params: { requestId: 'l' } },
      { id: 'l', result: { resultType: 'complete' } },
    ]);
    expect(ledger.live).toEqual({});
  });

  it('bounds what one peer may have in flight, and still hears its cancellations', () => {
    const ledger = createLedger();
    const { say, reply } = knock(
      server(
        info,
        tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
        echo,
      ),
      { inflight: 2 },
    );
    for (const id of [1, 2]) say(request(id, 'tools/call', { name: 'hang', _meta }));
    expect(reply(request(3, 'tools/call', { name: 'echo', _meta }))).toEqual([error(codes.internalError, 3)]);
    say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    expect(reply(request(4, 'tools/call', { name: 'echo', _meta }))).toMatchObject([{ id: 4, result: {} }]);
    expect(ledger.live).toEqual({ hang: 1 });
  });
});
