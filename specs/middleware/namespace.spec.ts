import { BehaviorSubject, concat, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  codes,
  extend,
  methods,
  Misconfigured,
  namespace,
  progress,
  prompt,
  resource,
  Schema,
  server,
  serverWith,
  tool,
  tools,
  type ToolFeature,
} from 'rxmcp';
import { breaches, createLedger, linked } from 'rxmcp/testing';
import { ask, namesOf, recording, resultOf } from './ask.ts';

const files = serverWith(
  { pageSize: 1 },
  { name: 'files', version: '1' },
  tool('search', { description: 'Looks for it' }, () => 'found'),
  tool('files.stats', {}, () => 'counted'),
  resource('file:///log', { name: 'log' }, () => 'text'),
  prompt('review', { arguments: { code: { complete: (typed) => [`${typed}!`] } } }, ({ code }) => `review ${code}`),
);
const prefixed = namespace('files')(files);

describe('a namespace, seen from outside', () => {
  it('puts its prefix before the names of tools and prompts, and leaves all else on them and beside them', () => {
    const bare = resultOf(files, 'tools/list');
    expect(resultOf(prefixed, 'tools/list')).toEqual({
      ...bare,
      tools: [{ ...(bare['tools'] as readonly object[])[0], name: 'files.search' }],
    });
    expect(bare['nextCursor']).toEqual(expect.any(String));
    expect(namesOf(resultOf(prefixed, 'prompts/list')['prompts'])).toEqual(['files.review']);
  });

  it('leaves URIs and the names of resources as they are', () => {
    for (const method of ['resources/list', 'resources/templates/list', 'server/discover'])
      expect(resultOf(prefixed, method)).toEqual(resultOf(files, method));
    expect(resultOf(prefixed, 'resources/read', { uri: 'file:///log' })).toMatchObject({
      contents: [{ text: 'text' }],
    });
  });

  it('does not touch what only looks like a list: a result of a call, a notice on the way', () => {
    const notice = { method: 'notifications/x', params: { tools: [{ name: 'a' }] } };
    const answer = { result: { tools: [{ name: 'a' }], prompts: [{ name: 'b' }] } };
    const { exchange } = recording(() => concat(of(notice), of(answer)));
    expect(ask(namespace('p')(exchange), 'tools/call', { name: 'p.a' }).seen).toEqual([notice, answer, 'complete']);
    expect(ask(namespace('p')(exchange), 'tools/list').seen).toEqual([
      notice,
      { result: { tools: [{ name: 'p.a' }], prompts: [{ name: 'p.b' }] } },
      'complete',
    ]);
  });

  it('says what is no list as it was said', () => {
    for (const tools of ['none', [null, 1, 'a']]) {
      const { exchange } = recording(() => of({ result: { tools } }));
      expect(resultOf(namespace('p')(exchange), 'tools/list')).toEqual({ tools });
    }
  });
});

