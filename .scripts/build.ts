/**
 * `npm run build [-- --outdir <folder>]`: what is published.
 *
 * One bundle with an entry for each name in `exports`, and declarations beside it. Bundled is everything but packages
 * that are CommonJS for Node alone: loading `effect`, `@effect/schema` and `rxjs` file by file would cost a user's script
 * four times as long as the whole bundle does. They stay dependencies, since the declarations name their types, and values of
 * two copies of them work together.
 */
import { type Metafile, build } from 'esbuild';
import { existsSync } from 'node:fs';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Entry of the bundle → its source. */
const entries = Object.fromEntries(
  Object.entries({
    index: 'lib/index.ts',
    auth: 'lib/auth/index.ts',
    node: 'lib/node/index.ts',
    testing: 'lib/testing/index.ts',
  }).filter(([, source]) => existsSync(join(root, source))),
);

const external = [
  'node:*',
  'ws',
  'cross-spawn',
  'proper-lockfile',
  'http-proxy-agent',
  'https-proxy-agent',
  'proxy-from-env',
];

const bundle = async (outdir: string): Promise<Metafile> => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    // One build for all entries, so that they share their chunks: the core stays free of Node by the floors, not by a flag.
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['es2015', 'import'],
    target: ['es2022', 'node20'],
    external,
    // Names included: what a script loads first is read before it runs, and the maps give them back.
    minify: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
  });
  return metafile;
};

/** Licences of what the bundle holds ask for their texts to travel along. Gives the names of the packages. */
const licences = async (outdir: string, { outputs }: Metafile): Promise<string[]> => {
  const folders = new Set<string>();
  for (const { inputs } of Object.values(outputs))
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      // The last one, as a package may have a version of its own of another.
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
      if (folder !== undefined && bytesInOutput > 0) folders.add(resolve(root, folder));
    }
  const notices = [...folders].sort().map(async (folder) => {
    const {
      name = '',
      version = '',
      license = '',
    } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<string, string>;
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? '' : await readFile(join(folder, file), 'utf8');
    return { title: `${name} ${version}`, notice: `${name} ${version} (${license})\n\n${text.trim()}\n` };
  });
  const found = await Promise.all(notices);
  await writeFile(join(outdir, 'THIRD-PARTY.txt'), found.map(({ notice }) => notice).join(`\n${'-'.repeat(80)}\n\n`));
  return found.map(({ title }) => title);
};

/** `dist/types` mirrors lib. Throws what the compiler finds. */
const declarations = (outdir: string): void => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: unknown;
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram({
    rootNames: Object.values(entries).map((source) => join(root, source)),
    options: {
      ...options,
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: join(root, 'lib'),
      outDir: join(outdir, 'types'),
    },
  });
  const { diagnostics } = program.emit();
  const found = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (found.length > 0) {
    const host = {
      getCurrentDirectory: () => root,
      getCanonicalFileName: (name: string) => name,
      getNewLine: () => '\n',
    };
    throw new Error(`declarations:\n${ts.formatDiagnostics(found, host)}`);
  }
};

const { values } = parseArgs({ options: { outdir: { type: 'string', default: 'dist' } } });
const outdir = resolve(root, values.outdir);
await rm(outdir, { recursive: true, force: true });
const metafile = await bundle(outdir);
const bundled = await licences(outdir, metafile);
declarations(outdir);

for (const [path, { bytes }] of Object.entries(metafile.outputs))
  if (path.endsWith('.js')) console.log(`${relative(root, resolve(root, path))}  ${(bytes / 1024).toFixed(0)} KiB`);
console.log(`bundled: ${bundled.join(', ')}`);
