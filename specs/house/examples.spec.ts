/** What users are shown is true: every example compiles, and whatever is exported says what it is. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { openHouse, type Exported, type House } from './examples.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const entries = ['lib/index.ts', 'lib/auth/index.ts', 'lib/node/index.ts', 'lib/testing/index.ts'];

/** Values that implement nothing of the protocol, and so point to no page of it. */
const beyondTheProtocol: ReadonlySet<string> = new Set([
  ...['Misconfigured', 'ConnectionClosed'],
  ...['isAnswer', 'middleware', 'mergeServers', 'restart', 'restrict', 'settings', 'explain'],
  ...['linked', 'tap', 'unanswered', 'createLedger'],
  ...['altered', 'cutAfter', 'inbound', 'late', 'losing', 'puppet', 'twice'],
]);

const page = /^https:\/\/modelcontextprotocol\.io\/specification\/(?:\d{4}-\d\d-\d\d|draft)\/\S+$/;

/** What is missing from the docstring of an export, one sentence each. */
const missingFrom = (exported: Exported): readonly string[] => {
  const { name, where, kind, description, examples, pages } = exported;
  const lacks = (what: string): string => `${where}: ${name} lacks ${what}`;
  const pointed = pages.some((one) => page.test(one));
  return [
    ...(/\w.*[.?!:]/s.test(description) ? [] : [lacks('a sentence that says what it is')]),
    ...(kind === 'function' && examples === 0 ? [lacks('an example')] : []),
    ...(kind !== 'type' && !pointed && !beyondTheProtocol.has(name) ? [lacks('the page of the protocol')] : []),
    ...(pointed && beyondTheProtocol.has(name) ? [`${where}: ${name} has a page, and is listed as having none`] : []),
  ];
};

/** Examples and exports as they must not be. */
const planted = new Map([
  [
    'lib/planted.ts',
    `
/**
 * Adds one.
 *
 * @example
 * const two = increment(1);
 * const wrong = increment('1');
 * @example
 * import { of } from './nowhere.ts';
 * increment(of());
 * @example
 * incremented(1);
 * @example
 * const unfinished = …;
 */
export const increment = (n: number): number => n + 1;

export const undocumented = (): void => undefined;
export interface Nameless {}
/** Says what it is. */
export type Documented = string;
/** Has a page. @see https://modelcontextprotocol.io/specification/2026-07-28/schema */
export const restart = 1;
`,
  ],
]);

describe('what users are shown', { timeout: 120_000 }, () => {
  let house: House;
  let problems: readonly string[];
  const ofPlanted = (problem: string): boolean => problem.startsWith('lib/planted.ts:');

  beforeAll(() => {
    house = openHouse(planted);
    problems = house.problemsOf([
      ...house.examples,
      { path: 'README.md', line: 1, code: `import { of } from 'rxjs';\nimport { serv } from 'rxmcp';\n`, whole: true },
    ]);
  }, 120_000);

  it('is found wherever it stands', () => {
    const tags = readdirSync(`${root}lib`, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) => readFileSync(`${root}lib/${path}`, 'utf8').match(/@example\b/g) ?? []);
    const blocks = readFileSync(`${root}README.md`, 'utf8').match(/^```ts$/gm) ?? [];
    expect(blocks.length).toBeGreaterThan(0);
    expect(house.examples.filter(({ path }) => path === 'README.md')).toHaveLength(blocks.length);
    expect(house.examples.filter(({ path }) => path !== 'README.md' && !ofPlanted(`${path}:`))).toHaveLength(
      tags.length,
    );
  });

  it('compiles', () => {
    const wrongOnPurpose = (problem: string): boolean => ofPlanted(problem) || /^README\.md:[12]: /.test(problem);
    expect(problems.filter((problem) => !wrongOnPurpose(problem))).toEqual([]);
  });

  it('would not compile if it were wrong, and the line is named', () => {
    expect(problems.filter(ofPlanted)).toEqual([
      `lib/planted.ts:7: Argument of type 'string' is not assignable to parameter of type 'number'.`,
      expect.stringMatching(/^lib\/planted\.ts:9: Cannot find module '\.\/nowhere\.ts'/),
      `lib/planted.ts:12: Cannot find name 'incremented'.`,
      'lib/planted.ts:14: Invalid character.',
    ]);
    expect(problems.filter((problem) => problem.startsWith('README.md'))).toEqual([
      `README.md:1: 'of' is declared but its value is never read.`,
      `README.md:2: 'serv' is declared but its value is never read.`,
      expect.stringMatching(/^README\.md:2: .* has no exported member named 'serv'/),
    ]);
  });

  it('names no stand-in as anything public is named', () => {
    const names = new Set(entries.flatMap((entry) => house.exportsOf(entry).map(({ name }) => name)));
    const standIns = house.exportsOf('specs/house/stand-ins.ts').map(({ name }) => name);
    expect(standIns).toContain('weather');
    expect(standIns.filter((name) => names.has(name))).toEqual([]);
  });

  it.each(entries)('says of all that %s exports what it is', (entry) => {
    const exports = house.exportsOf(entry);
    expect(exports.filter(({ kind }) => kind === 'function')).not.toEqual([]);
    expect(exports.flatMap(missingFrom)).toEqual([]);
  });

  it('would name what lacks a sentence, an example or a page', () => {
    expect(house.exportsOf('lib/planted.ts').flatMap(missingFrom)).toEqual([
      'lib/planted.ts:16: increment lacks the page of the protocol',
      'lib/planted.ts:18: undocumented lacks a sentence that says what it is',
      'lib/planted.ts:18: undocumented lacks an example',
      'lib/planted.ts:18: undocumented lacks the page of the protocol',
      'lib/planted.ts:19: Nameless lacks a sentence that says what it is',
      'lib/planted.ts:23: restart has a page, and is listed as having none',
    ]);
  });
});
