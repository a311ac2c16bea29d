import { concat, NEVER, Observable, of, Subject, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  elicit,
  log,
  memoryEvents,
  progress,
  resource,
  server,
  tool,
  updates,
  type EventStore,
  type JsonObject,
  type Notice,
  type StoredEvent,
} from 'rxmcp';
import { createLedger } from '../../../lib/testing/index.ts';
import { call, desk, holds, notice, request, turn, type Asked } from './desk.ts';

const info = { name: 'house', version: '1' };
const form = { type: 'object', properties: { x: { type: 'string' } }, required: ['x'] } as const;
const token = { _meta: { progressToken: 't' } };

const house = (options: Parameters<typeof desk>[1] = {}) => {
  const ledger = createLedger();
  const words = new Subject<string | Notice>();
  const changed = new Subject<string>();
  const hangUps: (((retryMs?: number) => void) | undefined)[] = [];
  const exchange = server(
    info,
    tool('work', {}, (_, { context }) => {
      hangUps.push(context.hangUp);
      return words.pipe(ledger.watch('work'));
    }),
    tool('ask', {}, (_, asked) => JSON.stringify(asked.ask('who', elicit(form, 'who?')))),
    resource('a:b', {}, () => 'x'),
    resource('c:d', { live: true }, () => concat(of('x'), NEVER)),
    updates(changed),
  );
  return { ledger, words, changed, hangUps, ...desk(exchange, options) };
};

/** What a stream has said, in short. */
const gist = (asked: Asked): readonly unknown[] =>
  asked.frames().map(({ method, id, params }) => {
    const { progress: done, data, uri } = (params ?? {}) as JsonObject;
    return done ?? data ?? uri ?? method ?? id;
  });
const ids = (asked: Asked): readonly (string | undefined)[] => asked.events().map(({ id }) => id);
const lastId = (asked: Asked): string => ids(asked).at(-1) ?? '';

describe('the stream of a POST', () => {
  it('carries what is about its requests, then the response, and ends (SHTTP-12, SHTTP-14 to SHTTP-18)', async () => {
    const { session, post, words } = house();
    const asked = post(call(1, 'work', {}, token), session());
    expect(asked.reply.state).toBe('waiting');
    words.next(progress(1));
    words.next(log('info', 'half'));
    words.next('done');
    words.complete();
    await turn();
    expect(asked.reply).toMatchObject({
      status: 200,
      state: 'ended',
      headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
    });
    expect(gist(asked)).toEqual([1, 'half', 1]);
  });

  it('begins with an event that says nothing but its id, at 2025-11-25 only (SHTTP-19)', async () => {
    for (const revision of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']) {
      const { session, post, get, words } = house();
      const headers = session(revision);
      const streams = [post(call(1, 'work', {}, token), headers), get(headers)];
      words.next(progress(1));
      await turn();
      expect(streams.map((asked) => asked.events()[0]?.data === '')).toEqual(
        revision === '2025-11-25' ? [true, true] : [false, false],
      );
      for (const asked of streams) for (const id of ids(asked)) expect(id).toMatch(/^[pg]\d+\.\d+$/);
    }
  });

  it('numbers its events: no id comes twice in a session, and each says whose stream it is (SHTTP-38, SHTTP-39)', async () => {
    const { session, post, get, words, changed } = house();
    const headers = session();
    const streams = [
      post(call(1, 'work', {}, token), headers),
      post(call(2, 'work', {}, token), headers),
      get(headers),
    ];
    post(request(3, 'resources/subscribe', { uri: 'a:b' }), headers);
    for (let step = 1; step < 5; step += 1) {
      words.next(log('info', step));
      changed.next('a:b');
      await turn();
    }
    const all = streams.flatMap(ids);
    expect(all).toHaveLength(15);
    expect(new Set(all).size).toBe(15);
    for (const asked of streams) expect(new Set(ids(asked).map((id) => id?.split('.')[0])).size).toBe(1);
  });

  it('is not begun by a result that comes first: that is one JSON object (SHTTP-12)', () => {
    const { session, post } = house();
    const { reply } = post(request(1, 'resources/read', { uri: 'a:b' }), session());
    expect(reply).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' }, state: 'ended' });
  });

  it('shows signs of life (HTTP26-17)', async () => {
    const { session, post, get, pass } = house();
    const headers = session();
    const streams = [post(call(1, 'work'), headers), get(headers)];
    await turn();
    pass(61_000);
    for (const { reply } of streams) expect(reply.text).toMatch(/: keep-alive\n\n$/);
    for (const asked of streams) expect(asked.frames()).toEqual([]);
    for (const asked of streams) asked.leave();
    const { length } = streams.map(({ reply }) => reply.text).join('');
    pass(61_000);
    expect(streams.map(({ reply }) => reply.text).join('')).toHaveLength(length);
  });
});

