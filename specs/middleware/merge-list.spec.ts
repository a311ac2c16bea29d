import { of, throwError, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  codes,
  ConnectionClosed,
  demand,
  mergeServers,
  methodNotFound,
  RpcError,
  TimedOut,
  type Exchange,
  type JsonObject,
} from 'rxmcp';
import { ask, namesOf, recording, resultOf } from './ask.ts';
import { bare, clock, files, info, signature } from './house.ts';

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
    // The whole is who answers (VER-12); the rest of `_meta` is passed on (META-09).
    expect(first).toEqual({ tools: [{ name: 'one.a' }], ttlMs: 7, _meta: { x: 1, ...signature } });
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
      _meta: signature,
    });
  });

  it.each([
    new ConnectionClosed({ message: 'gone' }),
    new TimedOut({ message: 'late', method: 'tools/list', limit: 'idle', ms: 1 }),
  ])('goes on without a part that nobody answers for: $_tag', (error) => {
    const gone = (): Observable<never> => throwError(() => error);
    const whole = mergeServers(info, { gone, without });
    const { nextCursor, ...first } = resultOf(whole, 'resources/templates/list');
    expect(first).toMatchObject({ resourceTemplates: [] });
    expect(resultOf(whole, 'resources/templates/list', { cursor: nextCursor })).toMatchObject({
      resourceTemplates: [],
    });
  });

  it('fails where a part does for any other reason', () => {
    const error = new RpcError({ code: -32603, message: 'broken' });
    const whole = mergeServers(info, { gone: () => throwError(() => error), files });
    expect(ask(whole, 'tools/list').seen).toEqual([error]);
  });
});
