/** How one client of an HTTP server may get at another's session, answers or place: advisories of other implementations. */
import { concat, NEVER, of, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  elicit,
  log,
  progress,
  resourceTemplate,
  Schema,
  server,
  tool,
  tools,
  updates,
  type JsonObject,
  type Notice,
} from '../../lib/index.ts';
import { createLedger } from '../../lib/testing/index.ts';
import { principal, send, start, type Answer } from '../node/peers.ts';
import { call, desk, holds, initialize, notice, request, turn, type Asked } from '../transport/http/desk.ts';

const info = { name: 'house', version: '1' };
const form = { type: 'object', properties: { x: { type: 'string' } }, required: ['x'] } as const;

/** What an outsider could compare: everything but the date. */
const seen = ({ status, headers: { date: _, ...headers }, text }: Answer) => ({ status, headers, text });

describe.each(['CVE-2026-52869', 'CVE-2026-33946', 'CVE-2026-67431'])(
  "%s: to know another's session id is of no use (SEC-12, SEC-13)",
  (id) => {
    const body = request(1, 'ping');
    const everywhere = [
      { body },
      { body: call(1, 'echo') },
      { body: [body] },
      { body: notice('notifications/initialized') },
      { body: notice('notifications/cancelled', { requestId: 1 }) },
      { body: { jsonrpc: '2.0', id: 1, result: {} } },
      { method: 'GET', headers: { accept: 'text/event-stream' } },
      { method: 'GET', headers: { accept: 'text/event-stream', 'last-event-id': 'p1.1' } },
      { method: 'GET', headers: { accept: 'text/event-stream', 'last-event-id': 'g2.1' } },
      { method: 'DELETE' },
      // That it names a version that is not served is found out later than that it is none of its sender's.
      { body, headers: { 'mcp-protocol-version': '1999-01-01' } },
    ];

    it(`${id}: 404 for whatever is sent, not to be told from an id that nobody has`, async () => {
      const { port } = await start(
        server(
          info,
          tool('echo', {}, () => 'x'),
        ),
        { principal },
      );
      const opened = await send(port, { body: initialize(), headers: { 'x-user': 'ann' } });
      const session = opened.headers['mcp-session-id'] as string;
      expect(session).toMatch(/^[\x21-\x7e]{32,}$/);
      for (const { headers = {}, ...sent } of everywhere)
        for (const user of ['bob', undefined, 'ANN', '']) {
          const ask = (named: string) =>
            send(port, { ...sent, headers: { ...headers, 'x-user': user, 'mcp-session-id': named } });
          const [stolen, unknown] = [await ask(session), await ask(crypto.randomUUID())];
          expect(stolen.status).toBe(404);
          expect(seen(stolen)).toEqual(seen(unknown));
        }
      const own = await send(port, { body, headers: { 'x-user': 'ann', 'mcp-session-id': session } });
      expect(own).toMatchObject({ status: 200, text: '{"jsonrpc":"2.0","id":1,"result":{}}\n' });
    });

    it(`${id}: nothing of the session is touched: streams go on, questions stay open, it lives no longer`, async () => {
      const ask = tool('ask', {}, (_, asked) => `${JSON.stringify(asked.ask('who', elicit(form, 'who?')))}`);
      const { session, post, get, remove, pass } = desk(server(info, ask), { sessions: { ttlMs: 1000 } });
      const ann = session('2025-11-25', { elicitation: {} }, 'ann');
      const listening = get(ann, 'ann');
      const asking = post(call(7, 'ask'), ann, 'ann');
      await holds(() => asking.frames().length > 0);
      const question = asking.frames()[0];
      expect(question).toMatchObject({ method: 'elicitation/create' });
      const answer = { jsonrpc: '2.0', id: question?.['id'], result: { action: 'accept', content: { x: 'bob' } } };
      expect(post(answer, ann, 'bob').reply.status).toBe(404);
      expect(post(notice('notifications/cancelled', { requestId: 7 }), ann, 'bob').reply.status).toBe(404);
      const at = asking.events()[0]?.id ?? '';
      expect(get({ ...ann, 'last-event-id': at }, 'bob').reply.status).toBe(404);
      expect(remove(ann, 'bob').reply.status).toBe(404);
      await turn();
      expect([listening.reply.state, asking.reply.state]).toEqual(['open', 'open']);
      post({ ...answer, result: { action: 'accept', content: { x: 'ann' } } }, ann, 'ann');
      await holds(() => asking.reply.state === 'ended');
      expect(JSON.stringify(asking.frames().at(-1))).toContain('ann');
      // Its time is that of its owner's last use, whoever else has knocked since.
      listening.leave();
      pass(600);
      expect(post(request(1, 'ping'), ann, 'bob').reply.status).toBe(404);
      pass(600);
      expect(post(request(1, 'ping'), ann, 'ann').reply.status).toBe(404);
    });

    it(`${id}: a handshake that names it gets a session of its own, as with an id that nobody has`, () => {
      const { session, post } = desk(server(info));
      const ann = session('2025-11-25', {}, 'ann');
      const [stolen, unknown] = [ann, { 'mcp-session-id': crypto.randomUUID() }].map((headers) =>
        post(initialize(), headers, 'bob'),
      );
      for (const opened of [stolen, unknown]) expect(opened?.reply.status).toBe(200);
      expect(stolen?.reply.headers['mcp-session-id']).not.toBe(ann['mcp-session-id']);
      expect(stolen?.json()).toEqual(unknown?.json());
      expect(post(request(1, 'ping'), ann, 'ann').reply.status).toBe(200);
      // Whose it is already is told that it need not.
      expect(post(initialize(), ann, 'ann').reply.status).toBe(400);
    });
  },
);

