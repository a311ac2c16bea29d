/** One stream for all who listen, in virtual time. */
import { Observable, type Subscriber } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { ConnectionClosed, RpcError, type JsonObject, type SubscriptionFilter } from 'rxmcp';
import type { Emission, Exchange, Notification, Request } from '../../../lib/exchange/exchange.ts';
import { listening } from '../../../lib/transport/remote/listening.ts';
import { sharedListen } from '../../../lib/transport/remote/shared-listen.ts';
import { virtualTime } from './clock.ts';
import { dial, discovered, far, follow } from './scripted.ts';

virtualTime();

const acknowledged = 'notifications/subscriptions/acknowledged';
const tools: Notification = { method: 'notifications/tools/list_changed' };
const prompts: Notification = { method: 'notifications/prompts/list_changed' };
const updated = (uri: string): Notification => ({ method: 'notifications/resources/updated', params: { uri } });
const watching = (...resourceSubscriptions: string[]) => ({ resourceSubscriptions });
const acknowledgement = (notifications: JsonObject) => ({ method: acknowledged, params: { notifications } });

/** A stream that the server holds by hand. */
class Held {
  closed = false;
  readonly #request: Request;
  readonly #subscriber: Subscriber<Emission>;

  constructor(request: Request, subscriber: Subscriber<Emission>) {
    this.#request = request;
    this.#subscriber = subscriber;
    subscriber.add(() => (this.closed = true));
  }
  get filter(): JsonObject {
    return this.#request.params?.['notifications'] as JsonObject;
  }
  acknowledge(notifications: JsonObject = this.filter): this {
    return this.say(acknowledgement(notifications));
  }
  say(...said: readonly Notification[]): this {
    for (const each of said) this.#subscriber.next(each);
    return this;
  }
  end(): void {
    this.#subscriber.next({ result: { resultType: 'complete' } });
    this.#subscriber.complete();
  }
  hangUp(): void {
    this.#subscriber.complete();
  }
  fail(error: Error): void {
    this.#subscriber.error(error);
  }
}

const setUp = () => {
  const streams: Held[] = [];
  const requests: Request[] = [];
  const server: Exchange = (request) =>
    new Observable((subscriber) => {
      requests.push(request);
      streams.push(new Held(request, subscriber));
    });
  const broken = vi.fn();
  const { exchange, end } = sharedListen(listening(server, { jitter: 0 }, broken));
  const asked = (params: JsonObject) => follow(exchange({ method: 'subscriptions/listen', params }, {}));
  const tick = () => vi.advanceTimersByTime(0);
  return {
    exchange,
    end,
    broken,
    requests,
    streams,
    tick,
    open: () => streams.filter(({ closed }) => !closed),
    asked,
    /** Listens, and says what it has heard since it was last looked at. */
    listen: (notifications: SubscriptionFilter) => {
      const { seen, stop } = asked({ notifications: { ...notifications }, _meta: {} });
      return { seen, stop, news: () => seen.values.splice(0) };
    },
    last: (): Held => {
      tick();
      const stream = streams.at(-1);
      if (stream === undefined) throw new Error('nobody listens');
      return stream;
    },
  };
};

describe('those who come in one turn', () => {
  it('share one stream, and each hears its part of what is acknowledged, and of what changes (SUB-04, SUB-09)', () => {
    const { listen, last, streams } = setUp();
    const [a, b, c] = [
      listen({ toolsListChanged: true, promptsListChanged: false }),
      listen({ toolsListChanged: true, ...watching('note:1', 'note:2') }),
      listen({ promptsListChanged: true }),
    ];
    expect(streams).toEqual([]);
    expect(last().filter).toEqual({
      toolsListChanged: true,
      promptsListChanged: true,
      ...watching('note:1', 'note:2'),
    });
    last()
      .acknowledge({ toolsListChanged: true, ...watching('note:2') })
      .say(tools, updated('note:2/part'));
    expect(a.news()).toEqual([acknowledgement({ toolsListChanged: true }), tools]);
    expect(b.news()).toEqual([
      acknowledgement({ toolsListChanged: true, ...watching('note:2') }),
      tools,
      updated('note:2/part'),
    ]);
    expect(c.news()).toEqual([acknowledgement({})]);
    expect(streams).toHaveLength(1);
    for (const one of [a, b, c]) one.stop();
    expect(last().closed).toBe(true);
  });

  it('and go in it, ask for nothing', () => {
    const { listen, tick, streams } = setUp();
    listen({ toolsListChanged: true }).stop();
    tick();
    expect(streams).toEqual([]);
  });

  it('ask for no more resources together than a server watches; others have another stream', () => {
    const { listen, tick, streams } = setUp();
    const uris = (from: number, count: number) => Array.from({ length: count }, (_, at) => `note:${from + at}`);
    const all = [
      listen(watching(...uris(0, 600))),
      listen(watching(...uris(300, 600))),
      listen(watching(...uris(900, 101))),
      listen(watching(...uris(0, 1001))),
    ];
    tick();
    expect(streams.map(({ filter }) => (filter['resourceSubscriptions'] as string[]).length)).toEqual([1001, 900, 101]);
    for (const one of all) one.stop();
  });
});

