import { BehaviorSubject, concat, defer, EMPTY, NEVER, of, Subject, throwError, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  codes,
  ConnectionClosed,
  demand,
  extend,
  log,
  mergeServers,
  methodNotFound,
  methods,
  Misconfigured,
  progress,
  prompt,
  resource,
  resourceTemplate,
  RpcError,
  Schema,
  server,
  serverWith,
  tool,
  tools,
  updates,
  type Emission,
  type Exchange,
  type JsonObject,
  type Revision,
  type ToolFeature,
} from 'rxmcp';
import { breaches, createLedger, linked, unanswered, type Tapped } from 'rxmcp/testing';
import { ask, namesOf, recording, resultOf } from './ask.ts';

const info = { name: 'house', version: '2' };
const serverInfo = 'io.modelcontextprotocol/serverInfo';

const files = serverWith(
  { pageSize: 2 },
  { name: 'files', version: '1', instructions: 'Look first.' },
  tool('search', {}, (_, call) => `found by ${String(call.meta['example.com/who'])}`),
  tool('stats', {}, () => 'counted'),
  tool('sum.up', {}, () => 'summed up'),
  prompt('review', { arguments: { code: { complete: (typed) => [`${typed}!`] } } }, ({ code }) => `files: ${code}`),
  resource('file:///log', { name: 'log' }, () => 'files'),
  resourceTemplate('file:///{+path}', { complete: { path: (typed) => [`${typed}.txt`] } }, ({ path }) =>
    path === 'missing' ? undefined : `files: ${String(path)}`,
  ),
);

const clock = server(
  { name: 'clock', version: '1', instructions: 'Time flies.' },
  tool('now', {}, () => 'noon'),
  tool('search', {}, () => 'a moment'),
  prompt('review', { arguments: { code: '' } }, ({ code }) => `clock: ${code}`),
  resource('clock:///time', { name: 'time' }, () => 'noon'),
  resource('file:///log', { name: 'log' }, () => 'clock'),
);

const bare = server(
  { name: 'bare', version: '1' },
  tool('nothing', {}, () => 'nothing'),
);

const both = mergeServers(info, { files, clock });

describe('several servers as one', () => {
  it('offer what all of them offer, under the name of the whole', () => {
    expect(resultOf(both, 'server/discover')).toEqual({
      resultType: 'complete',
      supportedVersions: expect.arrayContaining(['2026-07-28']) as unknown,
      capabilities: { tools: {}, prompts: {}, resources: {}, completions: {}, logging: {} },
      instructions: 'Look first.\n\nTime flies.',
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { [serverInfo]: info },
    });
    const silent = resultOf(mergeServers(info, { bare }), 'server/discover');
    expect(silent['capabilities']).toEqual({ tools: {}, logging: {} });
    expect('instructions' in silent).toBe(false);
  });

  const saying = (result: JsonObject): Exchange => recording(() => of({ result })).exchange;
  const capable = (capabilities: JsonObject): Exchange => saying({ capabilities });

  it('can tell of what any of them can tell of, though another says that it cannot', () => {
    const telling = capable({ resources: { subscribe: true, listChanged: true }, experimental: { x: { a: 1 } } });
    const mute = capable({ resources: { subscribe: false, listChanged: false }, experimental: { x: { b: 2 } }, y: 1 });
    const capabilities = {
      resources: { subscribe: true, listChanged: true },
      experimental: { x: { a: 1, b: 2 } },
      y: 1,
    };
    for (const parts of [
      { telling, mute },
      { mute, telling },
    ])
      expect(resultOf(mergeServers(info, parts), 'server/discover')).toMatchObject({ capabilities });
  });

  it.each([
    ['fails', () => throwError(() => new ConnectionClosed({ message: 'gone' }))],
    ['ends without an answer', () => EMPTY],
  ])('are found though one of them cannot be: it %s', (_, gone) => {
    for (const parts of [
      { gone, clock },
      { clock, gone },
    ])
      expect(resultOf(mergeServers(info, parts), 'server/discover')).toMatchObject({
        supportedVersions: expect.arrayContaining(['2026-07-28']) as unknown,
        capabilities: { tools: {}, prompts: {}, resources: {} },
        instructions: 'Time flies.',
        ttlMs: 0,
      });
  });

  it('may be kept no longer, and by no more, than each of them', () => {
    const shared = saying({ capabilities: {}, ttlMs: 5000, cacheScope: 'public' });
    const brief = saying({ capabilities: {}, ttlMs: 1000, cacheScope: 'public' });
    const own = saying({ capabilities: {}, ttlMs: 9000, cacheScope: 'private' });
    const hints = (parts: Readonly<Record<string, Exchange>>) => {
      const { ttlMs, cacheScope } = resultOf(mergeServers(info, parts), 'server/discover');
      return [ttlMs, cacheScope];
    };
    expect(hints({ shared, brief })).toEqual([1000, 'public']);
    expect(hints({ shared, own })).toEqual([5000, 'private']);
    expect(hints({ shared, unsaid: capable({}) })).toEqual([0, 'private']);
    expect(hints({ shared, gone: () => EMPTY })).toEqual([0, 'private']);
  });

  it('refuse a prefix that no name may have (NAME-03)', () => {
    expect(() => mergeServers(info, { 'a.b': files })).toThrow(Misconfigured);
  });
});

