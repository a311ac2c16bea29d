/** Getting a token for one server, from whoever gives them out: by renewing one, or anew. */
import {
  processRefreshTokenResponse,
  processRevocationResponse,
  refreshTokenGrantRequest,
  revocationRequest,
  type AuthorizationServer,
} from 'oauth4webapi';
import { catchError, concatMap, defer, from, map, of, switchMap, take, throwError, type Observable } from 'rxjs';
import { quoted } from '../frame/errors.ts';
import { LoginFailed } from '../frame/login-failed.ts';
import { unionOf, type Wanted } from './challenge.ts';
import { authorizationServer, protectedBy, type Protected } from './discovery.ts';
import { abortable, asking, requestOptions, type Grant, type Order } from './grant.ts';
import { clientAuth } from './identity.ts';
import type { OauthFetch } from './oauth-http.ts';
import { possession } from './possession.ts';
import { forgetClient } from './registration.ts';
import type { Told } from './steps.ts';
import type { TokenStore } from './token-store.ts';
import { tokensOf, type Tokens } from './tokens.ts';

/** What getting tokens for one server takes. */
export interface Issuing {
  readonly server: string;
  readonly grant: Grant;
  readonly store: TokenStore;
  readonly fetch: OauthFetch;
  /** What is asked for where the server names nothing, and besides what it names. */
  readonly scopes: readonly string[] | undefined;
  /** Whether tokens are to be bound to a key of ours: yes, no, or where the server wants it. */
  readonly dpop: boolean | 'asked';
  readonly tell: (step: Told) => void;
}

/** What is wanted this time. */
export interface Wish {
  readonly wanted: Wanted;
  /** The token that there is. */
  readonly tokens: Tokens | undefined;
  /** Whether it may be renewed, and whether another one may be asked for. */
  readonly ways: 'renew' | 'ask' | 'either';
  /**
   * Told that what can be used only once is on its way, until that came to nothing: whoever gave up now would lose what
   * comes for it.
   */
  readonly spending: (is: boolean) => void;
}

/** What has been got, and how. */
export interface Issued {
  readonly tokens: Tokens;
  readonly by: 'login' | 'refresh';
}

/** Among those whom the server names: one that we are known to, that the last token is from, or the first. */
const chosen = ({ issuers }: Protected, { grant }: Issuing, tokens: Tokens | undefined): string => {
  const [first = ''] = issuers;
  return (
    issuers.find((issuer) => grant.issuers?.includes(issuer)) ??
    issuers.find((issuer) => issuer === tokens?.issuer) ??
    first
  );
};

/** What to ask for (AUTHC-27, -29): what is named now, and what was asked for before at the same place. */
const scopesFor = (
  { scopes }: Issuing,
  { wanted, tokens }: Wish,
  { scopes: offered }: Protected,
  issuer: string,
): readonly string[] | undefined => {
  const before = tokens?.issuer === issuer ? tokens.requested : undefined;
  const named = wanted.scopes ?? (scopes === undefined && before === undefined ? offered : undefined);
  const all = unionOf(before, scopes, named);
  return all.length === 0 ? undefined : all;
};

/** Gets a token. Emits once, then completes; fails with {@link LoginFailed}. */
export const issue = (issuing: Issuing, wish: Wish): Observable<Issued> => {
  const { server, grant, fetch, store, tell } = issuing;
  const { wanted, tokens, ways } = wish;
  return abortable(async (signal) => {
    const within: OauthFetch = (url, options) => fetch(url, { ...options, signal });
    const shielded = await protectedBy(within, server, wanted.resourceMetadata);
    const issuer = chosen(shielded, issuing, tokens);
    const as = await authorizationServer(within, issuer, shielded.silent);
    return { shielded, as };
  }).pipe(
    concatMap(async ({ shielded, as }) => {
      const { issuer } = as;
      const { resource } = shielded;
      const known = tokens?.issuer === issuer && tokens.resource === resource ? tokens : undefined;
      const scopes = scopesFor(issuing, wish, shielded, issuer);
      const renewing = ways !== 'ask' && known?.refreshToken !== undefined;
      tell({ kind: 'discovered', resource, issuer, scopes: (renewing ? known.requested : scopes) ?? [] });
      // What renews a token is bound to its key as well.
      const isWanted = wanted.dpop || shielded.dpop || known?.dpopKey !== undefined;
      const bound = issuing.dpop === true || (issuing.dpop === 'asked' && isWanted);
      const key = bound ? await possession(known?.dpopKey) : undefined;
      const order: Order = { as, resource, scopes, fetch, store, dpop: key?.handle, tell };
      return { order, key, known };
    }),
    switchMap(({ order, key, known }) => {
      const { as, resource, scopes: requested } = order;
      const kept = { issuer: as.issuer, resource, requested, dpopKey: key?.key };
      const anew$ = defer(() => grant.obtain(order)).pipe(
        map(({ token, identity: { clientId } }): Issued => ({
          by: 'login',
          tokens: tokensOf({ ...kept, token, clientId }),
        })),
        catchError((error: unknown) => forgotten(error, order)),
      );
      const renewed$ = ways === 'ask' || known === undefined ? of(undefined) : renewed(issuing, order, known, wish);
      return renewed$.pipe(
        switchMap((token) => {
          if (token !== undefined && known !== undefined)
            return of<Issued>({
              by: 'refresh',
              tokens: tokensOf({ ...kept, requested: undefined, token, clientId: known.clientId, before: known }),
            });
          return ways === 'renew' && grant.asks ? throwError(() => unrenewable(server)) : anew$;
        }),
      );
    }),
    take(1),
    map((issued) => {
      if (issuing.dpop === true && issued.tokens.dpopKey === undefined) throw unbound(issued.tokens.issuer);
      return issued;
    }),
  );
};

