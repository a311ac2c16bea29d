import { NEVER, of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { codes, ConnectionClosed, elicit, Schema, server, tool } from 'rxmcp';
import { unanswered } from 'rxmcp/testing';
import { rounds } from '../../lib/exchange/rounds.ts';
import { legacyRevisions, metaKeys } from '../../lib/protocol/revisions.ts';
import { leavesNothing } from '../behaviour/leaks.ts';
import { accepted, behind, everything, form } from './behind.ts';
import { proxied } from './proxied.ts';

leavesNothing();

const invalid = expect.objectContaining({ code: codes.invalidParams }) as unknown;
const ended = { error: { code: codes.internalError } };
const result = { content: [{ type: 'text', text: 'done' }] };
const done = [{ result: { ...result, resultType: 'complete' } }, 'complete'];
const asks = (...keys: readonly string[]) => [
  {
    result: {
      resultType: 'input_required',
      inputRequests: Object.fromEntries(keys.map((key) => [key, { method: 'elicitation/create', params: form }])),
      requestState: expect.any(String) as string,
    },
  },
  'complete',
];
const progress = (steps: number) => ({ method: 'notifications/progress', params: { progress: steps } });
const quarter = 15 * 60_000;
const one = { 'question-1': accepted };

/** Whatever happens, no timer is left. */
const inVirtualTime = (): void => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] }));
  afterEach(() => {
    const left = vi.getTimerCount();
    vi.useRealTimers();
    expect(left).toBe(0);
  });
};