describe('a name', () => {
  it('of a tool or prompt has its part before it', () => {
    expect(namesOf(resultOf(both, 'tools/list')['tools'])).toEqual(['files.search', 'files.stats']);
    expect(namesOf(resultOf(both, 'prompts/list')['prompts'])).toEqual(['files.review']);
    expect(namesOf(resultOf(both, 'resources/list')['resources'])).toEqual(['log']);
  });

  it('says which part is asked, with the rest of the request as it was', () => {
    const text = (name: string, params: JsonObject = {}) =>
      resultOf(both, 'tools/call', { name, ...params }) as unknown as { readonly content: [{ readonly text: string }] };
    expect(text('files.search', { _meta: { 'example.com/who': 'ada' } }).content[0].text).toBe('found by ada');
    expect(text('clock.search').content[0].text).toBe('a moment');
    expect(text('files.sum.up').content[0].text).toBe('summed up');
    for (const part of ['files', 'clock'])
      expect(resultOf(both, 'prompts/get', { name: `${part}.review`, arguments: { code: 'x' } })).toMatchObject({
        messages: [{ content: { text: `${part}: x` } }],
      });
  });

  it('of a prompt says whose completions are meant', () => {
    const argument = { name: 'code', value: 'x' };
    const complete = (name: string) =>
      ask(both, 'completion/complete', { ref: { type: 'ref/prompt', name }, argument }).seen;
    expect(complete('files.review')).toMatchObject([{ result: { completion: { values: ['x!'] } } }, 'complete']);
    expect(complete('clock.review')).toMatchObject([{ code: codes.methodNotFound }]);
    expect(complete('review')).toMatchObject([{ code: codes.invalidParams }]);
  });

  it.each([
    'search',
    'nobody.search',
    'files',
    '',
    '.',
    '.search',
    '__proto__.x',
    'constructor.name',
    'FILES.search',
    7,
  ])('of no part is unknown, and nobody is asked: %j', (name) => {
    const { exchange, asked } = recording();
    const whole = mergeServers(info, { files: exchange, clock: exchange });
    for (const [method, params] of [
      ['tools/call', { name }],
      ['prompts/get', { name }],
      ['completion/complete', { ref: { type: 'ref/prompt', name } }],
    ] as const)
      expect(ask(whole, method, params).seen).toMatchObject([{ code: codes.invalidParams }]);
    expect(asked).toEqual([]);
  });

  it('that is not given is nobody’s', () => {
    const { exchange, asked } = recording();
    for (const params of [undefined, {}])
      expect(ask(mergeServers(info, { exchange }), 'tools/call', params).seen).toMatchObject([
        { code: codes.invalidParams },
      ]);
    expect(asked).toEqual([]);
  });

  it('that its part does not know is refused by that part, and no other is asked', () => {
    const { exchange, asked } = recording();
    const { seen } = ask(mergeServers(info, { files, other: exchange }), 'tools/call', { name: 'files.nothing' });
    expect(seen).toMatchObject([{ code: codes.invalidParams, message: 'unknown tool: "nothing"' }]);
    expect(asked).toEqual([]);
  });

  it('routes the methods of an extension too, where the whole is told of them', () => {
    const row = { kind: 'request', from: 'client', params: Schema.Unknown as never, nameIn: 'name' } as const;
    const { exchange, asked } = recording();
    const whole = mergeServers(info, { a: files, b: exchange }, extend(methods, { 'example/run': row }));
    ask(whole, 'example/run', { name: 'b.x' });
    expect(asked).toEqual([{ method: 'example/run', params: { name: 'x' } }]);
  });
});

