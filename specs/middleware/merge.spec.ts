import { BehaviorSubject, defer, EMPTY, NEVER, of, throwError, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  codes,
  ConnectionClosed,
  demand,
  extend,
  mergeServers,
  methods,
  Misconfigured,
  RpcError,
  Schema,
  server,
  tool,
  tools,
  type Emission,
  type Exchange,
  type JsonObject,
} from 'rxmcp';
import { createLedger } from 'rxmcp/testing';
import { ask, namesOf, recording, resultOf } from './ask.ts';
import { bare, clock, files, info } from './house.ts';

const serverInfo = 'io.modelcontextprotocol/serverInfo';

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

  it('may be kept no longer, and by no more, than each of them (BR-71)', () => {
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

const bareTool = tool('t', {}, () => 'ok');

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
