/** What of `_meta` the handshake revisions share with 2026-07-28: everything but the keys in the protocol's own name. */
import { isObject } from '../../frame/frame.ts';

const reservedPrefix = 'io.modelcontextprotocol/';

/** A fresh object of the keys that both eras know; undefined where there is none. */
export const foreignMeta = (meta: unknown): Record<string, unknown> | undefined => {
  if (!isObject(meta)) return undefined;
  let kept: Record<string, unknown> | undefined;
  for (const key of Object.keys(meta)) {
    if (isReserved(key)) continue;
    kept ??= {};
    kept[key] = meta[key];
  }
  return kept;
};

/** Whether there is something, and both eras know all of it: as with what most calls say. */
export const isForeign = (meta: unknown): boolean => {
  if (!isObject(meta)) return false;
  const keys = Object.keys(meta);
  return keys.length > 0 && !keys.some(isReserved);
};

const isReserved = (key: string): boolean => key.startsWith(reservedPrefix);