describe('a resource', () => {
  const read = (whole: Exchange, uri: string) => ask(whole, 'resources/read', { uri }).seen;

  it('is read from the first part that has it', () => {
    expect(read(both, 'clock:///time')).toMatchObject([{ result: { contents: [{ text: 'noon' }] } }, 'complete']);
    expect(read(both, 'file:///log')).toMatchObject([{ result: { contents: [{ text: 'files' }] } }, 'complete']);
    const turned = mergeServers(info, { bare, clock, files });
    expect(read(turned, 'file:///log')).toMatchObject([{ result: { contents: [{ text: 'clock' }] } }, 'complete']);
    expect(read(turned, 'file:///a')).toMatchObject([{ result: { contents: [{ text: 'files: a' }] } }, 'complete']);
  });

  it('is asked for no further once a part has it', () => {
    const { exchange, asked } = recording();
    read(mergeServers(info, { files, exchange }), 'file:///log');
    expect(asked).toEqual([]);
  });

  it.each([
    { files, clock },
    { files, bare },
    { bare, files },
    { bare, files, other: bare },
    { files, careful: demand({ tools: {} })(bare) },
  ])('that none has is not found, also where one has no resources (RES-07): %#', (parts) => {
    const uri = 'file:///missing';
    expect(read(mergeServers(info, parts), uri)).toMatchObject([{ code: codes.invalidParams, data: { uri } }]);
  });

  it('is none of a whole without any', () => {
    expect(read(mergeServers(info, { bare, other: bare }), 'a:b')).toMatchObject([{ code: codes.methodNotFound }]);
  });

  it('that a part fails to read is not looked for elsewhere', () => {
    const error = new RpcError({ code: codes.internalError, message: 'disk' });
    const { exchange, asked } = recording();
    expect(read(mergeServers(info, { broken: () => throwError(() => error), exchange }), 'a:b')).toEqual([error]);
    expect(asked).toEqual([]);
  });

  it('is looked for past a part that may not be asked', () => {
    const { exchange, asked } = recording();
    const whole = mergeServers(info, { closed: demand({})(exchange), files });
    expect(read(whole, 'file:///log')).toMatchObject([{ result: { contents: [{ text: 'files' }] } }, 'complete']);
    expect(asked).toEqual([]);
  });

  it('template is completed by the first part that has it', () => {
    const ref = { type: 'ref/resource', uri: 'file:///{+path}' };
    const argument = { name: 'path', value: 'a' };
    for (const parts of [
      { files, clock },
      { bare, clock, files },
    ])
      expect(resultOf(mergeServers(info, parts), 'completion/complete', { ref, argument })).toMatchObject({
        completion: { values: ['a.txt'] },
      });
  });
});

/** A part whose list of tools has these pages, by cursor; undefined is the first. */
const paged = (pages: ReadonlyMap<unknown, JsonObject>) =>
  recording(({ params }) => {
    const page = pages.get(params?.['cursor']);
    return page === undefined
      ? throwError(() => new RpcError({ code: codes.invalidParams, message: 'no such page' }))
      : of({ result: page });
  });

const page = (names: readonly string[], nextCursor?: unknown): JsonObject => ({
  tools: names.map((name) => ({ name })),
  ...(nextCursor === undefined ? undefined : { nextCursor }),
});

/** All pages, by following cursors; each as its names. */
const walk = (whole: Exchange, method: string, member: string): readonly (readonly unknown[])[] => {
  const pages: (readonly unknown[])[] = [];
  for (let params: JsonObject = {}; ;) {
    const { nextCursor, [member]: items } = resultOf(whole, method, params);
    pages.push(namesOf(items));
    if (nextCursor === undefined) return pages;
    expect(nextCursor).toEqual(expect.any(String));
    expect(pages.length).toBeLessThan(20);
    params = { cursor: nextCursor };
  }
};