describe('each message goes on exactly one stream (SHTTP-37)', () => {
  it('what is about no request goes to the newest GET, and never with a response (SHTTP-32, SHTTP-33, SHTTP-34)', async () => {
    const { session, post, get, words, changed } = house();
    const headers = session();
    const posted = [post(call(1, 'work', {}, token), headers), post(call(2, 'work', {}, token), headers)];
    const gets = [get(headers), get(headers)];
    post(request(3, 'resources/subscribe', { uri: 'a:b' }), headers);
    words.next(progress(1));
    changed.next('a:b');
    words.next('done');
    words.complete();
    await turn();
    expect([...posted, ...gets].map(gist)).toEqual([[1, 1], [1, 2], [], ['a:b']]);
    expect(gets.map(({ reply }) => reply.state)).toEqual(['open', 'open']);
    gets[1]?.leave();
    changed.next('a:b');
    await turn();
    expect(gets.map(gist)).toEqual([['a:b'], ['a:b']]);
  });

  it('what nobody listens to waits for the next GET: what is the same once, and not without bounds', async () => {
    const { session, post, get, changed } = house();
    const headers = session();
    post(request(1, 'resources/subscribe', { uri: 'a:b' }), headers);
    for (let round = 0; round < 10; round += 1) changed.next('a:b');
    const first = get(headers);
    await turn();
    expect(gist(first)).toEqual(['a:b']);
    first.leave();
    const second = get(headers);
    await turn();
    expect(gist(second)).toEqual([]);
  });

  it('one more GET than may be open ends the oldest', async () => {
    const { session, get } = house();
    const headers = session();
    const gets = Array.from({ length: 10 }, () => get(headers));
    await turn();
    expect(gets.map(({ reply }) => reply.state)).toEqual([
      ...Array<string>(2).fill('ended'),
      ...Array<string>(8).fill('open'),
    ]);
  });

  it('who comes back for a stream takes it over: the reply that carried it ends', async () => {
    const { session, post, get, words } = house();
    const headers = session();
    const first = post(call(1, 'work', {}, token), headers);
    words.next(progress(1));
    await turn();
    const second = get({ ...headers, 'last-event-id': lastId(first) });
    words.next(progress(2));
    await turn();
    expect([first.reply.state, gist(first)]).toEqual(['ended', [1]]);
    expect([second.reply.state, gist(second)]).toEqual(['open', [2]]);
  });
});

describe('a question', () => {
  const able = ['2025-11-25', { elicitation: {} }] as const;
  const answer = (question: JsonObject | undefined) => ({
    jsonrpc: '2.0',
    id: question?.['id'],
    result: { action: 'accept', content: { x: 'me' } },
  });

  it('goes on the stream of the request that it is for, though there is a GET (SHTTP-15, SHTTP-16)', async () => {
    const { session, post, get } = house();
    const headers = session(...able);
    const [asked, listening] = [post(call(1, 'ask'), headers), get(headers)];
    await holds(() => asked.frames().length > 0);
    expect(gist(asked)).toEqual(['elicitation/create']);
    expect(post(answer(asked.frames()[0]), headers).reply.status).toBe(202);
    await holds(() => asked.reply.state === 'ended');
    expect(JSON.stringify(asked.frames().at(-1))).toContain('me');
    expect(gist(listening)).toEqual([]);
  });

  it('waits with its stream for a client that has gone, where that can come back', async () => {
    const { session, post, get } = house();
    const headers = session(...able);
    const asked = post(call(1, 'ask'), headers);
    await holds(() => asked.frames().length > 0);
    asked.leave();
    const again = get({ ...headers, 'last-event-id': ids(asked)[0] });
    await turn();
    expect(gist(again)).toEqual(['elicitation/create']);
    post(answer(again.frames()[0]), headers);
    await holds(() => again.reply.state === 'ended');
    expect(gist(again)).toEqual(['elicitation/create', 1]);
  });

  it('goes to the GET where its own stream cannot be reached, and fails at once where there is none (SDK: hangs)', async () => {
    for (const listens of [true, false]) {
      const { session, post, get, endpoint } = house({ events: false });
      const headers = session(...able);
      const listening = listens ? get(headers) : undefined;
      const asked = post(call(1, 'ask'), headers);
      asked.leave();
      await holds(() => (listens ? (listening?.frames().length ?? 0) > 0 : endpoint.busy === 0));
      if (listening === undefined) continue;
      expect(gist(listening)).toEqual(['elicitation/create']);
      post(answer(listening.frames()[0]), headers);
      await holds(() => endpoint.busy === 0);
      expect(gist(listening)).toEqual(['elicitation/create']);
    }
  });

  it('that is withdrawn is said to be so on the stream that it went on', async () => {
    const { session, post } = house();
    const headers = session(...able);
    const asked = post(call(1, 'ask'), headers);
    await holds(() => asked.frames().length > 0);
    post(notice('notifications/cancelled', { requestId: 1 }), headers);
    await turn();
    expect(gist(asked)).toEqual(['elicitation/create', 'notifications/cancelled']);
    expect(asked.reply.state).toBe('ended');
  });
});

