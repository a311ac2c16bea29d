/**
 * Becoming known to an authorization server, and remembering it: what one of them knows is of no use to another.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/client-registration
 */
import {
  customFetch,
  allowInsecureRequests,
  dynamicClientRegistrationRequest,
  processDynamicClientRegistrationResponse,
  type AuthorizationServer,
  type JsonValue,
} from 'oauth4webapi';
import { Misconfigured, quoted } from '../frame/errors.ts';
import { isArray, type JsonObject } from '../frame/frame.ts';
import { LoginFailed } from '../frame/login-failed.ts';
import { isLoopback } from '../transport/admission.ts';
import { unionOf } from './challenge.ts';
import { pinned, type Identity, type KnownClient } from './identity.ts';
import { objectIn, type OauthFetch } from './oauth-http.ts';
import { failure } from './refusal.ts';
import type { TokenStore } from './token-store.ts';

/** Who logs somebody in, as authorization servers show it to them, and how they know it. */
export interface ClientOptions {
  /** What people read when they are asked. Default `rxmcp`. */
  readonly name?: string | undefined;
  /** A page about it. */
  readonly uri?: string | undefined;
  /** Where a document of ours says who we are; `https:`, with a path. It must list every redirect URI that is used. */
  readonly metadataUrl?: string | undefined;
  /** What proves that the document is ours, where it says so (`private_key_jwt`). */
  readonly privateKey?: KnownClient['privateKey'];
  /** Where authorization servers know us already. */
  readonly known?: KnownClient | readonly KnownClient[] | undefined;
  /** What else a registration says; see RFC 7591. */
  readonly registration?: Readonly<Record<string, JsonValue>> | undefined;
  /** The last resort: asks somebody for a client id that an authorization server knows. */
  readonly ask?: ((issuer: string) => Promise<KnownClient | undefined>) | undefined;
}

/** @throws {@link Misconfigured} where the URL of a document cannot be a client id (AUTHC-19) */
export const checkedClient = (client: ClientOptions): ClientOptions => {
  const { metadataUrl } = client;
  if (metadataUrl === undefined) return client;
  const url = URL.canParse(metadataUrl) ? new URL(metadataUrl) : undefined;
  if (url?.protocol !== 'https:' || url.pathname === '/' || url.hash !== '' || url.username !== '')
    throw new Misconfigured({
      message: `client.metadataUrl is ${quoted(metadataUrl)}: it must be an https: URL with a path, and no fragment`,
    });
  return client;
};

/** Who we are there from now on. */
const keyOf = (issuer: string): string => `client ${issuer}`;

/** Who we are there to those tokens that were given to this id: there may be several, for several servers. */
const keyById = (issuer: string, clientId: string): string => `client ${clientId} of ${issuer}`;

/** What was registered under a key, for whoever wants it back. */
interface Remembered {
  readonly identity: Identity;
  readonly redirectUris: readonly string[];
}

const rememberedIn = (kept: JsonObject | undefined): Remembered | undefined => {
  const { clientId, clientSecret, method, expiresAt, redirectUris } = kept ?? {};
  if (typeof clientId !== 'string' || !isArray(redirectUris)) return undefined;
  // A secret that is about to expire is no use for a login that takes a while.
  if (typeof expiresAt === 'number' && expiresAt > 0 && expiresAt * 1000 < Date.now() + 60_000) return undefined;
  return {
    identity: {
      clientId,
      how: 'remembered',
      ...(typeof clientSecret === 'string' ? { clientSecret } : undefined),
      ...(typeof method === 'string' ? { method } : undefined),
    },
    redirectUris: redirectUris.map(String),
  };
};

/** Where an authorization server may send people back to, as it was told. */
export const knownRedirects = async (store: TokenStore, issuer: string): Promise<readonly string[]> =>
  rememberedIn(await store.get(keyOf(issuer)))?.redirectUris ?? [];

/** We had better register anew the next time; tokens that are there can be renewed as before. */
export const doubtClient = (store: TokenStore, issuer: string): Promise<void> => store.set(keyOf(issuer), undefined);

/**
 * The authorization server does not know us any more.
 *
 * @param clientId - under this id. Default: the one that we would have used next
 */
export const forgetClient = async (store: TokenStore, issuer: string, clientId?: string): Promise<void> => {
  const latest = rememberedIn(await store.get(keyOf(issuer)))?.identity.clientId;
  const forgotten = clientId ?? latest;
  if (forgotten === latest) await doubtClient(store, issuer);
  if (forgotten !== undefined) await store.set(keyById(issuer, forgotten), undefined);
};

