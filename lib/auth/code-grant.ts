/**
 * Somebody logs in at the authorization server, in a browser, and comes back with a code.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
 */
import {
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  generateRandomState,
  processAuthorizationCodeResponse,
  validateAuthResponse,
  type AuthorizationServer,
} from 'oauth4webapi';
import {
  catchError,
  concatMap,
  defer,
  finalize,
  from,
  map,
  switchMap,
  take,
  tap,
  throwError,
  throwIfEmpty,
  type Observable,
} from 'rxjs';
import { quoted } from '../frame/errors.ts';
import { LoginFailed } from '../frame/login-failed.ts';
import type { Callback, Callbacks } from './callback.ts';
import { unionOf } from './challenge.ts';
import { abortable, asking, requestOptions, type Grant, type Granted, type Order } from './grant.ts';
import { clientAuth, type Identity } from './identity.ts';
import { schemeProblem } from './reach.ts';
import { failure } from './refusal.ts';
import {
  doubtClient,
  givenFor,
  identify,
  knownClients,
  knownRedirects,
  rememberedClient,
  type ClientOptions,
} from './registration.ts';

/** What somebody was sent away with, and has to come back with. */
interface Sent {
  readonly url: URL;
  readonly state: string;
  readonly verifier: string;
}

const failed = (message: string): LoginFailed => new LoginFailed({ stage: 'authorization', message });