describe('to hang up on a session', () => {
  it('is not to cancel: the client comes back for the rest (SHTTP-26, SHTTP-28, SHTTP-40, SHTTP-41)', async () => {
    const { session, post, get, words, ledger } = house();
    const headers = session();
    const asked = post(call(1, 'work', {}, token), headers);
    words.next(progress(1));
    await turn();
    asked.leave();
    words.next(progress(2));
    expect(ledger.live).toEqual({ work: 1 });
    const again = get({ ...headers, 'last-event-id': lastId(asked) });
    words.next(progress(3));
    await turn();
    again.leave();
    words.next(progress(4));
    words.next('done');
    words.complete();
    await turn();
    const last = get({ ...headers, 'last-event-id': lastId(again) });
    expect([gist(asked), gist(again), gist(last)]).toEqual([[1], [2, 3], [4, 1]]);
    expect(last.reply.state).toBe('ended');
    // Whoever lost that too may have it again, from wherever it has it.
    expect(gist(get({ ...headers, 'last-event-id': lastId(asked) }))).toEqual([2, 3, 4, 1]);
    expect(ids(get({ ...headers, 'last-event-id': ids(asked)[0] }))).toEqual(
      [asked, again, last].flatMap(ids).slice(1),
    );
    expect(gist(get({ ...headers, 'last-event-id': lastId(last) }))).toEqual([]);
    expect(ledger.live).toEqual({});
  });

  it('ends the work where nobody could come back for it and it is cancelled, or the session ends', () => {
    for (const end of ['cancel', 'remove'] as const) {
      const { session, post, remove, ledger, endpoint } = house();
      const headers = session();
      post(call(1, 'work'), headers).leave();
      expect([ledger.live, endpoint.busy]).toEqual([{ work: 1 }, 1]);
      if (end === 'remove') remove(headers);
      else post(notice('notifications/cancelled', { requestId: 1 }), headers);
      expect([ledger.live, endpoint.busy]).toEqual([{}, 0]);
    }
  });

  it('may be done by the server: with how long to wait, at 2025-11-25 (SHTTP-21, SHTTP-22, SHTTP-35)', async () => {
    const { session, post, get, words, hangUps } = house();
    const headers = session();
    const asked = post(call(1, 'work', {}, token), headers);
    hangUps[0]?.(250);
    expect(asked.reply.state).toBe('ended');
    expect(asked.reply.text).toMatch(/^event: message\nid: p\d+\.1\ndata: \n\nretry: 250\n\n$/);
    hangUps[0]?.(250);
    words.next(progress(1));
    const again = get({ ...headers, 'last-event-id': lastId(asked) });
    words.next('done');
    words.complete();
    await turn();
    expect([gist(again), again.reply.state]).toEqual([[1, 1], 'ended']);
  });

  it('cannot be done by the server where the client has no id to come back with', () => {
    for (const [revision, options] of [
      ['2025-06-18', {}],
      ['2025-11-25', { events: false }],
    ] as const) {
      const { session, post, hangUps } = house(options);
      post(call(1, 'work', {}, token), session(revision));
      expect(hangUps).toEqual([undefined]);
    }
  });

  it('is final where nothing is kept: no ids, and nothing to come back for', async () => {
    const { session, post, get, words } = house({ events: false });
    const headers = session();
    const asked = post(call(1, 'work', {}, token), headers);
    words.next(progress(1));
    await turn();
    expect(asked.reply.text).not.toMatch(/^id:/m);
    expect(get({ ...headers, 'last-event-id': 'p3.1' }).reply.status).toBe(400);
  });
});