/** What we registered under this id. */
export const rememberedClient = async (
  store: TokenStore,
  issuer: string,
  clientId: string,
): Promise<Identity | undefined> => {
  const kept = (await store.get(keyById(issuer, clientId))) ?? (await store.get(keyOf(issuer)));
  const identity = rememberedIn(kept)?.identity;
  return identity?.clientId === clientId ? identity : undefined;
};

/** Those that were given. */
export const knownClients = ({ known = [] }: ClientOptions): readonly KnownClient[] =>
  'clientId' in known ? [known] : known;

/** The one that was given for one authorization server, or for whichever. */
export const givenFor = (client: ClientOptions, issuer: string): KnownClient | undefined => {
  const all = knownClients(client);
  return all.find((each) => each.issuer === issuer) ?? all.find((each) => each.issuer === undefined);
};

/** What registering takes. */
export interface Registering {
  readonly as: AuthorizationServer;
  readonly fetch: OauthFetch;
  readonly store: TokenStore;
  readonly client: ClientOptions;
  readonly signal: AbortSignal;
}

/**
 * Who we are to an authorization server (AUTHC-16): as it was given, by our document, as it is remembered, by registering
 * now, or as somebody says.
 *
 * @param redirectUri - where people are to be sent back to
 */
export const identify = async (registering: Registering, redirectUri: string): Promise<Identity> => {
  const { as, store, client } = registering;
  const given = givenFor(client, as.issuer);
  if (given !== undefined) return pinned(store, given, as.issuer);
  if (client.metadataUrl !== undefined && as.client_id_metadata_document_supported === true)
    return { clientId: client.metadataUrl, privateKey: client.privateKey, how: 'document' };
  const remembered = rememberedIn(await store.get(keyOf(as.issuer)));
  if (remembered?.redirectUris.includes(redirectUri) === true) return remembered.identity;
  if (as.registration_endpoint !== undefined) return register(registering, redirectUri);
  const told = await client.ask?.(as.issuer);
  if (told !== undefined) {
    const identity = await pinned(store, told, as.issuer);
    // A key is not for us to keep.
    if (told.privateKey === undefined) await remember(store, as.issuer, identity, [redirectUri]);
    return identity;
  }
  throw new LoginFailed({
    stage: 'registration',
    message: `${new URL(as.issuer).host} does not register clients: give "client.known", a client id that it knows`,
  });
};

/** How we can prove who we are after a registration, as far as the authorization server takes it. */
const methodFor = ({ token_endpoint_auth_methods_supported: supported }: AuthorizationServer): string =>
  ['none', 'client_secret_basic', 'client_secret_post'].find((method) => supported?.includes(method)) ?? 'none';

/** Some say 200 for 201, or do not say that a secret never expires: nothing is lost by taking that. */
const lenient = async (response: Response): Promise<Response> => {
  const value = response.ok ? await objectIn(response) : undefined;
  if (value === undefined) return response;
  return Response.json({ client_secret_expires_at: 0, ...value }, { status: 201 });
};

const register = async ({ as, fetch, store, client, signal }: Registering, redirectUri: string): Promise<Identity> => {
  const back = new URL(redirectUri);
  const metadata = {
    client_name: client.name ?? 'rxmcp',
    ...(client.uri === undefined ? undefined : { client_uri: client.uri }),
    redirect_uris: [redirectUri],
    // What is on this machine is native, whatever is somewhere else is on the web (AUTHC-23).
    application_type: isLoopback(back.hostname) ? 'native' : 'web',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: methodFor(as),
    ...client.registration,
  };
  const options = { [customFetch]: fetch, [allowInsecureRequests]: true, signal };
  const made = await dynamicClientRegistrationRequest(as, metadata, options)
    .then(lenient)
    .then(processDynamicClientRegistrationResponse)
    .catch((cause: unknown) => {
      throw failure('registration', `${new URL(as.issuer).host} does not register us`, cause);
    });
  const { client_id: clientId, client_secret: secret, token_endpoint_auth_method: method } = made;
  const identity: Identity = {
    clientId,
    how: 'dynamic',
    ...(typeof secret === 'string' ? { clientSecret: secret } : undefined),
    ...(typeof method === 'string' ? { method } : undefined),
  };
  const others = isArray(made['redirect_uris']) ? made['redirect_uris'].map(String) : [];
  await remember(store, as.issuer, identity, unionOf([redirectUri], others), made['client_secret_expires_at']);
  return identity;
};

const remember = async (
  store: TokenStore,
  issuer: string,
  { clientId, clientSecret, method }: Identity,
  redirectUris: readonly string[],
  expiresAt?: unknown,
): Promise<void> => {
  const kept = { clientId, clientSecret, method, expiresAt, redirectUris };
  await store.set(keyById(issuer, clientId), kept);
  await store.set(keyOf(issuer), kept);
};
