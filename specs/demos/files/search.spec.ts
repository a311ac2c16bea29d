import { symlinkSync, unlinkSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { filter, firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bounds } from '../../../demos/files/search.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { guestOf, statsOf, type Guest } from './guest.ts';

const found = async (guest: Guest, args: { pattern: string; ignoreCase?: boolean; maxMatches?: number }) => {
  const { structuredContent, content, isError } = await guest.callTool('search', args);
  if (isError === true || structuredContent === undefined) throw new Error(JSON.stringify(content));
  return structuredContent;
};

const failure = async (guest: Guest, args: object): Promise<string> => {
  const { content, isError } = await guest.callTool('search', { pattern: '', ...args });
  const [first] = content;
  return isError === true && first?.type === 'text' ? first.text : 'it did not fail';
};

describe('search', () => {
  it('finds lines, and says where', async () => {
    const guest = await guestOf(temporaryFolder({ 'a b.txt': 'one\r\n  two 2\nthree', 'sub/c.md': 'TWO' }).path);
    expect(await found(guest, { pattern: 'tw(o)( \\d)?$', ignoreCase: true })).toEqual({
      matches: [
        { uri: 'file:///a%20b.txt', path: 'a b.txt', line: 2, column: 3, text: '  two 2' },
        { uri: 'file:///sub/c.md', path: 'sub/c.md', line: 1, column: 1, text: 'TWO' },
      ],
      filesSearched: 2,
      filesSkipped: 0,
      truncated: false,
    });
    expect((await found(guest, { pattern: '^three$' })).matches).toHaveLength(1);
    expect((await found(guest, { pattern: 'four' })).matches).toEqual([]);
  });

  it('says how far it is, file by file', async () => {
    const guest = await guestOf(temporaryFolder({ 'a.txt': 'x', 'b.txt': 'x\nx', 'c.txt': '' }).path);
    const events = await lastValueFrom(guest.call('search', { pattern: 'x' }).pipe(toArray()));
    expect(events.slice(0, -1)).toEqual([
      { kind: 'progress', progress: 1, total: 3, message: '1/3 files, 1 matches' },
      { kind: 'progress', progress: 2, total: 3, message: '2/3 files, 3 matches' },
      { kind: 'progress', progress: 3, total: 3, message: '3/3 files, 3 matches' },
    ]);
  });

  it('stops at the matches that were asked for, and says so', async () => {
    const guest = await guestOf(temporaryFolder({ 'a.txt': 'x\nx\nx\n', 'b.txt': 'x' }).path);
    const { matches, filesSearched, truncated } = await found(guest, { pattern: 'x', maxMatches: 2 });
    expect(matches.map(({ line }) => line)).toEqual([1, 2]);
    expect([filesSearched, truncated]).toEqual([1, true]);
    expect((await statsOf(guest)).filesRead).toBe(1);
  });

  it('passes over what is no text or too large, and looks at the start of endless lines', async () => {
    const guest = await guestOf(
      temporaryFolder({
        'bytes.bin': Uint8Array.of(120, 0, 120),
        'latin1.txt': Uint8Array.of(120, 0xe9),
        'large.txt': 'x'.repeat(bounds.largestFile + 1),
        'long.txt': `${'y'.repeat(bounds.longestLine)}x\nx${'y'.repeat(2 * bounds.longestLine)}`,
      }).path,
    );
    const { matches, filesSearched, filesSkipped } = await found(guest, { pattern: 'x' });
    expect(matches).toEqual([
      { uri: 'file:///long.txt', path: 'long.txt', line: 2, column: 1, text: `x${'y'.repeat(bounds.shownLine - 1)}` },
    ]);
    expect([filesSearched, filesSkipped]).toEqual([1, 3]);
  });

  it('says that there may be more where the folder is larger than its list', async () => {
    const { path } = temporaryFolder({ 'a.txt': 'x', 'b.txt': 'x', 'c.txt': 'x' });
    const { matches, truncated } = await found(await guestOf(path, { limit: 2 }), { pattern: 'x' });
    expect([matches.length, truncated]).toEqual([2, true]);
  });

  it('does not follow a file that has become a link out of the folder', async () => {
    const folder = temporaryFolder({ 'root/a.txt': 'x', 'root/b.txt': 'x', 'secret.txt': 'x' });
    const guest = await guestOf(folder.at('root'));
    const searching = guest.call('search', { pattern: 'x' }).pipe(toArray());
    await statsOf(guest);
    unlinkSync(folder.at('root/b.txt'));
    symlinkSync(folder.at('secret.txt'), folder.at('root/b.txt'));
    const last = (await lastValueFrom(searching)).at(-1);
    expect(last?.kind === 'result' && last.result.structuredContent?.matches.map(({ path }) => path)).toEqual([
      'a.txt',
    ]);
  });

  it.each([
    [{ pattern: '(' }, /not valid.*missing closing/],
    [{ pattern: '(a)\\1' }, /not valid.*escape/],
    [{ pattern: '(?<=a)b' }, /not valid/],
    [{ pattern: 'a{1001}' }, /not valid.*repeat/],
    [{ pattern: 'a.{900}b.{900}c.{900}d.{900}e.{900}f' }, /too large/],
    [{ pattern: 'x'.repeat(bounds.longestPattern + 1) }, /pattern/],
    [{ pattern: '' }, /pattern/],
    [{ pattern: 'x', maxMatches: 0 }, /maxMatches/],
    [{ pattern: 'x', maxMatches: bounds.mostMatches + 1 }, /maxMatches/],
    [{ pattern: 7 }, /pattern/],
  ])('answers %j with what is wrong', async (args, why) => {
    const guest = await guestOf(temporaryFolder({ 'a.txt': 'x' }).path);
    expect(await failure(guest, args)).toMatch(why);
    expect((await statsOf(guest)).filesRead).toBe(0);
  });

  it.each(['(a+)+$', '(a|a)*$', '(a|aa)+$', '(.*a){20}!', '^(([a-z])+.)+[A-Z]([a-z])+$'])(
    'is not held up by %s, on which an engine that backtracks would take for ever',
    async (pattern) => {
      const line = `${'a'.repeat(bounds.longestLine - 1)}!`;
      const guest = await guestOf(temporaryFolder({ 'a.txt': `${line}\n`.repeat(20) }).path);
      const start = performance.now();
      await found(guest, { pattern });
      expect(performance.now() - start).toBeLessThan(5000);
    },
  );

  it('lets others have their turn within one file', async () => {
    // No line like the other, so that no state of the engine can be used again.
    const line = (index: number) => Array.from({ length: 500 }, (_, at) => ((at * index) % 7 < 3 ? 'a' : 'b')).join('');
    const guest = await guestOf(
      temporaryFolder({ 'a.txt': Array.from({ length: 200 }, (_, i) => line(i)).join('\n') }).path,
    );
    const done: string[] = [];
    const searching = found(guest, { pattern: '(a|b)*a(a|b){200}[^ab]' }).then(() => done.push('search'));
    while ((await statsOf(guest)).filesRead === 0) await turn();
    await statsOf(guest);
    done.push('stats');
    await searching;
    expect(done).toEqual(['stats', 'search']);
  });

  it('reads nothing any more once it is cancelled', async () => {
    const guest = await guestOf(
      temporaryFolder(Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`${index}.txt`, 'x\n'.repeat(50)])))
        .path,
    );
    await firstValueFrom(
      guest.call('search', { pattern: 'x', maxMatches: bounds.mostMatches }).pipe(
        filter((event) => event.kind === 'progress'),
        take(3),
        filter(({ progress }) => progress === 3),
      ),
    );
    const { filesRead, ...stopped } = await statsOf(guest);
    expect(filesRead).toBeLessThan(20);
    expect(stopped).toMatchObject({ searchesStarted: 1, searchesFinished: 0, searchesCancelled: 1 });
    // A whole other search goes by; only its own files are read meanwhile.
    const other = await found(guest, { pattern: 'nothing' });
    expect(other.filesSearched).toBe(200);
    expect(await statsOf(guest)).toMatchObject({
      filesRead: filesRead + 200,
      searchesStarted: 2,
      searchesFinished: 1,
      searchesCancelled: 1,
    });
  });
});
