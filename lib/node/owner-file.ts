/** A file that nobody but its owner can read, replaced as a whole. */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, realpath, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Misconfigured } from '../frame/errors.ts';

/** Neither modes nor owners mean anything on Windows. */
const posix = process.platform !== 'win32';

/**
 * Where a file really is: others who know it by another name find the same.
 *
 * @throws {@link Misconfigured} where it is a link that somebody else has made, or cannot be followed
 */
export const placeOf = (path: string): Promise<string> =>
  saying(path, async () => {
    const folder = await realpath(dirname(path)).catch(absent);
    if (folder === undefined) return path;
    const file = join(folder, basename(path));
    const found = await lstat(file).catch(absent);
    if (found?.isSymbolicLink() !== true) return file;
    // Root could do anything without a link.
    if (posix && found.uid !== 0 && found.uid !== process.getuid?.())
      throw wrong(path, 'is a link that somebody else has made');
    return realpath(file);
  });

/** Makes the folder of a file where there is none: for its owner only. */
export const makeFolder = (path: string): Promise<unknown> =>
  saying(path, () => mkdir(dirname(path), { recursive: true, mode: 0o700 }));

/**
 * What a file holds; undefined where there is none.
 *
 * @throws {@link Misconfigured} where others can read it, or we cannot
 */
export const readOwn = (path: string): Promise<string | undefined> =>
  saying(path, async () => {
    // Whoever opens a pipe would wait for somebody who writes into it.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(absent);
    return (
      handle &&
      closing(handle, async () => {
        const found = await handle.stat();
        if (!found.isFile()) throw wrong(path, 'is no file');
        if (posix && (found.mode & 0o077) !== 0) throw wrong(path, 'can be read by others; say "chmod 600"');
        return handle.readFile('utf8');
      })
    );
  });

/** Puts another file in place of this one, at once: whoever reads sees either of them, whenever we die. */
export const writeOwn = (path: string, text: string): Promise<void> =>
  saying(path, async () => {
    const fresh = `${path}.${randomUUID()}.tmp`;
    try {
      await closing(await open(fresh, 'wx', 0o600), async (handle) => {
        await handle.writeFile(text);
        await handle.sync();
      });
      await rename(fresh, path);
    } catch (error) {
      await rm(fresh, { force: true });
      throw error;
    }
  });

const closing = async <T>(handle: FileHandle, work: (handle: FileHandle) => Promise<T>): Promise<T> => {
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
};

const absent = (error: unknown): undefined => {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
};

/** The system's own words, with the path that somebody has given. */
const saying = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Misconfigured || !(error instanceof Error)) throw error;
    throw wrong(path, `cannot be used: ${error.message}`);
  }
};

const wrong = (path: string, what: string): Misconfigured => new Misconfigured({ message: `${path} ${what}` });
