import { describe, expect, it } from 'vitest';
import { BadFlag, flagsOf } from '../../../demos/questions/flags.ts';

describe('flagsOf', () => {
  it('shows both eras and asks where nothing is given', () => {
    expect(flagsOf([])).toMatchObject({
      revisions: ['2025-11-25', '2026-07-28'],
      answers: new Map(),
      leave: undefined,
      yes: false,
      given: false,
    });
  });

  it('gathers the answers to one field, which may hold anything after the first =', () => {
    const { answers, given } = flagsOf(['--answer', 'extras=vegan', '--answer=extras=quiet', '--answer', 'note=a=b']);
    expect([...answers]).toEqual([
      ['extras', ['vegan', 'quiet']],
      ['note', ['a=b']],
    ]);
    expect(given).toBe(true);
  });

  it.each([
    [['--nope'], /--nope/],
    [['--era', 'stone'], /--era .*"stone"/],
    [['--era', 'constructor'], /--era .*"constructor"/],
    [['--era'], /--era/],
    [['--answer', 'name'], /--answer .*"name"/],
    [['--answer', '=x'], /--answer .*"=x"/],
    [['--yes=no'], /--yes/],
    [['--decline', '--cancel'], /--decline and --cancel/],
    [['--decline', '--answer', 'a=b'], /--answer .*--decline/],
    [['stray'], /stray/],
  ])('refuses %j by name', (args, why) => {
    expect(() => flagsOf(args)).toThrow(BadFlag);
    expect(() => flagsOf(args)).toThrow(why);
  });
});
