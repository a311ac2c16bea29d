/**
 * Tokens that only their issuer can read: it is asked about each.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7662
 */
import {
  allowInsecureRequests,
  ClientSecretPost,
  customFetch,
  introspectionRequest,
  PrivateKeyJwt,
  processIntrospectionResponse,
  type AuthorizationServer,
  type ClientAuth,
  type PrivateKey,
} from 'oauth4webapi';
import { Misconfigured } from '../../frame/errors.ts';
import { isArray, type JsonObject } from '../../frame/frame.ts';
import { basic } from '../identity.ts';
import { bounded, once, Unreachable, type Fetch } from './bounded-fetch.ts';
import { claimsProblem, endOf, toleranceOf } from './claims.ts';
import { issuerMetadata, urlIn } from './issuer-metadata.ts';
import { secureUrl } from './resource-uri.ts';
import { unverified, type Unverified, type Verified, type Verifier } from './verifier.ts';

/** Whom {@link introspection} asks, and as whom. */
export interface IntrospectionOptions {
  /** Who issues the tokens; where it is asked is in its metadata. */
  readonly issuer?: string;
  /** Where to ask. Default: where the issuer's metadata say. One of `issuer` and `endpoint` there must be. */
  readonly endpoint?: string;
  /** As whom to ask. */
  readonly clientId: string;
  /** What proves it: a secret. */
  readonly clientSecret?: string;
  /** How a secret is sent. Default: as the issuer's metadata say, or `client_secret_basic`. */
  readonly method?: 'client_secret_basic' | 'client_secret_post';
  /** Or a key, that signs assertions (`private_key_jwt`). */
  readonly privateKey?: PrivateKey | PrivateKey['key'];
  /** What else than the resource itself a token may be meant for: names in `aud`, exactly. */
  readonly audience?: string | readonly string[];
  /** How far clocks may differ, in seconds. Default: 5 for `nbf` and `iat`, 0 for `exp`. */
  readonly clockToleranceS?: number;
  /** Makes the requests. Default: `fetch`. */
  readonly fetch?: Fetch;
}

interface Endpoint {
  readonly server: AuthorizationServer;
  readonly auth: ClientAuth;
  readonly isInsecure: boolean;
}

const proofOf = (options: IntrospectionOptions, methods: unknown): ClientAuth => {
  const { clientSecret = '', privateKey, method } = options;
  if (privateKey !== undefined) return PrivateKeyJwt(privateKey);
  const isPosted =
    isArray(methods) && methods.includes('client_secret_post') && !methods.includes('client_secret_basic');
  const chosen = method ?? (isPosted ? 'client_secret_post' : 'client_secret_basic');
  return chosen === 'client_secret_post' ? ClientSecretPost(clientSecret) : basic(clientSecret);
};

const endpointOf = async (options: IntrospectionOptions, request: Fetch): Promise<Endpoint> => {
  const { issuer, endpoint } = options;
  const metadata: JsonObject =
    issuer === undefined || endpoint !== undefined ? {} : await issuerMetadata(issuer, request);
  const url = endpoint ?? urlIn(metadata, 'introspection_endpoint');
  return {
    server: { issuer: issuer ?? url, introspection_endpoint: url },
    auth: proofOf(options, metadata['introspection_endpoint_auth_methods_supported']),
    // What may go over which way is decided where the request is made.
    isInsecure: url.startsWith('http:'),
  };
};

/**
 * Takes tokens that their issuer calls active, and meant for this resource. It is asked with every request (those that
 * come with one token at the same time wait for one answer), so that what has been revoked is refused at once; a `cacheMs`
 * of `authorize` says otherwise.
 *
 * @param options - whom to ask, and as whom
 * @returns a verifier; fails at once with {@link Misconfigured} where nobody could be asked
 * @example
 * const verify = introspection({ issuer: 'https://auth.example', clientId: 'weather', clientSecret: 'a secret' });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization#token-handling
 */
export const introspection = (options: IntrospectionOptions): Verifier => {
  const { issuer, endpoint, clientId, clientSecret, privateKey } = options;
  if (issuer === undefined && endpoint === undefined)
    throw new Misconfigured({ message: 'introspection: there must be an issuer, or an endpoint' });
  if ((clientSecret === undefined) === (privateKey === undefined))
    throw new Misconfigured({ message: 'introspection: there must be either a clientSecret or a privateKey' });
  if (issuer !== undefined) secureUrl('issuer', issuer);
  if (endpoint !== undefined) secureUrl('endpoint', endpoint);
  const audience = [options.audience ?? []].flat();
  const tolerance = toleranceOf(options.clockToleranceS);
  const request = bounded(options.fetch);
  const found = once(() => endpointOf(options, request));
  const client = { client_id: clientId };

  const asked = async (token: string): Promise<JsonObject> => {
    const { server, auth, isInsecure } = await found.get();
    try {
      const response = await introspectionRequest(server, client, auth, token, {
        [customFetch]: request,
        [allowInsecureRequests]: isInsecure,
        additionalParameters: { token_type_hint: 'access_token' },
      });
      return await processIntrospectionResponse(server, client, response);
    } catch (cause) {
      if (cause instanceof Unreachable) throw cause;
      // What the library fails with may hold all that was answered.
      const why = cause instanceof Error ? cause.message : 'it makes no sense';
      throw new Unreachable({ message: `introspection failed: ${why}` });
    }
  };

  const verify = async (token: string, resource: string): Promise<Verified | Unverified> => {
    const claims = await asked(token);
    if (claims['active'] !== true) return unverified('the token does not hold, or not any more');
    const { iss } = claims;
    if (issuer !== undefined && iss !== undefined && iss !== issuer)
      return unverified('the token is from an issuer that is not trusted here');
    const problem = claimsProblem(claims, resource, audience, tolerance);
    return problem === undefined ? { claims, ...endOf(claims, tolerance) } : unverified(problem);
  };

  return { ...(issuer === undefined ? undefined : { issuers: [issuer] }), cacheMs: 0, verify };
};
