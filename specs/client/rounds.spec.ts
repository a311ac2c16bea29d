import { map, NEVER, Observable, of, Subject, throwError, timer } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  elicit,
  InputRequired,
  InvalidAnswer,
  NotSupported,
  progress,
  Refused,
  Schema,
  serverWith,
  TimedOut,
  tool,
  type Answers,
  type CallOptions,
  type Exchange,
  type JsonObject,
} from '../../lib/index.ts';
import { isModern, metaKeys } from '../../lib/protocol/revisions.ts';
import { breaches, createLedger, linked, type Tapped } from '../../lib/testing/index.ts';
import { leavesNothing } from '../behaviour/leaks.ts';
import { said } from '../behaviour/party.ts';
import { errorOf, object, textOf } from '../behaviour/scene.ts';
import { asks, done, form, page, sampling, scripted } from './scripted.ts';

const accepting: Answers = { form: ({ message }) => ({ action: 'accept', content: { name: message } }) };
const answered = (message = 'Who?'): JsonObject => ({ action: 'accept', content: { name: message } });

const roundsIn = ({ overheard }: Tapped, method = 'tools/call') => said(overheard, 'out', method);
const paramsOf = (message: JsonObject): JsonObject => object(message['params']);

describe('a call that needs input', () => {
  leavesNothing();
  /** A client of a scripted server, and all that the server was asked. */
  const playing = async (results: readonly JsonObject[], answers: Answers = accepting) => {
    const { served, asked } = scripted(...results);
    const link = await linked(served, { client: { answers } });
    return { ...link, asked, call: (given: CallOptions = {}) => link.client.callTool('t', { a: [1], b: 'x' }, given) };
  };

  it('is made again with the answers, under a new id, with nothing else changed (MRTR-17, MRTR-18, MRTR-19, MRTR-22, MRTR-24)', async () => {
    const questions = { one: form('1'), 'the other': form('2') };
    await using link = await playing([asks(questions, 'S1'), asks({ three: form('3') }, 'S2'), done]);
    const meta = { traceparent: '00-x', 'example.com/x': { deep: true } };
    expect(textOf(await link.call({ meta, logLevel: 'debug' }))).toBe('done');
    const calls = roundsIn(link.wire);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(3);
    expect(calls.map((call) => paramsOf(call)['inputResponses'])).toEqual([
      undefined,
      { one: answered('1'), 'the other': answered('2') },
      { three: answered('3') },
    ]);
    for (const call of calls) {
      const { name, arguments: args, _meta } = paramsOf(call);
      expect({ name, args }).toEqual({ name: 't', args: { a: [1], b: 'x' } });
      expect(_meta).toEqual({
        ...meta,
        [metaKeys.protocolVersion]: '2026-07-28',
        [metaKeys.clientCapabilities]: { elicitation: { form: {} } },
        [metaKeys.clientInfo]: expect.objectContaining({ name: 'rxmcp' }) as unknown,
        [metaKeys.logLevel]: 'debug',
        progressToken: call['id'],
      });
    }
    expect(breaches(link.wire.overheard)).toEqual([]);
  });

  it.each([
    ['plain', 'abc'],
    ['empty', ''],
    ['blank', '  \t\n'],
    ['in JSON', '{"a": 1,  "b":"\\u00f8"}'],
    ['of many planes', '\u0000\u2028Ø🙂\ufeff\u202e'],
    ['in a form that could be composed', 'e\u0301 \u00e9'],
    ['like a number', '007'],
    ['like a key', '__proto__'],
    ['long', 'x'.repeat(100_000)],
  ])('gives state back as it came: %s (MRTR-20)', async (_, state) => {
    for (const questions of [{ q: form() }, undefined]) {
      await using link = await playing([asks(questions, state), done]);
      await link.call();
      expect(paramsOf(object(roundsIn(link.wire)[1]))['requestState'] === state).toBe(true);
    }
  });

  it('gives back no state where the last result had none (MRTR-21)', async () => {
    await using link = await playing([asks({ q: form() }, 'S1'), asks({ q: form() }), asks({ q: form() }, 'S3'), done]);
    await link.call({ again: { requestState: 'S0', inputResponses: { z: { action: 'cancel' } } } });
    const calls = roundsIn(link.wire).map(paramsOf);
    expect(calls.map((params) => params['requestState'])).toEqual(['S0', 'S1', undefined, 'S3']);
    expect(calls.map((params) => 'requestState' in params)).toEqual([true, true, false, true]);
    expect(calls.map((params) => Object.keys(object(params['inputResponses'])))).toEqual([['z'], ['q'], ['q'], ['q']]);
  });

  it('for nothing but time is made again at once (MRTR-16)', async () => {
    await using link = await playing([asks(undefined, 'S1'), asks(undefined, 'S2'), done]);
    expect(textOf(await link.call())).toBe('done');
    const calls = roundsIn(link.wire).map(paramsOf);
    expect(calls.map((params) => params['requestState'])).toEqual([undefined, 'S1', 'S2']);
    for (const params of calls) expect(params).not.toHaveProperty('inputResponses');
  });

  it('of no question with state answers none', async () => {
    await using link = await playing([asks({}, 'S1'), done]);
    expect(textOf(await link.call())).toBe('done');
    expect(roundsIn(link.wire).map((call) => paramsOf(call)['requestState'])).toEqual([undefined, 'S1']);
  });

  it('asks one thing at a time, in order', async () => {
    const shown: string[] = [];
    const open = new Map<string, Subject<{ readonly action: 'decline' }>>();
    await using link = await playing([asks({ b: form('b'), a: form('a'), c: form('c') }, 'S'), done], {
      form: ({ message }) => {
        shown.push(message);
        const answer = new Subject<{ readonly action: 'decline' }>();
        open.set(message, answer);
        return answer;
      },
    });
    const call = link.call();
    for (const upTo of [['b'], ['b', 'a'], ['b', 'a', 'c']]) {
      await vi.waitFor(() => expect(shown).toEqual(upTo));
      // The others wait, and so does the server.
      expect(link.asked).toHaveLength(1);
      const answer = open.get(upTo.at(-1) ?? '');
      answer?.next({ action: 'decline' });
      answer?.complete();
    }
    expect(textOf(await call)).toBe('done');
  });

  it('keeps its answers to itself, whatever else is asked meanwhile (MRTR-23)', async () => {
    const waiting = new Subject<{ readonly action: 'cancel' }>();
    const served: Exchange = (request, context) =>
      request.method === 'tools/call' &&
      request.params?.['name'] === 'asks' &&
      request.params['requestState'] === undefined
        ? of({ result: asks({ q: form() }, 'S') })
        : scripted(done).served(request, context);
    await using link = await linked(served, { client: { answers: { form: () => waiting } } });
    const one = link.client.callTool('asks', {});
    await Promise.all([link.client.callTool('t', {}), link.client.getPrompt('p').catch(() => 'none')]);
    waiting.next({ action: 'cancel' });
    waiting.complete();
    await one;
    const stated = link.wire.overheard.filter(
      ({ way, message }) => way === 'out' && JSON.stringify(message).match(/requestState|inputResponses/) !== null,
    );
    expect(stated.map(({ message }) => paramsOf(message)['name'])).toEqual(['asks']);
  });

  it.each([
    ['resources/read', { uri: 'x://y' }, { resultType: 'complete', contents: [], ttlMs: 0, cacheScope: 'private' }],
    ['prompts/get', { name: 'p' }, { resultType: 'complete', messages: [] }],
  ] as const)('may be a %s, too (MRTR-02)', async (method, params, result) => {
    await using link = await playing([asks({ q: form() }, 'S'), result]);
    const events: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      link.client.request(method, params).subscribe({
        next: (event) => events.push(event),
        complete: resolve,
        error: reject,
      });
    });
    expect(events).toEqual([{ kind: 'result', result }]);
    expect(roundsIn(link.wire, method)).toHaveLength(2);
  });

  it('may be nothing else: what needs input and must not is no answer (MRTR-03)', async () => {
    const asked = vi.fn(() => ({ action: 'cancel' }) as const);
    await using link = await playing([asks({ q: form() }, 'S')], { form: asked });
    const error = await errorOf(link.client.complete({ type: 'ref/prompt', name: 'p' }, 'a', ''));
    expect(error).toBeInstanceOf(InvalidAnswer);
    expect(asked).not.toHaveBeenCalled();
  });

  it.each<[string, JsonObject]>([
    ['for nothing (MRTR-04)', asks(undefined)],
    ['for no question, without state (MRTR-04)', asks({})],
    ['with a list of questions', asks([form()])],
    ['with text for questions', asks('form')],
    ['with a question that is none', asks({ q: 'form' })],
    ['with a question without a method', asks({ q: { params: {} } })],
    ['with a question of another method (MRTR-05)', asks({ q: { method: 'tools/call', params: { name: 't' } } })],
    ['with a method that every object has', asks({ q: { method: 'toString', params: {} } })],
    ['with a form without a schema', asks({ q: { method: 'elicitation/create', params: { message: 'Who?' } } })],
    [
      'with a page without a URL',
      asks({ q: { method: 'elicitation/create', params: { mode: 'url', message: 'Go' } } }),
    ],
    [
      'with results of no tool call (SAMP-16)',
      asks({
        q: sampling({ messages: [{ role: 'user', content: { type: 'tool_result', toolUseId: 'x', content: [] } }] }),
      }),
    ],
  ])('%s is no answer', async (_, result) => {
    const all: Answers = {
      form: () => ({ action: 'cancel' }),
      url: () => ({ action: 'cancel' }),
      sample: () => ({ role: 'assistant', model: 'm', content: { type: 'text', text: '' } }),
      sampling: { tools: true },
    };
    await using link = await playing([result, done], all);
    expect(await errorOf(link.call())).toBeInstanceOf(InvalidAnswer);
    expect(link.asked).toHaveLength(1);
  });

  it.each<[string, Answers['form'] & object]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
    ['fails as an Observable', () => throwError(() => new Error('broken'))],
    ['ends without one', () => new Observable((subscriber) => subscriber.complete())],
  ])('whose answer %s fails, is not made again, and asks no further', async (_, answer) => {
    const visited = vi.fn(() => ({ action: 'accept' }) as const);
    await using link = await playing([asks({ q: form(), p: page('https://example.com') }, 'S'), done], {
      form: answer,
      url: visited,
    });
    expect(await errorOf(link.call())).toBeInstanceOf(Error);
    expect(link.asked).toHaveLength(1);
    expect(visited).not.toHaveBeenCalled();
  });

  it('that this client cannot give says which capability that is', async () => {
    await using link = await playing([asks({ q: sampling() }, 'S'), done]);
    const error = await errorOf(link.call());
    expect(error).toBeInstanceOf(NotSupported);
    expect(error).toMatchObject({ capability: 'sampling', method: 'tools/call' });
    expect(link.asked).toHaveLength(1);
  });
});