describe('a list', () => {
  it('is that of each part, page by page, one after the other (PAG-01)', () => {
    const whole = mergeServers(info, { files, clock, bare });
    expect(walk(whole, 'tools/list', 'tools')).toEqual([
      ['files.search', 'files.stats'],
      ['files.sum.up'],
      ['clock.now', 'clock.search'],
      ['bare.nothing'],
    ]);
    expect(walk(whole, 'resources/list', 'resources')).toEqual([['log'], ['time', 'log'], []]);
    expect(walk(whole, 'resources/templates/list', 'resourceTemplates')).toEqual([['file:///{+path}'], [], []]);
    expect(walk(whole, 'prompts/list', 'prompts')).toEqual([['files.review'], ['clock.review'], []]);
  });

  it('hands each part its own cursors back as they were, also an empty one (PAG-02, PAG-04)', () => {
    const cursors = ['', '0:', '1:=x', '=', 'a\nb', 'null', '"', '🕰'];
    const odd = paged(
      new Map([
        ...cursors.map((cursor, at) => [at === 0 ? undefined : cursors[at - 1], page([`p${at}`], cursor)] as const),
        [cursors.at(-1), page(['end'])] as const,
      ]),
    );
    const plain = paged(new Map([[undefined, page(['only'])]]));
    const whole = mergeServers(info, { odd: odd.exchange, plain: plain.exchange });
    expect(walk(whole, 'tools/list', 'tools').flat()).toEqual([
      ...cursors.map((_, at) => `odd.p${at}`),
      'odd.end',
      'plain.only',
    ]);
    expect(odd.asked.map(({ params }) => params)).toEqual([{}, ...cursors.map((cursor) => ({ cursor }))]);
    expect(plain.asked.map(({ params }) => params)).toEqual([{}]);
  });

  it('ends where a part says that there is no next page, in whatever way', () => {
    const first = paged(new Map([[undefined, page(['a'], null)]]));
    const second = paged(new Map([[undefined, page(['b'], null)]]));
    const whole = mergeServers(info, { first: first.exchange, second: second.exchange });
    expect(walk(whole, 'tools/list', 'tools')).toEqual([['first.a'], ['second.b']]);
  });

  it('keeps everything else of the request and of each page', () => {
    const { exchange, asked } = paged(new Map([[undefined, { ...page(['a']), ttlMs: 7, _meta: { x: 1 } }]]));
    const _meta = { progressToken: 3, 'example.com/k': 1 };
    const whole = mergeServers(info, { one: exchange, two: exchange });
    const { nextCursor, ...first } = resultOf(whole, 'tools/list', { _meta });
    expect(first).toEqual({ tools: [{ name: 'one.a' }], ttlMs: 7, _meta: { x: 1 } });
    expect(resultOf(whole, 'tools/list', { _meta, cursor: nextCursor })).toEqual({
      ...first,
      tools: [{ name: 'two.a' }],
    });
    expect(asked.map(({ params }) => params)).toEqual([{ _meta }, { _meta }]);
  });

  it('takes no cursor that it has not given (PAG-07)', () => {
    const { exchange, asked } = paged(new Map([[undefined, page(['a'])]]));
    const whole = mergeServers(info, { one: exchange, two: exchange });
    for (const cursor of [
      '',
      'x',
      ':',
      '2:',
      '2:=a',
      '-1:',
      '1',
      '1:x',
      '0:x',
      '1.0:',
      ' 1:',
      '1e0:',
      '9'.repeat(400) + ':',
      7,
      null,
    ])
      expect([cursor, ask(whole, 'tools/list', { cursor }).seen]).toMatchObject([
        cursor,
        [{ code: codes.invalidParams, message: expect.stringContaining('cursor') as unknown }],
      ]);
    expect(asked).toEqual([]);
  });

  it('takes no cursor that its part has not given', () => {
    const { exchange } = paged(new Map([[undefined, page(['a'])]]));
    expect(ask(mergeServers(info, { exchange }), 'tools/list', { cursor: '0:=x' }).seen).toMatchObject([
      { code: codes.invalidParams, message: 'no such page' },
    ]);
  });

  const without: Exchange = ({ method }) => throwError(() => methodNotFound(method));
  const closed = demand({})(without);

  it.each([
    [{ without, files, clock }, [[], ['files.review'], ['clock.review']]],
    [{ files, without, clock }, [['files.review'], [], ['clock.review']]],
    [{ files, clock, without }, [['files.review'], ['clock.review'], []]],
    [{ closed, files, without }, [[], ['files.review'], []]],
    [{ without, closed }, [[], []]],
  ])('goes on past a part that has none of its kind: %#', (parts, pages) => {
    expect(walk(mergeServers(info, parts), 'prompts/list', 'prompts')).toEqual(pages);
  });

  it('of a part without one is complete, and not to be kept', () => {
    expect(resultOf(mergeServers(info, { without }), 'resources/templates/list')).toEqual({
      resultType: 'complete',
      resourceTemplates: [],
      ttlMs: 0,
      cacheScope: 'private',
    });
  });

  it('fails where a part does for any other reason', () => {
    const error = new ConnectionClosed({ message: 'gone' });
    const whole = mergeServers(info, { gone: () => throwError(() => error), files });
    expect(ask(whole, 'tools/list').seen).toEqual([error]);
  });
});

