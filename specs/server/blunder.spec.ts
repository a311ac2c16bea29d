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
    ["open '/home/ada/My Secret Files/plan.txt' failed", "open '[path]' failed"],
    ['open "C:\\My Files\\a b.txt" failed', 'open "[path]" failed'],
    ['open `~/My Files/x y` failed', 'open `[path]` failed'],
    ["mkdir '/data'", "mkdir '[path]'"],
    ["rename '/a b' -> '/c d'", "rename '[path]' -> '[path]'"],
    ["'C:\\secret.txt' and C:\\secret.txt", "'[path]' and [path]"],
    ['~/x and ~ada/y', '[path] and [path]'],
    ['no src/keys/prod.pem here', 'no [path] here'],
    ['no ../keys/prod.pem', 'no [path]'],
    ['/data is full (see /var), dir=/tmp, at:/srv', '[path] is full (see [path]), dir=[path], at:[path]'],
    ['mkdir(/data).', 'mkdir([path]).'],
    ["cut off: '/home/ada/My Sec", "cut off: '[path]"],
    ["see 'https://example.com/a b' or http://x/y", "see 'https://example.com/a b' or http://x/y"],
    ['no weather://oslo here', 'no weather://oslo here'],
    ["a/b, 'text/plain', 'a'/'b', */*", "a/b, 'text/plain', 'a'/'b', */*"],
  ])('keeps its words and loses its paths: %j', (message, told) => {
    // A line that begins with `at` would be one of a stack.
    expect(blunder(new Error(message.replace(/^at /, 'x ')))).toBe(told.startsWith('[path]:') ? `x ${told}` : told);
    expect(blunder(message.replace(/^at /, 'x '))).toBe(told.startsWith('[path]:') ? `x ${told}` : told);
  });

  it('loses the paths that a system error names, whatever characters they have', () => {
    const [path, dest] = ["it's: my plan", 'new/my plan'];
    const message = `ENOENT: no such file, rename '${path}' -> '${dest}' (${dest})`;
    const about = { code: 'ENOENT', syscall: 'rename' };
    expect(blunder(Object.assign(new Error(message), { ...about, path, dest }))).toBe(
      "ENOENT: no such file, rename '[path]' -> '[path]' ([path])",
    );
    expect(blunder(Object.assign(new Error("a cat, open 'a'"), { ...about, path: 'a' }))).toBe("a cat, open '[path]'");
    // What is no system error may mean something else by it.
    expect(blunder(Object.assign(new Error('no cat'), { path: 'cat' }))).toBe('no cat');
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
      "'/".repeat(1e5),
      ' ~'.repeat(1e5),
      '=~'.repeat(1e5),
      '(a/b'.repeat(1e5),
      '('.repeat(1e5),
      'a'.repeat(1e6),
      `a/${'('.repeat(1e5)}`,
    ])
      expect((blunder(evil) ?? '').length).toBeLessThanOrEqual(2000 * 4);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