const unbound = (issuer: string): LoginFailed =>
  new LoginFailed({ stage: 'token', message: `${quoted(issuer)} gave a token that is not bound to our key (DPoP)` });

const unrenewable = (server: string): LoginFailed =>
  new LoginFailed({ stage: 'token', message: `the token for ${new URL(server).host} cannot be renewed` });

const isForgotten = (error: unknown): boolean =>
  error instanceof LoginFailed && (error.code === 'invalid_client' || error.code === 'unauthorized_client');

/** An authorization server that has forgotten us is registered with anew the next time. */
const forgotten = (error: unknown, { as, store }: Order): Observable<never> => {
  const forgetting = isForgotten(error) ? from(forgetClient(store, as.issuer)) : of(undefined);
  return forgetting.pipe(switchMap(() => throwError(() => error)));
};

/** Renews a token; emits undefined where that is not possible any more. */
const renewed = (
  { grant }: Issuing,
  order: Order,
  { refreshToken, clientId }: Tokens,
  { spending }: Pick<Wish, 'spending'>,
) =>
  abortable(async (signal) => {
    const { as, store, resource } = order;
    const identity = refreshToken === undefined ? undefined : await grant.identity?.(order, clientId);
    if (identity === undefined || refreshToken === undefined) return undefined;
    const auth = await clientAuth(as, identity);
    const options = { ...requestOptions(order, signal), additionalParameters: { resource } };
    const client = { client_id: clientId };
    if (signal.aborted) return undefined;
    spending(true);
    try {
      return await asking(order, 'does not renew the token', async () =>
        processRefreshTokenResponse(
          as,
          client,
          await refreshTokenGrantRequest(as, client, auth, refreshToken, options),
        ),
      );
    } catch (error) {
      spending(false);
      // Nobody would come back from a page that they are shown in the name of somebody unknown.
      if (isForgotten(error)) await forgetClient(store, as.issuer, clientId);
      // It was revoked, or used up, or the authorization server does not know us: somebody has to log in again.
      if (error instanceof LoginFailed && error.code !== undefined && error.passing !== true) return undefined;
      throw error;
    }
  });

/** Tells the authorization server that a token is not going to be used any more, as far as it wants to know (RFC 7009). */
export const revoke = async ({ server, grant, fetch, store, tell }: Issuing, tokens: Tokens): Promise<void> => {
  const { issuer, resource, clientId, refreshToken, accessToken } = tokens;
  // One that says nothing of itself takes nothing back.
  const as: AuthorizationServer = await authorizationServer(fetch, issuer, true);
  const order: Order = { as, resource, scopes: undefined, fetch, store, dpop: undefined, tell };
  const identity = await grant.identity?.(order, clientId);
  if (as.revocation_endpoint === undefined || identity === undefined || clientId === '') return;
  const { signal } = new AbortController();
  const options = requestOptions(order, signal);
  const auth = await clientAuth(as, identity);
  const response = await revocationRequest(as, { client_id: clientId }, auth, refreshToken ?? accessToken, options);
  await processRevocationResponse(response).catch(() => {
    throw new LoginFailed({ stage: 'token', message: `${quoted(server)}: the token could not be revoked` });
  });
};
