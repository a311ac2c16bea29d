import { fail, gen, sync, tryPromise } from 'effect/Effect';
import { concat, defer, map, NEVER, of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  codes,
  elicit,
  elicitUrl,
  isAnswer,
  listRoots,
  log,
  Misconfigured,
  progress,
  prompt,
  resource,
  RpcError,
  sample,
  Schema,
  serverWith,
  tool,
  updates,
  type Call,
  type Context,
  type Emission,
  type JsonObject,
  type Question,
  type Report,
} from '../../lib/index.ts';
import { metaKeys } from '../../lib/protocol/revisions.ts';
import { createLedger } from '../../lib/testing/index.ts';
import { leavesNothing } from '../behaviour/leaks.ts';
import { errorOf, textOf } from '../behaviour/scene.ts';
import { accepted, everything, metaOf, questionsOf, roundsOf, stateOf } from './rounds.ts';

leavesNothing();

const Name = Schema.Struct({ name: Schema.String });
const name = elicit(Name, 'Who are you?');
const state = { keys: ['k'.repeat(32)] };
const said = (result: JsonObject): string => textOf(result as never);

/** A server with one tool, which does this. */
const doing = (handle: (call: Call) => unknown, capabilities?: JsonObject) => {
  const reports: Report[] = [];
  let runs = 0;
  const served = serverWith(
    { state },
    { name: 's', version: '1' },
    tool('t', {}, (_, call) => {
      runs += 1;
      return handle(call) as string;
    }),
  );
  served.errors$.subscribe((report) => reports.push(report));
  const round = roundsOf(served, capabilities);
  return {
    served,
    reports,
    runs: () => runs,
    /** The next round: these answers, and the state as it came. */
    again: (inputResponses?: JsonObject, before?: JsonObject, meta: JsonObject = {}) =>
      round('tools/call', {
        name: 't',
        ...(inputResponses === undefined ? undefined : { inputResponses }),
        ...(before === undefined ? undefined : { requestState: stateOf(before) }),
        _meta: meta,
      }),
  };
};

const greeting = (answer: { readonly action: string; readonly content?: { readonly name: string } }): string =>
  answer.content === undefined ? answer.action : `Hello, ${answer.content.name}!`;