describe('a namespace, seen from inside', () => {
  it('takes its prefix off once, and changes nothing else of the request', () => {
    const { exchange, asked, contexts } = recording();
    const inside = namespace('files')(exchange);
    const context = { principal: 'ada' };
    const rest = { arguments: { name: 'files.x', path: 'files.y' }, _meta: { progressToken: 7 } };
    ask(inside, 'tools/call', { name: 'files.files.stats', ...rest }, context);
    ask(inside, 'prompts/get', { name: 'files.review', ...rest }, context);
    ask(
      inside,
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'files.review', title: 'R' }, ...rest },
      context,
    );
    ask(inside, 'completion/complete', { ref: { type: 'ref/resource', uri: 'files.x' }, ...rest }, context);
    ask(inside, 'resources/read', { uri: 'files.x' }, context);
    ask(inside, 'tools/list', { cursor: 'files.x' }, context);
    expect(asked.map(({ params }) => params)).toEqual([
      { name: 'files.stats', ...rest },
      { name: 'review', ...rest },
      { ref: { type: 'ref/prompt', name: 'review', title: 'R' }, ...rest },
      { ref: { type: 'ref/resource', uri: 'files.x' }, ...rest },
      { uri: 'files.x' },
      { cursor: 'files.x' },
    ]);
    expect(contexts.every((one) => one === context)).toBe(true);
  });

  it('reaches what the names stand for: tools, prompts, their completions', () => {
    const argument = { name: 'code', value: 'x' };
    expect(resultOf(prefixed, 'tools/call', { name: 'files.files.stats' })).toMatchObject({
      content: [{ text: 'counted' }],
    });
    expect(resultOf(prefixed, 'prompts/get', { name: 'files.review', arguments: { code: 'x' } })).toMatchObject({
      messages: [{ content: { text: 'review x' } }],
    });
    expect(
      resultOf(prefixed, 'completion/complete', { ref: { type: 'ref/prompt', name: 'files.review' }, argument }),
    ).toMatchObject({ completion: { values: ['x!'] } });
  });

  it.each(['search', 'files', 'files.', '.search', 'Files.search', 'xfiles.search', 'files-search', '', 7, undefined])(
    'is not asked for a name that is not in it: %j',
    (name) => {
      const { exchange, asked } = recording(() => of({ result: { reached: true } }));
      const inside = namespace('files')(exchange);
      const refused = [{ code: codes.invalidParams, message: expect.stringContaining('files.') as unknown }];
      if (name === 'files.') {
        // An empty name is a name; whoever is inside knows that it has none such.
        expect(resultOf(inside, 'tools/call', { name })).toEqual({ reached: true });
        expect(asked[0]?.params).toEqual({ name: '' });
        return;
      }
      expect(ask(inside, 'tools/call', { name }).seen).toMatchObject(refused);
      expect(ask(inside, 'prompts/get', { name }).seen).toMatchObject(refused);
      const ref = { type: 'ref/prompt', name };
      expect(ask(inside, 'completion/complete', { ref }).seen).toMatchObject(refused);
      expect(asked).toEqual([]);
    },
  );

  it('prefixes the methods of an extension that name something, where it is told of them', () => {
    const row = { kind: 'request', from: 'client', params: Schema.Unknown as never, nameIn: 'name' } as const;
    const { exchange, asked } = recording();
    ask(namespace('p', extend(methods, { 'example/run': row }))(exchange), 'example/run', { name: 'p.a' });
    ask(namespace('p')(exchange), 'example/run', { name: 'p.a' });
    expect(asked.map(({ params }) => params)).toEqual([{ name: 'a' }, { name: 'p.a' }]);
  });
});

describe('a namespace', () => {
  it.each(['', '.', 'a.b', 'a b', 'ä', 'a/b', 'a\n', 'a:'])(
    'refuses a prefix that no name may have: %j (NAME-03)',
    (prefix) => {
      expect(() => namespace(prefix)).toThrow(Misconfigured);
      expect(() => namespace(prefix)).toThrow(JSON.stringify(prefix));
    },
  );

  it.each(['a', 'A-b_9', '__proto__', '0'])('takes any other: %s', (prefix) => {
    expect(namesOf(resultOf(namespace(prefix)(files), 'tools/list')['tools'])).toEqual([`${prefix}.search`]);
  });

  it('may stand in another', () => {
    const twice = namespace('outer')(prefixed);
    expect(namesOf(resultOf(twice, 'tools/list')['tools'])).toEqual(['outer.files.search']);
    expect(resultOf(twice, 'tools/call', { name: 'outer.files.search' })).toMatchObject({
      content: [{ text: 'found' }],
    });
    expect(ask(twice, 'tools/call', { name: 'files.search' }).seen).toMatchObject([{ code: codes.invalidParams }]);
  });

  it('holds what is to be held, over any wire: list changes, progress and cancellation pass', async () => {
    const ledger = createLedger();
    const list$ = new BehaviorSubject<readonly ToolFeature[]>([tool('one', {}, () => 1)]);
    const work = tool('work', {}, () =>
      concat(of(progress(1)), new BehaviorSubject(progress(2))).pipe(ledger.watch('work')),
    );
    const changing = server({ name: 's', version: '1' }, work, tools(list$.pipe(ledger.watch('list'))));
    await using link = await linked(namespace('p')(changing));
    expect(ledger.live).toEqual({ list: 1 });
    const steps: unknown[] = [];
    const calling = link.client.call('p.work', {}).subscribe((event) => steps.push(event));
    expect(steps).toMatchObject([{ progress: 1 }, { progress: 2 }]);
    calling.unsubscribe();
    expect(ledger.entries).toEqual(['work unsubscribed']);
    list$.next([tool('two', {}, () => 2)]);
    expect((await link.client.callTool('p.two', {})).content).toMatchObject([{ text: '2' }]);
    await link.client.close();
    expect(ledger.live).toEqual({});
    expect(breaches(link.wire.overheard)).toEqual([]);
  });
});
