/**
 * The one way from a path that a peer names to a file of the served folder (RES-22). Whatever is read goes through here.
 */
import { constants, type Stats } from 'node:fs';
import { lstat, open, realpath, type FileHandle } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { invalidParams, type RpcError } from 'rxmcp';
import { isServed } from './served.ts';

/**
 * The real path of a file inside of a folder; undefined where there is nothing under this name.
 *
 * @param root - the folder, links in its own path resolved
 * @param path - what the peer asks for, with its escapes decoded once: one that still holds `%2f` names a file so called
 * @throws RpcError where the path leads out of the folder, by itself or through links, or to what is not served
 */
export const inside = async (root: string, path: string): Promise<string | undefined> => {
  if (path.includes('\0')) throw refused(path, 'holds a NUL');
  // Drives, shares and streams of Windows are written with these.
  if (sep === '\\' && /[\\:]/.test(path)) throw refused(path, 'holds characters that no name has');
  if (path.startsWith('/') || isAbsolute(path)) throw refused(path, 'is absolute');
  if (path.split('/').includes('..')) throw refused(path, 'leads out of the served folder');
  const real = await resolved(join(root, path));
  if (real === undefined) return undefined;
  const within = relative(root, real);
  if (within === '..' || within.startsWith(`..${sep}`) || isAbsolute(within))
    throw refused(path, 'leads out of the served folder through a link');
  if (!isServed(within.replaceAll(sep, '/'))) throw refused(path, 'is not served');
  return real;
};

/** A file that is open for reading, and stays the one it was when it was checked. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly stats: Stats;
}

/**
 * Opens a file inside of a folder; undefined where there is none. Who calls it closes it.
 *
 * A link that is put in the way after the path was looked at does not help: what was opened is compared with what the
 * path leads to afterwards.
 *
 * @throws RpcError as {@link inside} does
 */
export const openInside = async (root: string, path: string): Promise<OpenFile | undefined> => {
  const real = await inside(root, path);
  // Looked at before it is opened, for opening a pipe or a device has effects.
  if (real === undefined || (await statsOf(real))?.isFile() !== true) return undefined;
  const handle = await unlessMissing(open(real, readOnly));
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    const again = await inside(root, path);
    const now = again === undefined ? undefined : await statsOf(again);
    if (now?.ino !== stats.ino || now.dev !== stats.dev) throw refused(path, 'was exchanged while it was opened');
    return { handle, stats };
  } catch (error) {
    await handle.close();
    throw error;
  }
};

/** No link at the end of the path, no waiting for the other end of a pipe. Windows has neither flag. */
const flag = (value: number | undefined): number => value ?? 0;
const readOnly = constants.O_RDONLY | flag(constants.O_NOFOLLOW) | flag(constants.O_NONBLOCK);

const missing: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EACCES', 'EPERM']);

/** What cannot be reached is not there, as far as a peer is concerned. */
const unlessMissing = <T>(promise: Promise<T>): Promise<T | undefined> =>
  promise.catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && missing.has(error.code)) return undefined;
    throw error;
  });

const resolved = (path: string): Promise<string | undefined> => unlessMissing(realpath(path));

const statsOf = (path: string): Promise<Stats | undefined> => unlessMissing(lstat(path));

const refused = (path: string, why: string): RpcError =>
  invalidParams(`refused: ${JSON.stringify(path.slice(0, 200))} ${why}`);