describe('a handler asks', () => {
  it.each<[string, (call: Call) => unknown]>([
    ['plain', (call) => greeting(call.ask('name', name))],
    [
      'async',
      async (call) => {
        await Promise.resolve();
        return greeting(call.ask('name', name));
      },
    ],
    [
      'a generator',
      async function* (call) {
        yield progress(1);
        return greeting(call.ask('name', name));
      },
    ],
    ['an Observable', (call) => defer(() => of(greeting(call.ask('name', name))))],
    [
      'an operator of an Observable',
      (call) => concat(of(progress(1)), of(1).pipe(map(() => greeting(call.ask('name', name))))),
    ],
    ['an Effect', (call) => sync(() => greeting(call.ask('name', name)))],
    [
      'a part of an Effect',
      (call) =>
        gen(function* () {
          yield* tryPromise(() => Promise.resolve());
          return greeting(call.ask('name', name));
        }),
    ],
  ])('as %s, and goes on from its beginning with the answer', async (_, handle) => {
    const { again, runs, reports } = doing(handle);
    const first = await again();
    expect(first).toEqual({
      resultType: 'input_required',
      inputRequests: {
        name: {
          method: 'elicitation/create',
          params: {
            mode: 'form',
            message: 'Who are you?',
            requestedSchema: expect.objectContaining({
              properties: { name: { type: 'string' } },
              required: ['name'],
            }) as unknown,
          },
        },
      },
      requestState: expect.any(String) as unknown,
      _meta: expect.anything() as unknown,
    });
    expect(said(await again({ name: accepted({ name: 'Ada' }) }, first))).toBe('Hello, Ada!');
    expect(said(await again({ name: { action: 'decline' } }, first))).toBe('decline');
    expect(said(await again({ name: { action: 'cancel' } }, first))).toBe('cancel');
    expect(runs()).toBe(4);
    // Being stopped by a question is no failure.
    expect(reports).toEqual([]);
  });

  it('even where it swallows what stops it', async () => {
    const { again } = doing((call) => {
      try {
        return greeting(call.ask('name', name));
      } catch {
        return 'I go on regardless';
      }
    });
    const first = await again();
    expect(Object.keys(questionsOf(first))).toEqual(['name']);
    expect(said(await again({ name: accepted({ name: 'Ada' }) }, first))).toBe('Hello, Ada!');
  });

  it('even where it makes another error of it', async () => {
    const { again, reports } = doing((call) => {
      try {
        return greeting(call.ask('name', name));
      } catch (cause) {
        throw new Error('wrapped', { cause });
      }
    });
    expect(Object.keys(questionsOf(await again()))).toEqual(['name']);
    expect(reports).toEqual([]);
  });

  it('in prompts and reads too, whose questions are no answers to keep (CACHE-02, MRTR-02)', async () => {
    const served = serverWith(
      { state, cache: { ttlMs: 60_000, scope: 'public' } },
      { name: 's', version: '1' },
      prompt('p', {}, (_, call) => greeting(call.ask('name', name))),
      resource('test://r', {}, (call) => greeting(call.ask('name', name))),
    );
    const round = roundsOf(served);
    for (const [method, params] of [
      ['prompts/get', { name: 'p' }],
      ['resources/read', { uri: 'test://r' }],
    ] as const) {
      const first = await round(method, params);
      expect(Object.keys(first).sort()).toEqual(['_meta', 'inputRequests', 'requestState', 'resultType']);
      const last = await round(method, {
        ...params,
        inputResponses: { name: accepted({ name: 'Ada' }) },
        requestState: stateOf(first),
      });
      expect(JSON.stringify(last)).toContain('Hello, Ada!');
      expect(last).toMatchObject(method === 'resources/read' ? { ttlMs: 60_000, cacheScope: 'public' } : {});
    }
  });

  it('nowhere else: not while it completes, and not while it is watched (MRTR-03)', async () => {
    const reports: Report[] = [];
    const watched = createLedger();
    const served = serverWith(
      { state },
      { name: 's', version: '1' },
      prompt(
        'p',
        { arguments: { a: { complete: (_typed, _resolved, call) => [greeting(call.ask('name', name))] } } },
        () => '',
      ),
      resource('test://live', { live: true }, (call) =>
        defer(() => of(greeting(call.ask('name', name)))).pipe(watched.watch('live')),
      ),
      updates(NEVER),
    );
    served.errors$.subscribe((report) => reports.push(report));
    const complete = { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: '' } };
    const error = await errorOf(roundsOf(served)('completion/complete', complete));
    expect(error).toBeInstanceOf(Misconfigured);
    expect(reports).toMatchObject([
      { method: 'completion/complete', message: expect.stringContaining('only tools, prompts and reads') as string },
    ]);
    // State and answers are nothing to a method that cannot ask.
    await errorOf(roundsOf(served)('completion/complete', { ...complete, requestState: 'x', inputResponses: {} }));
    expect(reports).toHaveLength(2);

    const heard: Emission[] = [];
    const params = { notifications: { resourceSubscriptions: ['test://live'] }, _meta: metaOf() };
    const listening = served({ method: 'subscriptions/listen', params }, {}).subscribe((emission) =>
      heard.push(emission),
    );
    expect(heard).toEqual([{ method: 'notifications/subscriptions/acknowledged', params: { notifications: {} } }]);
    expect(watched.entries).toEqual(['live failed']);
    listening.unsubscribe();
  });

  it('while its notices go out before, in order', async () => {
    const served = serverWith(
      { state },
      { name: 's', version: '1' },
      tool('t', {}, (_, call) =>
        concat(
          of(progress(1, 2), log('info', 'asking')),
          defer(() => of(greeting(call.ask('name', name)))),
        ),
      ),
    );
    const emissions: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      const _meta = { ...metaOf(), [metaKeys.logLevel]: 'debug' };
      served({ method: 'tools/call', params: { name: 't', _meta } }, {}).subscribe({
        next: (emission) => emissions.push(isAnswer(emission) ? emission.result['resultType'] : emission.method),
        complete: resolve,
        error: reject,
      });
    });
    expect(emissions).toEqual(['notifications/progress', 'notifications/message', 'input_required']);
  });

  it('nobody who has left meanwhile', async () => {
    const ledger = createLedger();
    const { served } = doing(async (call) => {
      ledger.signal('call', call.signal);
      await call.step('slow', () => NEVER.pipe(ledger.watch('step')));
      return greeting(call.ask('name', name));
    });
    const seen: unknown[] = [];
    const asking = served({ method: 'tools/call', params: { name: 't', _meta: metaOf() } }, {}).subscribe({
      next: (emission) => seen.push(emission),
      error: (error: unknown) => seen.push(error),
    });
    expect(ledger.live).toEqual({ step: 1 });
    asking.unsubscribe();
    expect(ledger.entries).toEqual(expect.arrayContaining(['step unsubscribed', 'call aborted']));
    expect(ledger.live).toEqual({});
    expect(seen).toEqual([]);
  });
});

