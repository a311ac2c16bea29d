import { describe, expect, it } from 'vitest';
import { blunder } from '../../lib/server/blunder.ts';

describe('what a handler threw', () => {
  it.each([
    ["ENOENT: no such file, open '/home/ada/notes.txt'", "ENOENT: no such file, open '[path]'"],
    ['cannot read C:\\Users\\ada\\notes.txt today', 'cannot read [path] today'],
    ['spawn \\\\server\\share\\tool.exe', 'spawn [path]'],
    ['at file:///srv/app/index.js:3:5', '[path]:3:5'],
    ['see https://example.com/a/b?c=/d/e for help', 'see https://example.com/a/b?c=/d/e for help'],
    ['1/2 of it, and/or less', '1/2 of it, and/or less'],
    ['no luck', 'no luck'],
  ])('keeps its words and loses its paths: %j', (message, told) => {
    // A line that begins with `at` would be one of a stack.
    expect(blunder(new Error(message.replace(/^at /, 'x ')))).toBe(told.startsWith('[path]:') ? `x ${told}` : told);
    expect(blunder(message.replace(/^at /, 'x '))).toBe(told.startsWith('[path]:') ? `x ${told}` : told);
  });

  it('loses a stack that is part of its message', () => {
    const stack = new Error('inner').stack ?? '';
    const told = blunder(new Error(`outer: ${stack}\nand more`));
    expect(told).toBe('outer: Error: inner\nand more');
  });

  it.each([
    undefined,
    null,
    5,
    {},
    [],
    Symbol('x'),
    '',
    new Error(),
    Object.assign(new Error(), { message: 5 }),
    new Error('    at f (/a/b.js:1:1)'),
  ])('that says nothing is nothing: %s', (thrown) => {
    expect(blunder(thrown)).toBeUndefined();
  });

  it('is bounded, and takes no longer for it', () => {
    const started = performance.now();
    for (const evil of [
      '/'.repeat(1e6),
      '/a'.repeat(1e6),
      'a/'.repeat(1e6),
      `${'\\'.repeat(1e6)}x`,
      ' \n'.repeat(1e6),
      'file://'.repeat(1e5),
      'https://'.repeat(1e5),
      ' '.repeat(1e6),
      '\n at '.repeat(1e5),
    ])
      expect((blunder(evil) ?? '').length).toBeLessThanOrEqual(2000 * 4);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
