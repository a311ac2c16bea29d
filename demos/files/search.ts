/** Searches the folder for a regular expression: a stream of progress, then what was found. */
import { concat, concatMap, defer, from, map, of, switchMap, take, takeWhile, tap, type Observable } from 'rxjs';
import { progress, RpcError, Schema, tool } from 'rxmcp';
import { textOf } from './content.ts';
import { uriOf } from './documents.ts';
import type { Folder } from './folder.ts';
import type { Ledger } from './ledger.ts';
import { pattern, type Pattern } from './pattern.ts';
import type { Reader } from './read.ts';

/** What one search may cost. */
export const bounds = {
  /** In characters. */
  longestPattern: 500,
  /** Matches that may be asked for. */
  mostMatches: 10_000,
  /** Larger files are passed over, in bytes. */
  largestFile: 1024 * 1024,
  /** As much of a line is looked at, in characters. */
  longestLine: 1000,
  /** As much of a line is shown, in characters. */
  shownLine: 200,
} as const;

const Query = Schema.Struct({
  pattern: Schema.String.pipe(Schema.minLength(1), Schema.maxLength(bounds.longestPattern)).annotations({
    description: 'A regular expression in RE2 syntax, looked for in each line: no backreferences, no lookaround.',
  }),
  ignoreCase: Schema.optional(Schema.Boolean),
  maxMatches: Schema.optional(Schema.Int.pipe(Schema.between(1, bounds.mostMatches))).annotations({
    description: 'The search ends with this many. Default 100.',
  }),
});

const Match = Schema.Struct({
  uri: Schema.String,
  path: Schema.String,
  line: Schema.Int,
  column: Schema.Int,
  text: Schema.String,
});

const Result = Schema.Struct({
  matches: Schema.Array(Match),
  filesSearched: Schema.Int,
  /** No text, too large, or gone before it was their turn. */
  filesSkipped: Schema.Int,
  /** Whether there may be more: the search has met one of its bounds. */
  truncated: Schema.Boolean,
});

/** @param folder$ - the folder, shared */
export const search = (folder$: Observable<Folder>, read: Reader, ledger: Ledger) =>
  tool(
    'search',
    {
      title: 'Search the folder',
      description: 'Finds the lines of all text files that match a regular expression.',
      input: Query,
      output: Result,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ pattern: source, ignoreCase = false, maxMatches = 100 }, { signal }) => {
      const wanted = pattern(source, ignoreCase, bounds.longestLine);
      return folder$.pipe(
        take(1),
        switchMap((folder) => hunt(folder, read, wanted, maxMatches, signal)),
        tap({
          subscribe: () => ledger.count('searchesStarted'),
          complete: () => ledger.count('searchesFinished'),
          unsubscribe: () => ledger.count('searchesCancelled'),
        }),
      );
    },
  );

/** One file after the other; the next is not opened before the last is done, nor after the search is cancelled. */
const hunt = (folder: Folder, read: Reader, wanted: Pattern, most: number, signal: AbortSignal) => {
  const paths = [...folder.files.keys()].sort();
  const matches: (typeof Match.Type)[] = [];
  let [searched, skipped] = [0, 0];
  const said = (done: number) => `${done}/${paths.length} files, ${matches.length} matches`;
  return concat(
    from(paths).pipe(
      concatMap((path) => from(searchFile(path, read, wanted, most - matches.length, signal))),
      tap((found) => {
        if (found === undefined) skipped += 1;
        else searched += 1;
        matches.push(...(found ?? []));
      }),
      map((_, index) => ({ done: index + 1, enough: matches.length >= most })),
      takeWhile(({ enough }) => !enough, true),
      map(({ done }) => progress(done, paths.length, said(done))),
    ),
    defer(() =>
      of({
        matches,
        filesSearched: searched,
        filesSkipped: skipped,
        truncated: folder.full || searched + skipped < paths.length || matches.length >= most,
      }),
    ),
  );
};

/** What a file has of it; undefined where it was passed over. */
const searchFile = async (path: string, read: Reader, wanted: Pattern, most: number, signal: AbortSignal) => {
  const file = await read.whole(path, bounds.largestFile, signal).catch((error: unknown) => {
    // It has become a link that leads away since it was listed.
    if (error instanceof RpcError) return undefined;
    throw error;
  });
  const text = file === undefined || 'tooLarge' in file ? undefined : textOf(file.bytes);
  if (text === undefined) return undefined;
  const found: (typeof Match.Type)[] = [];
  for await (const { line, column, text: shown } of wanted.linesIn(text, signal)) {
    found.push({ uri: uriOf(path), path, line, column, text: shown.slice(0, bounds.shownLine) });
    if (found.length >= most) break;
  }
  return found;
};