describe('to come back for a GET', () => {
  const subscribed = (revision = '2025-11-25', options: Parameters<typeof desk>[1] = {}) => {
    const made = house(options);
    const headers = made.session(revision);
    made.post(request(1, 'resources/subscribe', { uri: 'a:b' }), headers);
    return { ...made, headers };
  };

  it('is to get what was missed of it, on a stream of its own that goes on (SHTTP-41)', async () => {
    const { headers, get, changed } = subscribed();
    const first = get(headers);
    changed.next('a:b');
    changed.next('a:b');
    await turn();
    first.leave();
    changed.next('a:b');
    const again = get({ ...headers, 'last-event-id': ids(first)[1] });
    changed.next('a:b');
    await turn();
    expect(gist(again)).toEqual(['a:b', 'a:b', 'a:b']);
    expect(again.reply.state).toBe('open');
  });

  it.each(['2025-03-26', '2025-06-18', '2025-11-25'])(
    'can be done again and again with one id, as long as nothing new has come, at %s',
    async (revision) => {
      const { headers, get, changed } = subscribed(revision);
      const first = get(headers);
      changed.next('a:b');
      await turn();
      let id = lastId(first);
      first.leave();
      for (let round = 0; round < 3; round += 1) {
        const again = get({ ...headers, 'last-event-id': id });
        await turn();
        expect([again.reply.status, again.reply.state, gist(again)]).toEqual([200, 'open', []]);
        if (ids(again).length > 0) id = lastId(again);
        again.leave();
      }
      const last = get({ ...headers, 'last-event-id': id });
      changed.next('a:b');
      await turn();
      expect(gist(last)).toEqual(['a:b']);
    },
  );

  it('ends the one that was open (SHTTP-37)', async () => {
    const { headers, get, changed } = subscribed();
    const first = get(headers);
    changed.next('a:b');
    await turn();
    const again = get({ ...headers, 'last-event-id': lastId(first) });
    changed.next('a:b');
    await turn();
    expect([first.reply.state, gist(first), gist(again)]).toEqual(['ended', ['a:b'], ['a:b']]);
  });

  it('with an id that is none of this session’s, or of what is not kept any more, is refused (400)', async () => {
    const { headers, get, pass, changed } = subscribed('2025-11-25', {
      events: memoryEvents({ maxBytes: 5000 }),
      sessions: { ttlMs: 1e9 },
    });
    const first = get(headers);
    await turn();
    const id = lastId(first);
    for (let round = 0; round < 100; round += 1) {
      changed.next('a:b');
      await turn();
    }
    first.leave();
    pass(1);
    for (const named of [id, 'g77.1', 'p77.1', 'g1', 'x', '', `${id}\n`, '9'.repeat(10_000)])
      expect(get({ ...headers, 'last-event-id': named }).reply).toMatchObject({ status: 400, state: 'ended' });
  });
});

describe('what is kept', () => {
  it('is kept under keys that carry the session, and dropped with it', async () => {
    const held = new Set<string>();
    const memory = memoryEvents();
    const store: EventStore = {
      ...memory,
      append: (stream, position, data) => {
        held.add(stream);
        memory.append(stream, position, data);
      },
      drop: (stream) => {
        held.delete(stream);
        memory.drop(stream);
      },
    };
    const { session, post, get, remove, words } = house({ events: store });
    const sessions = [session(), session()];
    for (const headers of sessions) {
      post(call(1, 'work', {}, token), headers);
      get(headers);
    }
    words.next(progress(1));
    await turn();
    for (const headers of sessions)
      expect([...held].filter((key) => key.startsWith(`${headers['mcp-session-id']}/`))).toHaveLength(2);
    for (const headers of sessions) remove(headers);
    expect([...held]).toEqual([]);
  });
});

