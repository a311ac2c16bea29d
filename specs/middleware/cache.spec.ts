import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  BehaviorSubject,
  defer,
  filter,
  firstValueFrom,
  map,
  NEVER,
  of,
  ReplaySubject,
  skip,
  Subject,
  throwError,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  extend,
  invalidParams,
  isAnswer,
  methods,
  resource,
  RpcError,
  serverWith,
  tool,
  tools,
  updates,
  type Context,
  type Emission,
  type Exchange,
  type JsonObject,
  type MethodTable,
  type Request,
  type Revision,
  type Row,
} from 'rxmcp';
import { breaches, createLedger, linked } from 'rxmcp/testing';
import { cache, type CacheOptions } from '../../lib/middleware/cache.ts';
import { ask, namesOf, recording, resultOf } from './ask.ts';

const version = 'io.modelcontextprotocol/protocolVersion';
const capabilities = 'io.modelcontextprotocol/clientCapabilities';
const listen = 'subscriptions/listen';

const hints = { resultType: 'complete', ttlMs: 1000, cacheScope: 'private' };

/** A cache in front of what numbers its answers, so that one that is kept is told from one that is fetched. */
const numbered = (over: JsonObject = {}, options: CacheOptions = {}) => {
  const clock = { time: 0, now: () => clock.time };
  let hinted: JsonObject = { ...hints, ...over };
  const { exchange, asked } = recording(() => defer(() => of({ result: { ...hinted, n: asked.length } })));
  return {
    clock,
    asked,
    cached: cache({ scheduler: clock, ...options })(exchange),
    /** What answers say from now on. */
    hint: (more: JsonObject) => (hinted = { ...hints, ...more }),
  };
};

/** The number of the answer that one gets. */
const numberOf = (...asked: Parameters<typeof ask>): unknown => resultOf(...asked)['n'];

/** Wire members that a fresh object has in an order of its own. */
const reversed = (value: JsonObject): JsonObject => Object.fromEntries(Object.entries(value).reverse());

/** A cache in front of what answers by hand; its listen streams say what is put into `notices`. */
const manual = (options: CacheOptions = {}) => {
  const notices = new Subject<Emission>();
  const waiting: Subject<Emission>[] = [];
  const { exchange, asked } = recording(({ method }: Request) => {
    if (method === listen) return notices;
    const answer = new Subject<Emission>();
    waiting.push(answer);
    return answer;
  });
  const answer = (nth: number, result: JsonObject): void => {
    waiting[nth]?.next({ result: { ...hints, ...result } });
    waiting[nth]?.complete();
  };
  const clock = { time: 0, now: () => clock.time };
  return { notices, asked, answer, waiting, clock, cached: cache({ scheduler: clock, ...options })(exchange) };
};

/** Whether what was kept of these requests is still there after a listener has heard this. */
const afterHearing = (heard: Emission, requests: readonly Request[], principal?: string): readonly boolean[] => {
  const context = principal === undefined ? {} : { principal };
  const notices = new Subject<Emission>();
  const { exchange, asked } = recording(({ method }) => (method === listen ? notices : of({ result: hints })));
  const cached = cache({ scheduler: { now: () => 0 } })(exchange);
  ask(cached, listen);
  for (const { method, params } of requests) resultOf(cached, method, params, context);
  notices.next(heard);
  return requests.map(({ method, params }) => {
    const before = asked.length;
    resultOf(cached, method, params, context);
    return asked.length === before;
  });
};

const everyCacheable: readonly Request[] = Object.entries<Row>(methods)
  .filter(([, { cacheable }]) => cacheable === true)
  .map(([method, { nameIn }]) => ({ method, params: nameIn === undefined ? {} : { [nameIn]: 'file:///a' } }));

/** What of all that is kept a notice drops. */
const droppedBy = (heard: Emission, principal?: string): readonly string[] => {
  const kept = afterHearing(heard, everyCacheable, principal);
  return everyCacheable.flatMap(({ method }, index) => (kept[index] === true ? [] : [method]));
};

const read = (uri: string): Request => ({ method: 'resources/read', params: { uri } });