describe('a call that is asked something on its way', () => {
  inVirtualTime();

  it('ends with the question, and goes on with the answer (BR-26)', () => {
    const { call, again, ask, told, answer, sent } = behind();
    const first = call();
    ask('q');
    expect(first.seen).toMatchObject(asks('question-1'));
    expect(told('q')).toBeUndefined();
    const second = again(first.needs().requestState, one);
    expect(told('q')).toEqual({ jsonrpc: '2.0', id: 'q', result: accepted });
    expect(second.seen).toEqual([]);
    answer(1, result);
    expect(second.seen).toEqual(done);
    expect(sent.filter(({ method }) => method === 'tools/call')).toHaveLength(1);
  });

  it('stays parked for an answer of another kind, which its caller is told of (MRTR-13)', () => {
    const { call, again, ask, told } = behind();
    const first = call();
    ask('q', 'sampling/createMessage', { messages: [], maxTokens: 1 });
    const { requestState } = first.needs();
    expect(again(requestState, { 'question-1': accepted }).seen).toEqual([invalid]);
    expect(told('q')).toBeUndefined();
    const answer = { role: 'assistant', model: 'm', content: { type: 'text', text: 'yes' } };
    const second = again(requestState, { 'question-1': answer });
    expect(told('q')).toMatchObject({ result: answer });
    second.stop();
  });

  it('is nobody’s question while the call has not gone to the server: it may be of this client’s own', () => {
    const { any, own, ask, told, answer, sent } = behind();
    const mine = own();
    const meta = { [metaKeys.clientCapabilities]: everything, [metaKeys.logLevel]: 'debug' };
    const theirs = any({ name: 't', _meta: meta }, { principal: 'ada' });
    expect(sent.map(({ method }) => method)).toEqual(['tools/call', 'logging/setLevel']);
    ask('q');
    expect(theirs.seen).toEqual([]);
    expect(told('q')).toMatchObject({ error: { code: codes.methodNotFound } });
    answer(2, {});
    ask('r');
    // Now there are two of whom it may be.
    expect(told('r')).toMatchObject({ error: { code: codes.invalidParams } });
    mine.stop();
    theirs.stop();
  });

  it('is asked its own questions also when it had been refused until a page was visited (BR-33)', () => {
    const { call, again, ask, told, refuse, unsolicited, answer, sent } = behind();
    const first = call();
    const page = { mode: 'url', message: 'Pay', url: 'https://example.com/pay', elicitationId: 'e' };
    refuse(1, -32042, { elicitations: [page] });
    const { inputRequests, requestState } = first.needs();
    const [key = ''] = Object.keys(inputRequests);
    unsolicited.next({ method: 'notifications/elicitation/complete', params: { elicitationId: 'e' } });
    const second = again(requestState, { [key]: { action: 'accept' } });
    expect(sent.filter(({ method }) => method === 'tools/call')).toHaveLength(2);
    ask('q');
    expect(second.seen).toMatchObject(asks('question-1'));
    const third = again(second.needs().requestState, one);
    expect(told('q')).toMatchObject({ result: accepted });
    answer(2, result);
    expect(third.seen).toEqual(done);
  });

  it('belongs to who made it: another principal, method or parameters are refused, and harm nothing (MRTR-11, BR-12)', () => {
    const { any, call, again, ask, told, answer } = behind();
    const ada = { principal: 'ada' };
    const first = call(ada);
    ask('q');
    const { requestState } = first.needs();
    expect(again(requestState, one, { principal: 'bob' }).seen).toEqual([invalid]);
    expect(again(requestState, one, {}).seen).toEqual([invalid]);
    expect(again(requestState, one, ada, { name: 'other' }).seen).toEqual([invalid]);
    expect(again(requestState, one, ada, { arguments: {} }).seen).toEqual([invalid]);
    expect(any({ name: 't', requestState, inputResponses: one }, ada, 'prompts/get').seen).toEqual([invalid]);
    expect(told('q')).toBeUndefined();
    const second = again(requestState, one, ada);
    answer(1, result);
    expect(second.seen).toEqual(done);
  });

  it('goes on once: who comes a second time meanwhile, or afterwards, is refused', () => {
    const { call, again, ask, answer } = behind();
    const first = call();
    ask('q');
    const { requestState } = first.needs();
    const second = again(requestState, one);
    expect(again(requestState, one).seen).toEqual([invalid]);
    answer(1, result);
    expect(second.seen).toEqual(done);
    expect(again(requestState).seen).toEqual([invalid]);
  });

  it.each(['', 'unknown', 7, null])('is not found by a state that was never given: %j', (state) => {
    const { any, again, sent } = behind();
    expect(again(state).seen).toEqual([invalid]);
    // Nor by the client's own call.
    expect(any({ name: 't', requestState: state }).seen).toEqual([invalid]);
    expect(sent).toEqual([]);
  });

  it('waits for a quarter of an hour; then the server is told that it is over, and so is who comes back', () => {
    const { call, again, ask, told, cancelled } = behind();
    const first = call();
    ask('q');
    vi.advanceTimersByTime(quarter - 1);
    expect([cancelled(), told('q')]).toEqual([[], undefined]);
    vi.advanceTimersByTime(1);
    expect(cancelled()).toEqual([1]);
    expect(told('q')).toMatchObject(ended);
    expect(again(first.needs().requestState, one).seen).toEqual([invalid]);
  });

  it('waits anew for each question, and for none while it is worked on', () => {
    const { call, again, ask, cancelled, answer } = behind();
    const first = call();
    ask('q1');
    vi.advanceTimersByTime(quarter - 1);
    const second = again(first.needs().requestState, one);
    vi.advanceTimersByTime(2 * quarter);
    ask('q2');
    vi.advanceTimersByTime(quarter - 1);
    expect(cancelled()).toEqual([]);
    const third = again(second.needs().requestState, { 'question-2': accepted });
    answer(1, result);
    expect(third.seen).toEqual(done);
  });

  it('gives way to newer ones where too many wait: the oldest goes, and none that is worked on', () => {
    const { call, again, ask, told, cancelled, lose } = behind();
    const first = call();
    ask('q0');
    const worked = again(first.needs().requestState, one);
    const parkedWith = (n: number) => {
      const waiting = call({}, { arguments: { n } });
      ask(`q${n}`);
      return waiting;
    };
    const [oldest] = Array.from({ length: 100 }, (_, n) => parkedWith(n + 1));
    expect(cancelled()).toEqual([]);
    parkedWith(101);
    expect(cancelled()).toEqual([2]);
    expect([told('q1'), told('q2')]).toMatchObject([ended, undefined]);
    expect(again(oldest?.needs().requestState, one, {}, { arguments: { n: 1 } }).seen).toEqual([invalid]);
    expect(worked.seen).toEqual([]);
    lose();
  });

  it('is cancelled when its caller leaves while it is worked on, and what it has asked meanwhile is answered', () => {
    const { call, again, ask, told, cancelled } = behind();
    const first = call();
    ask('q1');
    ask('q2');
    const { requestState } = first.needs();
    // The first question was told of before the second came; that one is asked in its turn.
    const second = again(requestState, one);
    expect(second.seen).toMatchObject(asks('question-2'));
    const third = again(requestState, { 'question-2': accepted });
    third.stop();
    expect(cancelled()).toEqual([1]);
    expect([told('q1'), told('q2')]).toMatchObject([{ result: accepted }, { result: accepted }]);
    expect(again(requestState).seen).toEqual([invalid]);
  });

  it('is let go by who leaves with the question, unless somebody has gone on with it since', () => {
    const { call, again, ask, told, cancelled, answer } = behind();
    /** Somebody who was asked, and has not answered yet. */
    const pondering = ({ needs }: ReturnType<typeof call>) =>
      rounds({ method: 'tools/call', ask: () => NEVER, answer: () => NEVER }, { ...needs() }).subscribe();
    const first = call();
    ask('q1');
    const late = [pondering(first), pondering(first)];
    const second = again(first.needs().requestState, one);
    late[0]?.unsubscribe();
    expect(cancelled()).toEqual([]);
    ask('q2');
    late[1]?.unsubscribe();
    expect([cancelled(), told('q2')]).toEqual([[], undefined]);
    pondering(second).unsubscribe();
    expect(cancelled()).toEqual([1]);
    expect(told('q2')).toMatchObject(ended);
    answer(1);
    expect(again(first.needs().requestState).seen).toEqual([invalid]);
  });

  it('that was not asked is cancelled like any other', () => {
    const { call, cancelled, ask, told } = behind();
    call().stop();
    expect(cancelled()).toEqual([1]);
    // What its server asks all the same is outside of any call (BR-30).
    ask('q');
    expect(told('q')).toMatchObject({ error: { code: codes.methodNotFound } });
  });

  it('is asked again what was not answered, and keeps what was (MRTR-15)', () => {
    const { call, again, ask, told, answer } = behind();
    const first = call();
    ask('q1');
    ask('q2');
    const { requestState } = first.needs();
    const missed = again(requestState, { 'question-9': accepted, 'question-1': 'yes' });
    expect(missed.seen).toMatchObject(asks('question-1', 'question-2'));
    expect(told('q1')).toBeUndefined();
    const half = again(requestState, { 'question-2': accepted });
    expect(half.seen).toMatchObject(asks('question-1'));
    expect(told('q2')).toMatchObject({ result: accepted });
    const whole = again(requestState, one);
    answer(1, result);
    expect(whole.seen).toEqual(done);
  });

  it.each([
    ['answers', (server: ReturnType<typeof behind>) => server.answer(1, result), done],
    ['fails', (server: ReturnType<typeof behind>) => server.refuse(1, -1), [expect.objectContaining({ code: -1 })]],
  ] as const)('whose server %s without waiting has that kept for who comes back', (_, end, expected) => {
    const server = behind();
    const first = server.call();
    server.ask('q');
    end(server);
    expect(server.told('q')).toMatchObject(ended);
    expect(server.again(first.needs().requestState, one).seen).toEqual(expected);
    expect(server.again(first.needs().requestState, one).seen).toEqual([invalid]);
    expect(server.cancelled()).toEqual([]);
  });

  it('whose server takes its question back goes on without it (BR-20)', () => {
    const { call, again, ask, withdraw, told, answer } = behind();
    const first = call();
    ask('q');
    withdraw('q');
    const second = again(first.needs().requestState, one);
    expect(second.seen).toEqual([]);
    expect(told('q')).toBeUndefined();
    answer(1, result);
    expect(second.seen).toEqual(done);
  });

  it('whose connection is lost ends with that, and no time runs for it', () => {
    const { call, again, ask, lose } = behind();
    const first = call();
    ask('q');
    expect(vi.getTimerCount()).toBe(1);
    lose();
    expect(vi.getTimerCount()).toBe(0);
    expect(again(first.needs().requestState, one).seen).toEqual([expect.any(ConnectionClosed)]);
  });

  it('has the progress that it made meanwhile, the latest hundred, before its answer (PRG-07)', () => {
    const { call, again, ask, progress: made, answer } = behind();
    const first = call();
    made(1, 1);
    ask('q');
    for (let steps = 2; steps <= 121; steps += 1) made(1, steps);
    const second = again(first.needs().requestState, one);
    answer(1, result);
    expect(first.seen).toMatchObject([progress(1), ...asks('question-1')]);
    expect(second.seen).toEqual([...Array.from({ length: 100 }, (_, n) => progress(n + 22)), ...done]);
  });
});

