import { describe, expect, it } from 'vitest';
import { brief, joined, pathText, problemAt } from '../../lib/shape/problem.ts';

describe('a value in few words', () => {
  it.each([
    ['short', '"short"'],
    ['x'.repeat(100), `"${'x'.repeat(39)}…`],
    ['a\nb', '"a\\nb"'],
    [5, '5'],
    [true, 'true'],
    [null, 'null'],
    [undefined, 'nothing'],
    [[1, 2], 'an array'],
    [{ secret: 1 }, 'an object'],
    [10n, '10'],
    [() => 1, 'a function'],
  ])('shows %#', (value, text) => {
    expect(brief(value)).toBe(text);
  });
});

describe('a place', () => {
  it.each<[PropertyKey[], string]>([
    [[], ''],
    [['a', 'b', 0, 'c'], 'a.b[0].c'],
    [['with space', 'x'], '["with space"].x'],
    [['naïve', 'kebab-case'], 'naïve.kebab-case'],
  ])('%j is written as it would be read', (path, text) => {
    expect(pathText(path)).toBe(text);
  });

  it('is bounded, for keys are of the caller', () => {
    expect(pathText(Array(1000).fill('key')).length).toBeLessThan(150);
    expect(problemAt(['k'.repeat(10_000)], 'a number', 'v'.repeat(10_000)).length).toBeLessThan(250);
  });
});

describe('several problems', () => {
  it('are joined, each once, five at most', () => {
    expect(joined(['a', 'b', 'a'])).toBe('a; b');
    expect(joined(['1', '2', '3', '4', '5', '6'])).toBe('1; 2; 3; 4; 5; and more');
    expect(joined([])).toBe('the value does not fit');
  });
});