describe('what is kept', () => {
  it.each(everyCacheable.map(({ method, params }) => [method, params] as const))(
    'is the answer to %s, until its time is over (CACHE-07)',
    (method, params) => {
      const { cached, asked, clock } = numbered();
      expect(numberOf(cached, method, params)).toBe(1);
      clock.time = 999;
      expect(numberOf(cached, method, params)).toBe(1);
      expect(asked).toHaveLength(1);
      clock.time = 1000;
      expect(numberOf(cached, method, params)).toBe(2);
    },
  );

  it('is all that the table calls cacheable, and nothing else', () => {
    expect(everyCacheable.map(({ method }) => method)).toEqual([
      'server/discover',
      'tools/list',
      'prompts/list',
      'resources/list',
      'resources/templates/list',
      'resources/read',
    ]);
    for (const method of ['tools/call', 'prompts/get', 'completion/complete', 'no/such', 'constructor']) {
      const { cached } = numbered({ cacheScope: 'public' });
      expect([numberOf(cached, method), numberOf(cached, method)]).toEqual([1, 2]);
    }
  });

  it('costs nothing where nothing is kept: not even a key is made', () => {
    let keys = 0;
    const cursor = { toJSON: () => `key ${(keys += 1)}` };
    const { cached, clock, hint } = numbered({ ttlMs: 0 });
    for (const method of ['tools/list', 'tools/list', 'tools/call', listen]) numberOf(cached, method, { cursor });
    numberOf(cached, 'resources/read', { cursor, requestState: 's' });
    expect(keys).toBe(0);
    hint({});
    numberOf(cached, 'prompts/list');
    numberOf(cached, 'tools/list', { cursor });
    expect(keys).toBe(1);
    hint({ ttlMs: 0 });
    clock.time = 1000;
    numberOf(cached, 'prompts/list');
    numberOf(cached, 'prompts/list', { cursor });
    expect(keys).toBe(1);
  });

  it('derives from the table that is given', () => {
    const row = { kind: 'request', from: 'client', params: methods.ping.params } as const;
    const table: MethodTable = extend(methods, {
      'example/look': { ...row, cacheable: true },
      'tools/list': { ...row },
    });
    const { cached } = numbered({}, { table });
    expect([numberOf(cached, 'example/look'), numberOf(cached, 'example/look')]).toEqual([1, 1]);
    expect([numberOf(cached, 'tools/list'), numberOf(cached, 'tools/list')]).toEqual([2, 3]);
  });

  it('is fresh from when it was received, not from when it was asked for (CACHE-07)', () => {
    const { cached, answer, asked, clock } = manual();
    ask(cached, 'tools/list');
    clock.time = 700;
    answer(0, {});
    clock.time = 1699;
    expect(resultOf(cached, 'tools/list')).toBeDefined();
    clock.time = 1700;
    ask(cached, 'tools/list');
    expect(asked).toHaveLength(2);
  });

  it('is fetched again when it is next asked for, and not before (CACHE-09, CACHE-10)', () => {
    const { cached, asked, clock } = numbered();
    numberOf(cached, 'tools/list');
    clock.time = 100_000;
    expect(asked).toHaveLength(1);
    expect(numberOf(cached, 'tools/list')).toBe(2);
    expect(numberOf(cached, 'tools/list')).toBe(2);
  });

  it.each([0, -1, 0.5, 1000.5, Infinity, NaN, 1e300, '1000', null, undefined])(
    'is nothing whose time is %s (CACHE-07, CACHE-08)',
    (ttlMs) => {
      const { cached } = numbered({ ttlMs, cacheScope: 'public' });
      expect([numberOf(cached, 'tools/list'), numberOf(cached, 'tools/list')]).toEqual([1, 2]);
    },
  );

  it('is not believed for longer than a day', () => {
    const { cached, clock } = numbered({ ttlMs: Number.MAX_SAFE_INTEGER });
    numberOf(cached, 'tools/list');
    clock.time = 86_399_999;
    expect(numberOf(cached, 'tools/list')).toBe(1);
    clock.time = 86_400_000;
    expect(numberOf(cached, 'tools/list')).toBe(2);
  });

  it('is fetched again after the clock was put back', () => {
    const { cached, clock } = numbered();
    clock.time = 5000;
    numberOf(cached, 'tools/list');
    clock.time = 4999;
    expect(numberOf(cached, 'tools/list')).toBe(2);
  });

  it('says how much of its time is left, so that caches in a row do not add up', () => {
    const near = numbered();
    const far = cache({ scheduler: near.clock })(near.cached);
    near.clock.time = 100;
    expect(resultOf(near.cached, 'tools/list')).toEqual({ ...hints, n: 1 });
    near.clock.time = 400;
    expect(resultOf(far, 'tools/list')).toEqual({ ...hints, ttlMs: 700, n: 1 });
    near.clock.time = 1099;
    expect(resultOf(far, 'tools/list')).toEqual({ ...hints, ttlMs: 1, n: 1 });
    near.clock.time = 1100;
    expect(resultOf(far, 'tools/list')).toEqual({ ...hints, n: 2 });
  });

  it('is handed on as it is, not copied', () => {
    const { cached } = numbered({ tools: [{ name: 't' }] });
    expect(resultOf(cached, 'tools/list')['tools']).toBe(resultOf(cached, 'tools/list')['tools']);
  });

  it.each(['input_required', 'example.com/later', null])('is no result of the type %s (CACHE-02)', (resultType) => {
    const { cached } = numbered({ resultType });
    expect([numberOf(cached, 'resources/read'), numberOf(cached, 'resources/read')]).toEqual([1, 2]);
  });

  it('may lack a result type, which means complete (RPC-21)', () => {
    const { cached } = numbered({ resultType: undefined });
    expect([numberOf(cached, 'resources/read'), numberOf(cached, 'resources/read')]).toEqual([1, 1]);
  });

  it.each([{ inputResponses: {} }, { requestState: 'state' }, { inputResponses: {}, requestState: '' }])(
    'has nothing to do with requests that carry input: %j (CACHE-06)',
    (input) => {
      const { cached } = numbered({ cacheScope: 'public' });
      const params = { uri: 'a:b' };
      expect(numberOf(cached, 'resources/read', { ...params, ...input })).toBe(1);
      expect(numberOf(cached, 'resources/read', params)).toBe(2);
      expect(numberOf(cached, 'resources/read', { ...params, ...input })).toBe(3);
      expect(numberOf(cached, 'resources/read', { ...params, ...input })).toBe(4);
      expect(numberOf(cached, 'resources/read', params)).toBe(2);
    },
  );

  it('is no error; and a failed fetch brings nothing stale back', () => {
    const clock = { time: 0, now: () => clock.time };
    const failure = new RpcError({ code: -32603, message: 'broken' });
    let broken = true;
    const { exchange, asked } = recording(() => (broken ? throwError(() => failure) : of({ result: hints })));
    const cached = cache({ scheduler: clock })(exchange);
    expect(ask(cached, 'tools/list').seen).toEqual([failure]);
    broken = false;
    expect(ask(cached, 'tools/list').seen).toEqual([{ result: hints }, 'complete']);
    broken = true;
    clock.time = 1000;
    expect(ask(cached, 'tools/list').seen).toEqual([failure]);
    expect(asked).toHaveLength(3);
  });

  it('comes without the notices that came with it; what is fetched comes with them', () => {
    const notice = { method: 'notifications/progress', params: { progress: 1 } };
    const cached = cache()(() => of(notice, { result: hints }));
    const params = { _meta: { progressToken: 7, 'io.modelcontextprotocol/logLevel': 'debug' } };
    expect(ask(cached, 'tools/list', params).seen).toEqual([notice, { result: hints }, 'complete']);
    const { seen } = ask(cached, 'tools/list', params);
    expect(seen).toEqual([{ result: expect.objectContaining({ resultType: 'complete' }) as unknown }, 'complete']);
  });

  it('is looked for on subscription, each time', () => {
    const { cached, asked, clock } = numbered();
    const answers$ = cached({ method: 'tools/list' }, {});
    expect(asked).toEqual([]);
    const seen: unknown[] = [];
    for (const time of [0, 500, 1000]) {
      clock.time = time;
      answers$.pipe(filter(isAnswer)).subscribe(({ result }) => seen.push(result['n']));
    }
    expect(seen).toEqual([1, 1, 2]);
  });

  it('is kept for each wrapped exchange by itself', () => {
    const wrap = cache({ scheduler: { now: () => 0 } });
    const one = wrap(() => of({ result: { ...hints, cacheScope: 'public', of: 'one' } }));
    const other = wrap(() => of({ result: { ...hints, cacheScope: 'public', of: 'other' } }));
    expect([resultOf(one, 'tools/list')['of'], resultOf(other, 'tools/list')['of']]).toEqual(['one', 'other']);
  });
});