describe('a question that a server asks', () => {
  inVirtualTime();

  it("is nobody's where several people have a call under way, and is refused (BR-12, BR-24)", () => {
    const { call, ask, told, answer, lose } = behind();
    const [ada, bob] = [call({ principal: 'ada' }), call({ principal: 'bob' })];
    ask('q1');
    expect(told('q1')).toMatchObject({ error: { code: codes.invalidParams } });
    expect([ada.seen, bob.seen]).toEqual([[], []]);
    answer(2);
    ask('q2');
    expect(ada.seen).toMatchObject(asks('question-1'));
    lose();
  });

  it('is not held back by a call that has ended, although its caller has not come back', () => {
    const { call, ask, answer, lose } = behind();
    call({ principal: 'ada' });
    ask('q1');
    answer(1);
    const bob = call({ principal: 'bob' });
    ask('q2');
    expect(bob.seen).toMatchObject(asks('question-1'));
    lose();
  });

  it('is for the latest call of one person that can be asked that', () => {
    const { call, ask, told, lose } = behind();
    const calls = [call({}, {}, { elicitation: {} }), call({}, {}, { elicitation: { form: {} } }), call({}, {}, {})];
    ask('q');
    expect(calls.map(({ seen }) => seen.length)).toEqual([0, 2, 0]);
    ask('m', 'sampling/createMessage', { messages: [], maxTokens: 1 });
    expect(told('m')).toMatchObject({
      error: { code: codes.methodNotFound, message: expect.stringContaining('the capability sampling,') as string },
    });
    lose();
  });

  it("is the client's own while only calls of its own are under way, and nobody's beside those of others", () => {
    const { own, call, ask, told, answer, lose } = behind(() => of({ result: { action: 'decline' } }));
    own();
    ask('q1');
    expect(told('q1')).toMatchObject({ result: { action: 'decline' } });
    const other = call();
    ask('q2');
    expect(told('q2')).toMatchObject({ error: { code: codes.invalidParams } });
    answer(1);
    ask('q3');
    expect(other.seen).toMatchObject(asks('question-1'));
    lose();
  });

  it('is that of the call which it came with, where the server says so (SHTTP-16, BR-24)', () => {
    const { own, call, askOn, told, lose } = behind(() => of({ result: { action: 'decline' } }));
    own();
    const [ada, bob, late] = [call({ principal: 'ada' }), call({ principal: 'bob' }), call({ principal: 'ada' })];
    askOn(2, 'q1');
    expect([ada.seen, bob.seen, late.seen]).toMatchObject([asks('question-1'), [], []]);
    askOn(3, 'q2');
    expect([bob.seen, late.seen]).toMatchObject([asks('question-1'), []]);
    askOn(1, 'q3');
    expect(told('q3')).toMatchObject({ result: { action: 'decline' } });
    expect([told('q1'), told('q2'), late.seen]).toEqual([undefined, undefined, []]);
    lose();
  });

  it('is that of the call alone which it came with, although the caller of another could answer it (BR-30)', () => {
    const { call, askOn, told, lose } = behind();
    const calls = [call({}, {}, {}), call()];
    askOn(1, 'q');
    expect(calls.map(({ seen }) => seen)).toEqual([[], []]);
    expect(told('q')).toMatchObject({
      error: { code: codes.methodNotFound, message: expect.stringContaining('elicitation.form') as string },
    });
    lose();
  });

  it('is not asked of the client itself because its caller cannot answer it (BR-30)', () => {
    const { call, ask, told, answer } = behind(() => of({ result: { action: 'accept', content: { name: 'me' } } }));
    call({}, {}, {});
    ask('q');
    expect(told('q')).toMatchObject({
      error: { code: codes.methodNotFound, message: expect.stringContaining('elicitation.form') as string },
    });
    answer(1);
  });

  it("outside of any call is the client's own to answer, or to refuse (BR-30)", () => {
    const { ask, told } = behind(() => NEVER);
    ask('q1');
    expect(told('q1')).toBeUndefined();
    const mute = behind();
    mute.ask('q2');
    expect(mute.told('q2')).toMatchObject({ error: { code: codes.methodNotFound } });
  });

  it('that was answered in words which its revision has not fails, and not the call', () => {
    const { call, again, ask, told, answer } = behind(undefined, '2025-06-18');
    const first = call();
    ask('q');
    const second = again(first.needs().requestState, { 'question-1': { action: 'accept', content: { name: ['a'] } } });
    expect(told('q')).toMatchObject({ error: { code: codes.internalError } });
    answer(1, result);
    expect(second.seen).toEqual(done);
  });
});