/** What marbles stand for, when several are listened to as one. */
const told: Record<string, Emission> = {
  a: acknowledged({ toolsListChanged: true }),
  b: acknowledged({ promptsListChanged: true }),
  m: acknowledged({ toolsListChanged: true, promptsListChanged: true }),
  n: acknowledged({}),
  t: { method: 'notifications/tools/list_changed' },
  p: { method: 'notifications/prompts/list_changed' },
  r: { result: { resultType: 'complete' } },
};

function acknowledged(notifications: JsonObject): Emission {
  return { method: 'notifications/subscriptions/acknowledged', params: { notifications } };
}

/** Listens to parts that say this, each with when it is subscribed, and hears that. */
const listening = (parts: readonly (readonly [string, string])[], heard: string, until?: string): void => {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(
    ({ cold, expectObservable, expectSubscriptions }) => {
      const far = parts.map(([marbles]) => cold(marbles, told));
      const named = Object.fromEntries(far.map((source, at) => [`p${at}`, (() => source) satisfies Exchange]));
      const request = { method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true } } };
      expectObservable(mergeServers(info, named)(request, {}), until).toBe(heard, told);
      for (const [at, [, subscribed]] of parts.entries())
        expectSubscriptions(far[at]?.subscriptions ?? []).toBe(subscribed);
    },
  );
};