describe('several questions', () => {
  const both = (call: Call): string => {
    const { one, two } = call.askAll({ one: name, two: elicitUrl('https://example.com/login', 'Log in') });
    return `${greeting(one)} ${two.action}`;
  };

  it('are asked at once, and one after the other (MRTR-04, MRTR-05)', async () => {
    const { again } = doing(both);
    const first = await again();
    expect(questionsOf(first)).toEqual({
      one: { method: 'elicitation/create', params: expect.objectContaining({ mode: 'form' }) as unknown },
      two: {
        method: 'elicitation/create',
        params: { mode: 'url', message: 'Log in', url: 'https://example.com/login' },
      },
    });
    const answers = { one: accepted({ name: 'Ada' }), two: { action: 'accept' } };
    expect(said(await again(answers, first))).toBe('Hello, Ada! accept');

    const { again: next, runs } = doing(
      (call) => `${greeting(call.ask('one', name))} ${greeting(call.ask('two', name))}`,
    );
    const one = await next();
    const two = await next({ one: accepted({ name: 'Ada' }) }, one);
    expect([one, two].map((result) => Object.keys(questionsOf(result)))).toEqual([['one'], ['two']]);
    expect(said(await next({ two: accepted({ name: 'Grace' }) }, two))).toBe('Hello, Ada! Hello, Grace!');
    expect(runs()).toBe(3);
  });

  it('of which some were answered: the others are asked again (MRTR-15)', async () => {
    const { again } = doing(both);
    const second = await again({ two: { action: 'accept' } }, await again());
    expect(Object.keys(questionsOf(second))).toEqual(['one']);
    expect(said(await again({ one: accepted({ name: 'Ada' }) }, second))).toBe('Hello, Ada! accept');
    const none = await again({}, second);
    expect(Object.keys(questionsOf(none))).toEqual(['one']);
    const silent = await again(undefined, none);
    expect(said(await again({ one: accepted({ name: 'Ada' }) }, silent))).toBe('Hello, Ada! accept');
  });

  it('answered without state are answered all the same', async () => {
    const { again } = doing(both);
    expect(said(await again({ one: accepted({ name: 'Ada' }), two: { action: 'cancel' } }))).toBe('Hello, Ada! cancel');
  });

  it('and answers that nobody asked for change nothing (MRTR-14)', async () => {
    const { again } = doing(both);
    const answers = {
      one: accepted({ name: 'Ada' }),
      two: { action: 'accept' },
      three: accepted({ name: 'Eve' }),
      four: { roots: [] },
      constructor: { action: 'accept' },
    };
    const first = await again();
    expect(said(await again(answers, first))).toBe('Hello, Ada! accept');
    const { again: quiet } = doing(() => 'quiet');
    expect(said(await quiet(answers))).toBe('quiet');
  });

  it('whose first answer has been taken keep it, whatever is said under its key later', async () => {
    const { again } = doing((call) => `${greeting(call.ask('one', name))} ${greeting(call.ask('two', name))}`);
    const second = await again({ one: accepted({ name: 'Ada' }) }, await again());
    const last = await again({ one: accepted({ name: 'Eve' }), two: accepted({ name: 'Grace' }) }, second);
    expect(said(last)).toBe('Hello, Ada! Hello, Grace!');
  });

  it.each(['constructor', 'toString', 'ключ', 'a.b[0]'])('may have any key: %j', async (key) => {
    const { again } = doing((call) => greeting(call.ask(key, name)));
    const first = await again();
    expect(Object.keys(questionsOf(first))).toEqual([key]);
    const answers = Object.fromEntries([[key, accepted({ name: 'Ada' })]]);
    expect(said(await again(answers, first))).toBe('Hello, Ada!');
  });

  it.each(['__proto__'])('may not have this key: %j', async (key) => {
    const { again, reports } = doing((call) => greeting(call.ask(key, name)));
    expect(await again()).toMatchObject({ isError: true });
    expect(reports).toMatchObject([{ error: expect.any(Misconfigured) as unknown }]);
  });

  it('under one key are one question, if they are the same', async () => {
    const { again } = doing((call) => {
      try {
        return greeting(call.ask('name', name));
      } catch {
        return greeting(call.ask('name', elicit(Schema.Struct({ name: Schema.String }), 'Who are you?')));
      }
    });
    expect(Object.keys(questionsOf(await again()))).toEqual(['name']);
  });

  it.each<[string, (call: Call, other: Question<unknown>) => unknown]>([
    [
      'one after the other',
      (call, other) => {
        try {
          return call.ask('key', name);
        } catch {
          return call.ask('key', other);
        }
      },
    ],
    [
      'at once',
      (call, other) => Promise.all([(async () => call.ask('key', name))(), (async () => call.ask('key', other))()]),
    ],
    [
      'of which both are swallowed',
      (call, other) => {
        for (const question of [name, other]) {
          try {
            call.ask('key', question);
          } catch {
            continue;
          }
        }
        return 'never mind';
      },
    ],
  ])('under one key that are not the same are a mistake of the server: %s (MRTR-06)', async (_, handle) => {
    for (const other of [elicit(Name, 'Who else?'), listRoots()]) {
      const { again, reports } = doing((call) => handle(call, other));
      expect(await again()).toMatchObject({ isError: true });
      expect(reports).toMatchObject([
        { level: 'error', message: expect.stringContaining('two questions "key"') as string },
      ]);
    }
  });
});

