/**
 * Lets in only whom an authorization server vouches for.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
 */
import { filter, throwError } from 'rxjs';
import { listenMethod } from '../../exchange/envelope.ts';
import {
  isAnswer,
  type Context,
  type Emission,
  type Exchange,
  type Middleware,
  type Request,
} from '../../exchange/exchange.ts';
import { isOver, type Guard } from '../../exchange/guard.ts';
import { invalidRequest, Misconfigured, type RpcError } from '../../frame/errors.ts';
import type { JsonObject } from '../../frame/frame.ts';
import type { Dpop } from './challenge.ts';
import { rotatingNonces } from './dpop-nonce.ts';
import { proofCheck } from './dpop-proof.ts';
import { guardOf } from './guard.ts';
import { metadataOf, type ResourceMetadata } from './metadata.ts';
import { resourceLookup, secureUrl } from './resource-uri.ts';
import { implied, needsOf, type Scopes, type ScopesByName } from './scopes.ts';
import type { Verifier } from './verifier.ts';

/** Whom {@link authorize} lets in. */
export interface AuthorizeOptions {
  /** The URL that clients reach the server by: `https:`, or `http:` on loopback. A function where the system picks a port. */
  readonly resource: string | (() => string);
  /** Issuers of the tokens that are taken. Default: those that `verify` knows of. */
  readonly authorizationServers?: readonly string[];
  /** Tells tokens that hold from others. */
  readonly verify: Verifier;
  /** Which scopes are needed: for everything, by rules, or as a function of the request says. Default: none. */
  readonly scopes?: Scopes;
  /** Scopes that include others, and those in turn what they include. */
  readonly implies?: ScopesByName;
  /** Whether tokens may be bound to keys (RFC 9449), or must be. Default `allowed`. */
  readonly dpop?: Dpop;
  /** Proofs of possession must have a nonce of ours. Default false. */
  readonly dpopNonce?: boolean;
  /** What nonces are made with, 32 bytes at least; shared by replicas of a server. Default: random. */
  readonly dpopSecret?: string | Uint8Array;
  /** Who somebody is. Default: `sub`, after the issuer where there are several; without one, `client ` and `client_id`. */
  readonly principal?: (claims: JsonObject) => string;
  /** For how long a verdict on a token is good, in milliseconds, unless it expires sooner. Default: as `verify` says. */
  readonly cacheMs?: number;
  /** Tokens that are remembered at a time. Default 10,000. */
  readonly maxCached?: number;
  /** What the server is called, for people. */
  readonly name?: string;
  /** A page about it, for developers. */
  readonly documentation?: string;
  /** Told why it could not be told who asks; callers are answered 503 then. No token is in it. */
  readonly onFailure?: (error: unknown) => void;
}

/** A middleware, and what the resource says of itself. */
export interface Authorize extends Middleware {
  /** Protected resource metadata (RFC 9728), for whoever serves them by other means. */
  readonly metadata: ResourceMetadata;
}

/** Why a request does not get in that has come this far. */
const barred = (guard: Guard, request: Request, { access }: Context): RpcError | undefined => {
  if (access === undefined)
    return invalidRequest('this server takes only callers who prove who they are, which they can do over HTTP');
  if (isOver(access)) return invalidRequest('what has proved who asks has expired: connect again');
  const denied = guard.judge(request, access);
  return denied === undefined ? undefined : invalidRequest(explained(denied.message, denied.headers));
};

/** Names the scopes that are missing, where it is those. */
const explained = (message: string, headers: Readonly<Record<string, string>>): string => {
  const scope = /\bscope="([^"]*)"/.exec(headers['www-authenticate'] ?? '')?.[1];
  return scope === undefined ? message : `${message}: ${scope}`;
};

/** Of what lies below a resource that one watches, one hears as far as one may read it. */
const isTellable =
  (guard: Guard, { access }: Context) =>
  (emission: Emission): boolean => {
    if (isAnswer(emission) || emission.method !== 'notifications/resources/updated' || access === undefined)
      return true;
    const read: Request = { method: 'resources/read', params: { uri: emission.params?.['uri'] } };
    return guard.judge(read, access) === undefined;
  };

const authorizationServersOf = ({ authorizationServers, verify }: AuthorizeOptions): readonly string[] => {
  const issuers = authorizationServers ?? verify.issuers ?? [];
  if (issuers.length === 0)
    throw new Misconfigured({ message: 'authorize: there must be an authorization server: authorizationServers' });
  for (const issuer of issuers)
    if (secureUrl('authorization server', issuer).search !== '')
      throw new Misconfigured({ message: 'authorize: the name of an authorization server has no query' });
  return issuers;
};

/**
 * Protects a server: over HTTP, requests must bring an access token that holds, was issued for this very resource, and has
 * the scopes that they need; everybody else is told where to get one. What comes over edges that cannot ask for a token is
 * refused. Handlers find out who asks by `call.principal`.
 *
 * @param options - who the server is, whom it trusts, and what is needed for what
 * @returns middleware; what it wraps fails with {@link RpcError} -32600 where nobody has proved who asks, or that they may.
 *   Options that cannot be safe are a {@link Misconfigured} at once
 * @example
 * serve(
 *   authorize({
 *     resource: 'https://mcp.example/mcp',
 *     verify: jwks({ issuer: 'https://auth.example' }),
 *     scopes: { all: ['mcp'], tools: { delete_file: ['files:write'] } },
 *   })(weather),
 *   http({ port: 4000 }),
 * ).subscribe();
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
 */
export const authorize = (options: AuthorizeOptions): Authorize => {
  const { verify, dpop = 'allowed', maxCached = 10_000, cacheMs, principal, onFailure = () => undefined } = options;
  const resource = resourceLookup(options.resource);
  const authorizationServers = authorizationServersOf(options);
  const needs = needsOf(options.scopes);
  const metadata = metadataOf({
    resource,
    authorizationServers,
    scopes: needs.known,
    dpop,
    name: options.name,
    documentation: options.documentation,
  });
  const isShared = (verify.issuers ?? authorizationServers).length > 1;
  const guard = guardOf({
    resource,
    metadata,
    verify,
    needs,
    reading: { principal, isShared, implied: implied(options.implies) },
    dpop,
    proofFlaw: proofCheck(options.dpopNonce === true ? rotatingNonces(options.dpopSecret) : undefined),
    cacheMs,
    maxCached,
    onFailure,
  });

  const protect: Middleware = (next) => {
    const guarded: Exchange = (request, context) => {
      const problem = barred(guard, request, context);
      if (problem !== undefined) return throwError(() => problem);
      const proven = context.access?.principal;
      const answers$ = next(
        request,
        context.principal === undefined && proven !== undefined ? { ...context, principal: proven } : context,
      );
      return request.method === listenMethod ? answers$.pipe(filter(isTellable(guard, context))) : answers$;
    };
    return Object.assign(guarded, { guard }, next.held$ === undefined ? undefined : { held$: next.held$ });
  };
  return Object.assign(protect, { metadata });
};
