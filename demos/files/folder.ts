/** A folder as a stream: which files it has, now and whenever that changes. */
import { watch } from 'chokidar';
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { Observable } from 'rxjs';
import type { Ledger } from './ledger.ts';
import { isServed } from './served.ts';

export interface FolderOptions {
  /** How many files and folders are watched at the most. Default 10,000. */
  readonly limit?: number;
}

/** The folder at one moment. */
export interface Folder {
  /** Each file's path, relative, `/` between its parts, with a number that is another one after each change. */
  readonly files: ReadonlyMap<string, number>;
  /** Whether there is more in the folder than the limit allows; the rest is not listed. */
  readonly full: boolean;
  /** What has just happened; undefined at first. */
  readonly change?: { readonly kind: 'added' | 'changed' | 'removed'; readonly path: string };
}

/** Longer than chokidar's own pause between two events of one file, in milliseconds. */
const settledMs = 100;

/**
 * Watches a folder through the file system's own events while it is subscribed: no polling.
 *
 * Emits once the folder has been read, then on each change. The map of files is one that lives on, not a copy for each
 * emission. Links are neither followed nor listed, so nothing of another folder is. Never completes; fails where the
 * system cannot watch any more.
 *
 * @param root - the folder, links in its own path resolved
 */
export const watchFolder = (root: string, ledger: Ledger, { limit = 10_000 }: FolderOptions = {}): Observable<Folder> =>
  new Observable((subscriber) => {
    const files = new Map<string, number>();
    const entries = new Set<string>();
    const looks = new Map<string, NodeJS.Timeout>();
    let [full, ready, version] = [false, false, 0];
    const nameOf = (path: string): string => relative(root, path).replaceAll(sep, '/');

    /** Asked before anything is watched, so that the limit also holds for the watchers themselves. */
    const ignored = (path: string, stats?: Stats): boolean => {
      const name = nameOf(path);
      if (name === '') return false;
      if (!isServed(name)) return true;
      if (stats === undefined || entries.has(name)) return false;
      if (!stats.isFile() && !stats.isDirectory()) return true;
      if (entries.size >= limit) full = true;
      else entries.add(name);
      return !entries.has(name);
    };
    const emit = (change?: Folder['change']): void => {
      if (ready) subscriber.next({ files, full, ...(change === undefined ? undefined : { change }) });
    };
    const changed = (kind: 'added' | 'changed') => (found: string, seen?: Stats) => {
      const path = nameOf(found);
      files.set(path, ++version);
      emit({ kind, path });
      lookAgain(found, seen);
    };
    /** chokidar keeps to itself what changes a file twice within 50 ms: what it saw is held against what is there then. */
    const lookAgain = (found: string, seen: Stats | undefined): void => {
      clearTimeout(looks.get(found));
      if (subscriber.closed || !ready) return;
      const compare = async (): Promise<void> => {
        looks.delete(found);
        const now = await stat(found);
        if (!subscriber.closed && (now.mtimeMs !== seen?.mtimeMs || now.size !== seen.size))
          changed('changed')(found, now);
      };
      // A file that has gone by then has an event of its own.
      looks.set(
        found,
        setTimeout(() => void compare().catch(() => undefined), settledMs),
      );
    };

    const watcher = watch(root, { ignored, followSymlinks: false, ignorePermissionErrors: true, alwaysStat: true });
    ledger.count('watchersOpen');
    watcher
      .on('add', changed('added'))
      .on('change', changed('changed'))
      .on('unlink', (found) => {
        const path = nameOf(found);
        entries.delete(path);
        if (files.delete(path)) emit({ kind: 'removed', path });
      })
      .on('unlinkDir', (found) => entries.delete(nameOf(found)))
      .on('ready', () => {
        ready = true;
        emit();
      })
      .on('error', (error) => subscriber.error(error));
    return () => {
      for (const look of looks.values()) clearTimeout(look);
      void watcher.close().then(() => ledger.count('watchersOpen', -1));
    };
  });
