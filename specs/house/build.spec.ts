/** What is published works for somebody who only has the package: its declarations are whole and its bundle runs. */
import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const installed = join(root, 'node_modules');

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Runs Node; what it prints, and on failure an error that shows what it printed. */
const node = async (cwd: string, ...args: string[]): Promise<string> => {
  try {
    return (await promisify(execFile)(process.execPath, args, { cwd, env: { PATH: process.env['PATH'] } })).stdout;
  } catch (failure) {
    const { stdout, stderr } = failure as { stdout: string; stderr: string };
    throw new Error(`node ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: failure });
  }
};

/** Brings operators and an Effect of its own: values of two copies of a library meet here. */
const consumer = `
import { Effect } from 'effect';
import { concat, firstValueFrom, isObservable, map, of, toArray } from 'rxjs';
import { Schema, connect, inMemory, open, progress, server, tool } from 'rxmcp';
import { spawn, stdio } from 'rxmcp/node';

const Forecast = Schema.Struct({ city: Schema.String, degrees: Schema.Number });
const weather = server(
  { name: 'weather', version: '1.0.0' },
  tool('forecast', { description: 'Weather to come', input: Schema.Struct({ city: Schema.String }), output: Forecast }, ({ city }) =>
    concat(of(progress(0, 2, 'asking')), of(21).pipe(map((degrees) => ({ city, degrees })))),
  ),
  tool('later', { description: 'An Effect' }, () => Effect.succeed('done')),
  // @ts-expect-error: the input has no such field, which the compiler knows only if the declarations are whole
  tool('wrong', { description: '', input: Schema.Struct({ city: Schema.String }) }, ({ town }) => String(town)),
);

const client = await open(inMemory(weather));
const result = await client.callTool('forecast', { city: 'Oslo' });
const events = await firstValueFrom(client.call('forecast', { city: 'Oslo' }).pipe(toArray()));
const later = await client.callTool('later', {});
await client.close();

const client$ = connect(inMemory(weather));
console.log(
  JSON.stringify({
    structured: result.structuredContent,
    events: events.length,
    later: later.content,
    observable: isObservable(client$),
    node: [typeof stdio, typeof spawn],
  }),
);
`;

describe('the built package', { timeout: 120_000 }, () => {
  let home: string;
  let manifest: Manifest;
  const own = (...path: string[]): string => join(home, 'node_modules/rxmcp', ...path);

  beforeAll(async () => {
    home = await realpath(await mkdtemp(join(tmpdir(), 'rxmcp-consumer-')));
    manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
    await mkdir(own(), { recursive: true });
    await copyFile(join(root, 'package.json'), own('package.json'));
    // What npm would install beside the package: its dependencies, and the types that every user of Node has.
    for (const name of [...Object.keys(manifest.dependencies), '@types/node']) {
      const link = join(home, 'node_modules', name);
      await mkdir(dirname(link), { recursive: true });
      await symlink(join(installed, name), link);
    }
    await writeFile(join(home, 'package.json'), JSON.stringify({ type: 'module', private: true }));
    await node(root, '--import', 'tsx', '.scripts/build.ts', '--outdir', own('dist'));
  }, 120_000);

  afterAll(() => rm(home, { recursive: true, force: true }));

  it('holds every file that its exports name', async () => {
    const named = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    );
    for (const path of named) expect((await readFile(own(path))).length, path).toBeGreaterThan(0);
  });

  it('imports nothing but its dependencies and modules of Node', async () => {
    const files = (await readdir(own('dist'), { recursive: true })).filter((path) => path.endsWith('.js'));
    // Read by a parser, as texts of libraries speak of imports too.
    const { metafile } = await build({
      entryPoints: files.map((path) => own('dist', path)),
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      outdir: own('read'),
      write: false,
      metafile: true,
      logLevel: 'error',
    });
    const imported = Object.values(metafile.inputs)
      .flatMap(({ imports }) => imports)
      .filter(({ external, path }) => external === true && !path.startsWith('node:'))
      .map(({ path }) => path);
    expect(imported).toContain('ws');
    expect(Object.keys(manifest.dependencies)).toEqual(expect.arrayContaining([...new Set(imported)]));
  });

  it('type-checks and runs for a user with NodeNext', async () => {
    await writeFile(join(home, 'consumer.ts'), consumer);
    const flags = [
      '--strict',
      '--exactOptionalPropertyTypes',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      'node',
    ];
    await node(home, join(installed, 'typescript/bin/tsc'), ...flags, 'consumer.ts');
    expect(JSON.parse(await node(home, 'consumer.js'))).toEqual({
      structured: { city: 'Oslo', degrees: 21 },
      events: 2,
      later: [{ type: 'text', text: 'done' }],
      observable: true,
      node: ['function', 'function'],
    });
  });
});
