/**
 * Pages of a list, with cursors that only this server can read. A cursor names the item before it, so that it stays good
 * while the list changes.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination
 */
import { invalidParams } from '../frame/errors.ts';

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor?: string;
}

/**
 * The page after a cursor.
 *
 * @param key - what an item is known by, unique in the list
 * @throws RpcError -32602 for a cursor that this server has never given (PAG-07)
 */
export const pageOf = <T>(items: readonly T[], key: (item: T) => string, size: number, cursor: unknown): Page<T> => {
  const start = cursor === undefined ? 0 : after(items, key, String(cursor));
  const end = start + size;
  const last = items[end - 1];
  const page = start === 0 && end >= items.length ? items : items.slice(start, end);
  return end < items.length && last !== undefined
    ? { items: page, nextCursor: cursorOf(end, key(last)) }
    : { items: page };
};

const cursorOf = (index: number, key: string): string => btoa(`${index}:${encodeURIComponent(key)}`);

const after = <T>(items: readonly T[], key: (item: T) => string, cursor: string): number => {
  const read = /^(\d{1,9}):(.*)$/.exec(decoded(cursor));
  if (read === null) throw invalidParams('cursor is none that this server has given');
  const index = Number(read[1]);
  const name = unescaped(read[2] ?? '');
  const before = items[index - 1];
  if (before !== undefined && key(before) === name) return index;
  const found = items.findIndex((item) => key(item) === name);
  // The item has gone: what stands at its place now is the best that can be said.
  return found < 0 ? Math.min(index, items.length) : found + 1;
};

const decoded = (cursor: string): string => {
  try {
    return atob(cursor);
  } catch {
    return '';
  }
};

const unescaped = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
};
