/**
 * Who gives out the proofs that a server takes: read at the server, then at the authorization server that it names.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/authorization-server-discovery
 */
import * as Either from 'effect/Either';
import type { AuthorizationServer } from 'oauth4webapi';
import { quoted } from '../frame/errors.ts';
import type { JsonObject } from '../frame/frame.ts';
import { LoginFailed } from '../frame/login-failed.ts';
import { Schema } from '../protocol/schema.ts';
import { objectIn, type OauthFetch } from './oauth-http.ts';
import { schemeProblem } from './reach.ts';
import { metadataPlaces, protectedResource } from './well-known.ts';

/** What a server says of how it is protected. */
export interface Protected {
  /** What proofs are to be for. */
  readonly resource: string;
  /** Those who give them out, at least one. */
  readonly issuers: readonly string[];
  readonly scopes: readonly string[] | undefined;
  /** Whether a bearer token would not do. */
  readonly dpop: boolean;
  /** Says nothing of itself, as servers of 2025-03-26 do: all is at its own origin. */
  readonly silent: boolean;
}

const failed = (message: string): LoginFailed => new LoginFailed({ stage: 'discovery', message });

/** The canonical URI of a server (AUTHC-33, -34): nothing behind the path, and no slash that stands for nothing. */
export const canonical = (server: string): string => {
  const { origin, pathname } = new URL(server);
  return pathname === '/' ? origin : `${origin}${pathname}`;
};

/** Its path, without a slash at the end. */
const pathOf = ({ pathname }: URL): string => pathname.replace(/\/$/, '');

/** A document, where there is one: what is not there, or not for us, is looked for elsewhere. */
const document = async (
  fetch: OauthFetch,
  url: string,
  headers?: Record<string, string>,
): Promise<JsonObject | undefined> => {
  const response = await fetch(url, headers === undefined ? {} : { headers });
  const { status } = response;
  // Nor is what is not to be had now not there.
  if (status >= 500 || status === 429 || status === 408)
    throw new LoginFailed({
      stage: 'discovery',
      passing: true,
      message: `${new URL(url).host} answered with HTTP status ${status}`,
    });
  return status === 200 ? objectIn(response) : undefined;
};

/**
 * Reads what a server says of how it is protected (AUTHC-02, -04).
 *
 * @param server - its URL
 * @param named - where its challenge says that this is to be read
 */
export const protectedBy = async (fetch: OauthFetch, server: string, named: string | undefined): Promise<Protected> => {
  const url = new URL(server);
  const problem = schemeProblem(url);
  if (problem !== undefined) throw failed(`no token is sent there: ${problem}`);
  const places = [named, `${url.origin}${protectedResource}${pathOf(url)}`, `${url.origin}${protectedResource}`];
  for (const place of new Set(places)) {
    if (place === undefined || !URL.canParse(place)) continue;
    const said = await document(fetch, place);
    if (said !== undefined) return protectedAs(said, url);
  }
  // Who says where to read it is no server of 2025-03-26.
  if (named !== undefined) throw failed(`the metadata that ${url.host} names, at ${quoted(named)}, is not there`);
  return { resource: canonical(server), issuers: [url.origin], scopes: undefined, dpop: false, silent: true };
};

const protectedAs = (said: JsonObject, server: URL): Protected => {
  const { resource, authorization_servers: issuers, scopes_supported: scopes } = said;
  if (typeof resource !== 'string' || !isOf(resource, server))
    throw failed(
      `the metadata of ${server.host} is for ${quoted(String(resource))}, which is another server than ${quoted(canonical(server.href))}`,
    );
  const named = Array.isArray(issuers) ? issuers.filter((issuer) => typeof issuer === 'string') : [];
  if (named.length === 0) throw failed(`the metadata of ${server.host} names no authorization_servers`);
  return {
    resource,
    issuers: named,
    scopes: Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === 'string') : undefined,
    dpop: said['dpop_bound_access_tokens_required'] === true,
    silent: false,
  };
};

/** Whether this resource is the server, or what it is a part of (AUTHC-05, AMB-30). */
const isOf = (resource: string, server: URL): boolean => {
  if (!URL.canParse(resource)) return false;
  const url = new URL(resource);
  const path = pathOf(url);
  return url.hash === '' && url.origin === server.origin && `${pathOf(server)}/`.startsWith(`${path}/`);
};

/**
 * Reads the metadata of an authorization server, which must be of exactly this one (AUTHC-11).
 *
 * @param assumed - whether its endpoints may be assumed where it says nothing, as those of 2025-03-26 may (AUTHC-13)
 */
export const authorizationServer = async (
  fetch: OauthFetch,
  issuer: string,
  assumed: boolean,
): Promise<AuthorizationServer> => {
  if (!URL.canParse(issuer)) throw failed(`${quoted(issuer)} is named as authorization server, and is no URL`);
  const url = new URL(issuer);
  if (url.search !== '' || url.hash !== '') throw failed(`the issuer ${quoted(issuer)} has a query or fragment`);
  for (const place of metadataPlaces(url)) {
    const said = await document(fetch, place, assumed ? { 'mcp-protocol-version': '2025-03-26' } : undefined);
    if (said === undefined) continue;
    // Where its name was only made up, of its origin, a slash at the end is as good.
    const isNamed = said['issuer'] === issuer || (assumed && said['issuer'] === `${issuer}/`);
    if (!isNamed)
      throw failed(`the metadata at ${url.host} is of ${quoted(String(said['issuer']))}, and not of ${quoted(issuer)}`);
    return checked(said);
  }
  if (!assumed)
    throw failed(`${quoted(issuer)} has no metadata: neither oauth-authorization-server nor openid-configuration`);
  const at = (path: string): string => `${url.origin}${path}`;
  return {
    issuer,
    authorization_endpoint: at('/authorize'),
    token_endpoint: at('/token'),
    registration_endpoint: at('/register'),
    code_challenge_methods_supported: ['S256'],
  };
};

const exact = { exact: true } as const;
const address = Schema.optionalWith(
  Schema.String.pipe(Schema.filter((url) => URL.canParse(url) || 'must be a URL')),
  exact,
);
const names = Schema.optionalWith(Schema.mutable(Schema.Array(Schema.String)), exact);
const flag = Schema.optionalWith(Schema.Boolean, exact);

/** What is read of the metadata; there may be anything besides. */
const Metadata = Schema.Struct({
  issuer: Schema.String,
  authorization_endpoint: address,
  token_endpoint: address,
  registration_endpoint: address,
  revocation_endpoint: address,
  jwks_uri: address,
  scopes_supported: names,
  grant_types_supported: names,
  authorization_grant_profiles_supported: names,
  code_challenge_methods_supported: names,
  token_endpoint_auth_methods_supported: names,
  token_endpoint_auth_signing_alg_values_supported: names,
  id_token_signing_alg_values_supported: names,
  dpop_signing_alg_values_supported: names,
  authorization_response_iss_parameter_supported: flag,
  client_id_metadata_document_supported: flag,
});
const decode = Schema.decodeUnknownEither(Metadata);

const checked = (said: JsonObject): AuthorizationServer => {
  // Some write null for what they do not have.
  const metadata = decode(Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null)));
  if (Either.isRight(metadata)) return metadata.right;
  throw failed(
    `the metadata of ${quoted(String(said['issuer']))} is malformed: ${metadata.left.message.replaceAll(/\s+/g, ' ').slice(0, 500)}`,
  );
};
