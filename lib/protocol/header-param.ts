/**
 * Arguments as HTTP headers: what a client says in them, and whether a server finds both to say the same.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#server-behavior-for-custom-headers
 */
import { quoted } from '../frame/errors.ts';
import { isObject } from '../frame/frame.ts';
import type { Mirrored } from './header-annotation.ts';
import { decodeHeader, encodeHeader } from './header-value.ts';

/** By lower-case name. */
export type Headers = Readonly<Record<string, string | undefined>>;

/**
 * The headers that repeat these arguments. What is absent or null has none (HTTP26-52), the empty string an empty one
 * (HTTP26-57). What cannot be said in a header, such as an object where a string belongs, has none either: the server
 * says what is wrong with it.
 */
export const paramHeaders = (plan: readonly Mirrored[], args: unknown): Record<string, string> => {
  const headers: Record<string, string> = {};
  for (const { header, path } of plan) {
    const said = sayable(valueAt(args, path));
    if (said !== undefined) headers[header] = encodeHeader(said);
  }
  return headers;
};

/** A header that does not say what the arguments say. */
export interface Mismatch {
  readonly header: string;
  /** A sentence for people, without any value: values may be nobody else's business. */
  readonly message: string;
}

/** The first header that is missing, cannot be read, or does not say what its argument says; undefined if none is. */
export const mismatch = (plan: readonly Mirrored[], args: unknown, headers: Headers): Mismatch | undefined => {
  for (const { header, path } of plan) {
    const what = flaw(headers[header], valueAt(args, path));
    if (what !== undefined) return { header, message: `header ${header} ${what} (argument ${quoted(path.join('.'))})` };
  }
  return undefined;
};

const flaw = (header: string | undefined, value: unknown): string | undefined => {
  // Nobody sends a header for what is not there; who reads only headers would be told something else than we are.
  if (value === undefined || value === null)
    return header === undefined ? undefined : 'is there, and the argument that it repeats is not';
  const expected = sayable(value);
  if (expected === undefined)
    return typeof value === 'number' ? 'repeats an integer, which must be within ±(2^53-1)' : undefined;
  if (header === undefined) return 'is missing';
  const said = decodeHeader(header);
  if (said === undefined) return 'holds characters that it may not, or invalid base64';
  const agrees = typeof value === 'number' ? isNumber(said, value) : said === expected || said === wellFormed(expected);
  return agrees ? undefined : 'does not match its argument';
};

/** How a header says a value (HTTP26-53); integers within the bounds that all can tell apart (HTTP26-46). */
const sayable = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value;
  const said = typeof value === 'boolean' || (typeof value === 'number' && isSafe(value));
  return said ? String(value) : undefined;
};

const isSafe = (value: number): boolean => Math.abs(value) <= Number.MAX_SAFE_INTEGER;

/** `42.0` is 42 (HTTP26-39). Up to 2^53 nothing is lost by reading digits as a number. */
const isNumber = (said: string, value: number): boolean =>
  said === String(value) || (/^-?\d+(?:\.0+)?$/.test(said) && Number(said) === value);

/** Half a surrogate pair is in JSON what it is not in a header. */
const wellFormed = (text: string): string | undefined => decodeHeader(encodeHeader(text));

const valueAt = (args: unknown, path: readonly string[]): unknown => {
  let value = args;
  for (const name of path) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
};