describe('rounds', () => {
  leavesNothing();
  const endless = (...states: readonly string[]) => states.map((state) => asks({ q: form() }, state));

  it('are ten at most; what is asked then is left to the caller (MRTR-25)', async () => {
    const states = Array.from({ length: 20 }, (_, index) => `S${index + 1}`);
    const { served, asked } = scripted(...endless(...states));
    await using link = await linked(served, { client: { answers: accepting } });
    const error = await errorOf(link.client.callTool('t', {}));
    expect(error).toBeInstanceOf(InputRequired);
    expect(error).toMatchObject({
      method: 'tools/call',
      message: expect.stringContaining('10 rounds') as string,
      inputRequests: { q: form() },
      requestState: 'S11',
    });
    expect(asked).toHaveLength(11);
  });

  it('of nothing but state are counted, too', async () => {
    const { served, asked } = scripted(asks(undefined, 'S'));
    await using link = await linked(served);
    expect(await errorOf(link.client.callTool('t', {}))).toBeInstanceOf(InputRequired);
    expect(asked).toHaveLength(11);
  });

  it.each([1, 3, 12])('are as many as a call wants: %i', async (rounds) => {
    const { served, asked } = scripted(...endless('S'));
    await using link = await linked(served, { client: { answers: accepting } });
    expect(await errorOf(link.client.callTool('t', {}, { rounds }))).toBeInstanceOf(InputRequired);
    expect(asked).toHaveLength(rounds + 1);
    const enough = scripted(...endless(...Array<string>(rounds).fill('S')), done);
    await using other = await linked(enough.served, { client: { answers: accepting } });
    expect(textOf(await other.client.callTool('t', {}, { rounds }))).toBe('done');
  });

  it('may be none: the caller gets the questions, and goes on by hand', async () => {
    const shown = vi.fn(() => ({ action: 'cancel' }) as const);
    const { served } = scripted(asks({ q: form('1') }, ' S1 '), asks({ q: form('2') }), done);
    await using link = await linked(served, { client: { answers: { form: shown } } });
    const first = await errorOf(link.client.callTool('t', { a: 1 }, { rounds: 0 }));
    expect(first).toBeInstanceOf(InputRequired);
    expect(first).toMatchObject({ inputRequests: { q: form('1') }, requestState: ' S1 ' });
    const inputResponses = { q: { action: 'accept', content: { name: 'Ada' } } } as const;
    const again = { inputResponses, requestState: ' S1 ' };
    const second = await errorOf(link.client.callTool('t', { a: 1 }, { rounds: 0, again }));
    expect(second).toMatchObject({ inputRequests: { q: form('2') } });
    expect(second).not.toHaveProperty('requestState');
    expect(textOf(await link.client.callTool('t', { a: 1 }, { rounds: 0, again: { inputResponses } }))).toBe('done');
    expect(shown).not.toHaveBeenCalled();
    expect(
      roundsIn(link.wire).map((call) => {
        const { name, _meta, ...rest } = paramsOf(call);
        return rest;
      }),
    ).toEqual([{ arguments: { a: 1 } }, { arguments: { a: 1 }, ...again }, { arguments: { a: 1 }, inputResponses }]);
  });

  it('of a server of ours go on by hand, and by themselves from there', async () => {
    const Name = Schema.Struct({ name: Schema.String });
    const served = serverWith(
      { state: { keys: ['k'.repeat(32)] } },
      { name: 's', version: '1' },
      tool('t', {}, (_, call) => {
        const one = call.ask('one', elicit(Name, '1'));
        const two = call.ask('two', elicit(Name, '2'));
        return `${one.action === 'accept' ? one.content.name : ''} ${two.action === 'accept' ? two.content.name : ''}`;
      }),
    );
    await using link = await linked(served, { client: { answers: accepting, revisions: ['2026-07-28'] } });
    const error = await errorOf(link.client.callTool('t', {}, { rounds: 0 }));
    const { requestState = '' } = error as InputRequired;
    const again = {
      inputResponses: { one: { action: 'accept', content: { name: 'by hand' } } },
      requestState,
    } as const;
    expect(textOf(await link.client.callTool('t', {}, { again }))).toBe('by hand 2');
  });

  it('are one call to who watches: one result, and progress that only rises (PRG-04)', async () => {
    const says = (...steps: readonly number[]) => steps.map((step) => progress(step));
    let round = 0;
    const served: Exchange = (request, context) => {
      if (request.method !== 'tools/call') return scripted(done).served(request, context);
      round += 1;
      if (round === 1) return of(...says(1, 2), { result: asks({ q: form() }, 'S1') });
      if (round === 2) return of(...says(1, 2, 3), { result: asks({ q: form() }, 'S2') });
      return of(...says(1, 3, 4), { result: done });
    };
    await using link = await linked(served, { client: { answers: accepting } });
    const events: unknown[] = [];
    await new Promise<void>((resolve, reject) => {
      link.client.call('t', {}).subscribe({
        next: (event) => events.push(event.kind === 'progress' ? event.progress : event.kind),
        complete: resolve,
        error: reject,
      });
    });
    expect(events).toEqual([1, 2, 3, 4, 'result']);
    expect(breaches(link.wire.overheard)).toEqual([]);
  });
});

