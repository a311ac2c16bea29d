import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHeader, encodeHeader } from '../../lib/protocol/header-value.ts';

const base64 = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;

describe('a text as a header value', () => {
  it.each(['us-west1', 'us west 1', '42', '', '!~', '=?base64?', '?=', '=?BASE64?SGVsbG8=?=', '=?base64?SGVsbG8='])(
    '%j is sent as it is (HTTP26-53, HTTP26-56, HTTP26-57)',
    (text) => expect(encodeHeader(text)).toBe(text),
  );

  it.each([
    ['Hello, 世界', '=?base64?SGVsbG8sIOS4lueVjA==?='],
    ['é', base64('é')],
    [' us-west1', base64(' us-west1')],
    ['us-west1 ', base64('us-west1 ')],
    [' ', base64(' ')],
    ['\tindented', base64('\tindented')],
    ['a\tb', base64('a\tb')],
    ['line1\nline2', base64('line1\nline2')],
    ['line1\r\nline2', base64('line1\r\nline2')],
    ['\x7f', base64('\x7f')],
    ['\u{feff}a', base64('\u{feff}a')],
    ['=?base64?SGVsbG8=?=', base64('=?base64?SGVsbG8=?=')],
    ['=?base64??=', base64('=?base64??=')],
    ['=?base64?=', base64('=?base64?=')],
  ])('%j is sent in base64 (HTTP26-33, HTTP26-54, HTTP26-55)', (text, header) => {
    expect(encodeHeader(text)).toBe(header);
    expect(decodeHeader(header)).toBe(text);
  });

  it.each([
    ['=?base64?SGVsbG8=?=', 'Hello'],
    ['=?base64??=', ''],
    ['  Hello \t', 'Hello'],
    [' =?base64?SGVsbG8=?= ', 'Hello'],
    ['a\tb', 'a\tb'],
    ['   ', ''],
    ['SGVsbG8=', 'SGVsbG8='],
    ['=?base64?SGVsbG8=', '=?base64?SGVsbG8='],
    ['SGVsbG8=?=', 'SGVsbG8=?='],
    ['=?BASE64?SGVsbG8=?=', '=?BASE64?SGVsbG8=?='],
    ['=?Base64?SGVsbG8=?=', '=?Base64?SGVsbG8=?='],
    ['=?base64?=', '=?base64?='],
    ['x=?base64?SGVsbG8=?=', 'x=?base64?SGVsbG8=?='],
  ])('%j says %j (HTTP26-38, HTTP26-40, HTTP26-56)', (header, text) => expect(decodeHeader(header)).toBe(text));

  it.each([
    ['padding that is not there', '=?base64?SGVsbG8?='],
    ['characters out of no alphabet', '=?base64?SGVs!!!bG8=?='],
    ['the alphabet of URLs', '=?base64?-_-_?='],
    ['white space inside', '=?base64?SGVs bG8=?='],
    ['padding in the middle', '=?base64?SG=sbG8=?='],
    ['nothing but padding', '=?base64?====?='],
    ['bytes that are no UTF-8', '=?base64?//8=?='],
    ['half of a character of UTF-8', '=?base64?w6==?='.replace('w6==', 'ww==')],
    ['bytes beyond ASCII', 'caf\xe9'],
    ['a character that no byte is', '世界'],
    ['a control character', 'a\x01b'],
    ['the end of a line', 'a\r\nb'],
    ['DEL', 'a\x7f'],
  ])('with %s cannot be read (HTTP26-37)', (_, header) => expect(decodeHeader(header)).toBeUndefined());

  it('comes back as it was, through characters that every HTTP stack carries (HTTP26-54)', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.string({ unit: fc.constantFrom(' ', '\t', 'a', '=', '?', '=?base64?', '?=', '\u{feff}', '\n') }),
    );
    fc.assert(
      fc.property(text, (given) => {
        const header = encodeHeader(given);
        expect(header).toMatch(/^(?:[!-~](?:[ -~]*[!-~])?)?$/);
        expect(decodeHeader(header)).toBe(given);
        expect(decodeHeader(` ${header}\t`)).toBe(given);
      }),
      { numRuns: 500 },
    );
  });

  it('never throws, and takes time in proportion to what it reads (HTTP26-37)', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (given) => void decodeHeader(given)));
    const long = `a${' '.repeat(4_000_000)}a`;
    expect(encodeHeader(long)).toBe(long);
    expect(decodeHeader(long)).toBe(long);
    expect(decodeHeader(encodeHeader(`${long}\n`))).toBe(`${long}\n`);
  });
});
