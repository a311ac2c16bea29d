/** What an `Authorization` header says. */
import type { Scheme } from './challenge.ts';

/** A token, and how it was sent. */
export interface Credentials {
  readonly scheme: Scheme;
  readonly token: string;
}

/** Longer ones are looked at by nobody, in characters. */
const longest = 16_384;

const shape = /^(bearer|dpop)(?: +(.*))?$/i;

/** One of these schemes, and not another whose name begins like it. */
const begun = /^(?:bearer|dpop)(?![\w!#$%&'*+.^`|~-])/i;

/** RFC 6750 section 2.1. Of two headers that were joined, the comma gives them away. */
const b64token = /^[\w.~+/-]+=*$/;

/**
 * Reads the header: undefined where it is of another scheme, or there is none; `malformed` where it cannot be read.
 *
 * @param header - `Authorization`, as it came
 */
export const credentialsIn = (header: string | undefined): Credentials | 'malformed' | undefined => {
  const trimmed = header?.trim() ?? '';
  const [, scheme = '', token = ''] = shape.exec(trimmed) ?? [];
  if (scheme === '') return begun.test(trimmed) ? 'malformed' : undefined;
  if (token.length > longest || !b64token.test(token)) return 'malformed';
  return { scheme: scheme.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', token };
};
