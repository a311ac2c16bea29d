import { describe, expect, it } from 'vitest';
import { run } from './demo.ts';

const demo = (...args: readonly string[]) => run('demos/index.ts', ...args);

describe('npm run demo', () => {
  it('lists the demos with a line each', async () => {
    const { code, stdout } = await demo();
    expect(code).toBe(0);
    for (const name of ['files', 'hello', 'compose']) expect(stdout).toMatch(new RegExp(`^  ${name} +\\S.{20}`, 'm'));
  });

  it.each(['nope', '__proto__', 'constructor'])('knows no demo %s, and lists those it knows', async (name) => {
    const { code, stderr } = await demo(name);
    expect(code).toBe(1);
    expect(stderr).toContain(`there is no demo "${name}"`);
    expect(stderr).toContain('  hello ');
  });

  it.each([
    ['hello', ['heard progress', 'heard result', 'Hello, Ada!']],
    [
      'compose',
      [
        'by prefix: hello.greet, kitchen.bake',
        'progress comes through: 1 2 3 4 5',
        'cancelling comes through',
        'kitchen.burn is on no list',
        'after hours: we are closed',
      ],
    ],
  ])('runs %s, which leaves nothing behind', async (name, lines) => {
    const { code, stdout, stderr, files } = await demo(name);
    expect({ code, stderr, files }).toEqual({ code: 0, stderr: '', files: [] });
    for (const line of lines) expect(stdout).toContain(line);
  });
});