describe('a subscription over all parts', () => {
  it('acknowledges once, for all of them, and then tells what any of them tells (SUB-02, SUB-03)', () => {
    listening(
      [
        ['-a--t---t-', '^---------!'],
        ['---b--p---', '^---------!'],
      ],
      '---mt-p-t-',
      '----------!',
    );
  });

  it('keeps what is told before the last has acknowledged until then, in order', () => {
    listening(
      [
        ['-at-t', '^--------------!'],
        ['---p-b-------p', '^--------------!'],
      ],
      '-----(mtpt)--p',
      '---------------!',
    );
  });

  it('says its acknowledgement once, though a part says its own twice', () => {
    listening(
      [
        ['-aa----a-t', '^----------!'],
        ['-----b----', '^----------!'],
      ],
      '-----m---t',
      '-----------!',
    );
  });

  it('goes on without a part that cannot listen, or ends before it has begun', () => {
    for (const end of ['#', '|'])
      listening(
        [
          ['-a-t', '^----!'],
          [`--${end}`, '^-!'],
        ],
        '--at',
        '-----!',
      );
  });

  it('goes on without a part that fails, or ends, later', () => {
    for (const end of ['#', '|'])
      listening(
        [
          ['-a------t', '^---------!'],
          [`--b-p${end}`, '^----!'],
        ],
        '--m-p---t',
        '----------!',
      );
    listening(
      [
        ['-a----t', '^-------!'],
        ['--b-(r|)', '^---!'],
      ],
      '--m---t',
      '--------!',
    );
  });

  it('ends with the last of them, in good order (SUB-13)', () => {
    listening(
      [
        ['-a--(r|)', '^---!'],
        ['-b-----(r|)', '^------!'],
      ],
      '-m-----(r|)',
    );
    listening(
      [
        ['--#', '^-!'],
        ['----#', '^---!'],
      ],
      '----(nr|)',
    );
  });

  it('reaches all of them when it is unsubscribed, acknowledged or not', () => {
    listening(
      [
        ['-a-t--t', '^---!'],
        ['-------', '^---!'],
      ],
      '-----',
      '----!',
    );
    listening(
      [
        ['a', '^---!'],
        ['b', '^---!'],
      ],
      'm----',
      '----!',
    );
  });

  it('acknowledges each URI once, and a flag that any of them honours', () => {
    const parts = [
      { toolsListChanged: true, resourceSubscriptions: ['a:1', 'a:2'] },
      { toolsListChanged: false, promptsListChanged: false },
      { resourceSubscriptions: ['a:2', 'a:3'] },
    ].map((notifications) => (() => concat(of(acknowledged(notifications)), NEVER)) satisfies Exchange);
    const { seen } = ask(mergeServers(info, Object.fromEntries(parts.entries())), 'subscriptions/listen', {
      notifications: {},
    });
    expect(seen).toMatchObject([
      {
        params: {
          notifications: {
            toolsListChanged: true,
            promptsListChanged: false,
            resourceSubscriptions: ['a:1', 'a:2', 'a:3'],
          },
        },
      },
    ]);
  });

  it('asks each of them the same, and reads no more into an acknowledgement than it says', () => {
    const { exchange, asked, contexts } = recording(() =>
      concat(of<Emission>({ method: 'notifications/subscriptions/acknowledged' }), NEVER),
    );
    const params = { notifications: { resourceSubscriptions: ['a:b'] }, _meta: { x: 1 } };
    const context = { principal: 'ada' };
    const { seen } = ask(mergeServers(info, { one: exchange, two: exchange }), 'subscriptions/listen', params, context);
    expect(seen).toEqual([told['n']]);
    expect(asked).toEqual(Array(2).fill({ method: 'subscriptions/listen', params }));
    expect(contexts).toEqual([context, context]);
  });
});

describe('what is to be held', () => {
  it('is that of all parts, for as long as the whole is served', () => {
    const ledger = createLedger();
    const changing = (name: string) =>
      server({ name, version: '1' }, tools(new BehaviorSubject([bareTool]).pipe(ledger.watch(name))));
    const whole = mergeServers(info, {
      a: changing('a'),
      none: () => NEVER,
      b: mergeServers(info, { c: changing('c') }),
    });
    expect(ledger.live).toEqual({});
    const holding = whole.held$?.subscribe();
    expect(ledger.live).toEqual({ a: 1, c: 1 });
    holding?.unsubscribe();
    expect(ledger.live).toEqual({});
  });

  it('is nothing where no part has anything', () => {
    expect('held$' in mergeServers(info, { one: () => NEVER, two: () => EMPTY })).toBe(false);
  });
});

const bareTool = tool('t', {}, () => 'ok');

/** Progress, log lines and work that only a caller can end. */
const worker = (name: string, ledger: ReturnType<typeof createLedger>) =>
  server(
    { name, version: '1' },
    tool('work', {}, () =>
      concat(of(progress(1, 3, name), log('info', name), progress(2, 3)), NEVER).pipe(ledger.watch(name)),
    ),
    tool('count', {}, () => concat(of(progress(1), progress(2)), of(name))),
  );

const eras: readonly Revision[] = ['2024-11-05', '2025-11-25', '2026-07-28'];