describe('what counts as the same request', () => {
  const uri = 'file:///a';

  it('has the same method and params (CACHE-05)', () => {
    const { cached } = numbered();
    const asked: readonly (readonly [string, JsonObject?])[] = [
      ['tools/list'],
      ['prompts/list'],
      ['tools/list', { cursor: '' }],
      ['tools/list', { cursor: 'x' }],
      ['tools/list', { cursor: '1' }],
      ['tools/list', { cursor: 1 }],
      ['resources/read', { uri }],
      ['resources/read', { uri: `${uri}b` }],
      ['resources/read', { uri, 'example.com/form': { short: true } }],
      ['resources/read', { uri, 'example.com/form': { short: [true] } }],
    ];
    const numbers = asked.map((_, index) => index + 1);
    expect(asked.map(([method, params]) => numberOf(cached, method, params))).toEqual(numbers);
    expect(asked.map(([method, params]) => numberOf(cached, method, params))).toEqual(numbers);
  });

  it('may lack params, or have its members in any order, at any depth (AMB-16)', () => {
    const { cached } = numbered();
    for (const params of [undefined, {}, { _meta: {} }, { cursor: undefined }])
      expect(numberOf(cached, 'tools/list', params)).toBe(1);
    const deep = { a: [{ x: 1, y: { p: 1, q: 2 } }], b: 2 };
    expect(numberOf(cached, 'resources/read', { uri, deep })).toBe(2);
    const other = { b: 2, a: [reversed({ x: 1, y: reversed({ p: 1, q: 2 }) })] };
    expect(numberOf(cached, 'resources/read', { deep: other, uri })).toBe(2);
    expect(numberOf(cached, 'resources/read', { uri, deep: { ...deep, a: [{ x: 2, y: { p: 1, q: 2 } }] } })).toBe(3);
  });

  it.each(['private', 'public'])('is of the same version and client capabilities, %s or not (AMB-16)', (cacheScope) => {
    const { cached } = numbered({ cacheScope });
    const metas = [
      {},
      { [version]: '2026-07-28' },
      { [version]: 'draft' },
      { [version]: 'draft', [capabilities]: {} },
      { [version]: 'draft', [capabilities]: { elicitation: {}, extensions: { 'example.com/apps': {} } } },
      { [version]: 'draft', [capabilities]: { elicitation: {}, extensions: {} } },
    ];
    const numbers = metas.map((_, index) => index + 1);
    for (const order of [(meta: JsonObject) => meta, reversed])
      expect(metas.map((meta) => numberOf(cached, 'tools/list', { _meta: order(meta) }))).toEqual(numbers);
    const again = { [version]: 'draft', [capabilities]: { extensions: { 'example.com/apps': {} }, elicitation: {} } };
    expect(numberOf(cached, 'tools/list', { _meta: again })).toBe(5);
  });

  it('may differ in all else that `_meta` says: a progress token, a log level, a trace', () => {
    const { cached } = numbered();
    for (const _meta of [
      { progressToken: 1 },
      { progressToken: 2, 'io.modelcontextprotocol/logLevel': 'debug' },
      { 'io.modelcontextprotocol/clientInfo': { name: 'c', version: '1' }, traceparent: '00-1' },
    ])
      expect(numberOf(cached, 'tools/list', { _meta })).toBe(1);
  });
});

