/** A folder as a server: its files are resources, and two tools work on them. */
import { realpathSync, statSync } from 'node:fs';
import { shareReplay } from 'rxjs';
import { Misconfigured, server } from 'rxmcp';
import { documents } from './documents.ts';
import { watchFolder } from './folder.ts';
import { ledger } from './ledger.ts';
import { reader } from './read.ts';
import { search } from './search.ts';
import { stats } from './stats.ts';
import { tail } from './tail.ts';

export interface FilesOptions {
  /** The largest file that is served, in bytes. Default 4 MiB. */
  readonly cap?: number;
  /** How many files and folders are listed at the most. Default 10,000. */
  readonly limit?: number;
}

/**
 * Serves a folder, and nothing outside of it. The folder is watched while the server runs, once for all who use it.
 *
 * @param folder - its path, which may go through links; where these lead later does not matter
 * @throws Misconfigured where there is no such folder
 * @example
 * serve(files('.'), stdio()).subscribe();
 */
export const files = (folder: string, { cap, limit }: FilesOptions = {}) => {
  const root = realpathSync(folder);
  if (!statSync(root).isDirectory()) throw new Misconfigured({ message: `${folder} is no folder` });
  const counts = ledger();
  const read = reader(root, counts);
  const folder$ = watchFolder(root, counts, limit === undefined ? {} : { limit }).pipe(
    shareReplay({ bufferSize: 1, refCount: true }),
  );
  return server(
    { name: 'files', version: '1.0.0', instructions: 'Serves one folder. Paths are relative to it.' },
    search(folder$, read, counts),
    stats(folder$, counts),
    tail(folder$, read),
    ...documents(folder$, read, cap),
  );
};

/** For clients that know whom they talk to: `connect<Files>(…)`. */
export type Files = ReturnType<typeof files>;
