import { appendFileSync, renameSync } from 'node:fs';
import { concatMap, filter, firstValueFrom, map, of, Subject } from 'rxjs';
import { revisions } from 'rxmcp';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../temporary-folder.ts';
import { guestOf, refusalOf, textOf } from './guest.ts';

describe('tail', () => {
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

  it.each(revisions)('goes on with a file that was rotated (%s)', async (revision) => {
    const folder = temporaryFolder({ 'log.txt': 'old\n' });
    const guest = await guestOf(folder.path, {}, [revision]);
    const gone = new Subject<void>();
    const list = guest.resources$.subscribe((listed) => {
      if (listed.some(({ name }) => name === 'log.1')) gone.next();
    });
    const rotated = firstValueFrom(gone).then(() => folder.write('log.txt', 'new\n'));
    const seen = await firstValueFrom(
      guest.resource$('tail:///log.txt').pipe(
        map(({ contents: [content] }) => (content !== undefined && 'text' in content ? content.text : '')),
        concatMap((text, index) => {
          if (index === 0) renameSync(folder.at('log.txt'), folder.at('log.1'));
          return of(text);
        }),
        filter((text) => text === 'new\n'),
      ),
    );
    expect(seen).toBe('new\n');
    await rotated;
    list.unsubscribe();
  });
});
