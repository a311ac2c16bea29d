/** Changes a folder on disk, and sees it arrive. */
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { concatMap, first, firstValueFrom, of, throwError, timeout, type Observable } from 'rxjs';
import { Mismatch } from '../../story/check.ts';
import { good } from '../../story/tell.ts';
import type { FilesClient } from './reach.ts';

/** How long a change may take to show, in milliseconds. */
const patience = 10_000;

export interface Changed {
  /** From the change to its being seen, in milliseconds. */
  readonly listMs: number;
  readonly tailMs: number;
}

/** @param folder - the one that the server serves; empty */
export const change = async (client: FilesClient, folder: string): Promise<Changed> => {
  const diary = join(folder, 'diary.txt');
  const listMs = await reaction(
    client.resources$,
    () => writeFile(diary, 'Dear diary,\n'),
    (list) => list.some(({ uri }) => uri === 'file:///diary.txt'),
    'the new file should be on the list',
  );
  good(`a new file was on the live list after ${listMs.toFixed(0)} ms`);

  const line = 'today somebody watched me.\n';
  const tailMs = await reaction(
    client.resource$('tail:///diary.txt'),
    () => appendFile(diary, line),
    ({ contents }) => contents.some((one) => 'text' in one && one.text.endsWith(line)),
    'the new line should reach its subscriber',
  );
  good(
    `a line added to it reached the subscriber of tail:///diary.txt after ${tailMs.toFixed(0)} ms: “${line.trim()}”`,
  );
  return { listMs, tailMs };
};

/** Acts once the live value is there, and measures how long it takes to become what was expected. */
const reaction = <T>(
  live$: Observable<T>,
  act: () => Promise<void>,
  expected: (value: T) => boolean,
  promised: string,
): Promise<number> => {
  let start = NaN;
  const acted = async (value: T): Promise<T> => {
    start = performance.now();
    await act();
    return value;
  };
  return firstValueFrom(
    live$.pipe(
      concatMap((value, index) => (index === 0 ? acted(value) : of(value))),
      first(expected),
      concatMap(() => of(performance.now() - start)),
      timeout({ first: patience, with: () => throwError(() => new Mismatch(`${promised} within ${patience} ms`)) }),
    ),
  );
};
