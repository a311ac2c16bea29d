/** What an official client must find when it drives our servers; the same for each client and era. */
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filter, firstValueFrom } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Connect, Driver } from './driver.ts';
import { folders } from './folders.ts';
import { lifelines } from './lifelines.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = (path: string, ...args: string[]): readonly [string, readonly string[]] => [
  process.execPath,
  ['--import', 'tsx', join(root, path), ...args],
];

export interface Trait {
  /** How it comes to its revision. */
  readonly name: string;
  readonly connect: Connect;
  readonly revision: string;
}

/** How long the SDKs wait for a server to end at the end of its stdin before they send it a signal, in milliseconds. */
const sdkPatienceMs = 2_000;

/** Closes, and is done when the process has gone by itself, which the end of its stdin is reason enough for. */
const closes = async (driver: Driver, gone: () => Promise<void>): Promise<void> => {
  const before = performance.now();
  await driver.close();
  expect(performance.now() - before).toBeLessThan(sdkPatienceMs);
  await gone();
};

const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no error',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  );

/** The main job: demos/files on a folder. */
export const drivesFiles = ({ name, connect, revision }: Trait): void => {
  describe(`${name} and demos/files`, () => {
    const processes = lifelines();
    const folder = folders();
    const bytes = Uint8Array.from([0, 1, 2, 255]);
    let at: (path: string) => string;
    let driver: Driver;

    const stats = async () => (await driver.call('stats', {})).structuredContent as Readonly<Record<string, number>>;

    beforeAll(async () => {
      const path = await folder();
      at = (name) => join(path, name);
      await mkdir(at('large'));
      await Promise.all([
        writeFile(at('notes.txt'), 'one\ntwo needle\n'),
        writeFile(at('ü b.md'), '# needle\n'),
        writeFile(at('bytes.bin'), bytes),
        ...Array.from({ length: 40 }, (_, index) =>
          writeFile(at(`large/${index}.txt`), 'hay and hay again\n'.repeat(10_000)),
        ),
      ]);
      driver = await connect(...program('demos/files/server.ts', path), processes.env);
    });
    afterAll(async () => {
      expect(driver.errors).toEqual([]);
      await closes(driver, processes.gone);
    });

    it('connects, and learns what there is', async () => {
      expect(driver.revision).toBe(revision);
      expect(driver.server).toMatchObject({ name: 'files', version: '1.0.0' });
      expect(driver.instructions).toContain('folder');
      expect(driver.capabilities).toMatchObject({
        tools: {},
        resources: { listChanged: true, subscribe: true },
        completions: {},
      });
      expect((await driver.tools()).map((tool) => tool.name).sort()).toEqual(['search', 'stats']);
      expect((await driver.templates()).map(({ uriTemplate }) => uriTemplate).sort()).toEqual([
        'file:///{+path}',
        'tail:///{+path}',
      ]);
      const uris = (await driver.resources()).map(({ uri }) => uri);
      expect(uris).toHaveLength(43);
      expect(uris).toEqual(
        expect.arrayContaining([
          'file:///notes.txt',
          'file:///%C3%BC%20b.md',
          'file:///bytes.bin',
          'file:///large/0.txt',
        ]),
      );
    });

    it('searches: all progress in order, then the result, which fits its schema', async () => {
      const seen: string[] = [];
      const { structuredContent, content } = await driver.call(
        'search',
        { pattern: 'needle' },
        { onprogress: ({ progress, total, message }) => seen.push(`${progress}/${total} ${message?.split(',')[0]}`) },
      );
      expect(seen).toEqual(Array.from({ length: 43 }, (_, index) => `${index + 1}/43 ${index + 1}/43 files`));
      expect(structuredContent).toMatchObject({
        matches: [
          { uri: 'file:///notes.txt', line: 2, text: 'two needle' },
          { uri: 'file:///%C3%BC%20b.md', line: 1 },
        ],
        filesSearched: 42,
        filesSkipped: 1,
        truncated: false,
      });
      expect(JSON.parse((content[0] as { text: string }).text)).toEqual(structuredContent);
    });

    it('cancels a search, which then reads no further file', async () => {
      const before = await stats();
      const abort = new AbortController();
      const search = driver.call(
        'search',
        { pattern: 'needle' },
        { signal: abort.signal, onprogress: () => abort.abort(new Error('enough')) },
      );
      await expect(search).rejects.toThrow('enough');
      const after = await stats();
      expect(after['searchesCancelled']).toBe((before['searchesCancelled'] ?? 0) + 1);
      expect(after['searchesFinished']).toBe(before['searchesFinished']);
      expect((after['filesRead'] ?? 0) - (before['filesRead'] ?? 0)).toBeLessThan(40);
      // Longer than one file of the cancelled search would have taken.
      await driver.call('search', { pattern: 'needle', maxMatches: 1 });
      expect((await stats())['filesRead']).toBe((after['filesRead'] ?? 0) + 42);
    });

    it('hears of arguments that do not fit, in words for a model', async () => {
      expect(await driver.call('search', { pattern: 5 })).toMatchObject({
        isError: true,
        content: [{ text: expect.stringContaining('pattern') }],
      });
      expect(await driver.call('search', { pattern: '(' })).toMatchObject({ isError: true });
      expect(await codeOf(driver.call('nope', {}))).toBe(-32602);
    });

    it('reads text and bytes, and hears of what is not there or not to be had', async () => {
      expect(await driver.read('file:///notes.txt')).toMatchObject([
        { uri: 'file:///notes.txt', mimeType: 'text/plain', text: 'one\ntwo needle\n' },
      ]);
      expect(await driver.read('file:///%C3%BC%20b.md')).toMatchObject([{ text: '# needle\n' }]);
      expect(await driver.read('tail:///notes.txt')).toMatchObject([{ text: 'one\ntwo needle\n' }]);
      const [content] = await driver.read('file:///bytes.bin');
      expect(Buffer.from(content?.blob ?? '', 'base64')).toEqual(Buffer.from(bytes));
      expect(await codeOf(driver.read('file:///missing.txt'))).toBe(revision < '2026' ? -32002 : -32602);
      expect(await codeOf(driver.read('file:///../escape.txt'))).toEqual(expect.any(Number));
    });

    it('completes a path', async () => {
      expect(await driver.complete({ type: 'ref/resource', uri: 'file:///{+path}' }, 'path', 'no')).toEqual([
        'notes.txt',
      ]);
    });

    it('hears of changes of the file that it watches, and of no other; and of none when it stops', async () => {
      const heard: string[] = [];
      const hearing = driver.updated$.subscribe({ next: (uri) => heard.push(uri) });
      const updated = (uri: string) => firstValueFrom(driver.updated$.pipe(filter((each) => each === uri)));
      const stop = await driver.watch('tail:///notes.txt');
      const told = updated('tail:///notes.txt');
      await appendFile(at('notes.txt'), 'three\n');
      await told;
      expect(await driver.read('tail:///notes.txt')).toMatchObject([{ text: 'one\ntwo needle\nthree\n' }]);
      await stop();
      // What watches still hears of it after this one: the other would have come before.
      const last = await driver.watch('file:///notes.txt');
      const again = updated('file:///notes.txt');
      heard.length = 0;
      await appendFile(at('notes.txt'), 'four\n');
      await again;
      await driver.call('stats', {});
      expect(new Set(heard)).toEqual(new Set(['file:///notes.txt']));
      await last();
      hearing.unsubscribe();
    });

    it('hears of a file that is added, and of one that is removed', async () => {
      await driver.watchLists();
      for (const change of [() => writeFile(at('new.txt'), 'new'), () => rm(at('new.txt'))]) {
        const told = firstValueFrom(driver.listed$.pipe(filter((list) => list === 'resources')));
        await change();
        await told;
      }
      expect((await driver.resources()).map(({ uri }) => uri)).not.toContain('file:///new.txt');
    });

    it('pings, where there is a ping', async () => {
      expect(await (driver.ping ?? (() => Promise.resolve({})))()).toEqual({});
      expect(driver.ping !== undefined).toBe(revision < '2026');
    });
  });
};