describe.each(['2025-11-25', '2026-07-28'] as const)('while a person answers, at %s', (revision) => {
  let ledger = createLedger();
  beforeEach(() => {
    vi.useFakeTimers();
    ledger = createLedger();
  });
  afterEach(() => {
    const left = vi.getTimerCount();
    vi.useRealTimers();
    expect(left).toBe(0);
    expect(ledger.live).toEqual({});
  });

  /** Not a server of ours: sealing state takes real time, and here all time is virtual. */
  const served: Exchange = (request, context) => {
    const { name, arguments: args, requestState } = request.params ?? {};
    if (request.method !== 'tools/call') return scripted(done).served(request, context);
    if (name === 'hangs') return NEVER.pipe(ledger.watch('hangs'));
    const { before, after } = object(args);
    const result = requestState === undefined ? asks({ q: form() }, 'S') : done;
    return timer(Number(requestState === undefined ? before : after)).pipe(
      map(() => ({ result })),
      ledger.watch('handler'),
    );
  };

  /** A client whose user takes this long; the events of a call with the time at which they came. */
  const playing = async (takesMs: number, given: CallOptions, waits = { before: 10, after: 10 }) => {
    const answers: Answers = {
      form: (_, { signal }) => {
        ledger.signal('question', signal);
        return timer(takesMs).pipe(
          map(() => ({ action: 'cancel' }) as const),
          ledger.watch('answer'),
        );
      },
    };
    const link = await linked(served, { revision, client: { answers } });
    const events: unknown[] = [];
    const started = Date.now();
    const call = link.client.call('asks', waits, given).subscribe({
      next: ({ kind }) => events.push([Date.now() - started, kind]),
      error: (error: unknown) => events.push([Date.now() - started, error]),
    });
    return { ...link, events, call };
  };

  it('no idle clock runs (LIFE-17)', async () => {
    const { client, events } = await playing(10_000, { idleMs: 100 });
    await vi.advanceTimersByTimeAsync(10_020);
    expect(events).toEqual([[10_020, 'result']]);
    await client.close();
  });

  it('and it begins anew when they have answered', async () => {
    const { client, events } = await playing(10_000, { idleMs: 100 }, { before: 90, after: 90 });
    await vi.advanceTimersByTimeAsync(10_180);
    expect(events).toEqual([[10_180, 'result']]);
    await client.close();
    const late = await playing(10_000, { idleMs: 100 }, { before: 10, after: 500 });
    await vi.advanceTimersByTimeAsync(10_500);
    expect(late.events).toEqual([[10_110, expect.any(TimedOut)]]);
    expect((late.events[0] as [number, TimedOut])[1]).toMatchObject({ limit: 'idle' });
    await late.client.close();
  });

  const alone = revision === '2026-07-28';
  it(alone ? 'of the call that asks, alone' : 'of no call, as nobody knows whose question it is', async () => {
    const { client, events } = await playing(5_000, {});
    const hung: unknown[] = [];
    const started = Date.now();
    client
      .call('hangs', {}, { idleMs: 100 })
      .subscribe({ error: (error: unknown) => hung.push([Date.now() - started, error]) });
    await vi.advanceTimersByTimeAsync(5_020);
    expect(hung).toEqual(alone ? [[100, expect.any(TimedOut)]] : []);
    expect(events).toEqual([[5_020, 'result']]);
    await vi.advanceTimersByTimeAsync(90);
    expect(hung).toEqual([[alone ? 100 : 5_110, expect.any(TimedOut)]]);
    await client.close();
  });

  it('the total limit runs on, and withdraws the question (LIFE-21)', async () => {
    const { client, events, wire } = await playing(10_000, { idleMs: 100, totalMs: 3_000 });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(events).toEqual([[3_000, expect.any(TimedOut)]]);
    expect((events[0] as [number, TimedOut])[1]).toMatchObject({ limit: 'total', ms: 3_000 });
    await vi.advanceTimersByTimeAsync(0);
    expect(ledger.entries).toEqual(expect.arrayContaining(['answer unsubscribed', 'question aborted']));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(events).toHaveLength(1);
    expect(breaches(wire.overheard)).toEqual([]);
    await client.close();
  });

  it('a caller who leaves withdraws the question, and nothing more is sent', async () => {
    const { client, call, wire, events } = await playing(10_000, {});
    await vi.advanceTimersByTimeAsync(100);
    expect(ledger.live).toMatchObject({ answer: 1 });
    call.unsubscribe();
    await vi.advanceTimersByTimeAsync(0);
    expect(ledger.live).toEqual({});
    expect(ledger.entries).toEqual(expect.arrayContaining(['answer unsubscribed', 'question aborted']));
    const { length } = wire.overheard;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(wire.overheard).toHaveLength(length);
    expect(events).toEqual([]);
    // Since 2026-07-28 there is nothing at the server to be cancelled.
    expect(said(wire.overheard, 'out', 'notifications/cancelled')).toHaveLength(isModern(revision) ? 0 : 1);
    expect(breaches(wire.overheard)).toEqual([]);
    await client.close();
  });

  it('a signal that is aborted does the same to a Promise', async () => {
    const { client, call } = await playing(10_000, {});
    call.unsubscribe();
    await vi.advanceTimersByTimeAsync(0);
    ledger.forget();
    const leaving = new AbortController();
    const answer = client
      .callTool('asks', { before: 10, after: 10 }, { signal: leaving.signal })
      .catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(50);
    leaving.abort(new Error('enough'));
    await vi.advanceTimersByTimeAsync(0);
    expect(await answer).toMatchObject({ message: 'enough' });
    expect(ledger.live).toEqual({});
    expect(ledger.entries).toEqual(expect.arrayContaining(['answer unsubscribed', 'question aborted']));
    await client.close();
  });

  it('a connection that is closed withdraws it, too', async () => {
    const { client, events } = await playing(10_000, {});
    await vi.advanceTimersByTimeAsync(100);
    expect(ledger.live).toMatchObject({ answer: 1 });
    await client.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(ledger.live).toEqual({});
    expect(ledger.entries).toEqual(expect.arrayContaining(['answer unsubscribed', 'question aborted']));
    expect(events).toHaveLength(1);
  });

  it('what was answered is not withdrawn afterwards', async () => {
    const { client } = await playing(10, {});
    await vi.advanceTimersByTimeAsync(30);
    expect(ledger.entries).toContain('answer completed');
    await client.close();
    expect(ledger.entries).not.toContain('question aborted');
  });
});

