import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { balanceProblem } from '../../lib/protocol/sampling-balance.ts';

const text = { type: 'text', text: 'hello' };
const use = (id: unknown) => ({ type: 'tool_use', id, name: 'add', input: {} });
const result = (toolUseId: unknown) => ({ type: 'tool_result', toolUseId, content: [] });
const user = (...content: readonly unknown[]) => ({ role: 'user', content });
const assistant = (...content: readonly unknown[]) => ({ role: 'assistant', content });

describe('the balance of tool calls in a conversation', () => {
  it.each<[string, readonly unknown[]]>([
    ['nothing', []],
    ['no tools', [user(text), assistant(text), assistant(text), user(text, text)]],
    [
      'blocks that stand alone',
      [user(text), { role: 'assistant', content: use('a') }, { role: 'user', content: result('a') }],
    ],
    ['several calls, answered in another order', [assistant(text, use('a'), use('b')), user(result('b'), result('a'))]],
    [
      'one turn after another',
      [assistant(use('a')), user(result('a')), assistant(use('b')), user(result('b')), assistant(text)],
    ],
    [
      'an id that comes again once it is answered',
      [assistant(use('a')), user(result('a')), assistant(use('a')), user(result('a'))],
    ],
    ['an empty id', [assistant(use('')), user(result(''))]],
    ['what is no message and no block', [null, 3, {}, { role: 'user' }, user(null, 'x'), assistant({ type: 'mine' })]],
  ])('holds: %s', (_what, messages) => {
    expect(balanceProblem(messages)).toBeUndefined();
  });

  it.each<[string, readonly unknown[], string]>([
    ['SAMP-13', [assistant(use('a')), user(result('a'), text)], 'messages[1] has a tool_result beside something else'],
    ['SAMP-13', [assistant(use('a')), user(text, result('a'))], 'messages[1] has a tool_result beside something else'],
    [
      'SAMP-14, at the end',
      [user(text), assistant(use('a'))],
      'messages[1] has the tool_use "a", for which the next message has no tool_result',
    ],
    [
      'SAMP-14, another message first',
      [assistant(use('a')), user(text), user(result('a'))],
      'messages[0] has the tool_use "a", for which the next message has no tool_result',
    ],
    [
      'SAMP-14, the assistant goes on',
      [assistant(use('a')), assistant(text), user(result('a'))],
      'messages[0] has the tool_use "a", for which the next message has no tool_result',
    ],
    [
      'SAMP-14, one of two',
      [assistant(use('a'), use('b')), user(result('a'))],
      'messages[0] has the tool_use "b", for which the next message has no tool_result',
    ],
    [
      'SAMP-14, in two messages',
      [assistant(use('a'), use('b')), user(result('a')), user(result('b'))],
      'messages[0] has the tool_use "b", for which the next message has no tool_result',
    ],
    [
      'SAMP-14, by the assistant itself',
      [assistant(use('a')), assistant(result('a'))],
      'messages[1] has a tool_result, which only a user message may have',
    ],
    [
      'SAMP-14, twice',
      [assistant(use('a')), user(result('a'), result('a'))],
      'messages[1] has two tool_result blocks for "a"',
    ],
    [
      'SAMP-14, two calls of one id',
      [assistant(use('a'), use('a')), user(result('a'))],
      'messages[0] has two tool_use blocks with the id "a"',
    ],
    ['SAMP-14, by the user', [user(use('a'))], 'messages[0] has a tool_use, which only an assistant message may have'],
    [
      'SAMP-15',
      [user(result('a'))],
      'messages[0] has a tool_result for "a", which is no tool_use of the message before',
    ],
    [
      'SAMP-15, one too many',
      [assistant(use('a')), user(result('a'), result('b'))],
      'messages[1] has a tool_result for "b", which is no tool_use of the message before',
    ],
    [
      'SAMP-15, later than the next message',
      [assistant(use('a')), user(result('a')), assistant(text), user(result('a'))],
      'messages[3] has a tool_result for "a", which is no tool_use of the message before',
    ],
    [
      'SAMP-15, before its call',
      [user(result('a')), assistant(use('a'))],
      'messages[0] has a tool_result for "a", which is no tool_use of the message before',
    ],
  ])('is broken: %s', (_rule, messages, sentence) => {
    expect(balanceProblem(messages)).toBe(sentence);
  });

  it('is found missing even where an id is no string, and names no more of it than a sentence can hold', () => {
    expect(balanceProblem([assistant(use(undefined))])).toContain('has the tool_use');
    expect(balanceProblem([assistant(use('x'.repeat(1e6)))])?.length).toBeLessThan(250);
  });

  it('is lost with any one message of a conversation that has calls only (SAMP-14, SAMP-15)', () => {
    const turns = fc.array(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(turns, fc.nat(), (rounds, at) => {
        const messages = rounds.flatMap((ids) => [assistant(...ids.map(use)), user(...[...ids].reverse().map(result))]);
        expect(balanceProblem(messages)).toBeUndefined();
        expect(balanceProblem(messages.toSpliced(at % messages.length, 1))).toMatch(/^messages\[\d+\] has /);
      }),
    );
  });

  it('is decided in time that grows with the conversation and no faster', { timeout: 60_000 }, () => {
    const ids = Array.from({ length: 100_000 }, (_, index) => `call-${index}`);
    const begun = process.cpuUsage();
    expect(balanceProblem([assistant(...ids.map(use)), user(...ids.map(result))])).toBeUndefined();
    // Half a second; comparing each id with each takes most of a minute.
    expect(process.cpuUsage(begun).user).toBeLessThan(10e6);
  });
});
