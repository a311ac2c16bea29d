import { describe, expect, it } from 'vitest';
import { pattern } from '../../../demos/files/pattern.ts';

const linesOf = async (
  source: string,
  text: string,
  signal = new AbortController().signal,
): Promise<readonly number[]> => {
  const lines: number[] = [];
  for await (const { line } of pattern(source, false, 1000).linesIn(text, signal)) lines.push(line);
  return lines;
};

describe('pattern', () => {
  it.each([
    ['', '^$', [1]],
    ['a', 'a', [1]],
    ['a\n', '^$', [2]],
    ['a\r\nb\r\n', 'a$', [1]],
    ['\n\na\n', '.', [3]],
    ['a\nb', 'a\\nb', []],
  ])('sees the lines of %j', async (text, source, lines) => {
    expect(await linesOf(source, text)).toEqual(lines);
  });

  it('looks at characters, and at cases where it is asked to', async () => {
    expect(await linesOf('^.{2}$', 'é😀\nab')).toEqual([1, 2]);
    const { linesIn } = pattern('ÄB', true, 1000);
    const { value } = await linesIn('xäb', new AbortController().signal).next();
    expect(value).toEqual({ line: 1, column: 2, text: 'xäb' });
  });

  it('stops between two lines once it is aborted', async () => {
    const work = new AbortController();
    // As much as would take minutes.
    const line = (index: number) => Array.from({ length: 900 }, (_, at) => ((at * index) % 7 < 3 ? 'a' : 'b')).join('');
    const looking = linesOf(
      '(a|b)*a(a|b){300}[^ab]',
      Array.from({ length: 1000 }, (_, i) => line(i)).join('\n'),
      work.signal,
    );
    setImmediate(() => work.abort());
    await expect(looking).rejects.toThrow('aborted');
  });
});
