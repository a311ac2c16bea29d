/** The linter knows RxJS's mistakes, and the house's own rules: each is shown a snippet that has one. */
import { ESLint } from 'eslint';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('lint', { timeout: 120_000 }, () => {
  let eslint: ESLint;

  beforeAll(() => {
    eslint = new ESLint({
      cwd: root,
      overrideConfigFile: '.eslint.config.js',
      // The snippets are no files of the project: let the type checker take them as if they were.
      overrideConfig: {
        languageOptions: {
          parserOptions: {
            projectService: {
              allowDefaultProject: ['lib/snippet.ts', 'demos/snippet.ts'],
              defaultProject: 'tsconfig.json',
            },
          },
        },
      },
    });
  });

  const rulesBrokenBy = async (code: string, filePath = 'lib/snippet.ts'): Promise<(string | null)[]> => {
    const [result] = await eslint.lintText(code, { filePath });
    for (const { fatal, message } of result?.messages ?? []) if (fatal) throw new Error(message);
    return [...new Set(result?.messages.map(({ ruleId }) => ruleId))];
  };

  it('is silent about a stream that is composed, kept and released', async () => {
    const broken = await rulesBrokenBy(`
      import { type Observable, type Subscription, of, mergeMap, takeUntil } from 'rxjs';
      export const composed = (stop$: Observable<void>): Observable<number> => of(1, 2).pipe(mergeMap((n) => of(n)), takeUntil(stop$));
      export const kept = (): Subscription => of(1).subscribe({ next: () => undefined, error: () => undefined });
    `);
    expect(broken).toEqual([]);
  });

  it.each([
    [
      'a nested subscribe',
      'rxjs-x/no-nested-subscribe',
      `import { type Subscription, of } from 'rxjs';
       export const nested = (): Subscription =>
         of(1).subscribe({ next: (n) => of(n).subscribe({ error: () => undefined }), error: () => undefined });`,
    ],
    [
      'an ignored subscription',
      'rxjs-x/no-ignored-subscription',
      `import { of } from 'rxjs';
       export const ignored = (): void => { of(1).subscribe({ error: () => undefined }); };`,
    ],
    [
      'an ignored error',
      'rxjs-x/no-ignored-error',
      `import { type Subscription, of } from 'rxjs';
       export const ignored = (): Subscription => of(1).subscribe(() => undefined);`,
    ],
    [
      'an inner that takeUntil does not end',
      'rxjs-x/no-unsafe-takeuntil',
      `import { type Observable, interval, switchMap, takeUntil } from 'rxjs';
       export const leaked = (stop$: Observable<void>): Observable<number> =>
         interval(1).pipe(takeUntil(stop$), switchMap(() => interval(1)));`,
    ],
    [
      'an inner that outlives its outer',
      'rxjs-x/no-ignored-subscription',
      `import { Observable, interval } from 'rxjs';
       export const leaked = new Observable<number>((subscriber) => {
         interval(1).subscribe({ next: (n) => subscriber.next(n), error: () => undefined });
       });`,
    ],
    [
      'an inner that nobody subscribes to',
      'rxjs-x/no-floating-observables',
      `import { of } from 'rxjs';
       export const floating = (): void => { of(1); };`,
    ],
    [
      'a shared source that never lets go',
      'rxjs-x/no-sharereplay',
      `import { interval, shareReplay } from 'rxjs';
       export const leaked = interval(1).pipe(shareReplay(1));`,
    ],
    ['any', '@typescript-eslint/no-explicit-any', `export const loose = (value: any): unknown => value;`],
    [
      'a non-null assertion',
      '@typescript-eslint/no-non-null-assertion',
      `export const sure = (value: string | undefined): string => value!;`,
    ],
    [
      'a switch on a method',
      'no-restricted-syntax',
      `export const route = (frame: { method: string }): number => {
         switch (frame.method) { case 'ping': return 1; default: return 0; }
       };`,
    ],
    [
      'the schema library outside its seam',
      'no-restricted-imports',
      `import * as Schema from '@effect/schema/Schema';
       export const text = Schema.String;`,
    ],
    ['a global of Node in the core', 'no-restricted-globals', `export const platform = process.platform;`],
    ['a stray console.log', 'no-console', `export const shout = (): void => { console.log('x'); };`],
    [
      'a floating promise',
      '@typescript-eslint/no-floating-promises',
      `export const lost = (): void => { Promise.resolve(); };`,
    ],
  ])('catches %s', async (_what, rule, code) => {
    expect(await rulesBrokenBy(code)).toContain(rule);
  });

  it('lets a main program subscribe for as long as it runs', async () => {
    const broken = await rulesBrokenBy(
      `import { of } from 'rxjs';
       of(1).subscribe((n) => { console.log(n); });`,
      'demos/snippet.ts',
    );
    expect(broken).toEqual([]);
  });
});