describe.each(legacyRevisions.filter((revision) => revision >= '2025-06-18'))(
  'a proxied call whose client speaks %s',
  (down) => {
    const Name = elicit(Schema.Struct({ name: Schema.String }), 'Who are you?');
    const asker = server(
      { name: 'asker', version: '1' },
      tool('form', {}, (_, call) => call.ask('name', Name).action),
    );
    it("is cancelled in the midst of a question: the server's call ends, and no question is left (CAN-02, BR-20, BR-26)", async () => {
      let shown: () => void;
      const showing = new Promise<void>((resolve) => (shown = resolve));
      const withdrawn = vi.fn();
      await using proxy = await proxied(asker, {
        up: '2025-11-25',
        down,
        client: {
          answers: {
            form: (_, { signal }) => {
              signal.addEventListener('abort', withdrawn);
              shown();
              return new Promise(() => undefined);
            },
          },
        },
      });
      const leaving = new AbortController();
      const call = proxy.client.callTool('form', {}, { signal: leaving.signal });
      await showing;
      leaving.abort(new Error('enough'));
      await expect(call).rejects.toThrow('enough');
      await vi.waitFor(() => expect(withdrawn).toHaveBeenCalledTimes(1));
      const cancelled = ({ way, message }: { readonly way: string; readonly message: object }): boolean =>
        way === 'out' && 'method' in message && message.method === 'notifications/cancelled';
      await proxy.far.next(cancelled);
      expect(proxy.far.overheard.filter(cancelled)).toHaveLength(1);
    });

    it('is over when its client has gone, whatever it was asked', async () => {
      const { client, relay, near, far } = await proxied(asker, {
        up: '2025-11-25',
        down,
        client: { answers: { form: () => new Promise<never>(() => undefined) } },
      });
      const call = client.callTool('form', {});
      await near.next(({ way, message }) => way === 'in' && message['method'] === 'elicitation/create');
      await client.close();
      await expect(call).rejects.toBeInstanceOf(ConnectionClosed);
      await far.next(({ way, message }) => way === 'out' && message['method'] === 'notifications/cancelled');
      expect(unanswered(far.overheard).filter((one) => one.startsWith('tools/call'))).toEqual([]);
      await relay.close();
    });
  },
);

it('a proxied call whose client has no words for the question is over at the server as well (BR-67)', async () => {
  const several = { type: 'array', items: { type: 'string', enum: ['red', 'blue'] } } as const;
  const Colours = elicit({ type: 'object', properties: { colours: several } } as const, 'Which?');
  const asker = server(
    { name: 'asker', version: '1' },
    tool('colours', {}, (_, call) => call.ask('colours', Colours).action),
  );
  await using proxy = await proxied(asker, {
    up: '2025-11-25',
    down: '2025-06-18',
    client: { answers: { form: () => ({ action: 'decline' }) } },
  });
  await expect(proxy.client.callTool('colours', {})).rejects.toMatchObject({
    code: codes.invalidRequest,
    message: expect.stringContaining('elicitation.form') as string,
  });
  expect(unanswered(proxy.far.overheard)).toEqual([]);
  expect(proxy.far.overheard.filter(({ message }) => message['method'] === 'notifications/cancelled')).toHaveLength(1);
});
