import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Salvage, salvageText } from '../../lib/frame/salvage.ts';

const bytewise = (text: string) => {
  const salvage = new Salvage();
  for (const byte of new TextEncoder().encode(text)) salvage.push(Uint8Array.of(byte));
  return salvage.end();
};

describe('salvage', () => {
  it.each<[string, string, string | number | undefined]>([
    ['a number', '{"id":12,"method":"x","params":{', 12],
    ['zero', '{"id":0,"method":', 0],
    ['a string', '{"id":"a-1","method":"x"', 'a-1'],
    ['the empty string', '{"id":"","x"', ''],
    ['an escaped string', '{"id":"a\\"b\\u0041\\\\","x"', 'a"bA\\'],
    ['a string beyond ASCII', '{"id":"é漢🎈","x"', 'é漢🎈'],
    ['an escaped key', '{"\\u0069d":4,"x"', 4],
    ['after large params', `{"method":"x","params":{"a":"${'y'.repeat(200_000)}"},"id":9}`, 9],
    ['after nested ids', '{"params":{"id":1,"a":[{"id":2}]},"id":3,', 3],
    ['of strings that look like JSON', '{"params":{"a":"\\"},\\"id\\":1,"},"id":2,', 2],
    ['amid white space', ' \t{ "id" : 5 , "x"', 5],
    ['after a byte order mark', '\ufeff{"id":5,', 5],
    ['before damage', '{"id":5,"params":{"a":[}},"id":6}', 5],
    ['the last of several', '{"id":5,"id":6,', 6],
    ['nested only', '{"params":{"id":1},"method":"x"', undefined],
    ['nested after damage', '{"params":{"a":1],"id":9},"x":1}', undefined],
    ['in an array', '[{"id":1},', undefined],
    ['maybe cut short', '{"method":"x","id":12', undefined],
    ['a string cut short', '{"method":"x","id":"12', undefined],
    ['null', '{"id":null,', undefined],
    ['a fraction', '{"id":1.5,', undefined],
    ['beyond 2^53', '{"id":9007199254740993,', undefined],
    ['an object', '{"id":{"id":1},', undefined],
    ['two values', '{"id":1 2,', undefined],
    ['two values, one nested', '{"id":1 {},', undefined],
    ['too long', `{"id":"${'1'.repeat(5_000)}",`, undefined],
    ['after the end', '{"method":"x"},"id":1}', undefined],
    ['nothing', '', undefined],
  ])('finds %s', (_, text, id) => {
    expect(salvageText(text).id).toBe(id);
    expect(bytewise(text).id).toBe(id);
  });

  it('tells responses from requests', () => {
    expect(salvageText('{"id":1,"result":{"method":"x"},').response).toBe(true);
    expect(salvageText('{"error":{"code":1},"id":1,').response).toBe(true);
    expect(salvageText('{"id":1,"method":"x","params":{"result":1},').response).toBe(false);
    expect(salvageText('{"id":1,').response).toBe(false);
  });

  it('agrees with JSON.parse on every whole object', () => {
    const id = fc.oneof(fc.string({ unit: 'binary', maxLength: 50 }), fc.maxSafeInteger());
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), id, fc.nat(), (rest, own, space) => {
        const text = JSON.stringify({ ...rest, id: own }, undefined, space % 3);
        return salvageText(text).id === own && bytewise(text).id === own;
      }),
    );
  });
});
