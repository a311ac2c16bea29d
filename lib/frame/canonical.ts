/** One text for one value, whatever order its members came in: for keys and digests, never for the wire. */
import { isObject } from './frame.ts';

export const canonical = (value: unknown): string => JSON.stringify(value, sorted) ?? 'null';

const sorted = (_: string, value: unknown): unknown =>
  isObject(value) ? Object.fromEntries(Object.entries(value).sort(byName)) : value;

const byName = ([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number =>
  left < right ? -1 : 1;
