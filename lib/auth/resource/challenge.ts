/**
 * How somebody is told, in HTTP, why they are not let in.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-3
 */
import type { Denial } from '../../exchange/guard.ts';
import { dpopAlgorithms } from './algorithms.ts';
import type { ResourceUri } from './resource-uri.ts';
import { isTellable } from './scopes.ts';

/** Whether proofs of possession (RFC 9449) are understood, or insisted on. */
export type Dpop = 'allowed' | 'required' | false;

export type Scheme = 'Bearer' | 'DPoP';

/** What is wrong with what came. */
export interface Flaw {
  readonly error: 'invalid_request' | 'invalid_token' | 'insufficient_scope' | 'invalid_dpop_proof' | 'use_dpop_nonce';
  /** One sentence; no token is in it. */
  readonly description: string;
  /** The scheme that it came by, where it decides how to answer. */
  readonly scheme?: Scheme;
  readonly scopes?: readonly string[];
  /** To be used in the next proof. */
  readonly nonce?: string;
}

const statuses = {
  invalid_request: 400,
  invalid_token: 401,
  insufficient_scope: 403,
  invalid_dpop_proof: 401,
  use_dpop_nonce: 401,
} as const satisfies Record<Flaw['error'], Denial['status']>;

const longest = 200;

/** As a quoted string, whatever it was: RFC 6750 lets neither quotes nor backslashes be in one. */
const quote = (text: string): string => `"${text.replace(/["\\]/g, "'").replace(/[^\x20-\x7e]/g, '?')}"`;

const challenge = (scheme: Scheme, params: Readonly<Record<string, string | undefined>>): string => {
  const written = Object.entries(params).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`${name}=${quote(value)}`],
  );
  return `${scheme} ${written.join(', ')}`;
};

const nobody = 'this server takes only callers who prove who they are: an access token is needed';

/**
 * Makes what somebody is refused with.
 *
 * @param resource - what they wanted to get at
 * @param base - the scopes that somebody without any should ask for
 */
export const denial = (resource: ResourceUri, dpop: Dpop, base: readonly string[], flaw?: Flaw): Denial => {
  const { error, description = nobody, scopes = base, nonce } = flaw ?? {};
  const first: Scheme = dpop === 'required' ? 'DPoP' : (flaw?.scheme ?? 'Bearer');
  const algs = dpopAlgorithms.join(' ');
  const main = challenge(first, {
    error,
    error_description: flaw === undefined ? undefined : description.slice(0, longest),
    scope: scopes.filter(isTellable).join(' '),
    resource_metadata: resource.metadataUrl,
    algs: first === 'DPoP' ? algs : undefined,
  });
  const other = first === 'Bearer' && dpop !== false ? `, ${challenge('DPoP', { algs })}` : '';
  return {
    status: error === undefined ? 401 : statuses[error],
    message: description,
    headers: { 'www-authenticate': main + other, ...(nonce === undefined ? undefined : { 'dpop-nonce': nonce }) },
  };
};

/** Nothing is wrong that is known of; asking for a new token would not help. */
export const unavailable: Denial = Object.freeze({
  status: 503,
  message: 'it cannot be told now who asks: try again',
  headers: Object.freeze({ 'retry-after': '5' }),
});
