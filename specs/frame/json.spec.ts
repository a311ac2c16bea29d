import { describe, expect, it } from 'vitest';
import { Unreadable } from '../../lib/frame/unreadable.ts';
import { depthLimit, excerpt, parse, stringify } from '../../lib/frame/json.ts';
import { UnreadableResponse } from '../../lib/frame/unreadable-response.ts';

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

const unreadable = (text: string): Unreadable => {
  const value = parse(text);
  if (!(value instanceof Unreadable)) throw new Error(`was read: ${text.slice(0, 100)}`);
  return value;
};

describe('parse', () => {
  it('reads JSON of any kind', () => {
    expect(parse('{"jsonrpc":"2.0","id":0,"method":"ping"}')).toEqual({ jsonrpc: '2.0', id: 0, method: 'ping' });
    expect(parse('[1,null,"x"]')).toEqual([1, null, 'x']);
    expect(parse('null')).toBeNull();
  });

  it('answers -32700 to malformed JSON, with the id that can be read', () => {
    expect(unreadable('{"jsonrpc":"2.0","id":7,"method":"x","params":{"a":}}')).toMatchObject({
      code: -32700,
      id: 7,
      reason: expect.stringMatching(/^not JSON: /),
    });
    expect(unreadable('hello')).toMatchObject({ code: -32700, id: undefined, excerpt: 'hello' });
    expect(unreadable('')).toMatchObject({ code: -32700, id: undefined });
    expect(unreadable('{"id":"seven","method":"x","params":{"a":')).toMatchObject({ id: 'seven' });
  });

  it('does not repeat the input in the reason', () => {
    expect(unreadable('{"id":1,"method":secret}').reason).not.toContain('secret');
  });

  it('never makes a broken response look like a request', () => {
    const value = unreadable('{"jsonrpc":"2.0","id":3,"result":{"a":]}}');
    expect(value).toBeInstanceOf(UnreadableResponse);
    expect(value).toMatchObject({ id: undefined, answers: 3 });
  });

  it.each([
    ['plain', '{"id":1,"method":"x","params":{"__proto__":{"admin":true}}}'],
    ['escaped', '{"id":1,"method":"x","params":{"\\u005f_proto__":{"admin":true}}}'],
    ['escaped in upper case', '{"id":1,"method":"x","params":{"__prot\\u006F__":{"admin":true}}}'],
    ['within an array', '{"id":1,"method":"x","params":{"a":[[{"__proto__":1}]]}}'],
    ['at the top', '{"id":1,"method":"x","__proto__":null}'],
  ])('refuses a __proto__ key, %s', (_, text) => {
    expect(unreadable(text)).toMatchObject({ code: -32600, id: 1, reason: expect.stringContaining('__proto__') });
  });

  it('lets __proto__ pass as a value', () => {
    expect(parse('{"id":1,"method":"__proto__"}')).toEqual({ id: 1, method: '__proto__' });
  });

  it('bounds the nesting', () => {
    expect(parse(nested(depthLimit))).toBeInstanceOf(Array);
    expect(unreadable(nested(depthLimit + 1))).toMatchObject({ code: -32600, reason: expect.stringContaining('512') });
    expect(unreadable(`{"id":5,"method":"x","params":{"a":${nested(100_000)}}}`)).toMatchObject({
      code: -32600,
      id: 5,
    });
    const objects = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    expect(unreadable(`{"id":6,"method":"x","params":${objects}}`)).toMatchObject({ code: -32600, id: 6 });
  });

  it('keeps only the beginning of what it cannot read', () => {
    expect(unreadable('x'.repeat(10_000)).excerpt).toHaveLength(201);
    expect(excerpt('short')).toBe('short');
  });

  it('never throws', () => {
    const texts = [
      '"\\ud800',
      '{"id":"\\ud800"',
      '\u0000',
      '{',
      '{"',
      '{"id',
      '{"id":',
      '[[[',
      '{}{}',
      '\ufeff{}',
      '-',
    ];
    for (const text of texts) expect(() => parse(text)).not.toThrow();
  });
});

describe('stringify', () => {
  it('writes one line', () => {
    const text = stringify({ jsonrpc: '2.0', method: 'x', params: { a: 'one\ntwo\r\n' } });
    expect(text).not.toMatch(/[\r\n]/);
    expect(parse(text)).toEqual({ jsonrpc: '2.0', method: 'x', params: { a: 'one\ntwo\r\n' } });
  });

  it('writes a batch as one line', () => {
    expect(stringify([{ jsonrpc: '2.0', id: 1, result: {} }])).toBe('[{"jsonrpc":"2.0","id":1,"result":{}}]');
  });
});
