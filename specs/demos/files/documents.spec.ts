import { renameSync } from 'node:fs';
import { concatMap, filter, firstValueFrom, map, of, scan, take, toArray } from 'rxjs';
import { revisions } from 'rxmcp';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';
import { guestOf, refusalOf, statsOf, textOf } from './guest.ts';

describe('documents', () => {
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

  it('tells nobody of what happened before they asked', async () => {
    const folder = temporaryFolder({ 'a.txt': '', 'b.txt': '' });
    const guest = await guestOf(folder.path);
    const told = (uris: readonly string[], then: () => void) =>
      firstValueFrom(
        guest.listen({ resourceSubscriptions: uris }).pipe(
          concatMap(({ params }, index) => {
            if (index === 0) then();
            return index === 0 ? [] : of(params?.['uri']);
          }),
        ),
      );
    // Keeps the folder, and with it what happened last.
    const list = guest.resources$.subscribe();
    expect(await told(['file:///a.txt'], () => folder.write('a.txt', 'a'))).toBe('file:///a.txt');
    expect(await told(['file:///a.txt', 'file:///b.txt'], () => folder.write('b.txt', 'b'))).toBe('file:///b.txt');
    list.unsubscribe();
  });
});
