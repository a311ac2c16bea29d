/** The `stats` tool: what the server has done so far, so that anybody can see that a cancelled search has stopped. */
import { map, take, type Observable } from 'rxjs';
import { tool } from 'rxmcp';
import type { Folder } from './folder.ts';
import { Stats, type Ledger } from './ledger.ts';

export const stats = (folder$: Observable<Folder>, ledger: Ledger) =>
  tool(
    'stats',
    {
      title: 'What the server has done',
      description: 'Files known and read, searches started, finished and cancelled, watchers open.',
      output: Stats,
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    () =>
      folder$.pipe(
        take(1),
        map(({ files }) => ({ filesKnown: files.size, ...ledger.counts() })),
      ),
  );