describe('CVE-2026-33946: no event id leads to a stream of another session', () => {
  it('CVE-2026-33946: though ids are alike in all sessions, each finds its own stream only (SHTTP-42)', async () => {
    const told = new Map<string, Subject<string | Notice>>();
    const whisper = tool('whisper', { input: Schema.Struct({ who: Schema.String }) }, ({ who }) => {
      const words = new Subject<string | Notice>();
      told.set(who, words);
      return words;
    });
    const { session, post, get } = desk(server(info, whisper));
    const [ann, bob] = [session(), session()];
    const calls = [post(call(1, 'whisper', { who: 'ann' }), ann), post(call(1, 'whisper', { who: 'bob' }), bob)];
    for (const who of ['ann', 'bob']) told.get(who)?.next(log('info', `secret of ${who}`));
    await turn();
    const ids = calls.map((asked) => asked.events().map(({ id }) => id));
    expect(ids[0]).toEqual(ids[1]);
    for (const asked of calls) asked.leave();
    for (const who of ['ann', 'bob']) told.get(who)?.next(log('info', `more of ${who}`));
    const resumed = [ann, bob].map((headers) => get({ ...headers, 'last-event-id': ids[0]?.[0] }));
    await turn();
    for (const [index, who] of ['ann', 'bob'].entries()) {
      const texts = resumed[index]?.frames().map(({ params }) => (params as JsonObject)['data']);
      expect(texts).toEqual([`secret of ${who}`, `more of ${who}`]);
    }
    // One that the session never had is refused, and what is no id of ours is no key either.
    for (const id of [
      'p99.1',
      'g99.1',
      `${ann['mcp-session-id']}/p1.1`,
      '../p1.1',
      'p1',
      '',
      'p1.0',
      'p01.1',
      'p1.1.1',
    ])
      expect(get({ ...bob, 'last-event-id': id }).reply).toMatchObject({ status: 400, state: 'ended' });
  });
});