describe('an answer that is none', () => {
  const form = elicit(Schema.Struct({ name: Schema.String, age: Schema.Number }), 'Who?');
  const filled = { name: 'Ada', age: 36 };
  it.each<[string, Question<unknown>, unknown]>([
    ['to a form, without an action', form, { content: filled }],
    ['to a form, with an action that does not exist', form, { action: 'maybe', content: filled }],
    ['to a form, without what it asked for', form, { action: 'accept' }],
    ['to a form, with a field missing', form, accepted({ name: 'Ada' })],
    ['to a form, with a field of another type', form, accepted({ name: 'Ada', age: '36' })],
    ['to a form, with content that is a list', form, { action: 'accept', content: [] }],
    ['to a page, as a root', elicitUrl('https://example.com', 'Go'), { roots: [] }],
    ['of a model, without content', sample({ messages: 'Hi', maxTokens: 9 }), { role: 'assistant', model: 'm' }],
    ['of a model, as a form', sample({ messages: 'Hi', maxTokens: 9 }), accepted({ name: 'Ada' })],
    [
      'of a model, whose text is a number',
      sample({ messages: 'Hi', maxTokens: 9 }),
      { role: 'assistant', model: 'm', content: { type: 'text', text: 7 } },
    ],
    ['with roots that are no list', listRoots(), { roots: {} }],
    [
      'with roots elsewhere than in the file system (ROOT-04)',
      listRoots(),
      { roots: [{ uri: 'file:///a' }, { uri: 'https://example.com' }] },
    ],
    ['in an envelope (MRTR-19)', form, { jsonrpc: '2.0', id: 1, result: accepted(filled) }],
    ['as text', form, 'Ada'],
    ['as nothing', form, null],
    ['as a list', form, [accepted(filled)]],
  ])('is refused by its key, and the handler goes no further: %s (MRTR-13)', async (_, question, response) => {
    let beyond = 0;
    const { served, again, reports } = doing((call) => {
      call.ask('the key', question);
      beyond += 1;
      return 'done';
    });
    const requestState = stateOf(await again());
    const params = { name: 't', inputResponses: { 'the key': response }, requestState };
    // With a door before it, and without: what stands in memory need not have been through one.
    for (const round of [roundsOf(served), roundsOf(served, everything, served)])
      expect(await errorOf(round('tools/call', params))).toMatchObject({
        code: codes.invalidParams,
        message: expect.stringContaining('"the key"') as string,
      });
    expect(beyond).toBe(0);
    // The client's mistake, and nothing for the operator.
    expect(reports).toEqual([]);
  });

  it('beside a question that still waits is refused at once, and may be put right with the same state', async () => {
    const { again } = doing((call) => {
      const { one, two } = call.askAll({ one: name, two: form });
      return `${greeting(one)} ${two.action}`;
    });
    const first = await again();
    expect(await errorOf(again({ two: accepted({ name: 5 }) }, first))).toMatchObject({ code: codes.invalidParams });
    expect(said(await again({ one: accepted({ name: 'Ada' }), two: accepted(filled) }, first))).toBe(
      'Hello, Ada! accept',
    );
  });

  it('is told which field of the form it was (ELI-27)', async () => {
    const { again } = doing((call) => call.ask('who', form));
    expect(await errorOf(again({ who: accepted({ name: 'Ada', age: 'old' }) }))).toMatchObject({
      message: expect.stringMatching(/inputResponses\["who"\].*age/) as string,
      data: { key: 'who' },
    });
  });

  it('although it was one when its state was made is no answer any more', async () => {
    // Another version of the server, with the same key.
    const old = doing((call) => `${call.ask('a', name).action} ${call.ask('b', name).action}`);
    const second = await old.again({ a: accepted({ name: 'Ada' }) }, await old.again());
    const { again } = doing((call) => `${call.ask('a', form).action} ${call.ask('b', name).action}`);
    const third = await again({ b: { action: 'cancel' } }, second);
    // What was answered was something else: the question is asked, as it is now.
    expect(questionsOf(third)).toMatchObject({ a: { params: { message: 'Who?' } } });
  });
});

