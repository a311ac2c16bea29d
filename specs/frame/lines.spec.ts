import fc from 'fast-check';
import { from, of, Subject, take, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Unreadable } from '../../lib/frame/unreadable.ts';
import { lines, type LinesOptions } from '../../lib/frame/lines.ts';
import { UnreadableResponse } from '../../lib/frame/unreadable-response.ts';

const encode = (text: string) => new TextEncoder().encode(text);

const cut = (chunks: readonly Uint8Array[], options?: LinesOptions): (string | Unreadable)[] => {
  const out: (string | Unreadable)[] = [];
  from(chunks)
    .pipe(lines(options))
    .subscribe((line) => out.push(line));
  return out;
};

const bytes = (text: string): Uint8Array[] => [...encode(text)].map((byte) => Uint8Array.of(byte));

describe('lines', () => {
  it('cuts at line ends, wherever the chunks end', () => {
    expect(cut([encode('a\nb'), encode('c\n'), encode('d'), encode('e\n')])).toEqual(['a', 'bc', 'de']);
  });

  it('takes CRLF, skips blank lines and drops byte order marks', () => {
    expect(cut([encode('\ufeffa\r\n\r\n  \n\t\r\n b \r\n\ufeff\nc')])).toEqual(['a', ' b ', 'c']);
    expect(cut([encode('a\r'), encode('\nb\r')])).toEqual(['a', 'b']);
  });

  it('puts characters together that were split', () => {
    expect(cut(bytes('{"a":"é漢🎈"}\n"🎈"\n'))).toEqual(['{"a":"é漢🎈"}', '"🎈"']);
  });

  it('delivers what the end of the input ends', () => {
    expect(cut([encode('a\nb')])).toEqual(['a', 'b']);
    expect(cut([])).toEqual([]);
  });

  it('cuts every text the same way, in whatever pieces it comes', () => {
    const line = fc.string({ unit: 'grapheme' }).filter((text) => !/[\n\r\ufeff]/.test(text));
    fc.assert(
      fc.property(
        fc.array(line),
        fc.array(fc.integer({ min: 1, max: 9 })),
        fc.constantFrom(8, 1_000),
        (all, sizes, limit) => {
          const whole = encode(all.map((text) => `${text}\n`).join(''));
          const chunks: Uint8Array[] = [];
          for (let at = 0, turn = 0; at < whole.length; turn += 1) {
            const size = sizes[turn % (sizes.length || 1)] ?? 4;
            chunks.push(whole.subarray(at, at + size));
            at += size;
          }
          const kinds = (found: (string | Unreadable)[]) =>
            found.map((one) => (typeof one === 'string' ? one : one.reason));
          const expected = all
            .filter((text) => text.trim() !== '' || encode(text).length > limit)
            .map((text) => (encode(text).length > limit ? expect.stringContaining(` ${encode(text).length}`) : text));
          expect(kinds(cut(chunks, { limit }))).toEqual(expected);
          expect(kinds(cut([whole], { limit }))).toEqual(expected);
        },
      ),
    );
  });

  it('refuses a line that is too long, with its id, and reads the next one', () => {
    const long = `{"jsonrpc":"2.0","method":"x","params":{"a":"${'y'.repeat(1_000)}"},"id":4}`;
    for (const chunks of [[encode(`${long}\n{}\n`)], bytes(`${long}\n{}\n`)]) {
      const [first, second, ...rest] = cut(chunks, { limit: 100 });
      expect(first).toBeInstanceOf(Unreadable);
      expect(first).toMatchObject({ code: -32600, id: 4, excerpt: expect.stringMatching(/^\{"jsonrpc"/) });
      expect(first).toMatchObject({ reason: expect.stringMatching(new RegExp(`100 bytes.* ${long.length}`)) });
      expect(second).toBe('{}');
      expect(rest).toEqual([]);
    }
  });

  it('says whose answer was too long', () => {
    const [line] = cut([encode(`{"id":2,"result":{"a":"${'y'.repeat(200)}"}}\n`)], { limit: 100 });
    expect(line).toBeInstanceOf(UnreadableResponse);
    expect(line).toMatchObject({ id: undefined, answers: 2 });
  });

  it('refuses a line that is too long at the end of the input', () => {
    expect(cut([encode(`{"id":2,"a":"${'y'.repeat(200)}`)], { limit: 100 })).toMatchObject([{ code: -32600, id: 2 }]);
  });

  it('takes a line of exactly the limit', () => {
    expect(cut([encode('x'.repeat(100)), encode('\n')], { limit: 100 })).toEqual(['x'.repeat(100)]);
    expect(cut([encode('x'.repeat(101)), encode('\n')], { limit: 100 })).toMatchObject([{ code: -32600 }]);
  });

  it('holds no more than the limit of a line without end', () => {
    const source = new Subject<Uint8Array>();
    const out: unknown[] = [];
    source.pipe(lines({ limit: 1024 * 1024 })).subscribe((line) => out.push(line));
    source.next(encode('{"id":"endless","method":"x","params":{"a":"'));
    const chunk = new Uint8Array(64 * 1024).fill(0x61);
    const before = process.memoryUsage().arrayBuffers;
    for (let sent = 0; sent < 256 * 1024 * 1024; sent += chunk.length) source.next(chunk);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
    source.next(encode('"}}\n{"id":2}\n'));
    expect(out).toMatchObject([{ code: -32600, id: 'endless' }, '{"id":2}'].map((one) => one));
  });

  it('stops in the middle of a chunk when it is unsubscribed', () => {
    const out: unknown[] = [];
    of(encode('a\nb\nc\n'))
      .pipe(lines(), take(2))
      .subscribe((line) => out.push(line));
    expect(out).toEqual(['a', 'b']);
  });

  it('uses the decoder that it is given', () => {
    expect(cut([encode('a\nb\n')], { decode: (part) => Buffer.from(part).toString('latin1').toUpperCase() })).toEqual([
      'A',
      'B',
    ]);
  });

  it('passes on the failure of its source', () => {
    const failed: unknown[] = [];
    const error = new Error('broken');
    throwError(() => error)
      .pipe(lines())
      .subscribe({ error: (failure: unknown) => failed.push(failure) });
    expect(failed).toEqual([error]);
  });
});