/** What demos/files does not have. */
export const drivesOurs = ({ name, connect, revision }: Trait): void => {
  describe(`${name} and a server of ours`, () => {
    const processes = lifelines();
    let driver: Driver;

    const launch = () => connect(...program('specs/interop/fixtures/ours.ts'), processes.env);

    beforeAll(async () => {
      driver = await launch();
    });
    afterAll(async () => {
      expect(driver.errors).toEqual([]);
      await closes(driver, processes.gone);
    });

    it('connects', () => {
      expect(driver.revision).toBe(revision);
      expect(driver.server).toMatchObject({ name: 'ours', version: '1.2.3' });
      expect(driver.instructions).toBe('Ask away.');
    });

    it('gets prompts, and completes arguments by what is known of the others', async () => {
      expect((await driver.prompts()).map((prompt) => prompt.name)).toEqual(['greet']);
      expect(await driver.prompt('greet', { team: 'red', name: 'Ada' })).toEqual([
        { role: 'user', content: { type: 'text', text: 'Hello Ada of red' } },
      ]);
      expect(await codeOf(driver.prompt('greet', {}))).toBe(-32602);
      const ref = { type: 'ref/prompt', name: 'greet' } as const;
      expect(await driver.complete(ref, 'team', 'r')).toEqual(['red']);
      expect(await driver.complete(ref, 'name', 'A', { team: 'red' })).toEqual(['Ada', 'Alan']);
      expect(await driver.complete(ref, 'name', 'A', { team: 'blue' })).toEqual([]);
      expect(await codeOf(driver.complete(ref, 'nope', ''))).toBe(-32602);
    });

    it('hears the log from the level on that it wants', async () => {
      const heard: unknown[] = [];
      const hearing = driver.log$.subscribe({ next: (line) => heard.push(line) });
      await driver.call('say', {}, { level: 'info' });
      expect(heard).toEqual([{ level: 'warning', logger: 'ours', data: { loud: true } }]);
      await driver.call('say', {}, { level: 'error' });
      expect(heard).toHaveLength(1);
      await driver.call('say', {}, { level: 'debug' });
      expect(heard).toHaveLength(3);
      hearing.unsubscribe();
    });

    it('gets structured content, and tells failures apart', async () => {
      expect(await driver.call('sum', { a: 40, b: 2 })).toMatchObject({
        structuredContent: { sum: 42 },
        content: [{ type: 'text', text: '{"sum":42}' }],
      });
      const thrown = await driver.call('throw', {});
      expect(thrown).toMatchObject({ isError: true });
      expect(JSON.stringify(thrown)).not.toMatch(/secret|file:|interop/);
      await expect(driver.call('refuse', {})).rejects.toMatchObject({
        code: -32600,
        message: expect.stringContaining('not today'),
        data: { until: 'tomorrow' },
      });
      expect(await codeOf(driver.read('echo:///nowhere'))).toBe(revision < '2026' ? -32002 : -32602);
    });

    it('gets all of 1000 steps of progress that are said in one go', async () => {
      const seen: number[] = [];
      expect(
        await driver.call('count', { to: 1000 }, { onprogress: ({ progress }) => seen.push(progress) }),
      ).toMatchObject({ content: [{ text: 'counted to 1000' }] });
      expect(seen).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1));
    });

    it('has many calls in flight, answered as they are done', async () => {
      const done: number[] = [];
      await Promise.all([40, 20, 0].map((ms) => driver.call('wait', { ms }).then(() => done.push(ms))));
      expect(done).toEqual([0, 20, 40]);
    });

    it('hears of a tool that has come, and calls it', async () => {
      await driver.watchLists();
      const told = firstValueFrom(driver.listed$.pipe(filter((list) => list === 'tools')));
      await driver.call('grow', { name: 'grown' });
      await told;
      expect((await driver.tools()).map((tool) => tool.name)).toContain('grown');
      expect(await driver.call('grown', {})).toMatchObject({ content: [{ text: 'grown' }] });
    });

    it('ends the server while a call is in flight', async () => {
      const other = await launch();
      const failed = codeOf(other.call('wait', { ms: 600_000 }));
      await other.call('say', {});
      await closes(other, () => Promise.resolve());
      expect(await failed).not.toBe('no error');
    });
  });
};