describe('what the client did not declare', () => {
  const search = { name: 'search', inputSchema: { type: 'object' } } as const;
  it.each<[string, Question<unknown>, JsonObject, JsonObject]>([
    ['a form', name, {}, { elicitation: { form: {} } }],
    ['a form, with pages only', name, { elicitation: { url: {} } }, { elicitation: { form: {} } }],
    ['a page', elicitUrl('https://example.com', 'Go'), { elicitation: {} }, { elicitation: { url: {} } }],
    [
      'a page, with forms only',
      elicitUrl('https://example.com', 'Go'),
      { elicitation: { form: {} } },
      { elicitation: { url: {} } },
    ],
    ['a model', sample({ messages: 'Hi', maxTokens: 9 }), { elicitation: {} }, { sampling: {} }],
    [
      'a model with tools (SAMP-04)',
      sample({ messages: 'Hi', maxTokens: 9, tools: [search] }),
      { sampling: {} },
      { sampling: { tools: {} } },
    ],
    [
      'a choice of tools (SAMP-04)',
      sample({ messages: 'Hi', maxTokens: 9, toolChoice: { mode: 'auto' } }),
      { sampling: {} },
      { sampling: { tools: {} } },
    ],
    ['roots', listRoots(), { sampling: {}, elicitation: {} }, { roots: {} }],
  ])(
    'is not asked for, and named: %s (CAP-09, CAP-10, MRTR-07)',
    async (_, question, capabilities, requiredCapabilities) => {
      const { again, reports } = doing((call) => call.ask('key', question), capabilities);
      expect(await errorOf(again())).toMatchObject({
        code: codes.missingClientCapability,
        message: expect.stringContaining(Object.keys(requiredCapabilities).join()) as string,
        data: { requiredCapabilities },
      });
      // An answer that comes all the same is no reason to trust in it.
      expect(await errorOf(again({ key: accepted({ name: 'Ada' }) }))).toMatchObject({
        code: codes.missingClientCapability,
      });
      expect(reports).toEqual([]);
    },
  );

  it('an empty `elicitation` is a form (CAP-12)', async () => {
    const { again } = doing((call) => greeting(call.ask('name', name)), { elicitation: {} });
    expect(Object.keys(questionsOf(await again()))).toEqual(['name']);
  });

  it('is what this request does not declare, whatever the one before did (CAP-09)', async () => {
    const { again } = doing((call) => `${call.ask('one', name).action} ${call.ask('two', name).action}`);
    const answers = { one: accepted({ name: 'Ada' }) };
    const none = { [metaKeys.clientCapabilities]: {} };
    expect(await errorOf(again(answers, await again(), none))).toMatchObject({ code: codes.missingClientCapability });
  });

  it('fails several questions before anybody is asked the others', async () => {
    const { again } = doing((call) => call.askAll({ one: name, two: listRoots() }), { elicitation: {} });
    expect(await errorOf(again())).toMatchObject({
      code: codes.missingClientCapability,
      data: { requiredCapabilities: { roots: {} } },
    });
  });

  it('can be found out, and done without', async () => {
    const all = [
      'elicitation.form',
      'elicitation.url',
      'sampling',
      'sampling.tools',
      'sampling.context',
      'roots',
    ] as const;
    const told = async (capabilities: JsonObject) => {
      const { again } = doing((call) => all.filter((one) => call.can(one)).join(' '), capabilities);
      return said(await again());
    };
    expect(await told({})).toBe('');
    expect(await told(everything)).toBe(all.join(' '));
    expect(await told({ elicitation: {} })).toBe('elicitation.form');
    expect(await told({ elicitation: { url: {} } })).toBe('elicitation.url');
    expect(await told({ sampling: {}, roots: { listChanged: true } })).toBe('sampling roots');
    expect(await told({ sampling: { context: {} } })).toBe('sampling sampling.context');
  });

  it('the context of servers is left out of what a model is asked (SAMP-06)', async () => {
    const question = sample({ messages: 'Hi', maxTokens: 9, includeContext: 'thisServer' });
    const asked = async (capabilities: JsonObject) =>
      questionsOf(await doing((call) => call.ask('m', question), capabilities).again())['m'];
    const plain = { messages: [{ role: 'user', content: { type: 'text', text: 'Hi' } }], maxTokens: 9 };
    expect(await asked({ sampling: {} })).toEqual({ method: 'sampling/createMessage', params: plain });
    expect(await asked({ sampling: { context: {} } })).toEqual({
      method: 'sampling/createMessage',
      params: { ...plain, includeContext: 'thisServer' },
    });
  });
});

