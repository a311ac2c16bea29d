/**
 * Which keys may be in `_meta`.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#_meta
 */
import { Misconfigured } from '../frame/errors.ts';
import type { JsonObject } from '../frame/frame.ts';

const label = '[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const key = new RegExp(`^(?:(${label}(?:\\.${label})*)/)?((?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)?)$`);
const longest = 256;

/** Bare names that the protocol has taken (META-07). */
const taken: ReadonlySet<string> = new Set(['progressToken', 'traceparent', 'tracestate', 'baggage']);

/** What is wrong with a key of one's own; undefined where nothing is (META-02, META-03, META-05). */
export const metaKeyProblem = (name: string): string | undefined => {
  const read = name.length > longest ? null : key.exec(name);
  if (read === null || name === '')
    return 'is no `_meta` key: an optional prefix of dot-separated labels and a slash, then a name';
  const [, prefix, bare = ''] = read;
  const second = prefix?.split('.')[1];
  if (second === 'mcp' || second === 'modelcontextprotocol') return 'has a prefix that is reserved for the protocol';
  return prefix === undefined && taken.has(bare) ? 'is reserved for the protocol' : undefined;
};

/** @throws Misconfigured naming the key that may not be there */
export const checkMeta = (meta: JsonObject, where: string): void => {
  for (const name of Object.keys(meta)) {
    const problem = metaKeyProblem(name);
    if (problem !== undefined) throw new Misconfigured({ message: `${where}: ${JSON.stringify(name)} ${problem}` });
  }
};
