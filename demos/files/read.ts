/** Reads files of the served folder, never more of one than was agreed. */
import type { FileHandle } from 'node:fs/promises';
import { openInside, type OpenFile } from './inside.ts';
import type { Ledger } from './ledger.ts';

/** What a file holds, or why that was not read. */
export type Whole = { readonly bytes: Uint8Array } | { readonly tooLarge: number };

export interface Reader {
  /**
   * All of a file; undefined where there is none.
   *
   * @param cap - in bytes; of a larger file nothing is read, and its size is told instead
   * @param signal - once it is aborted nothing is read any more
   */
  readonly whole: (path: string, cap: number, signal: AbortSignal) => Promise<Whole | undefined>;
  /**
   * The end of a file; undefined where there is none.
   *
   * @param most - in bytes; `cut` tells whether there is more before them
   */
  readonly end: (
    path: string,
    most: number,
    signal: AbortSignal,
  ) => Promise<{ readonly bytes: Uint8Array; readonly cut: boolean } | undefined>;
}

/** @param root - the folder, links in its own path resolved */
export const reader = (root: string, ledger: Ledger): Reader => {
  const reading = async <T>(
    path: string,
    signal: AbortSignal,
    read: (file: OpenFile) => Promise<T>,
  ): Promise<T | undefined> => {
    const file = await openInside(root, path);
    if (file === undefined) return undefined;
    try {
      signal.throwIfAborted();
      return await read(file);
    } finally {
      await file.handle.close();
    }
  };
  const bytes = (handle: FileHandle, from: number, length: number): Promise<Uint8Array> => {
    ledger.count('filesRead');
    return filled(handle, Buffer.alloc(length), from);
  };
  return {
    whole: (path, cap, signal) =>
      reading(path, signal, async ({ handle, stats: { size } }): Promise<Whole> =>
        // As long as it was when it was opened, however much it may grow meanwhile.
        size > cap ? { tooLarge: size } : { bytes: await bytes(handle, 0, size) },
      ),
    end: (path, most, signal) =>
      reading(path, signal, async ({ handle, stats: { size } }) => {
        const from = Math.max(0, size - most);
        return { bytes: await bytes(handle, from, size - from), cut: from > 0 };
      }),
  };
};

/** A read may give less than was asked for, and the file may have become shorter. */
const filled = async (handle: FileHandle, buffer: Buffer, from: number): Promise<Uint8Array> => {
  let at = 0;
  while (at < buffer.length) {
    const { bytesRead } = await handle.read(buffer, at, buffer.length - at, from + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return buffer.subarray(0, at);
};