describe('a step', () => {
  it('runs once over all rounds, and gives what it gave first', async () => {
    let done = 0;
    const values: unknown[] = [];
    const { again } = doing(async (call) => {
      values.push(await call.step('dice', () => ({ at: new Date(0), thrown: (done += 1), nothing: undefined })));
      return `${greeting(call.ask('one', name))} ${greeting(call.ask('two', name))}`;
    });
    const second = await again({ one: accepted({ name: 'Ada' }) }, await again());
    await again({ two: accepted({ name: 'Grace' }) }, second);
    expect(done).toBe(1);
    // What JSON makes of it, in the first round too.
    expect(values).toEqual(Array(3).fill({ at: '1970-01-01T00:00:00.000Z', thrown: 1 }));
    expect(values.map((value) => Object.keys(value as object))).toEqual(Array(3).fill(['at', 'thrown']));
  });

  it('that gives nothing has run all the same', async () => {
    let done = 0;
    const values: unknown[] = [];
    const { again } = doing(async (call) => {
      values.push(await call.step('quiet', () => void (done += 1)));
      values.push(await call.step('null', () => null));
      return greeting(call.ask('one', name));
    });
    await again({ one: { action: 'cancel' } }, await again());
    expect(done).toBe(1);
    expect(values).toEqual([undefined, null, undefined, null]);
  });

  it.each<[string, () => unknown]>([
    ['a value', () => 'done'],
    ['a Promise', () => Promise.resolve('done')],
    ['an Observable', () => of('not yet', 'done')],
    ['an Effect', () => sync(() => 'done')],
    [
      'a generator',
      async function* () {
        yield progress(1);
        return 'done';
      },
    ],
  ])('may answer in any way: %s', async (_, work) => {
    const { again } = doing(async (call) => `${String(await call.step('work', work))} ${call.ask('one', name).action}`);
    expect(said(await again({ one: { action: 'decline' } }, await again()))).toBe('done decline');
  });

  it('says its notices in the round in which it runs', async () => {
    const { served } = doing(async (call) => {
      await call.step('work', () => of(progress(1, 2), log('info', 'working'), 'done'));
      return greeting(call.ask('one', name));
    });
    const heard: unknown[] = [];
    await new Promise<void>((resolve) => {
      const _meta = { ...metaOf(), [metaKeys.logLevel]: 'info' };
      served({ method: 'tools/call', params: { name: 't', _meta } }, {}).subscribe({
        next: (emission) => heard.push(isAnswer(emission) ? 'answer' : emission.method),
        complete: resolve,
      });
    });
    expect(heard).toEqual(['notifications/progress', 'notifications/message', 'answer']);
  });

  it('that is asked for twice at the same time runs once', async () => {
    let done = 0;
    const slow = new Subject<string>();
    const { served } = doing(async (call) => {
      const work = () => {
        done += 1;
        return slow;
      };
      return (
        await Promise.all([call.step('same', work), call.step('same', work), call.step('other', () => 'x')])
      ).join();
    });
    const results: unknown[] = [];
    await new Promise<void>((resolve) => {
      served({ method: 'tools/call', params: { name: 't', _meta: metaOf() } }, {}).subscribe({
        next: (emission) => results.push(emission),
        complete: resolve,
      });
      slow.next('y');
      slow.complete();
    });
    expect(done).toBe(1);
    expect(results).toMatchObject([{ result: { content: [{ text: 'y,y,x' }] } }]);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('not today');
      },
    ],
    ['rejects', () => Promise.reject(new Error('not today'))],
    ['fails as an Observable', () => throwError(() => new Error('not today'))],
    ['fails as an Effect', () => fail(new Error('not today'))],
    ['rejects with what no text can be made of', () => Promise.reject(Object.create(null) as Error)],
    ['gives what JSON cannot say', () => 1n],
    ['promises what JSON cannot say', () => Promise.resolve({ n: 1n })],
    ['emits what JSON cannot say', () => of(1n)],
    ['gives what JSON cannot say, as an Effect', () => sync(() => 1n)],
  ])('that %s fails the handler, which may catch it; the next run tries it again', async (_, broken) => {
    const works: (() => unknown)[] = [broken, () => 'done'];
    let done = 0;
    const { again } = doing(async (call) => {
      const work = (): unknown => works[(done += 1) - 1]?.();
      const found = await call.step('work', work).catch(() => 'failed');
      // In one run it has failed for good.
      const once = await call.step('work', work).catch(() => 'failed');
      return `${String(found)} ${String(once)} ${call.ask('one', name).action}`;
    });
    const first = await again();
    expect(done).toBe(1);
    expect(said(await again({ one: { action: 'cancel' } }, first))).toBe('done done cancel');
    expect(done).toBe(2);
  });

  it('that fails and is not caught is the failure of the call', async () => {
    const { again, reports } = doing((call) => call.step('work', () => Promise.reject(new Error('not today'))));
    expect(await again()).toMatchObject({ isError: true, content: [{ text: 'not today' }] });
    expect(reports).toHaveLength(1);
  });

  it('that is under way when the handler asks comes to its end first, and does not run again', async () => {
    let done = 0;
    const slow = new Subject<string>();
    const { again, served } = doing(async (call) => {
      const working = call.step('slow', () => {
        done += 1;
        return slow;
      });
      const answer = call.ask('one', name);
      return `${await working} ${answer.action}`;
    });
    const results: JsonObject[] = [];
    await new Promise<void>((resolve, reject) => {
      served({ method: 'tools/call', params: { name: 't', _meta: metaOf() } }, {}).subscribe({
        next: (emission) => {
          if (isAnswer(emission)) results.push(emission.result);
        },
        complete: resolve,
        error: reject,
      });
      expect(results).toEqual([]);
      slow.next('done');
      slow.complete();
    });
    const [first] = results;
    expect(said(await again({ one: { action: 'cancel' } }, first))).toBe('done cancel');
    expect(done).toBe(1);
  });

  it.each(['__proto__', 'constructor', ''])('may have any key: %j', async (key) => {
    let done = 0;
    const { again } = doing(
      async (call) => `${await call.step(key, () => (done += 1))} ${call.ask('one', name).action}`,
    );
    expect(said(await again({ one: { action: 'cancel' } }, await again()))).toBe('1 cancel');
  });
});

