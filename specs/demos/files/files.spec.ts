import { appendFileSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { concatMap, filter, firstValueFrom, map, of, scan, take, toArray } from 'rxjs';
import { revisions, RpcError } from 'rxmcp';
import { describe, expect, it, vi } from 'vitest';
import { files } from '../../../demos/files/files.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { guestOf, namesOn, refusalOf, statsOf, type Guest } from './guest.ts';

const textOf = async (guest: Guest, uri: string): Promise<string | undefined> => {
  const [content] = (await guest.readResource(uri)).contents;
  return content !== undefined && 'text' in content ? content.text : undefined;
};

describe('files', () => {
  it('lists every file of the folder, and reads it by the URI on the list', async () => {
    const names = ['a.txt', 'with space.md', 'sub/ünï?#%.json', '%2e%2e', '+plus&more', 'line\nbreak'];
    const guest = await guestOf(temporaryFolder(Object.fromEntries(names.map((name) => [name, name]))).path);
    const listed = await firstValueFrom(guest.resources$);
    expect(listed.map(({ name }) => name)).toEqual([...names].sort());
    for (const { uri, name } of listed) {
      expect(uri).toMatch(/^file:\/\/\/[\w/%.-]+$/);
      expect(await textOf(guest, uri)).toBe(name);
    }
  });

  it('gives text as text and bytes as base64, each with its type', async () => {
    const bytes = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 255);
    const guest = await guestOf(
      temporaryFolder({ 'a.json': '{}', 'b.png': bytes, c: 'ä', d: Uint8Array.of(0xff, 0xfe), empty: '' }).path,
    );
    const read = async (name: string) => (await guest.readResource(`file:///${name}`)).contents;
    expect(await read('a.json')).toEqual([{ uri: 'file:///a.json', mimeType: 'application/json', text: '{}' }]);
    expect(await read('b.png')).toEqual([{ uri: 'file:///b.png', mimeType: 'image/png', blob: 'iVBORwD/' }]);
    expect(await read('c')).toEqual([{ uri: 'file:///c', mimeType: 'text/plain', text: 'ä' }]);
    expect(await read('d')).toEqual([{ uri: 'file:///d', mimeType: 'application/octet-stream', blob: '//4=' }]);
    expect(await read('empty')).toEqual([{ uri: 'file:///empty', mimeType: 'text/plain', text: '' }]);
  });

  it('refuses a file that is larger than the cap, naming both', async () => {
    const guest = await guestOf(temporaryFolder({ 'fits.txt': 'x'.repeat(10), 'large.txt': 'x'.repeat(11) }).path, {
      cap: 10,
    });
    expect(await textOf(guest, 'file:///fits.txt')).toHaveLength(10);
    expect(await refusalOf(guest, 'file:///large.txt')).toMatchObject({
      message: 'large.txt has 11 bytes; files of more than 10 bytes are not served',
      data: { size: 11, cap: 10 },
    });
    expect((await statsOf(guest)).filesRead).toBe(1);
  });

  it.each([
    'file:///../secret.txt',
    'file:///..%2fsecret.txt',
    'file:///..%2Fsecret.txt',
    'file:///%2e%2e/secret.txt',
    'file:///%2e%2e%2fsecret.txt',
    'file:///sub/..%2f..%2fsecret.txt',
    'file:////etc/passwd',
    'file:///%2fetc/passwd',
    'file:///a.txt%00',
    'file:///link',
    'file:///.git/config',
    'tail:///../secret.txt',
    'tail:///..%2fsecret.txt',
    'tail:///link',
    'tail:////etc/passwd',
  ])('refuses %s on every revision', async (uri) => {
    const folder = temporaryFolder({
      'root/a.txt': 'a',
      'root/sub/b': '',
      'root/.git/config': '',
      'secret.txt': 'secret',
    });
    symlinkSync('../secret.txt', folder.at('root/link'));
    for (const revision of revisions) {
      const error = await refusalOf(await guestOf(folder.at('root'), {}, [revision]), uri);
      expect(error).toBeInstanceOf(RpcError);
      expect(error).toMatchObject({ code: -32602, message: expect.stringMatching(/^refused: /) });
      expect(JSON.stringify(error)).not.toContain(folder.path);
    }
  });

  it.each(['file:///nope', 'file:///%252e%252e%252fsecret.txt', 'file:///sub', 'tail:///nope', 'file://host/a.txt'])(
    'has no %s',
    async (uri) => {
      const guest = await guestOf(temporaryFolder({ 'a.txt': 'a', 'sub/b': '' }).path);
      expect(await refusalOf(guest, uri)).toMatchObject({
        message: expect.stringContaining('not found'),
        data: { uri },
      });
    },
  );

  it('serves a folder that is reached through a link, wherever that leads later', async () => {
    const folder = temporaryFolder({ 'real/a.txt': 'real', 'other/a.txt': 'other' });
    symlinkSync('real', folder.at('root'));
    const guest = await guestOf(folder.at('root'));
    expect(await namesOn(guest)).toEqual(['a.txt']);
    unlinkSync(folder.at('root'));
    symlinkSync('other', folder.at('root'));
    expect(await textOf(guest, 'file:///a.txt')).toBe('real');
  });

  it('needs a folder', () => {
    const folder = temporaryFolder({ 'a.txt': '' });
    expect(() => files(folder.at('a.txt'))).toThrow('is no folder');
    expect(() => files(folder.at('nope'))).toThrow('ENOENT');
  });

  it('completes paths: from their beginning first, then from anywhere', async () => {
    const guest = await guestOf(temporaryFolder({ 'lib/a.ts': '', 'lib/b.ts': '', 'x/lib/c.ts': '', z: '' }).path);
    for (const uri of ['file:///{+path}', 'tail:///{+path}']) {
      const { values } = await guest.complete({ type: 'ref/resource', uri }, 'path', 'lib/');
      expect(values).toEqual(['lib/a.ts', 'lib/b.ts', 'x/lib/c.ts']);
    }
  });

  it.each(revisions)('keeps the list live (%s)', async (revision) => {
    const folder = temporaryFolder({ 'a.txt': '' });
    const guest = await guestOf(folder.path, {}, [revision]);
    const steps = [() => folder.write('b.txt', ''), () => renameSync(folder.at('a.txt'), folder.at('c.txt'))];
    const wanted = ['a.txt', 'a.txt,b.txt', 'b.txt,c.txt'];
    const seen = await firstValueFrom(
      guest.resources$.pipe(
        map((list) => list.map(({ name }) => name).join()),
        // A move may show as two changes.
        filter((names) => wanted.includes(names)),
        concatMap((names, index) => {
          steps[index]?.();
          return of(names);
        }),
        take(3),
        toArray(),
      ),
    );
    expect(seen).toEqual(wanted);
  });

  it.each(revisions)('tells subscribers of a file that it has changed (%s)', async (revision) => {
    const folder = temporaryFolder({ 'a.txt': 'one', 'b.txt': '' });
    const guest = await guestOf(folder.path, {}, [revision]);
    const seen = await firstValueFrom(
      guest.resource$('file:///a.txt').pipe(
        concatMap(({ contents: [content] }, index) => {
          if (index === 0) folder.write('a.txt', 'two');
          return content !== undefined && 'text' in content ? of(content.text) : [];
        }),
        scan((all: readonly string[], text) => [...all, text], []),
        filter((all) => all.at(-1) === 'two'),
      ),
    );
    expect(seen[0]).toBe('one');
  });

  it('shows the last lines of a file, and again when it has grown', async () => {
    const folder = temporaryFolder({
      'log.txt': Array.from({ length: 30 }, (_, index) => `line ${index + 1}\n`).join(''),
    });
    const guest = await guestOf(folder.path);
    const seen: string[] = [];
    await firstValueFrom(
      guest.resource$('tail:///log.txt').pipe(
        map(({ contents: [content] }) => (content !== undefined && 'text' in content ? content.text : '')),
        concatMap((text, index) => {
          seen.push(text);
          if (index === 0) appendFileSync(folder.at('log.txt'), 'line 31\nline 32');
          return of(text);
        }),
        filter((text) => text.endsWith('32')),
      ),
    );
    expect(seen[0]?.split('\n')).toEqual([...Array.from({ length: 20 }, (_, index) => `line ${index + 11}`), '']);
    expect(seen.at(-1)?.split('\n')).toEqual(Array.from({ length: 20 }, (_, index) => `line ${index + 13}`));
  });

  it('reads only the end of a large file for that, and refuses one without lines', async () => {
    const guest = await guestOf(
      temporaryFolder({ 'large.txt': `${'é'.repeat(5_000_000)}\nlast`, 'bytes.bin': Uint8Array.of(1, 0, 2) }).path,
    );
    expect(await textOf(guest, 'tail:///large.txt')).toBe('last');
    expect(await refusalOf(guest, 'tail:///bytes.bin')).toMatchObject({ message: expect.stringContaining('no text') });
  });

  it('watches once for everybody, and not at all when everybody has left', async () => {
    const folder = temporaryFolder({ 'a.txt': '' });
    const watchers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'FSEventWrap').length;
    // Those of other tests may still be closing.
    await vi.waitFor(() => expect(watchers()).toBe(0));
    const guest = await guestOf(folder.path);
    const subscriptions = [
      guest.resources$.subscribe(),
      guest.resource$('file:///a.txt').subscribe(),
      guest.resource$('tail:///a.txt').subscribe(),
    ];
    await firstValueFrom(guest.resource$('tail:///a.txt'));
    expect((await statsOf(guest)).watchersOpen).toBe(1);
    for (const subscription of subscriptions) subscription.unsubscribe();
    await guest.close();
    await vi.waitFor(() => expect(watchers()).toBe(0));
  });
});
