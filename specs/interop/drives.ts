/** What an official client must find when it drives our servers; the same for each client and era. */
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filter, firstValueFrom } from 'rxjs';
import type { JsonObject } from 'rxmcp';
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

/** What went wrong, in the server's own words: the SDKs translate some of them. */
const refusalOf = async (driver: Driver, call: Promise<unknown>): Promise<unknown> => {
  await expect(call).rejects.toThrow();
  const { error } = driver.heard.at(-1) as { readonly error?: unknown };
  return error;
};

/**
 * The progress of the last call, as it came over the wire.
 *
 * The clients of both SDKs lose what comes in one chunk with the result: they hand a notification to its handler a
 * microtask later, and a response at once, which takes the handler away (`Protocol._onnotification`, `_onresponse`).
 * Then these lines, in this order, end in "Received a progress notification for an unknown token":
 *
 *     {"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":43,"total":43,…,"progressToken":2}}
 *     {"jsonrpc":"2.0","id":2,"result":{…}}
 */
const progressOf = (driver: Driver): readonly number[] => {
  const at = driver.heard.findLastIndex((message) => isKind(message, 'result'));
  const token = (driver.heard[at] as { readonly id: unknown }).id;
  const notices = driver.heard
    .slice(0, at)
    .filter((message) => isKind(message, 'method'))
    .map(({ params }) => params as { readonly progressToken?: unknown; readonly progress: number } | undefined);
  return notices.flatMap((params) => (params !== undefined && params.progressToken === token ? [params.progress] : []));
};

const isKind = (message: unknown, member: string): message is JsonObject =>
  typeof message === 'object' && message !== null && member in message;

/** What the client has made no sense of, what it loses for the reason above aside. */
const unexplained = (driver: Driver): readonly string[] =>
  driver.errors.filter((message) => !message.includes('for an unknown token'));

/** The code of a resource that is not there, which 2026-07-28 has changed. */
const notFoundAt = (revision: string): number => (revision < '2026' ? -32002 : -32602);

/** Numbers from 1. */
const upTo = (last: number): readonly number[] => Array.from({ length: last }, (_, index) => index + 1);

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
    const notFound = notFoundAt(revision);
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
      expect(unexplained(driver)).toEqual([]);
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
      const seen: number[] = [];
      const said: unknown[] = [];
      const { structuredContent, content } = await driver.call(
        'search',
        { pattern: 'needle' },
        {
          onprogress: ({ progress, ...rest }) => {
            seen.push(progress);
            said.push(rest);
          },
        },
      );
      expect(progressOf(driver)).toEqual(upTo(43));
      expect(seen).toEqual(upTo(seen.length));
      expect(said[0]).toEqual({ total: 43, message: '1/43 files, 0 matches' });
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
      const missing = await refusalOf(driver, driver.read('file:///missing.txt'));
      expect(missing).toMatchObject({ code: notFound, data: { uri: 'file:///missing.txt' } });
      expect(await refusalOf(driver, driver.read('file:///a/../../escape.txt'))).toMatchObject({
        code: expect.any(Number),
      });
    });

    it('completes a path', async () => {
      expect(await driver.complete({ type: 'ref/resource', uri: 'file:///{+path}' }, 'path', 'no')).toEqual([
        'notes.txt',
      ]);
    });

    it('hears of changes of the files that it watches, and of no other; and of none when it stops', async () => {
      const heard: string[] = [];
      const hearing = driver.updated$.subscribe({ next: (uri) => heard.push(uri) });
      const updated = (uri: string) => firstValueFrom(driver.updated$.pipe(filter((each) => each === uri)));
      const stops = [await driver.watch('tail:///notes.txt'), await driver.watch('file:///%C3%BC%20b.md')];
      await (
        await driver.watch('file:///bytes.bin')
      )();
      // Whoever watches looks first; what the file holds by then is no change.
      await driver.read('tail:///notes.txt');
      const told = Promise.all([updated('tail:///notes.txt'), updated('file:///%C3%BC%20b.md')]);
      for (const [path, text] of [
        ['large/0.txt', 'unwatched'],
        ['bytes.bin', 'not any more'],
        ['notes.txt', 'three\n'],
        ['ü b.md', 'more'],
      ] as const)
        await appendFile(at(path), text);
      await told;
      expect(await driver.read('tail:///notes.txt')).toMatchObject([{ text: 'one\ntwo needle\nthree\n' }]);
      for (const stop of stops) await stop();
      expect(new Set(heard)).toEqual(new Set(['tail:///notes.txt', 'file:///%C3%BC%20b.md']));
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
    const notFound = notFoundAt(revision);
    let driver: Driver;

    beforeAll(async () => {
      driver = await connect(...program('specs/interop/fixtures/ours.ts'), processes.env);
    });
    afterAll(() => driver.close());

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
      expect(JSON.stringify(thrown)).not.toMatch(/file:|interop|ours\.ts/);
      await expect(driver.call('refuse', {})).rejects.toMatchObject({
        code: -32600,
        message: expect.stringContaining('not today'),
        data: { until: 'tomorrow' },
      });
      expect(await refusalOf(driver, driver.read('echo:///nowhere'))).toMatchObject({ code: notFound });
    });

    it('gets all of 1000 steps of progress that are said in one go', async () => {
      expect(await driver.call('count', { to: 1000 }, { onprogress: () => undefined })).toMatchObject({
        content: [{ text: 'counted to 1000' }],
      });
      expect(progressOf(driver)).toEqual(upTo(1000));
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
      const failed = driver.call('wait', { ms: 600_000 }).catch((error: unknown) => error);
      await driver.call('say', {});
      await closes(driver, processes.gone);
      expect(await failed).toBeInstanceOf(Error);
      expect(unexplained(driver)).toEqual([]);
    });
  });
};
