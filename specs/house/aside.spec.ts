/** What is installed aside: pinned, from wherever the machine gets its packages, and the same when asked for again. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../../.scripts/aside/', import.meta.url));
const read = (name: string): string => readFileSync(folder + name, 'utf8');

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly integrity?: string; readonly os?: unknown }>
  >;
}

describe('what is installed aside', () => {
  const { dependencies, optionalDependencies } = JSON.parse(read('package.json')) as Manifest;
  const { packages } = JSON.parse(read('package-lock.json')) as Lock;

  it('is pinned, to the digit and the byte', () => {
    const wanted = { ...dependencies, ...optionalDependencies };
    expect(Object.keys(wanted)).toContain('@modelcontextprotocol/inspector');
    for (const [name, version] of Object.entries(wanted)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
      expect(packages[`node_modules/${name}`]?.version, name).toBe(version);
    }
    for (const [path, { integrity }] of Object.entries(packages))
      if (path !== '') expect(integrity, path).toMatch(/^sha512-/);
  });

  it('brings a Node for one kind of machine only, and all of them are of one version', () => {
    expect(new Set(Object.values(optionalDependencies)).size).toBe(1);
    for (const name of Object.keys(optionalDependencies))
      expect(packages[`node_modules/${name}`], name).toMatchObject({ os: expect.stringMatching(/./), optional: true });
  });

  it('does not say where it was fetched from', () => {
    const lock = read('package-lock.json');
    expect(lock).not.toContain('"resolved"');
    expect(lock).not.toMatch(/https?:\/\/[^"]*\.tgz/);
    // The registry's own settings, so that a new lock file does not say it either.
    expect(read('.npmrc')).toBe(readFileSync(new URL('../../.npmrc', import.meta.url), 'utf8'));
  });
});
