/** The last lines of a file as a resource that can be watched: an update for each time it grows. */
import { concatMap, distinctUntilChanged, filter, map, type Observable } from 'rxjs';
import { invalidParams, resourceTemplate, type Feature } from 'rxmcp';
import { isBinary } from './content.ts';
import { paths } from './documents.ts';
import type { Folder } from './folder.ts';
import type { Reader } from './read.ts';

/** How many lines are shown. */
const lines = 20;

/** How much of the end is read for them, in bytes; longer lines are cut. */
const most = 64 * 1024;

/** @param folder$ - the folder, shared; a file that is not on its list is shown once, and not watched */
export const tail = (folder$: Observable<Folder>, read: Reader): Feature => {
  const lastLines = async (path: string, signal: AbortSignal): Promise<string | undefined> => {
    const end = await read.end(path, most, signal);
    if (end === undefined) return undefined;
    if (isBinary(end.bytes)) throw invalidParams(`${path} is no text: it has no lines`);
    return endOf(end.bytes, end.cut);
  };
  return resourceTemplate(
    'tail:///{+path}',
    {
      name: 'tail',
      title: 'The end of a file',
      description: `Its last ${lines} lines. Subscribe to hear of new ones.`,
      mimeType: 'text/plain',
      live: true,
      complete: { path: paths(folder$) },
    },
    ({ path }, { signal }) =>
      folder$.pipe(
        map(({ files }) => files.get(String(path))),
        distinctUntilChanged(),
        // Each change is told, and after the one before: who heard the last has heard of all.
        concatMap(() => lastLines(String(path), signal)),
        // A log that is rotated is gone for a moment: that is no news, and its next line is.
        filter((text, index) => index === 0 || text !== undefined),
      ),
  );
};

/** The last lines of a text, the last of which may be unfinished. */
const endOf = (bytes: Uint8Array, cut: boolean): string => {
  const text = new TextDecoder().decode(bytes);
  const start = cut ? text.indexOf('\n') + 1 : 0;
  const ended = text.endsWith('\n');
  const all = text.slice(start, ended ? -1 : undefined).split('\n');
  return all.slice(-lines).join('\n') + (ended ? '\n' : '');
};
