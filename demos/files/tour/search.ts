/** Searches the project: once to the end, and once until it is told to stop. */
import { setTimeout as pause } from 'node:timers/promises';
import { filter, firstValueFrom, lastValueFrom, tap } from 'rxjs';
import { check } from '../../story/check.ts';
import { paint } from '../../story/paint.ts';
import { good, say } from '../../story/tell.ts';
import { shown } from './bar.ts';
import { statsOf, type FilesClient } from './reach.ts';

/** Lines with twelve e's. An engine that backtracks has to try every way of picking them. */
const query = { pattern: '(.*e){12}', maxMatches: 10_000 };

/** How far the second search may get, as a part of the whole. */
const enough = 0.25;

export interface Searched {
  readonly files: number;
  readonly matches: number;
  readonly ms: number;
}

export const searchAll = async (client: FilesClient): Promise<Searched> => {
  say(`Which lines have a dozen e's?  ${paint.name(query.pattern)}`);
  const start = performance.now();
  const steps: number[] = [];
  const last = await lastValueFrom(
    client.call('search', query).pipe(
      shown(),
      tap((event) => {
        if (event.kind === 'progress') steps.push(event.progress);
      }),
    ),
  );
  const ms = performance.now() - start;
  const found = last.kind === 'result' ? last.result.structuredContent : undefined;
  check(found !== undefined && found.matches.length > 0, 'the search should find something', last);
  check(!found.truncated, 'the search should have seen every file');
  const files = found.filesSearched + found.filesSkipped;
  // A pipe that is full makes one step of several, but never drops the last.
  check(steps.length > 1 && steps.at(-1) === files, `progress should go up to ${files} files`, steps.at(-1));
  const wrong = found.matches.find(({ text }) => text.length < 200 && text.split('e').length <= 12);
  check(wrong === undefined, 'every match should have twelve of them', wrong);
  good(`${found.matches.length} lines in ${files} files, ${ms.toFixed(0)} ms, ${steps.length} steps of progress`);
  return { files, matches: found.matches.length, ms };
};

/**
 * @param whole - the same search, to its end
 * @returns how many files the server read before it stopped
 */
export const searchPart = async (client: FilesClient, whole: Searched): Promise<number> => {
  say('The same again, unsubscribed after a quarter:');
  const { before, after } = await cancelled(client, whole.files * enough);
  // As long as the rest would have taken, and some.
  const ms = whole.ms + 100;
  await pause(ms);
  const later = await statsOf(client);

  check(later.filesRead === after.filesRead, 'the server should read nothing after the cancel', { after, later });
  const read = after.filesRead - before.filesRead;
  check(read < whole.files, `the server should not have read all ${whole.files} files`, read);
  good(
    `it had read ${read} of ${whole.files} files when the cancel came, ` +
      `and ${later.filesRead - before.filesRead} of them ${ms.toFixed(0)} ms later: it has stopped`,
  );
  return read;
};

/** How often a server may be done before the cancel reaches it: on a busy machine we may be slower than it is. */
const attempts = 5;

/** Searches until so many files are done, and unsubscribes, which cancels: what the server says before and after. */
const cancelled = async (client: FilesClient, files: number) => {
  for (let attempt = 1; ; attempt += 1) {
    const before = await statsOf(client);
    await firstValueFrom(
      client.call('search', query).pipe(
        shown(),
        filter((event) => event.kind === 'result' || (event.kind === 'progress' && event.progress >= files)),
      ),
    );
    const after = await statsOf(client);
    if (after.searchesCancelled > before.searchesCancelled) return { before, after };
    check(attempt < attempts, 'the server should hear of the cancel before it is done', after);
    say('it was done before it heard of that; once more:');
  }
};