describe('a round', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    const left = vi.getTimerCount();
    vi.useRealTimers();
    expect(left).toBe(0);
  });

  it('is a sign of life: the idle clock begins anew with it', async () => {
    let round = 0;
    const served: Exchange = (request, context) => {
      if (request.method !== 'tools/call') return scripted(done).served(request, context);
      round += 1;
      const result = round < 4 ? asks(undefined, `S${round}`) : done;
      return timer(80).pipe(map(() => ({ result })));
    };
    const link = await linked(served);
    const call = link.client.callTool('t', {}, { idleMs: 100 });
    await vi.advanceTimersByTimeAsync(320);
    expect(textOf(await call)).toBe('done');
    const short = link.client.callTool('t', {}, { idleMs: 50 }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(50);
    expect(await short).toBeInstanceOf(TimedOut);
    await link.client.close();
  });
});

it('a model that is refused ends the call here, and the server hears nothing of it (SAMP-17)', async () => {
  const { served, asked } = scripted(asks({ q: sampling() }, 'S'), done);
  await using link = await linked(served, {
    client: { answers: { sample: () => Promise.reject(new Refused({ message: 'no' })) } },
  });
  expect(await errorOf(link.client.callTool('t', {}))).toBeInstanceOf(Refused);
  expect(asked).toHaveLength(1);
});