describe('CVE-2026-25536: what clients call their requests is nobody else’s business', () => {
  it('CVE-2026-25536: two sessions and two modern callers with one id, token and subscription id at once', async () => {
    const running = new Map<string, Subject<string | Notice>>();
    const ledger = createLedger();
    const changed = new Subject<string>();
    const busy = server(
      info,
      tool('work', { input: Schema.Struct({ who: Schema.String }) }, ({ who }) => {
        const work = new Subject<string | Notice>();
        running.set(who, work);
        return work.pipe(ledger.watch(who));
      }),
      resourceTemplate('a:{who}', { live: true }, () => concat(of('x'), NEVER)),
      updates(changed),
    );
    const { session, post, modern, get } = desk(busy);
    const ask = (who: string) => call(1, 'work', { who }, { _meta: { progressToken: 1 } });
    const [one, two] = [session(), session()];
    const gets = [get(one), get(two)];
    post(request('s', 'resources/subscribe', { uri: 'a:one' }), one);
    post(request('s', 'resources/subscribe', { uri: 'a:two' }), two);
    const listens = ['three', 'four'].map((who) =>
      modern(request(1, 'subscriptions/listen', { notifications: { resourceSubscriptions: [`a:${who}`] } })),
    );
    const calls = new Map([
      ['one', post(ask('one'), one)],
      ['two', post(ask('two'), two)],
      ['three', modern(ask('three'))],
      ['four', modern(ask('four'))],
    ]);
    await turn();
    const names = [...calls.keys()];
    for (const [index, who] of names.entries()) running.get(who)?.next(progress(index + 1, undefined, who));
    for (const who of names) changed.next(`a:${who}`);
    for (const who of [...names].reverse()) {
      running.get(who)?.next(`for ${who}`);
      running.get(who)?.complete();
    }
    await turn();
    for (const [index, who] of names.entries())
      expect(calls.get(who)?.frames()).toMatchObject([
        { method: 'notifications/progress', params: { progressToken: 1, progress: index + 1, message: who } },
        { id: 1, result: { content: [{ text: `for ${who}` }] } },
      ]);
    const updated = (asked: Asked | undefined) =>
      asked
        ?.frames()
        .filter(({ method }) => method === 'notifications/resources/updated')
        .map(({ params }) => (params as JsonObject)['uri']);
    expect([...gets, ...listens].map(updated)).toEqual([['a:one'], ['a:two'], ['a:three'], ['a:four']]);
    expect(ledger.live).toEqual({});
  });

  it('CVE-2026-25536: to cancel, leave or end one of them leaves the others alone', async () => {
    const ledger = createLedger();
    const busy = server(
      info,
      tool('work', { input: Schema.Struct({ who: Schema.String }) }, ({ who }) => NEVER.pipe(ledger.watch(who))),
    );
    const { session, post, modern, remove } = desk(busy);
    const ask = (who: string) => call(1, 'work', { who }, { _meta: { progressToken: 1 } });
    const [one, two] = [session(), session()];
    post(ask('one'), one);
    post(ask('two'), two);
    const three = modern(ask('three'));
    modern(ask('four'));
    post(notice('notifications/cancelled', { requestId: 1 }), one);
    expect(ledger.live).toEqual({ two: 1, three: 1, four: 1 });
    // A modern caller has nobody to cancel but by hanging up, and so cannot cancel another's (CAN-03).
    modern(notice('notifications/cancelled', { requestId: 1 }));
    expect(ledger.live).toEqual({ two: 1, three: 1, four: 1 });
    three.leave();
    expect(ledger.live).toEqual({ two: 1, four: 1 });
    remove(two);
    expect(ledger.live).toEqual({ four: 1 });
  });

  it('CVE-2026-25536: an answer to a question counts in the session that was asked', async () => {
    const ask = tool('ask', {}, (_, asked) => JSON.stringify(asked.ask('who', elicit(form, 'who?'))));
    const { session, post } = desk(server(info, ask));
    const sessions = [session('2025-11-25', { elicitation: {} }), session('2025-11-25', { elicitation: {} })];
    const calls = sessions.map((headers) => post(call(1, 'ask'), headers));
    await holds(() => calls.every((asked) => asked.frames().length > 0));
    const ids = calls.map((asked) => asked.frames()[0]?.['id']);
    expect(ids[0]).toEqual(ids[1]);
    const answers = sessions.map((headers, index) =>
      post({ jsonrpc: '2.0', id: ids[0], result: { action: 'accept', content: { x: `by ${index}` } } }, headers),
    );
    expect(answers.map(({ reply }) => reply.status)).toEqual([202, 202]);
    await holds(() => calls.every(({ reply }) => reply.state === 'ended'));
    expect(calls.map((asked) => JSON.stringify(asked.frames().at(-1)))).toEqual([
      expect.stringContaining('by 0'),
      expect.stringContaining('by 1'),
    ]);
  });
});