describe('a store that is not at hand', () => {
  /** Answers with what it has at the time of asking, but only when it is told to. */
  const slow = () => {
    const memory = memoryEvents();
    const due: (() => void)[] = [];
    const store: EventStore = {
      ...memory,
      after: (stream, position) =>
        new Observable((subscriber) => {
          const told = (events: readonly StoredEvent[]): void => {
            for (const event of events) subscriber.next(event);
            subscriber.complete();
          };
          const asked = memory.after(stream, position).pipe(toArray());
          subscriber.add(
            asked.subscribe({
              next: (events) => due.push(() => told(events)),
              error: (error: unknown) => due.push(() => subscriber.error(error)),
            }),
          );
        }),
    };
    const answer = async (): Promise<void> => {
      for (const one of due.splice(0)) one();
      await turn();
    };
    return { store, answer };
  };

  it('loses nothing of what is said while it is asked, nor says it twice, be it the end', async () => {
    for (const ends of [false, true]) {
      const { store, answer } = slow();
      const { session, post, get, words } = house({ events: store });
      const headers = session();
      const asked = post(call(1, 'work', {}, token), headers);
      words.next(progress(1));
      await turn();
      asked.leave();
      const again = get({ ...headers, 'last-event-id': lastId(asked) });
      words.next(progress(2));
      words.next(progress(3));
      if (ends) {
        words.next('done');
        words.complete();
      }
      for (let round = 0; round < 5; round += 1) await answer();
      expect(gist(again)).toEqual(ends ? [2, 3, 1] : [2, 3]);
      expect(again.reply.state).toBe(ends ? 'ended' : 'open');
    }
  });

  it('nothing comes of it where the client has gone by then', async () => {
    const { store, answer } = slow();
    const { session, post, get, words, ledger, remove } = house({ events: store });
    const headers = session();
    const asked = post(call(1, 'work', {}, token), headers);
    words.next(progress(1));
    await turn();
    asked.leave();
    const again = get({ ...headers, 'last-event-id': lastId(asked) });
    again.leave();
    await answer();
    expect(again.reply.state).toBe('waiting');
    remove(headers);
    expect(ledger.live).toEqual({});
  });

  it('that fails keeps nothing, and hurts nobody; its host is told', async () => {
    const broken = (): never => {
      throw new Error('the store is down');
    };
    const { session, post, get, words, told, remove } = house({
      events: { append: broken, end: broken, after: broken, drop: broken },
    });
    const headers = session();
    const asked = post(call(1, 'work', {}, token), headers);
    words.next(progress(1));
    // What is complete at once is sent as a whole, and kept nowhere.
    await turn();
    words.next('done');
    words.complete();
    await turn();
    expect(gist(asked)).toEqual([1, 1]);
    expect(get({ ...headers, 'last-event-id': lastId(asked) }).reply.status).toBe(400);
    expect(remove(headers).reply.status).toBe(200);
    expect(told[0]).toMatchObject({ type: 'failure', method: 'events', error: { message: 'the store is down' } });
  });
});

describe('a reader that stops reading, in a session', () => {
  it('gets the newest of what repeats itself, and every answer', async () => {
    const { session, post, get, words, changed } = house();
    const headers = session();
    post(request(1, 'resources/subscribe', { uri: 'a:b' }), headers);
    const [asked, listening] = [post(call(2, 'work', {}, token), headers), get(headers)];
    for (const { reply } of [asked, listening]) reply.writable = false;
    words.next(progress(1));
    changed.next('a:b');
    await turn();
    for (let step = 2; step < 1000; step += 1) {
      words.next(progress(step));
      changed.next('a:b');
    }
    await turn();
    expect([gist(asked), gist(listening)]).toEqual([[1], ['a:b']]);
    for (const one of [asked, listening]) one.drain();
    words.next('done');
    words.complete();
    await turn();
    expect([gist(asked), gist(listening)]).toEqual([
      [1, 999, 2],
      ['a:b', 'a:b'],
    ]);
  });

  it('is cut off where too much has queued, and comes back for the rest', async () => {
    const { session, post, get, words, ledger } = house({ maxQueuedBytes: 5000 });
    const headers = session();
    const asked = post(call(1, 'work', {}, token), headers);
    asked.reply.writable = false;
    for (let line = 0; line < 100; line += 1) {
      words.next(log('info', `${line} ${'x'.repeat(100)}`));
      if (line === 0) await turn();
    }
    expect(asked.reply.state).toBe('destroyed');
    asked.leave();
    expect(ledger.live).toEqual({ work: 1 });
    words.next('done');
    words.complete();
    const again = get({ ...headers, 'last-event-id': lastId(asked) });
    await turn();
    expect(asked.frames().length + again.frames().length).toBe(101);
    expect(again.frames().at(-1)).toMatchObject({ id: 1, result: {} });
  });
});
