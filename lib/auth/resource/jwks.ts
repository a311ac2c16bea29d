/**
 * Tokens that say themselves what they are good for: JWTs, verified with the public keys of their issuer.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9068
 */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose';
import { Misconfigured, quoted } from '../../frame/errors.ts';
import type { JsonObject } from '../../frame/frame.ts';
import { asymmetric } from './algorithms.ts';
import { bounded, once, resting, Unreachable, type Fetch } from './bounded-fetch.ts';
import { claimsProblem, endOf, toleranceOf } from './claims.ts';
import { issuerMetadata, urlIn } from './issuer-metadata.ts';
import { secureUrl } from './resource-uri.ts';
import { unverified, type Unverified, type Verified, type Verifier } from './verifier.ts';

/** Whose tokens {@link jwks} takes, and where their keys are. */
export interface JwksOptions {
  /** Who issues the tokens, exactly as they write it in `iss`; with several, the keys of each are found by its metadata. */
  readonly issuer: string | readonly string[];
  /** What else than the resource itself a token may be meant for: names in `aud`, exactly. */
  readonly audience?: string | readonly string[];
  /** Where the keys are. Default: where the issuer's metadata say. */
  readonly jwksUri?: string;
  /** The keys themselves, so that nobody is asked for them. */
  readonly keys?: JSONWebKeySet;
  /** Signatures that are taken; asymmetric ones only. Default: all of them. */
  readonly algorithms?: readonly string[];
  /** How far clocks may differ, in seconds. Default: 5 for `nbf` and `iat`, 0 for `exp`. */
  readonly clockToleranceS?: number;
  /** Makes the requests. Default: `fetch`. */
  readonly fetch?: Fetch;
  /** Takes only what says in its header that it is an access token (`at+jwt`, RFC 9068). */
  readonly strict?: boolean;
}

/** What goes wrong with a token, and not with the way to the keys. */
const isOfToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported;

/** The keys of one issuer, fetched when they are first needed, and when there is a new one. */
const keysOf = (issuer: string, { keys, jwksUri, fetch }: JwksOptions): JWTVerifyGetKey => {
  if (keys !== undefined) return createLocalJWKSet(keys);
  const request = bounded(fetch);
  const remote = once(async () => {
    const uri = jwksUri ?? urlIn(await issuerMetadata(issuer, request), 'jwks_uri');
    // Our requests end in time by themselves; this clock, which nobody stops, is over before it has begun.
    return createRemoteJWKSet(new URL(uri), { [customFetch]: resting(request), timeoutDuration: 0 });
  });
  return async (header, token) => {
    try {
      return await (
        await remote.get()
      )(header, token);
    } catch (cause) {
      if (isOfToken(cause)) throw cause;
      // They may have moved.
      if (cause instanceof Unreachable && (cause.status ?? 0) >= 400 && (cause.status ?? 0) < 500) remote.forget();
      if (cause instanceof Unreachable) throw cause;
      throw new Unreachable({ message: `the keys of ${quoted(issuer)} could not be had: ${String(cause)}`, cause });
    }
  };
};

const isStrict = /^(?:application\/)?at\+jwt$/i;
const isLax = /^(?:application\/)?(?:at\+)?jwt$/i;

/** Header and claims, as nobody has vouched for them yet. */
const glance = (token: string): { readonly typ: unknown; readonly claims: JsonObject } | undefined => {
  try {
    return { typ: decodeProtectedHeader(token).typ, claims: decodeJwt(token) };
  } catch {
    return undefined;
  }
};

/**
 * Takes JWTs that one of these issuers has signed for this resource. Keys are fetched over TLS when they are first needed,
 * kept, and fetched again when a token names one that is not among them (at most every 30 s). A verdict is good until the
 * token expires: where revoking must be seen sooner, give `authorize` a `cacheMs`, or use {@link introspection}.
 *
 * @param options - who issues tokens, and what is taken
 * @returns a verifier; fails at once with {@link Misconfigured} where it could not be a safe one
 * @example
 * const verify = jwks({ issuer: 'https://auth.example' });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization#token-handling
 */
export const jwks = (options: JwksOptions): Verifier => {
  const { algorithms = asymmetric, strict = false } = options;
  const issuers = [...new Set([options.issuer].flat())];
  const audience = [options.audience ?? []].flat();
  const tolerance = toleranceOf(options.clockToleranceS);
  const unsafe = algorithms.find((algorithm) => !asymmetric.includes(algorithm));
  if (unsafe !== undefined)
    throw new Misconfigured({ message: `jwks: ${quoted(unsafe)} is no asymmetric signature of JWS` });
  if (issuers.length === 0) throw new Misconfigured({ message: 'jwks: there must be an issuer' });
  if (issuers.length > 1 && (options.jwksUri !== undefined || options.keys !== undefined))
    throw new Misconfigured({ message: 'jwks: keys of one issuer would sign for another; leave them out' });
  for (const issuer of issuers) secureUrl('issuer', issuer);
  if (options.jwksUri !== undefined) secureUrl('jwksUri', options.jwksUri);
  const keys = new Map(issuers.map((issuer) => [issuer, keysOf(issuer, options)]));

  const signed = async (token: string, key: JWTVerifyGetKey): Promise<JsonObject> => {
    const checks = { algorithms: [...algorithms], requiredClaims: ['exp'], clockTolerance: tolerance.early };
    try {
      return (await jwtVerify(token, key, checks)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // Keys without names: one of them has signed, or none.
      for await (const one of error) {
        const verified = await jwtVerify(token, one, checks).catch(unlessUnsigned);
        if (verified !== undefined) return verified.payload;
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  };

  const verify = async (token: string, resource: string): Promise<Verified | Unverified> => {
    const seen = glance(token);
    if (seen === undefined) return unverified('the token is no signed JWT');
    // Nobody is asked for the keys of what would not do even if it were signed.
    const { typ, claims } = seen;
    const typed = typ === undefined ? !strict : typeof typ === 'string' && (strict ? isStrict : isLax).test(typ);
    if (!typed) return unverified('this is no access token');
    const key = typeof claims['iss'] === 'string' ? keys.get(claims['iss']) : undefined;
    if (key === undefined) return unverified('the token is from an issuer that is not trusted here');
    if (claims['exp'] === undefined) return unverified('the token does not say when it expires');
    const problem = claimsProblem(claims, resource, audience, tolerance);
    if (problem !== undefined) return unverified(problem);
    try {
      const vouched = await signed(token, key);
      return { claims: vouched, ...endOf(vouched, tolerance) };
    } catch (error) {
      if (error instanceof errors.JOSEError) return unverified('the token is not signed as it must be');
      throw error;
    }
  };

  return { issuers, verify };
};

const unlessUnsigned = (error: unknown): undefined => {
  if (error instanceof errors.JWSSignatureVerificationFailed) return undefined;
  throw error;
};