describe('CVE-2026-67430: a flood of initialize shuts out newcomers at most', () => {
  it('CVE-2026-67430: there are as many sessions as there may be, and those in use survive', () => {
    const { session, post, endpoint } = desk(server(info), { sessions: { max: 10 } });
    const established = [session(), session()];
    const flood = Array.from({ length: 5000 }, () => post(initialize()));
    expect(new Set(flood.map(({ reply }) => reply.headers['mcp-session-id'])).size).toBe(5000);
    for (const headers of established) expect(post(request(1, 'ping'), headers).reply.status).toBe(200);
    const alive = flood.filter(
      ({ reply }) =>
        post(request(1, 'ping'), { 'mcp-session-id': reply.headers['mcp-session-id'] }).reply.status === 200,
    );
    expect(alive).toHaveLength(8);
    expect(endpoint.busy).toBe(0);
  });

  it('CVE-2026-67430: where all are in use, one more is told to come back later (503)', () => {
    const { session, post, pass } = desk(server(info), { sessions: { max: 3, ttlMs: 1000 } });
    const established = [session(), session(), session()];
    expect(post(initialize()).reply).toMatchObject({ status: 503, headers: { 'retry-after': '30' } });
    for (const headers of established) expect(post(request(1, 'ping'), headers).reply.status).toBe(200);
    pass(1200);
    expect(post(initialize()).reply.status).toBe(200);
  });

  it('CVE-2026-67430: handshakes that take their time count, and go with whoever began them', () => {
    const ledger = createLedger();
    const { post, endpoint } = desk(() => NEVER.pipe(ledger.watch('discover')), { sessions: { max: 10 } });
    const flood = Array.from({ length: 100 }, () => post(initialize()));
    expect(ledger.live).toEqual({ discover: 10 });
    expect(flood.filter(({ reply }) => reply.status === 503)).toHaveLength(90);
    for (const asked of flood) asked.leave();
    expect(ledger.live).toEqual({});
    expect(endpoint.busy).toBe(0);
    post(initialize());
    endpoint.close();
    expect(ledger.live).toEqual({});
  });

  it('CVE-2026-67430: what makes way, or ends, leaves nothing behind', () => {
    const ledger = createLedger();
    const live = server(
      info,
      resourceTemplate('a:{path}', { live: true }, () => concat(of('x'), NEVER).pipe(ledger.watch('watched'))),
      tools(concat(of([]), NEVER).pipe(ledger.watch('list'))),
    );
    const { session, post, get, pass } = desk(live, { sessions: { max: 100, ttlMs: 1000 } });
    for (let round = 0; round < 300; round += 1) {
      const headers = session();
      post(request(1, 'resources/subscribe', { uri: `a:${round}` }), headers);
      get(headers).leave();
      if (round % 100 === 99) {
        expect(ledger.live).toMatchObject({ watched: 100 });
        pass(1200);
        expect(ledger.live).toEqual({});
      }
    }
  });
});
