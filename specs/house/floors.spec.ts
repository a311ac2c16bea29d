/** Imports only point down, and what is below lib/node runs in a browser. */
import { type BuildOptions, build } from 'esbuild';
import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { brokenBy, importsOf, nodeGlobalsOf } from './floors.ts';
import type { Sources } from './floors.ts';

const lib = fileURLToPath(new URL('../../lib/', import.meta.url));

const sourcesOfLib = (): Sources =>
  new Map(
    readdirSync(lib, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => [path.replaceAll('\\', '/'), readFileSync(lib + path, 'utf8')]),
  );

describe('the floors of lib', () => {
  it('hold', () => {
    const sources = sourcesOfLib();
    expect([...sources.keys()]).toEqual(expect.arrayContaining(['index.ts', 'frame/frame.ts', 'protocol/schema.ts']));
    expect(brokenBy(sources)).toEqual([]);
  });

  const below: [string, string][] = [
    ['index.ts', ''],
    ['frame/frame.ts', ''],
    ['protocol/schema.ts', `export * as Schema from '@effect/schema/Schema';`],
    ['protocol/methods.ts', ''],
    ['exchange/exchange.ts', ''],
    ['server/serve.ts', ''],
    ['client/connect.ts', ''],
    ['node/stdio.ts', ''],
    ['era/serve.ts', `import './classify.ts'; import './legacy/session.ts';`],
    ['era/dial.ts', `import './classify.ts'; import './legacy/upstream.ts';`],
    ['era/classify.ts', ''],
    ['era/legacy/session.ts', ''],
    ['era/legacy/upstream.ts', ''],
  ];

  it.each<[string, string, string, RegExp]>([
    [
      'an import of a higher floor',
      'frame/x.ts',
      `import { serve } from '../server/serve.ts';`,
      /frame\/x\.ts \(floor 0\).*\(floor 3\)/,
    ],
    [
      'a type from a higher floor',
      'frame/x.ts',
      `import type { Serve } from '../server/serve.ts';`,
      /server\/serve\.ts/,
    ],
    [
      'an inline type from a higher floor',
      'frame/x.ts',
      `export type S = import('../server/serve.ts').S;`,
      /server\/serve\.ts/,
    ],
    ['a re-export from a higher floor', 'frame/x.ts', `export * from '../server/serve.ts';`, /server\/serve\.ts/],
    [
      'a lazy import of a higher floor',
      'frame/x.ts',
      `export const lazy = () => import('../server/serve.ts');`,
      /server\/serve\.ts/,
    ],
    [
      'a neighbour one step up on the same floor',
      'protocol/x.ts',
      `import '../exchange/exchange.ts';`,
      /protocol\/x\.ts \(floor 1\).*exchange/,
    ],
    [
      'a client inside of a server',
      'server/x.ts',
      `import '../client/connect.ts';`,
      /server\/x\.ts \(floor 3\).*connect/,
    ],
    ['an index that reaches into node', 'index.ts', `export * from './node/stdio.ts';`, /index\.ts \(floor index\)/],
    ['a folder without a floor', 'attic/x.ts', '', /attic\/x\.ts stands on no floor/],
    ['a file that is not there', 'frame/x.ts', `import './gone.ts';`, /frame\/gone\.ts, which does not exist/],
    ['a file outside lib', 'frame/x.ts', `import '../../specs/x.ts';`, /outside lib/],
    [
      'a second door to the schema library',
      'protocol/x.ts',
      `import '@effect/schema/AST';`,
      /only protocol\/schema\.ts may/,
    ],
    [
      'a node: module in the core',
      'transport/x.ts',
      `import { connect } from 'node:net';`,
      /node:net, which exists in Node only/,
    ],
    [
      'a package for Node in the core',
      'transport/x.ts',
      `import { WebSocket } from 'ws';`,
      /ws, which exists in Node only/,
    ],
    ['process in the core', 'transport/x.ts', `export const on = process.platform;`, /uses process/],
    ['globalThis.process in the core', 'transport/x.ts', `export const on = globalThis.process;`, /uses process/],
    ['Buffer as a type in the core', 'transport/x.ts', `export type Bytes = Buffer;`, /uses Buffer/],
    ['a vague name', 'frame/string-utils.ts', '', /says nothing/],
    ['a file nobody reads in one sitting', 'frame/x.ts', '// line\n'.repeat(401), /401 lines/],
    ['a door that knows the other', 'era/dial.ts', `import './serve.ts';`, /era\/serve\.ts is behind both doors/],
    [
      'doors that share what is not shared',
      'era/legacy/upstream.ts',
      `import './session.ts';`,
      /era\/legacy\/session\.ts is behind both doors/,
    ],
  ])('do not bear %s', (_what, path, text, sentence) => {
    expect(brokenBy(new Map(below))).toEqual([]);
    expect(brokenBy(new Map([...below, [path, text]]))).toContainEqual(expect.stringMatching(sentence));
  });

  it('do not bear a door that has moved away unwatched', () => {
    expect(brokenBy(new Map(below.filter(([path]) => path !== 'era/dial.ts')))).toEqual([
      'era/dial.ts, a door, is not there',
    ]);
  });

  it('bear what points down, what is a neighbour in the folder, and the seam', () => {
    const sources = new Map([
      ...below,
      ['server/tool.ts', `import './serve.ts'; import '../protocol/methods.ts'; import { of } from 'rxjs';`],
      [
        'shape/shape.ts',
        `import { Schema } from '../protocol/schema.ts'; export const process = () => ({ Buffer: Schema });`,
      ],
      ['node/http.ts', `import 'node:http'; import '../server/serve.ts'; export const here = process.cwd();`],
      ['index.ts', `export * from './server/tool.ts';`],
    ] as [string, string][]);
    expect(brokenBy(sources)).toEqual([]);
  });

  it('reads every form of import, and no comment or string', () => {
    const text = `
      import a from 'a'; import type { B } from 'b'; export { c } from 'c'; import 'd'; import e = require('e');
      const f = await import('f'); type G = import('g').G; const h = require('h');
      // import 'no';
      const text = "import 'no'";`;
    expect(importsOf('x.ts', text)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
    expect(nodeGlobalsOf('x.ts', `const o = { process: 1 }; o.process; typeof Buffer; // process.exit()`)).toEqual([
      'Buffer',
    ]);
  });
});

describe('the core', { timeout: 60_000 }, () => {
  const forBrowser = {
    absWorkingDir: lib,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  } as const satisfies BuildOptions;

  it('knows nothing of what only those need who prove who they are', async () => {
    const { metafile } = await build({ ...forBrowser, entryPoints: ['./index.ts'], format: 'esm' });
    const inputs = Object.keys(metafile.inputs);
    expect(inputs.filter((path) => /(?:^auth\/|node_modules\/(?:jose|oauth4webapi|ipaddr\.js)\/)/.test(path))).toEqual(
      [],
    );
  });

  it.each(['index.ts', 'auth/index.ts'])('bundles for a browser without a module of Node: %s', async (entry) => {
    const { metafile } = await build({ ...forBrowser, entryPoints: [`./${entry}`], format: 'esm' });
    const inputs = Object.keys(metafile.inputs);
    expect(inputs).toContain(entry);
    expect(inputs.filter((path) => path.startsWith('node/'))).toEqual([]);
    const imported = Object.values(metafile.inputs).flatMap(({ imports }) => imports.map(({ path }) => path));
    expect(imported.filter((path) => path.startsWith('node:') || builtinModules.includes(path))).toEqual([]);
  });

  it('serves and calls where only the web platform is', async () => {
    const contents = `
      import { Schema, inMemory, open, server, tool } from './index.ts';
      const input = Schema.Struct({ text: Schema.String });
      const echo = tool('echo', { description: 'Says it again', input }, ({ text }) => text);
      globalThis.said = open(inMemory(server({ name: 'page', version: '1.0.0' }, echo))).then(async (client) => {
        const { content } = await client.callTool('echo', { text: 'hello' });
        await client.close();
        return JSON.stringify([content, typeof process, typeof Buffer]);
      });`;
    const { outputFiles } = await build({
      ...forBrowser,
      stdin: { contents, resolveDir: lib, loader: 'ts' },
      format: 'iife',
    });
    const web = [
      ...[
        'AbortController',
        'AbortSignal',
        'DOMException',
        'Event',
        'EventTarget',
        'MessageChannel',
        'TextDecoder',
        'TextEncoder',
        'URL',
      ],
      ...[
        'URLSearchParams',
        'atob',
        'btoa',
        'clearInterval',
        'clearTimeout',
        'console',
        'crypto',
        'fetch',
        'performance',
        'queueMicrotask',
      ],
      ...['setInterval', 'setTimeout', 'structuredClone'],
    ];
    const page = createContext(Object.fromEntries(web.map((name) => [name, Reflect.get(globalThis, name)])));
    runInContext(outputFiles.map(({ text }) => text).join('\n'), page);
    const said = (await page['said']) as string;
    expect(JSON.parse(said)).toEqual([[{ type: 'text', text: 'hello' }], 'undefined', 'undefined']);
  });
});