describe('who is answered with what', () => {
  const callers = [{ principal: 'ada' }, { principal: 'bob' }, {}, { principal: '' }, { principal: 'undefined' }];

  it.each(['private', undefined, 'shared', null])(
    '%s is for the one who asked, nobody included (CACHE-12)',
    (scope) => {
      const { cached } = numbered({ cacheScope: scope });
      for (const round of [1, 2])
        expect([round, ...callers.map((context) => numberOf(cached, 'tools/list', {}, context))]).toEqual([
          round,
          ...[1, 2, 3, 4, 5],
        ]);
    },
  );

  it('public is for all (CACHE-13)', () => {
    const { cached } = numbered({ cacheScope: 'public' });
    expect(callers.map((context) => numberOf(cached, 'tools/list', {}, context))).toEqual([1, 1, 1, 1, 1]);
  });

  it('what has become private is not shared any longer, and what has become public is', () => {
    const { cached, clock, hint } = numbered({ cacheScope: 'public', ttlMs: 10 });
    const [ada, bob] = [{ principal: 'ada' }, { principal: 'bob' }];
    numberOf(cached, 'tools/list', {}, ada);
    clock.time = 10;
    hint({ ttlMs: 10 });
    expect(numberOf(cached, 'tools/list', {}, ada)).toBe(2);
    expect(numberOf(cached, 'tools/list', {}, bob)).toBe(3);
    expect(numberOf(cached, 'tools/list', {}, ada)).toBe(2);
    clock.time = 20;
    hint({ cacheScope: 'public' });
    expect(numberOf(cached, 'tools/list', {}, ada)).toBe(4);
    expect(numberOf(cached, 'tools/list', {}, bob)).toBe(4);
  });

  it('of two answers to one request the newest counts, whoever it is for', () => {
    const { cached, answer } = manual();
    const [ada, bob] = [{ principal: 'ada' }, { principal: 'bob' }];
    ask(cached, 'tools/list', {}, ada);
    ask(cached, 'tools/list', {}, ada);
    answer(0, { n: 1 });
    answer(1, { n: 2, cacheScope: 'public' });
    expect(numberOf(cached, 'tools/list', {}, ada)).toBe(2);
    expect(numberOf(cached, 'tools/list', {}, bob)).toBe(2);
  });

  it('nor is what was public kept beside what is private now', () => {
    const { cached, answer, asked } = manual();
    const [ada, bob] = [{ principal: 'ada' }, { principal: 'bob' }];
    ask(cached, 'tools/list', {}, ada);
    ask(cached, 'tools/list', {}, ada);
    answer(0, { n: 1, cacheScope: 'public' });
    answer(1, { n: 2 });
    expect(numberOf(cached, 'tools/list', {}, ada)).toBe(2);
    ask(cached, 'tools/list', {}, bob);
    expect(asked).toHaveLength(3);
  });

  it('no name of a principal reaches what is another’s', () => {
    const { cached } = numbered();
    const names = ['ada', ':ada', 'private', 'private:ada', '"]private:ada', 'public'];
    const all = (): readonly unknown[] => names.map((principal) => numberOf(cached, 'tools/list', {}, { principal }));
    expect(all()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(all()).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('a change that is told of', () => {
  it.each([
    ['notifications/tools/list_changed', ['tools/list']],
    ['notifications/prompts/list_changed', ['prompts/list']],
    ['notifications/resources/list_changed', ['resources/list', 'resources/templates/list']],
    ['notifications/message', []],
    ['notifications/progress', []],
    ['notifications/no/such', []],
    ['constructor', []],
  ])('%s drops %j, whoever it is kept for (CACHE-14)', (method, dropped) => {
    expect(droppedBy({ method })).toEqual(dropped);
    expect(droppedBy({ method }, 'ada')).toEqual(dropped);
  });

  it('drops what was read of an updated resource, of a whole that it is part of, and of its parts (CACHE-14, RES-14)', () => {
    const reads = ['file:///dir', 'file:///dir/a', 'file:///dir/a/b', 'file:///dir/ab', 'file:///', 'note:1'].map(read);
    const updated = (uri: unknown): Emission => ({ method: 'notifications/resources/updated', params: { uri } });
    expect(afterHearing(updated('file:///dir/a'), reads)).toEqual([false, false, false, true, false, true]);
    expect(afterHearing(updated('note:1'), reads)).toEqual([true, true, true, true, true, false]);
    expect(afterHearing(updated(undefined), reads)).toEqual([true, true, true, true, true, true]);
    expect(droppedBy(updated('file:///a'))).toEqual(['resources/read']);
    expect(droppedBy(updated('file:///b'))).toEqual([]);
  });

  it('is told of by what the table says, and has to do with a capability', () => {
    const row = { kind: 'notification', from: 'server', params: methods['notifications/message'].params } as const;
    const table: MethodTable = extend(methods, {
      'notifications/example': { ...row, notice: 'toolsListChanged' },
      'notifications/other': { ...row, notice: 'toolsListChanged', serverCapability: 'prompts' },
    });
    const { cached, notices, answer, asked } = manual({ table });
    ask(cached, listen);
    for (const method of ['server/discover', 'tools/list', 'prompts/list']) ask(cached, method);
    for (const nth of [0, 1, 2]) answer(nth, {});
    notices.next({ method: 'notifications/example' });
    for (const method of ['server/discover', 'tools/list', 'prompts/list']) ask(cached, method);
    expect(asked.slice(4).map(({ method }) => method)).toEqual(['tools/list', 'prompts/list']);
  });

  it('drops all pages of a list, of all versions and capabilities', () => {
    const pages = [{}, { cursor: 'x' }, { _meta: { [version]: 'draft' } }].map((params) => ({
      method: 'tools/list',
      params,
    }));
    expect(afterHearing({ method: 'notifications/tools/list_changed' }, pages)).toEqual([false, false, false]);
  });

  it('is known before whoever listens is told, so that asking at once is asking anew', () => {
    const notices = new Subject<Emission>();
    const { exchange, asked } = recording(({ method }) => (method === listen ? notices : of({ result: hints })));
    const cached = cache()(exchange);
    resultOf(cached, 'tools/list');
    cached({ method: listen }, {}).subscribe(() => resultOf(cached, 'tools/list'));
    notices.next({ method: 'notifications/tools/list_changed' });
    expect(asked.map(({ method }) => method)).toEqual(['tools/list', listen, 'tools/list']);
  });

  it('passes through, as all does that a subscription says', () => {
    const said: readonly Emission[] = [
      { method: 'notifications/subscriptions/acknowledged', params: { notifications: { toolsListChanged: true } } },
      { method: 'notifications/subscriptions/acknowledged' },
      { method: 'notifications/tools/list_changed' },
      { method: 'notifications/resources/updated', params: { uri: 'a:b' } },
      { result: { resultType: 'complete' } },
    ];
    expect(
      ask(
        cache()(() => of(...said)),
        listen,
      ).seen,
    ).toEqual([...said, 'complete']);
  });

  it('says nothing where it is not on a subscription', () => {
    const changed = { method: 'notifications/prompts/list_changed' };
    const { exchange, asked } = recording(() => of(changed, { result: hints }));
    const cached = cache()(exchange);
    ask(cached, 'prompts/list');
    ask(cached, 'tools/call');
    ask(cached, 'prompts/list');
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['tools/list', {}, { method: 'notifications/tools/list_changed' }],
    ['resources/read', { uri: 'a:b' }, { method: 'notifications/resources/updated', params: { uri: 'a:b' } }],
  ])('while an answer to %s is on its way keeps that from being kept', (method, params, notice) => {
    const { cached, answer, notices, asked } = manual();
    ask(cached, listen);
    const first = ask(cached, method, params);
    notices.next(notice);
    const second = ask(cached, method, params);
    answer(0, { n: 'old' });
    answer(1, { n: 'new' });
    // Whoever asked before the change is given what was asked for.
    expect(first.seen).toEqual([{ result: { ...hints, n: 'old' } }, 'complete']);
    expect(second.seen).toEqual([{ result: { ...hints, n: 'new' } }, 'complete']);
    expect(numberOf(cached, method, params)).toBe('new');
    expect(asked).toHaveLength(3);
  });

  it('also where the old answer comes last', () => {
    const { cached, answer, notices } = manual();
    ask(cached, listen);
    ask(cached, 'tools/list');
    notices.next({ method: 'notifications/tools/list_changed' });
    ask(cached, 'tools/list');
    answer(1, { n: 'new' });
    answer(0, { n: 'old' });
    expect(numberOf(cached, 'tools/list')).toBe('new');
  });

  it('while an answer about something else is on its way leaves that alone', () => {
    const { cached, answer, notices, asked } = manual();
    ask(cached, listen);
    ask(cached, 'tools/list');
    ask(cached, 'resources/read', { uri: 'a:b' });
    notices.next({ method: 'notifications/prompts/list_changed' });
    notices.next({ method: 'notifications/resources/updated', params: { uri: 'a:c' } });
    answer(0, {});
    answer(1, {});
    resultOf(cached, 'tools/list');
    resultOf(cached, 'resources/read', { uri: 'a:b' });
    expect(asked).toHaveLength(3);
  });
});

describe('a subscription that begins', () => {
  const acknowledged = (notifications: JsonObject): Emission => ({
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications },
  });

  it('drops what it will tell of: that may have changed before, without a word', () => {
    expect(droppedBy(acknowledged({ toolsListChanged: true }))).toEqual(['tools/list']);
    expect(droppedBy(acknowledged({ promptsListChanged: true, toolsListChanged: false }))).toEqual(['prompts/list']);
    expect(droppedBy(acknowledged({ resourcesListChanged: true }))).toEqual([
      'resources/list',
      'resources/templates/list',
    ]);
    expect(droppedBy(acknowledged({ resourceSubscriptions: ['x:y', 'file:///a'] }))).toEqual(['resources/read']);
    expect(droppedBy(acknowledged({ resourceSubscriptions: ['x:y'] }))).toEqual([]);
    expect(droppedBy(acknowledged({ 'example.com/all': true }))).toEqual([]);
    expect(droppedBy(acknowledged({}))).toEqual([]);
  });

  it('drops all that was read where it names too many resources to look through', () => {
    const named = (count: number): Emission =>
      acknowledged({ resourceSubscriptions: Array.from({ length: count }, (_, index) => `x:${index}`) });
    expect(droppedBy(named(1000))).toEqual([]);
    expect(droppedBy(named(1001))).toEqual(['resources/read']);
  });

  it('leaves what is kept for others', () => {
    expect(droppedBy(acknowledged({ toolsListChanged: true }), 'ada')).toEqual([]);
  });

  it('drops what is for all, whoever asked for it', () => {
    const { cached, answer, notices, asked } = manual();
    ask(cached, listen, {}, { principal: 'bob' });
    ask(cached, 'tools/list', {}, { principal: 'ada' });
    answer(0, { cacheScope: 'public' });
    notices.next(acknowledged({ toolsListChanged: true }));
    ask(cached, 'tools/list', {}, { principal: 'bob' });
    expect(asked).toHaveLength(3);
  });

  it('and answers on their way that were asked for before it, by anybody, are not kept', () => {
    const { cached, answer, notices, asked } = manual();
    ask(cached, listen, {}, { principal: 'bob' });
    ask(cached, 'tools/list');
    notices.next(acknowledged({ toolsListChanged: true }));
    answer(0, {});
    ask(cached, 'tools/list');
    expect(asked).toHaveLength(3);
  });
});

describe('a cursor that is refused (CACHE-15)', () => {
  /** A cache before what fails where this param is bad. */
  const refusing = (error: unknown, param = 'cursor') => {
    const { exchange, asked } = recording(({ params }) =>
      params?.[param] === 'bad' ? throwError(() => error) : of({ result: hints }),
    );
    const cached = cache({ scheduler: { now: () => 0 } })(exchange);
    const isKept = (method: string, params?: JsonObject, context?: Context): boolean => {
      const before = asked.length;
      ask(cached, method, params, context);
      return asked.length === before;
    };
    return { cached, isKept };
  };

  it('drops all pages of its list, and of no other', () => {
    const { cached, isKept } = refusing(invalidParams('cursor is none that this server has given'));
    const pages = [{}, { cursor: '2' }, { cursor: '3' }];
    for (const params of pages) resultOf(cached, 'tools/list', params);
    resultOf(cached, 'prompts/list', { cursor: '2' });
    expect(ask(cached, 'tools/list', { cursor: 'bad' }).seen).toMatchObject([{ code: -32602 }]);
    expect(pages.map((params) => isKept('tools/list', params))).toEqual([false, false, false]);
    expect(isKept('prompts/list', { cursor: '2' })).toBe(true);
  });

  it('drops nothing that is kept for others', () => {
    const { cached, isKept } = refusing(invalidParams('no'));
    resultOf(cached, 'tools/list', {}, { principal: 'ada' });
    ask(cached, 'tools/list', { cursor: 'bad' }, { principal: 'bob' });
    expect(isKept('tools/list', {}, { principal: 'ada' })).toBe(true);
  });

  it('is not any failure, nor one of a request without a cursor, nor of a read', () => {
    for (const error of [new RpcError({ code: -32603, message: 'broken' }), new Error('broken')]) {
      const { cached, isKept } = refusing(error);
      resultOf(cached, 'tools/list');
      ask(cached, 'tools/list', { cursor: 'bad' });
      expect(isKept('tools/list')).toBe(true);
    }
    const { cached, isKept } = refusing(invalidParams('no'));
    resultOf(cached, 'resources/read', { uri: 'a:b' });
    ask(cached, 'resources/read', { uri: 'a:c', cursor: 'bad' });
    expect(isKept('resources/read', { uri: 'a:b' })).toBe(true);
  });

  it('is none where there was no cursor', () => {
    const { cached, isKept } = refusing(invalidParams('no'), 'strange');
    resultOf(cached, 'tools/list', { cursor: '2' });
    ask(cached, 'tools/list', { strange: 'bad' });
    expect(isKept('tools/list', { cursor: '2' })).toBe(true);
  });
});

describe('what is kept is bounded', () => {
  it('by number: what was used least recently goes first', () => {
    const { cached } = numbered({}, { entries: 2 });
    const get = (cursor: string): unknown => numberOf(cached, 'tools/list', { cursor });
    expect([get('a'), get('b'), get('a'), get('c')]).toEqual([1, 2, 1, 3]);
    expect([get('a'), get('c'), get('b'), get('a')]).toEqual([1, 3, 4, 5]);
  });

  it('by number over all methods and callers', () => {
    const { cached } = numbered({}, { entries: 2 });
    numberOf(cached, 'tools/list');
    numberOf(cached, 'prompts/list', {}, { principal: 'ada' });
    numberOf(cached, 'prompts/list', {}, { principal: 'bob' });
    expect(numberOf(cached, 'prompts/list', {}, { principal: 'ada' })).toBe(2);
    expect(numberOf(cached, 'tools/list')).toBe(4);
  });

  it('by size, and nothing that alone needs over a quarter is kept', () => {
    const sized = (length: number, form: (text: string) => unknown = (text) => text) => {
      const { cached } = numbered({ text: form('x'.repeat(length)) }, { bytes: 4000 });
      return (...cursors: readonly string[]): readonly unknown[] =>
        cursors.map((cursor) => numberOf(cached, 'tools/list', { cursor }));
    };
    // Four of some 900 characters fit.
    expect(sized(780)('a', 'b', 'c', 'd', 'a', 'b', 'c', 'd')).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
    expect(sized(780)('a', 'b', 'c', 'd', 'e', 'b', 'c', 'd', 'e', 'a')).toEqual([1, 2, 3, 4, 5, 2, 3, 4, 5, 6]);
    expect(sized(1001)('a', 'a')).toEqual([1, 2]);
    expect(sized(1001, (text) => [...text])('a', 'a')).toEqual([1, 2]);
    expect(sized(1001, (text) => ({ [text]: 1 }))('a', 'a')).toEqual([1, 2]);
    expect(sized(1)('a'.repeat(1001), 'a'.repeat(1001))).toEqual([1, 2]);
  });

  it('by size roughly as it is in JSON', () => {
    const list = Array.from({ length: 100 }, (_, n) => ({ name: `tool-${n}`, inputSchema: { type: 'object' }, n }));
    const length = JSON.stringify({ ...hints, list }).length;
    const fits = (bytes: number): boolean => {
      const { cached } = numbered({ list }, { bytes });
      return numberOf(cached, 'tools/list') === numberOf(cached, 'tools/list');
    };
    expect([fits(length * 4 * 0.7), fits(length * 4 * 1.4)]).toEqual([false, true]);
  });

  it('and room that was let go of can be used again', () => {
    const { cached, clock } = numbered({ text: 'x'.repeat(780) }, { bytes: 4000 });
    const get = (cursor: string): unknown => numberOf(cached, 'tools/list', { cursor });
    for (const time of [0, 1000, 2000, 3000]) {
      clock.time = time;
      const first = ['a', 'b', 'c', 'd'].map(get);
      expect(['a', 'b', 'c', 'd'].map(get)).toEqual(first);
    }
  });

  it('to nothing by 0', () => {
    for (const none of [{ entries: 0 }, { bytes: 0 }]) {
      const { cached } = numbered({}, none);
      expect([numberOf(cached, 'tools/list'), numberOf(cached, 'tools/list')]).toEqual([1, 2]);
    }
  });

  it('whatever an exchange in this process answers, even what goes round in circles', () => {
    const round: Record<string, unknown> = { ...hints };
    round['self'] = round;
    const { exchange, asked } = recording(() => of({ result: round }));
    const cached = cache({ bytes: 4000 })(exchange);
    expect(resultOf(cached, 'tools/list')).toBe(round);
    resultOf(cached, 'tools/list');
    expect(asked).toHaveLength(2);
  });
});

describe('a cache', () => {
  it('asks as it was asked, and cancels what is cancelled', () => {
    const ledger = createLedger();
    const { exchange, asked, contexts } = recording(() => NEVER.pipe(ledger.watch('fetch')));
    const cached = cache()(exchange);
    const context = { principal: 'ada', headers: { host: 'x' } };
    const params = { uri: 'a:b', _meta: { progressToken: 1 } };
    const { stop, seen } = ask(cached, 'resources/read', params, context);
    expect(asked[0]?.params).toBe(params);
    expect(contexts[0]).toBe(context);
    expect(ledger.live).toEqual({ fetch: 1 });
    stop();
    expect([ledger.live, seen]).toEqual([{}, []]);
  });

  it.each(['answered', 'failed', 'cancelled'])('remembers nothing of a request that was %s', async (how) => {
    const answers$ = how === 'answered' ? of({ result: {} }) : how === 'failed' ? throwError(() => 'no') : NEVER;
    const cached = cache()(() => answers$);
    const asked = (): WeakRef<object> => {
      const uri = {};
      ask(cached, 'resources/read', { uri }).stop();
      return new WeakRef(uri);
    };
    const uri = asked();
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(uri.deref()).toBeUndefined();
  });

  it('passes on what ends without an answer', () => {
    expect(
      ask(
        cache()(() => of()),
        'tools/list',
      ).seen,
    ).toEqual(['complete']);
  });

  it('fails what cannot be asked for, on the error channel', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const { cached } = numbered();
    expect(ask(cached, 'tools/list', circle).seen).toEqual([expect.any(Error)]);
  });

  it('holds what is to be held', () => {
    const held$ = NEVER;
    expect(cache()(Object.assign(() => of(), { held$ })).held$).toBe(held$);
    expect('held$' in cache()(() => of())).toBe(false);
  });
});

describe('before a client', () => {
  const resultFrom = (exchange: Exchange, method: string, params?: JsonObject): Promise<JsonObject> =>
    firstValueFrom(
      exchange(params === undefined ? { method } : { method, params }, {}).pipe(
        filter(isAnswer),
        map(({ result }) => result),
      ),
    );
  const names = async (exchange: Exchange, params?: JsonObject): Promise<readonly unknown[]> =>
    namesOf((await resultFrom(exchange, 'tools/list', params))['tools']);

  /** A server whose list and resource change by hand, and a client of it behind a cache. */
  const house = async (revision: Revision = '2026-07-28') => {
    const clock = { time: 0, now: () => clock.time };
    const list$ = new BehaviorSubject(['a', 'b']);
    const changed$ = new Subject<string>();
    const far = serverWith(
      { cache: { ttlMs: 60_000, scope: 'private' }, coalesceMs: 0, pageSize: 2 },
      { name: 'house', version: '1' },
      tools(list$.pipe(map((listed) => listed.map((name) => tool(name, {}, () => name))))),
      resource('note:1', {}, () => String(list$.value)),
      updates(changed$),
    );
    const { client, wire } = await linked(far, { revision });
    const cached = cache({ scheduler: clock })(client.exchange);
    const sent = (method: string): number =>
      wire.overheard.filter(({ way, message }) => way === 'out' && message['method'] === method).length;
    return { client, wire, cached, sent, clock, list$, changed$, [Symbol.asyncDispose]: () => client.close() };
  };

  /** Listens; `next` waits for what is heard next. */
  const listening = (exchange: Exchange, notifications: JsonObject) => {
    const heard = new ReplaySubject<Emission>(Infinity);
    const subscription = exchange({ method: listen, params: { notifications } }, {}).subscribe(heard);
    let taken = 0;
    return {
      next: () => firstValueFrom(heard.pipe(skip(taken++))),
      [Symbol.dispose]: () => subscription.unsubscribe(),
    };
  };

  it('asks a server once for as long as its answer holds', async () => {
    await using it = await house();
    expect([await names(it.cached), await names(it.cached)]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(it.sent('tools/list')).toBe(1);
    it.clock.time = 60_000;
    it.list$.next(['c']);
    expect(await names(it.cached)).toEqual(['c']);
    expect(it.sent('tools/list')).toBe(2);
    expect(breaches(it.wire.overheard)).toEqual([]);
  });

  it('keeps pages one by one (CACHE-15)', async () => {
    await using it = await house();
    it.list$.next(['a', 'b', 'c']);
    const { nextCursor } = await resultFrom(it.cached, 'tools/list');
    it.clock.time = 30_000;
    expect(await names(it.cached, { cursor: nextCursor })).toEqual(['c']);
    expect(await names(it.cached)).toEqual(['a', 'b']);
    expect(it.sent('tools/list')).toBe(2);
    it.clock.time = 60_000;
    it.list$.next(['a', 'z', 'c']);
    expect(await names(it.cached, { cursor: nextCursor })).toEqual(['c']);
    expect(await names(it.cached)).toEqual(['a', 'z']);
    expect(it.sent('tools/list')).toBe(3);
  });

  it('forgets pages when the server refuses a cursor (CACHE-15)', async () => {
    await using it = await house();
    await names(it.cached);
    await expect(names(it.cached, { cursor: '?' })).rejects.toMatchObject({ code: -32602 });
    await names(it.cached);
    expect(it.sent('tools/list')).toBe(3);
  });

  it('forgets what the server says has changed, and nothing else (CACHE-14)', async () => {
    await using it = await house();
    using ear = listening(it.cached, { toolsListChanged: true, resourceSubscriptions: ['note:1'] });
    expect(await ear.next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });
    await names(it.cached);
    await resultFrom(it.cached, 'resources/read', { uri: 'note:1' });
    it.list$.next(['c']);
    expect(await ear.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
    expect(await names(it.cached)).toEqual(['c']);
    expect((await resultFrom(it.cached, 'resources/read', { uri: 'note:1' }))['contents']).toMatchObject([
      { text: 'a,b' },
    ]);
    it.changed$.next('note:1');
    expect(await ear.next()).toMatchObject({ method: 'notifications/resources/updated' });
    expect((await resultFrom(it.cached, 'resources/read', { uri: 'note:1' }))['contents']).toMatchObject([
      { text: 'c' },
    ]);
    expect([it.sent('tools/list'), it.sent('resources/read')]).toEqual([2, 2]);
    expect(breaches(it.wire.overheard)).toEqual([]);
  });

  it('gives nobody who has begun to listen what may have changed before', async () => {
    await using it = await house();
    expect(await names(it.cached)).toEqual(['a', 'b']);
    it.list$.next(['c']);
    expect(await names(it.cached)).toEqual(['a', 'b']);
    using ear = listening(it.cached, { toolsListChanged: true });
    await ear.next();
    expect(await names(it.cached)).toEqual(['c']);
  });

  it('keeps nothing of a server that cannot say for how long it holds (BR-04)', async () => {
    await using it = await house('2025-11-25');
    await names(it.cached);
    it.list$.next(['c']);
    expect(await names(it.cached)).toEqual(['c']);
  });

  it('answers many callers of what is served on, each by what it can do itself (AMB-17)', async () => {
    await using it = await house();
    await using one = await linked(it.cached, { revision: '2026-07-28' });
    await using other = await linked(it.cached, { revision: '2026-07-28' });
    await using able = await linked(it.cached, {
      revision: '2026-07-28',
      client: { capabilities: { experimental: { 'example.com/x': {} } } },
    });
    for (const { client } of [one, other, one, other])
      expect(namesOf(await firstValueFrom(client.listTools()))).toEqual(['a', 'b']);
    expect(it.sent('tools/list')).toBe(1);
    await firstValueFrom(able.client.listTools());
    expect(it.sent('tools/list')).toBe(2);
    for (const { wire } of [one, other, able]) expect(breaches(wire.overheard)).toEqual([]);
  });
});
