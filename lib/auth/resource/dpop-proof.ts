/**
 * Proofs that whoever sends a token has the key that it is bound to.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9449#section-4.3
 */
import { base64url, calculateJwkThumbprint, decodeProtectedHeader, EmbeddedJWK, jwtVerify } from 'jose';
import type { Knock } from '../../exchange/guard.ts';
import { isObject, type JsonObject } from '../../frame/frame.ts';
import { dpopAlgorithms } from './algorithms.ts';
import type { Flaw } from './challenge.ts';
import type { Nonces } from './dpop-nonce.ts';
import { Replays, windowS } from './dpop-replay.ts';
import type { ResourceUri } from './resource-uri.ts';

/** What a proof is held against. */
export interface Bound {
  readonly token: string;
  /** Thumbprint of the key that the token is bound to. */
  readonly jkt: string;
  readonly knock: Knock;
  readonly resource: ResourceUri;
}

const longestProof = 8192;
const longestId = 256;
/** Proofs that are remembered, about 20 MB of them. */
const maxProofs = 100_000;

/** One, not several that were joined. */
const jws = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** What only the owner of a key should know; `k` is all of a symmetric one. */
const secrets: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']);

const flawed = (description: string): Flaw => ({ error: 'invalid_dpop_proof', description, scheme: 'DPoP' });

/** The thumbprint of the key in a proof's header, where there is a public one. */
const thumbprintIn = async (proof: string): Promise<string | undefined> => {
  const { jwk } = decodeProtectedHeader(proof);
  if (!isObject(jwk) || Object.keys(jwk).some((member) => secrets.has(member))) return undefined;
  return calculateJwkThumbprint(jwk);
};

/** A URL as proofs are compared: without query and fragment. */
const addressOf = (url: string): string | undefined => {
  if (!URL.canParse(url)) return undefined;
  const { origin, pathname } = new URL(url);
  return origin + pathname;
};

const hashOf = async (token: string): Promise<string> =>
  base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))));

/** What is wrong with what a proof claims, except that it may have been seen before. */
const claimsFlaw = async (claims: JsonObject, { token, knock, resource }: Bound): Promise<string | undefined> => {
  const { htm, htu, iat, jti, ath } = claims;
  if (htm !== knock.method) return 'the proof is for another method';
  const made = typeof htu === 'string' ? addressOf(htu) : undefined;
  // Behind a proxy that rewrites paths, only the resource's own is known to its callers.
  const asked = [resource.origin + knock.path, resource.uri].map(addressOf);
  if (made === undefined || !asked.includes(made)) return 'the proof is for another URL';
  if (typeof iat !== 'number' || !(Math.abs(Date.now() / 1000 - iat) <= windowS)) return 'the proof is not of now';
  if (typeof jti !== 'string' || jti === '' || jti.length > longestId) return 'the proof has no fit jti';
  return ath === (await hashOf(token)) ? undefined : 'the proof is for another token';
};

/**
 * Makes what checks proofs: it resolves with what is wrong, undefined if nothing is. Never rejects for what somebody sent.
 *
 * @param nonces - wanted in proofs, if there are
 */
export const proofCheck = (nonces: Nonces | undefined): ((bound: Bound) => Promise<Flaw | undefined>) => {
  const replays = new Replays(maxProofs);

  const verified = async (proof: string, jkt: string): Promise<JsonObject | undefined> => {
    try {
      // Nobody computes with a key before it is known to be the one.
      if ((await thumbprintIn(proof)) !== jkt) return undefined;
      const { payload } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: [...dpopAlgorithms] });
      return payload;
    } catch {
      return undefined;
    }
  };

  return async (bound) => {
    const proof = bound.knock.headers['dpop']?.trim() ?? '';
    if (proof === '') return flawed('a proof of possession is needed');
    if (proof.length > longestProof || !jws.test(proof)) return flawed('there must be one proof of possession');
    const claims = await verified(proof, bound.jkt);
    if (claims === undefined) return flawed('the proof is not made with the key of the token');
    const wrong = await claimsFlaw(claims, bound);
    if (wrong !== undefined) return flawed(wrong);
    if (nonces !== undefined && !(await nonces.holds(claims['nonce'])))
      return {
        error: 'use_dpop_nonce',
        description: 'the proof must have the nonce that comes with this',
        scheme: 'DPoP',
        nonce: await nonces.current(),
      };
    return replays.isFirst(bound.jkt, String(claims['jti']), Number(claims['iat']))
      ? undefined
      : flawed('the proof has been used before');
  };
};