describe('what goes wrong', () => {
  const secret = 'cannot open /home/ada/.secrets/key.pem';
  const failing = (context: Context = {}) => {
    const reports: Report[] = [];
    const served = serverWith(
      { state },
      { name: 'shop', version: '1' },
      tool('t', {}, (_, call) => {
        call.ask('name', name);
        throw new Error(secret);
      }),
      prompt('p', {}, (_, call) => {
        call.ask('name', name);
        throw new Error(secret);
      }),
      resource('test://r', {}, (call) => {
        call.ask('name', name);
        throw new Error(secret);
      }),
      tool('refuses', {}, () => {
        throw new RpcError({ code: 4711, message: 'on purpose' });
      }),
    );
    served.errors$.subscribe((report) => reports.push(report));
    const round = roundsOf(served);
    return {
      reports,
      last: (method: string, params: JsonObject) =>
        round(method, { ...params, inputResponses: { name: { action: 'cancel' } } }, context),
    };
  };

  it('is told to the operator as it was, and to the peer hardly at all', async () => {
    const { last, reports } = failing();
    const result = await last('tools/call', { name: 't' });
    expect(result).toMatchObject({ isError: true, content: [{ text: 'cannot open [path]' }] });
    await errorOf(last('prompts/get', { name: 'p' }));
    await errorOf(last('resources/read', { uri: 'test://r' }));
    expect(reports.map(({ error, ...report }) => [(error as Error).message, report])).toEqual(
      [
        ['tools/call', 't'],
        ['prompts/get', 'p'],
        ['resources/read', 'test://r'],
      ].map(([method, what]) => [
        secret,
        {
          level: 'error',
          server: 'shop',
          doing: `answering ${method} ${what}`,
          message: `shop: answering ${method} ${what} failed: ${secret}`,
          method,
          name: what,
        },
      ]),
    );
  });

  it('on purpose is for the peer, and not reported', async () => {
    const { last, reports } = failing();
    expect(await errorOf(last('tools/call', { name: 'refuses' }))).toMatchObject({ code: 4711 });
    expect(reports).toEqual([]);
  });
});