/** The page to log in at; it may be nothing but a page (SEC-06, CVE-2025-6514). */
const pageOf = ({ issuer, authorization_endpoint: page }: AuthorizationServer): URL => {
  if (page === undefined) throw failed(`${quoted(issuer)} names no authorization_endpoint`);
  const url = new URL(page);
  const problem = schemeProblem(url);
  if (problem !== undefined)
    throw failed(`the authorization_endpoint of ${quoted(issuer)} is no page that may be opened: ${problem}`);
  // Whoever is shown it may hand it to a shell after all.
  url.pathname = url.pathname.replace(/[!$&'()*;^|]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  url.hash = '';
  return url;
};

/** Where people come back to with a code is this machine, or speaks TLS (AUTHC-45). */
const checkedRedirect = ({ redirectUri }: Callback): string => {
  const url = new URL(redirectUri);
  if (schemeProblem(url) !== undefined)
    throw failed(`${quoted(redirectUri)} is no place to come back to: it must be https:, or on this machine`);
  return redirectUri;
};

const send = async (order: Order, { clientId }: Identity, redirectUri: string): Promise<Sent> => {
  const { as, resource, scopes } = order;
  // Without it a code that is stolen on its way is as good as a login (AUTHC-37).
  if (as.code_challenge_methods_supported?.includes('S256') !== true)
    throw failed(`${quoted(as.issuer)} does not say that it supports PKCE with S256`);
  const verifier = generateRandomCodeVerifier();
  const state = generateRandomState();
  const url = pageOf(as);
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    resource,
    ...(scopes === undefined ? undefined : { scope: scopes.join(' ') }),
    // OpenID providers give no access without the user to whoever does not ask them for it.
    ...(scopes?.includes('offline_access') === true ? { prompt: 'consent' } : undefined),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { url, state, verifier };
};

/**
 * Scopes, and with them a token that lasts, where the authorization server has such a thing (AUTHC-49). Alone it would be
 * asked for instead of whatever is given where nothing is named (AUTHC-27).
 */
const lasting = ({ as, scopes }: Order): readonly string[] | undefined =>
  scopes !== undefined && as.scopes_supported?.includes('offline_access') === true
    ? unionOf(scopes, ['offline_access'])
    : scopes;

/** An authorization server that has forgotten us shows people a page of its own, from which nobody ever comes back. */
const returned = (
  { as, store }: Order,
  { how }: Identity,
  back$: Observable<URLSearchParams>,
): Observable<URLSearchParams> => {
  let doubtful = how === 'remembered';
  return back$.pipe(
    tap(() => (doubtful = false)),
    finalize(() => {
      if (doubtful) void doubtClient(store, as.issuer).catch(() => undefined);
    }),
  );
};

/** Checks what came back before anything of it goes anywhere (AUTHC-38, -40 to -42). */
const checked = ({ as }: Order, { clientId }: Identity, { state }: Sent, back: URLSearchParams): URLSearchParams => {
  const what = `nobody was logged in at ${new URL(as.issuer).host}`;
  // The library takes an issuer without a name for none.
  if (back.get('iss') === '') throw failed(`${what}: the answer is from nobody`);
  try {
    const answer = validateAuthResponse(as, { client_id: clientId }, back, state);
    if ((answer.get('code') ?? '') !== '') return answer;
  } catch (cause) {
    throw failure('authorization', what, cause);
  }
  throw failed(`${what}: they came back without a code`);
};

const redeem = (order: Order, identity: Identity, { redirectUri }: Callback, sent: Sent, code: URLSearchParams) =>
  abortable(async (signal): Promise<Granted> => {
    const { as, resource } = order;
    const client = { client_id: identity.clientId };
    const auth = await clientAuth(as, identity);
    const options = { ...requestOptions(order, signal), additionalParameters: { resource } };
    const token = await asking(order, 'gives no token for the code', async () =>
      processAuthorizationCodeResponse(
        as,
        client,
        await authorizationCodeGrantRequest(as, client, auth, code, redirectUri, sent.verifier, options),
      ),
    );
    return { token, identity };
  }).pipe(catchError((error: unknown) => throwError(() => final(error))));

/** A code is good for once: whatever came between, it takes somebody to get another one. */
const final = (error: unknown): unknown => {
  if (!(error instanceof LoginFailed) || error.passing !== true) return error;
  const { message, stage, code } = error;
  return new LoginFailed({ message, stage, ...(code === undefined ? undefined : { code }) });
};

/**
 * @param callbacks - brings people to a page and back
 * @param client - who we are
 */
export const codeGrant = (callbacks: Callbacks, client: ClientOptions): Grant => {
  const visit = (given: Order, callback: Callback): Observable<Granted> => {
    const order = { ...given, scopes: lasting(given) };
    const { as, tell } = order;
    const redirectUri = checkedRedirect(callback);
    return abortable((signal) => identify({ ...order, client, signal }, redirectUri)).pipe(
      concatMap(async (identity) => {
        tell({ kind: 'registered', issuer: as.issuer, clientId: identity.clientId, how: identity.how });
        const sent = await send(order, identity, redirectUri);
        tell({ kind: 'visit', url: sent.url.href, redirectUri });
        return { identity, sent };
      }),
      switchMap(({ identity, sent }) =>
        returned(order, identity, callback.visit(sent.url)).pipe(
          take(1),
          throwIfEmpty(() => failed('nobody came back')),
          map((back) => checked(order, identity, sent, back)),
          switchMap((code) => {
            tell({ kind: 'code', issuer: as.issuer });
            return redeem(order, identity, callback, sent, code);
          }),
        ),
      ),
    );
  };
  return {
    asks: true,
    issuers: knownClients(client).flatMap(({ issuer }) => issuer ?? []),
    obtain: (order) =>
      defer(() => from(knownRedirects(order.store, order.as.issuer))).pipe(
        switchMap((redirects) => callbacks(redirects)),
        switchMap((callback) => visit(order, callback)),
        take(1),
        throwIfEmpty(() => failed('there is nowhere to come back to')),
      ),
    owns: ({ issuer, clientId }) => (givenFor(client, issuer)?.clientId ?? clientId) === clientId,
    identity: async ({ as, store }, clientId) => {
      const given = givenFor(client, as.issuer);
      if (given?.clientId === clientId) return { ...given, how: 'given' };
      if (client.metadataUrl === clientId) return { clientId, privateKey: client.privateKey, how: 'document' };
      return rememberedClient(store, as.issuer, clientId);
    },
  };
};