describe('who comes later', () => {
  it('joins a stream that tells what it wants, with an acknowledgement of its own', () => {
    const { listen, last, tick, streams } = setUp();
    const a = listen({ toolsListChanged: true, ...watching('note:1') });
    last().acknowledge();
    const b = listen(watching('note:1'));
    tick();
    last().say(updated('note:1'), tools);
    expect(b.news()).toEqual([acknowledgement(watching('note:1')), updated('note:1')]);
    expect(a.news()).toEqual([acknowledgement(last().filter), updated('note:1'), tools]);
    expect(streams).toHaveLength(1);
    a.stop();
    b.stop();
  });

  it('makes it grow: the old stream is let go once the new one has taken over, and nobody else hears of it', () => {
    const { listen, last, streams, open } = setUp();
    const a = listen({ toolsListChanged: true });
    const first = last().acknowledge();
    const b = listen({ promptsListChanged: true });
    const second = last();
    expect(second.filter).toEqual({ toolsListChanged: true, promptsListChanged: true });
    expect(first.say(tools).closed).toBe(false);
    second.acknowledge();
    // Nothing is told twice, nothing is lost: not what one stream tells before the other, or after it.
    vi.advanceTimersByTime(100);
    first.say(tools);
    second.say(tools, prompts);
    vi.advanceTimersByTime(249);
    expect(first.closed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(open()).toEqual([second]);
    second.say(tools);
    expect(a.news()).toEqual([acknowledgement({ toolsListChanged: true }), tools, tools, tools]);
    expect(b.news()).toEqual([acknowledgement({ promptsListChanged: true }), prompts]);
    expect(streams).toHaveLength(2);
    a.stop();
    b.stop();
  });

  it('where a server is never silent, all look again when they move', () => {
    const { listen, last, open } = setUp();
    const a = listen({ toolsListChanged: true });
    const first = last().acknowledge();
    const b = listen({ promptsListChanged: true });
    const second = last().acknowledge();
    for (let ms = 0; ms < 5_000; ms += 200) {
      expect(open()).toEqual([first, second]);
      second.say(prompts);
      vi.advanceTimersByTime(200);
    }
    vi.advanceTimersByTime(250);
    expect(open()).toEqual([second]);
    const own = acknowledgement({ toolsListChanged: true });
    expect(a.news()).toEqual([own, own]);
    a.stop();
    b.stop();
  });

  it('waits for what has been asked for, but not for ever', () => {
    const { listen, last, tick, streams } = setUp();
    const a = listen({ toolsListChanged: true });
    const first = last();
    const b = listen({ promptsListChanged: true });
    tick();
    expect(streams).toHaveLength(1);
    first.acknowledge();
    const second = last();
    expect(second.filter).toEqual({ toolsListChanged: true, promptsListChanged: true });
    const c = listen({ resourcesListChanged: true });
    vi.advanceTimersByTime(1_999);
    expect(streams).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(streams).toHaveLength(3);
    // The one that was slow is not needed any more.
    last().acknowledge();
    expect(second.closed).toBe(true);
    expect([b.news(), c.news()]).toEqual([
      [acknowledgement({ promptsListChanged: true })],
      [acknowledgement({ resourcesListChanged: true })],
    ]);
    for (const one of [a, b, c]) one.stop();
  });

  it('and goes before it is acknowledged, leaves the others as they were', () => {
    const { listen, last, open } = setUp();
    const a = listen({ toolsListChanged: true });
    const first = last().acknowledge();
    const b = listen({ promptsListChanged: true });
    expect(last()).not.toBe(first);
    b.stop();
    expect(open()).toEqual([first]);
    first.say(tools);
    expect(a.news()).toEqual([acknowledgement({ toolsListChanged: true }), tools]);
    a.stop();
  });

  it('takes nothing from those who were there, where the server watches fewer than that: they are told', () => {
    const { listen, last } = setUp();
    const a = listen(watching('note:1', 'note:2'));
    last().acknowledge();
    const b = listen(watching('note:3'));
    expect(last().filter).toEqual(watching('note:1', 'note:2', 'note:3'));
    last().acknowledge(watching('note:1', 'note:3'));
    vi.advanceTimersByTime(250);
    expect(a.news()).toEqual([acknowledgement(watching('note:1', 'note:2')), acknowledgement(watching('note:1'))]);
    a.stop();
    b.stop();
  });
});

describe('who goes', () => {
  it('leaves its part for half a minute, of which nobody else hears', () => {
    const { listen, last, streams, open } = setUp();
    const a = listen(watching('note:1'));
    const b = listen(watching('note:2'));
    const first = last().acknowledge();
    b.stop();
    first.say(updated('note:2'));
    vi.advanceTimersByTime(29_999);
    expect(streams).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(last().filter).toEqual(watching('note:1'));
    last().acknowledge();
    vi.advanceTimersByTime(250);
    expect(open()).toEqual([last()]);
    expect(a.news()).toEqual([acknowledgement(watching('note:1'))]);
    a.stop();
  });

  it('waits with that for what is under way', () => {
    const { listen, last, streams, open } = setUp();
    const a = listen(watching('note:1'));
    const gone = [listen(watching('note:2')), listen(watching('note:3'))];
    last().acknowledge();
    for (const { stop } of gone) stop();
    vi.advanceTimersByTime(29_999);
    const b = listen(watching('note:4'));
    const grown = last();
    vi.advanceTimersByTime(1_000);
    expect(streams).toHaveLength(2);
    expect(grown.acknowledge().filter).toEqual(watching('note:1', 'note:4'));
    b.stop();
    vi.advanceTimersByTime(29_001);
    expect(last().acknowledge().filter).toEqual(watching('note:1'));
    vi.advanceTimersByTime(250);
    expect(open()).toEqual([last()]);
    a.stop();
  });

  it('leaves no trace where another comes with more, or with the same', () => {
    const { listen, last, streams, tick } = setUp();
    const a = listen({ toolsListChanged: true });
    const b = listen({ promptsListChanged: true });
    last().acknowledge();
    b.stop();
    const again = listen({ promptsListChanged: true });
    tick();
    vi.advanceTimersByTime(60_000);
    expect(streams).toHaveLength(1);
    again.stop();
    const c = listen({ resourcesListChanged: true });
    expect(last().filter).toEqual({ toolsListChanged: true, resourcesListChanged: true });
    last().acknowledge();
    vi.advanceTimersByTime(60_000);
    expect(streams).toHaveLength(2);
    a.stop();
    c.stop();
  });
});

describe('a stream that breaks', () => {
  it('is had again for all: each looks again', () => {
    const { listen, last, streams } = setUp();
    const a = listen({ toolsListChanged: true });
    const b = listen({ promptsListChanged: true });
    last().acknowledge().end();
    vi.advanceTimersByTime(250);
    last().acknowledge().say(prompts);
    expect(a.news()).toHaveLength(2);
    expect(b.news().at(-1)).toEqual(prompts);
    const c = listen({ promptsListChanged: true });
    last();
    expect(c.news()).toEqual([acknowledgement({ promptsListChanged: true })]);
    expect(streams).toHaveLength(2);
    for (const one of [a, b, c]) one.stop();
  });

  it('while another takes its place, is not waited for: what was missed is looked at again', () => {
    const { listen, last, streams, open } = setUp();
    const a = listen({ toolsListChanged: true });
    const first = last().acknowledge();
    const b = listen({ promptsListChanged: true });
    const second = last();
    first.fail(new ConnectionClosed({ message: 'broke' }));
    expect(a.news()).toHaveLength(1);
    second.acknowledge();
    const own = acknowledgement({ toolsListChanged: true });
    expect(a.news()).toEqual([own]);
    // And the same after it has begun.
    const c = listen({ resourcesListChanged: true });
    const third = last().acknowledge();
    second.fail(new ConnectionClosed({ message: 'broke' }));
    expect(a.news()).toEqual([own]);
    vi.advanceTimersByTime(60_000);
    expect(streams).toHaveLength(3);
    expect(open()).toEqual([third]);
    for (const one of [a, b, c]) one.stop();
  });

  it('is not joined before it is had again', () => {
    const { listen, last } = setUp();
    const a = listen({ toolsListChanged: true });
    last()
      .acknowledge()
      .fail(new ConnectionClosed({ message: 'broke' }));
    const b = listen({ toolsListChanged: true });
    expect(last().closed).toBe(false);
    expect(b.news()).toEqual([]);
    last().acknowledge();
    expect([a.news(), b.news()].map(({ length }) => length)).toEqual([2, 1]);
    a.stop();
    b.stop();
  });

  it('before it is acknowledged fails those who came, and nobody else', () => {
    const { listen, last, broken } = setUp();
    const a = listen({ toolsListChanged: true });
    const first = last().acknowledge();
    const b = listen({ promptsListChanged: true });
    last().fail(new ConnectionClosed({ message: 'broke' }));
    expect(b.seen.error).toBeInstanceOf(ConnectionClosed);
    first.say(tools);
    expect(a.news().at(-1)).toEqual(tools);
    expect(broken).not.toHaveBeenCalled();
    a.stop();
  });

  it('that is refused is asked for by each, who is to hear what was meant', () => {
    const { listen, last, streams, open } = setUp();
    const [a, b] = [listen({ toolsListChanged: true }), listen(watching('??'))];
    last().fail(new RpcError({ code: -32602, message: 'no such URI' }));
    const [, forA, forB] = streams;
    expect([forA?.filter, forB?.filter]).toEqual([{ toolsListChanged: true }, watching('??')]);
    forB?.fail(new RpcError({ code: -32602, message: 'no such URI' }));
    forA?.acknowledge().say(tools);
    expect(b.seen.error).toBeInstanceOf(RpcError);
    expect(a.news()).toEqual([acknowledgement({ toolsListChanged: true }), tools]);
    a.stop();
    expect(open()).toEqual([]);
  });

  it('with the connection, completes all; those who still wait are told by whoever ends it', () => {
    const { listen, last, end, streams } = setUp();
    const a = listen({ toolsListChanged: true });
    last().acknowledge();
    const b = listen({ toolsListChanged: true });
    last().hangUp();
    const c = listen({ promptsListChanged: true });
    end();
    expect([a, b, c].map(({ seen }) => seen.complete)).toEqual([true, true, true]);
    expect(streams).toHaveLength(1);
  });

  it('with a result that nothing was acknowledged before, ends with it for all', () => {
    const { listen, last } = setUp();
    const [a, b] = [listen({ toolsListChanged: true }), listen({ promptsListChanged: true })];
    last().end();
    for (const { seen } of [a, b])
      expect(seen).toEqual({ values: [{ result: { resultType: 'complete' } }], complete: true });
  });
});

describe('not shared', () => {
  it.each<[string, JsonObject]>([
    ['a subscription that says who wants it', { notifications: { toolsListChanged: true }, _meta: { a: 1 } }],
    ['one that says more', { notifications: { toolsListChanged: true }, _meta: {}, other: 1 }],
    ['one that wants what nobody has defined', { notifications: { other: true }, _meta: {} }],
    ['one that is malformed', { notifications: { toolsListChanged: 'yes' }, _meta: {} }],
  ])('is %s', (_, params) => {
    const { asked, listen, tick, requests } = setUp();
    const a = listen({ toolsListChanged: true });
    const b = asked(params);
    expect(requests).toEqual([{ method: 'subscriptions/listen', params }]);
    tick();
    expect(requests).toHaveLength(2);
    a.stop();
    b.stop();
  });

  it('is any other request', () => {
    const { exchange, requests } = setUp();
    follow(exchange({ method: 'tools/list' }, {})).stop();
    expect(requests).toEqual([{ method: 'tools/list' }]);
  });
});

it('says the URIs that a server spells in its own way to all who watch resources', () => {
  const { listen, last } = setUp();
  const [a, b] = [listen(watching('file:///a b')), listen({ toolsListChanged: true })];
  last().acknowledge().say(updated('file:///a%20b'));
  expect(a.news().at(-1)).toEqual(updated('file:///a%20b'));
  expect(b.news()).toHaveLength(1);
  a.stop();
  b.stop();
});

it('makes one request of all that a client looks at', () => {
  const server = far((call) => {
    if (call.asks === 'server/discover')
      call.answer({
        ...discovered(),
        capabilities: {
          tools: { listChanged: true },
          prompts: { listChanged: true },
          resources: { listChanged: true, subscribe: true },
        },
      });
  });
  const link = dial(server);
  const { client } = link;
  const looks = [
    ...[client.tools$, client.prompts$, client.resources$, client.templates$].map((list) => follow<unknown>(list)),
    follow(client.resource$('note:1')),
    follow(client.resource$('note:2')),
  ];
  vi.advanceTimersByTime(0);
  expect(server.asked()).toEqual(['server/discover', 'subscriptions/listen']);
  expect(server.last().body).toMatchObject({
    params: {
      notifications: {
        toolsListChanged: true,
        promptsListChanged: true,
        resourcesListChanged: true,
        ...watching('note:1', 'note:2'),
      },
    },
  });
  for (const { stop } of looks) stop();
  expect(server.open()).toEqual([]);
  link.close();
});