describe('a question that reads differently in each run', () => {
  it('is asked anew, and its author is told which one it is', async () => {
    let times = 0;
    const { again, reports } = doing((call) => {
      times += 1;
      return greeting(call.ask('name', elicit(Name, `Who are you, the ${times}th time?`)));
    });
    const first = await again();
    expect(reports).toEqual([]);
    const second = await again({ name: accepted({ name: 'Ada' }) }, first);
    expect(Object.keys(questionsOf(second))).toEqual(['name']);
    expect(reports).toMatchObject([{ level: 'error', message: expect.stringContaining('"name"') as unknown }]);
  });
});

describe('an answer that is none', () => {
  it('fails the call, whatever the handler makes of it (MRTR-13)', async () => {
    const { again } = doing((call) => {
      try {
        return greeting(call.ask('name', name));
      } catch {
        return 'swallowed';
      }
    });
    const first = await again();
    await expect(again({ name: accepted({ name: 5 }) }, first)).rejects.toMatchObject({ code: codes.invalidParams });
  });
});

it('several questions at once name all that is missing (CAP-09)', async () => {
  const { again } = doing(
    (call) => call.askAll({ who: name, where: listRoots(), what: sample({ messages: 'x', maxTokens: 1 }) }),
    {},
  );
  await expect(again()).rejects.toMatchObject({
    code: codes.missingClientCapability,
    data: { requiredCapabilities: { elicitation: { form: {} }, roots: {}, sampling: {} } },
  });
});
