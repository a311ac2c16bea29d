/** The package as it lies in the repository: its top level, its lock file, what it depends on. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { importsOf } from './floors.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(root + path, 'utf8');

interface Manifest {
  readonly license: string;
  readonly type: string;
  readonly engines: { readonly node: string };
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(read('package.json')) as Manifest;

const topLevel = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'demos',
  'lib',
  'package-lock.json',
  'package.json',
  'specs',
  'tsconfig.json',
  'vitest.config.ts',
];

describe('the package', () => {
  it('keeps its top level', () => {
    // What git knows or would take in: files of a build or of an editor are ignored by it, and here.
    const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
    });
    const names = new Set(listed.split('\n').map((path) => path.split('/')[0] ?? ''));
    const visible = [...names].filter((name) => name !== '' && !name.startsWith('.'));
    expect(visible.sort()).toEqual(topLevel);
  });

  it('is ESM, MIT, for Node 20 and above', () => {
    expect(manifest).toMatchObject({ license: 'MIT', type: 'module', engines: { node: '>=20' } });
    expect(read('LICENSE')).toContain('MIT License');
  });

  it('names declarations for every entry', () => {
    const entries = Object.entries(manifest.exports).filter(([name]) => name !== './package.json');
    expect(entries.map(([name]) => name)).toEqual(expect.arrayContaining(['.', './node']));
    for (const [, entry] of entries) {
      // The first condition that fits is taken, so `types` stands first.
      expect(Object.keys(entry)).toEqual(['types', 'default']);
      expect(Object.values(entry).every((path) => path.startsWith('./dist/'))).toBe(true);
    }
  });

  it('has the scripts that the README names', () => {
    expect(Object.keys(manifest.scripts)).toEqual(
      expect.arrayContaining(['start', 'test', 'check', 'build', 'bench', 'demo', 'format']),
    );
  });

  it('locks versions and not where they were fetched from', () => {
    const lock = read('package-lock.json');
    expect(lock).toContain('"integrity"');
    expect(lock).not.toContain('"resolved"');
    expect(lock).not.toMatch(/https?:\/\/[^"]*\.tgz/);
  });

  it('declares every package that lib imports', () => {
    const builtins = new Set(builtinModules);
    const imported = readdirSync(`${root}lib`, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) => importsOf(path, read(`lib/${path}`)))
      .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:') && !builtins.has(specifier))
      .map((specifier) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier);
    expect(imported).toContain('rxjs');
    expect(Object.keys(manifest.dependencies)).toEqual(expect.arrayContaining([...new Set(imported)]));
  });
});