describe.each(eras)('a merged server over a wire at %s', (revision) => {
  it('passes on progress, log lines and cancellation, and is in good order', async () => {
    const ledger = createLedger();
    const whole = mergeServers(info, { a: worker('a', ledger), inner: mergeServers(info, { b: worker('b', ledger) }) });
    await using link = await linked(whole, { revision });
    const { client, wire } = link;
    expect(client.server).toEqual(info);
    const logs: unknown[] = [];
    const logging = client.logs$.subscribe(({ data }) => logs.push(data));
    for (const [name, who] of [
      ['a.work', 'a'],
      ['inner.b.work', 'b'],
    ] as const) {
      const events: unknown[] = [];
      const calling = client.call(name, {}, { logLevel: 'info' }).subscribe((event) => events.push(event));
      await vi.waitFor(() => expect(ledger.live).toEqual({ [who]: 1 }));
      // Progress has had a message since 2025-03-26.
      const message = revision === '2024-11-05' ? {} : { message: who };
      expect(events).toEqual([
        { kind: 'progress', progress: 1, total: 3, ...message },
        { kind: 'progress', progress: 2, total: 3 },
      ]);
      calling.unsubscribe();
      await ledger.noted(`${who} unsubscribed`);
    }
    expect(logs).toEqual(['a', 'b']);
    logging.unsubscribe();
    expect((await client.callTool('inner.b.count', {})).content).toMatchObject([{ text: 'b' }]);
    expect(ledger.live).toEqual({});
    expect(breaches(wire.overheard)).toEqual([]);
    // What was cancelled is not answered; all else is.
    expect(unanswered(wire.overheard)).toEqual([]);
  });

  it('lists and reads what all have', async () => {
    await using link = await linked(mergeServers(info, { files, house: mergeServers(info, { clock, bare }) }), {
      revision,
    });
    const { client } = link;
    const names: unknown[] = [];
    await client.listTools().forEach((one) => names.push(...namesOf(one)));
    expect(names).toEqual([
      'files.search',
      'files.stats',
      'files.sum.up',
      'house.clock.now',
      'house.clock.search',
      'house.bare.nothing',
    ]);
    expect((await client.getPrompt('house.clock.review', { code: 'x' })).messages).toMatchObject([
      { content: { text: 'clock: x' } },
    ]);
    expect((await client.readResource('clock:///time')).contents).toMatchObject([{ text: 'noon' }]);
    await expect(client.readResource('nothing:///here')).rejects.toMatchObject({ data: { uri: 'nothing:///here' } });
    await expect(client.callTool('house.nobody.x', {})).rejects.toMatchObject({ code: codes.invalidParams });
    expect(breaches(link.wire.overheard)).toEqual([]);
  });
});

describe('a proxy of servers of both eras, side by side', () => {
  afterEach(() => {
    const left = vi.getTimerCount();
    vi.useRealTimers();
    expect(left).toBe(0);
  });

  const made = async (revision: Revision) => {
    vi.useFakeTimers();
    const ledger = createLedger();
    const upstream = async (name: string, speaks: Revision) => {
      const tools$ = new BehaviorSubject<readonly ToolFeature[]>([tool('first', {}, () => name)]);
      const changed$ = new Subject<string>();
      const link = await linked(
        server(
          { name, version: '1' },
          tool('work', {}, () => concat(of(progress(1)), NEVER).pipe(ledger.watch(`${name} work`))),
          tools(tools$.pipe(ledger.watch(`${name} tools`))),
          resource(`${name}:///log`, {}, () => name),
          updates(changed$.pipe(ledger.watch(`${name} updates`))),
        ),
        { revision: speaks, serialise: true },
      );
      return { link, tools$, changed$ };
    };
    const old = await upstream('old', '2025-06-18');
    const modern = await upstream('new', '2026-07-28');
    const proxy = await linked(
      mergeServers(info, { old: old.link.client.exchange, new: modern.link.client.exchange }),
      { revision, serialise: true },
    );
    const links = [proxy, old.link, modern.link];
    const close = async () => {
      for (const link of links) await link.client.close();
      expect(ledger.live).toEqual({});
      for (const { wire } of links) expect([breaches(wire.overheard), wire.open]).toEqual([[], 0]);
    };
    return { ledger, old, modern, proxy, close };
  };

  it.each(eras)('calls, reports progress and cancels through to either: asked at %s', async (revision) => {
    const { proxy, ledger, close } = await made(revision);
    for (const name of ['old', 'new']) {
      expect((await proxy.client.callTool(`${name}.first`, {})).content).toMatchObject([{ text: name }]);
      expect((await proxy.client.readResource(`${name}:///log`)).contents).toMatchObject([{ text: name }]);
      const steps: unknown[] = [];
      const calling = proxy.client.call(`${name}.work`, {}).subscribe((event) => steps.push(event));
      await vi.advanceTimersByTimeAsync(10);
      expect(steps).toEqual([{ kind: 'progress', progress: 1 }]);
      calling.unsubscribe();
      await vi.advanceTimersByTimeAsync(10);
      expect(ledger.entries).toContain(`${name} work unsubscribed`);
    }
    await close();
  });

  it.each(eras)('has one list that stays fresh, whichever of them changes: asked at %s', async (revision) => {
    const { proxy, old, modern, close } = await made(revision);
    const seen: (readonly unknown[])[] = [];
    const watching = proxy.client.tools$.subscribe((items) => seen.push(namesOf(items)));
    await vi.advanceTimersByTimeAsync(100);
    expect(seen).toEqual([['old.work', 'old.first', 'new.work', 'new.first']]);
    old.tools$.next([tool('second', {}, () => 'old')]);
    await vi.advanceTimersByTimeAsync(500);
    expect(seen.slice(1)).toEqual([['old.work', 'old.second', 'new.work', 'new.first']]);
    modern.tools$.next([]);
    await vi.advanceTimersByTimeAsync(500);
    expect(seen.slice(2)).toEqual([['old.work', 'old.second', 'new.work']]);
    watching.unsubscribe();
    await close();
  });

  it.each(eras)('watches resources of both, and stops when nobody looks: asked at %s', async (revision) => {
    const { proxy, old, modern, close } = await made(revision);
    const heard: unknown[] = [];
    const listening = proxy.client
      .listen({ resourceSubscriptions: ['old:///log', 'new:///log'] })
      .subscribe(({ method, params }) => heard.push([method.split('/').at(-1), params]));
    await vi.advanceTimersByTimeAsync(100);
    expect(heard).toEqual([
      ['acknowledged', { notifications: { resourceSubscriptions: ['old:///log', 'new:///log'] } }],
    ]);
    for (const [{ changed$ }, uri] of [
      [old, 'old:///log'],
      [modern, 'new:///log'],
    ] as const) {
      changed$.next(uri);
      await vi.advanceTimersByTimeAsync(100);
      expect(heard.at(-1)).toEqual(['updated', { uri }]);
    }
    expect(heard).toHaveLength(3);
    listening.unsubscribe();
    await vi.advanceTimersByTimeAsync(100);
    const sent = (link: { readonly wire: Tapped }) =>
      link.wire.overheard.flatMap(({ way, message }) => (way === 'out' ? [message['method']] : []));
    expect(sent(old.link)).toContain('resources/unsubscribe');
    expect(sent(modern.link).at(-1)).toBe('notifications/cancelled');
    await close();
  });

  it('goes on with one of them when the other is gone', async () => {
    const { proxy, old, modern, close } = await made('2026-07-28');
    const seen: unknown[] = [];
    const listening = proxy.client.listen({ toolsListChanged: true }).subscribe(({ method }) => seen.push(method));
    await vi.advanceTimersByTimeAsync(100);
    await old.link.client.close();
    modern.tools$.next([]);
    await vi.advanceTimersByTimeAsync(100);
    expect(seen).toEqual(['notifications/subscriptions/acknowledged', 'notifications/tools/list_changed']);
    const outcomes = Promise.allSettled([
      proxy.client.callTool('new.first', {}),
      proxy.client.callTool('old.first', {}),
    ]);
    await vi.advanceTimersByTimeAsync(100);
    expect(await outcomes).toMatchObject([
      { reason: { code: codes.invalidParams, message: 'unknown tool: "first"' } },
      { reason: { code: codes.internalError } },
    ]);
    listening.unsubscribe();
    await close();
  });
});

describe('merging', () => {
  it('asks and subscribes nothing by itself', () => {
    let asked = 0;
    const lazy: Exchange = () =>
      defer((): Observable<Emission> => {
        asked += 1;
        return of({ result: {} });
      });
    const whole = mergeServers(info, { lazy });
    for (const method of ['server/discover', 'tools/list', 'resources/read', 'subscriptions/listen'])
      void whole({ method }, {});
    void whole({ method: 'tools/call', params: { name: 'lazy.x' } }, {});
    expect(asked).toBe(0);
  });
});
