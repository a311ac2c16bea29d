/**
 * Who we are to an authorization server: told before, by a document of ours, or by registering.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/client-registration
 */
import type { CryptoKey } from 'jose';
import { ClientSecretPost, None, PrivateKeyJwt, type AuthorizationServer, type ClientAuth } from 'oauth4webapi';
import { filter, firstValueFrom, switchMap } from 'rxjs';
import { quoted } from '../frame/errors.ts';
import { LoginFailed } from '../frame/login-failed.ts';
import type { TokenStore } from './token-store.ts';

/** What signs assertions of who we are: a key, or one in PEM with its algorithm. */
export type SigningKey =
  | { readonly key: CryptoKey; readonly kid?: string | undefined }
  | { readonly pem: string; readonly algorithm: string; readonly kid?: string | undefined };

/** A client that an authorization server knows. */
export interface KnownClient {
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  /** Proves who we are instead of a secret (`private_key_jwt`). */
  readonly privateKey?: SigningKey | undefined;
  /** The authorization server that knows it. Default: the first one that it is used with, and no other then. */
  readonly issuer?: string | undefined;
}

/** Who we are to one authorization server. */
export interface Identity extends KnownClient {
  /** How we prove it, where that was agreed. */
  readonly method?: string | undefined;
  readonly how: 'given' | 'document' | 'dynamic' | 'remembered';
}

const failed = (message: string): LoginFailed => new LoginFailed({ stage: 'registration', message });

/**
 * A client as it was given. One that names no authorization server is for the first one that it is used with, and shown
 * to no other (AUTHC-25, -26).
 *
 * @throws {@link LoginFailed} where it was used with another one before
 */
export const pinned = async (store: TokenStore, given: KnownClient, issuer: string): Promise<Identity> => {
  const key = `issuer of ${given.clientId}`;
  const before = given.issuer ?? (await store.get(key))?.['issuer'] ?? (await firstOf(store, key, issuer));
  if (before !== issuer)
    throw failed(
      `the client id ${quoted(given.clientId)} is of ${quoted(before)}, but the server now names ${quoted(issuer)}`,
    );
  return { ...given, how: 'given' };
};

/** The first authorization server that a client is used with, even where it is used with two at the same time. */
const firstOf = (store: TokenStore, key: string, issuer: string): Promise<unknown> =>
  firstValueFrom(
    store.lock(key).pipe(
      filter((state) => state === 'held'),
      switchMap(async () => {
        const before = (await store.get(key))?.['issuer'];
        if (before === undefined) await store.set(key, { issuer });
        return before ?? issuer;
      }),
    ),
    { defaultValue: undefined },
  );

/** What signs, of whatever it was given as. */
const signing = async (given: SigningKey): Promise<{ key: CryptoKey; kid: string } | CryptoKey> => {
  const key = 'key' in given ? given.key : await (await import('jose')).importPKCS8(given.pem, given.algorithm);
  return given.kid === undefined ? key : { key, kid: given.kid };
};

/** As forms have it (RFC 6749, appendix B). */
const formed = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);

/** A secret in the header of HTTP. The library's own encodes also what need not be, which servers that do not decode refuse. */
export const basic =
  (secret: string): ClientAuth =>
  (_, { client_id: id }, __, headers) =>
    headers.set('authorization', `Basic ${btoa(`${formed(id)}:${formed(secret)}`)}`);

/** The ways that prove it, the best first, for each what we must have. */
const methods = ({ clientSecret, privateKey }: Identity): readonly string[] => [
  ...(privateKey === undefined ? [] : ['private_key_jwt']),
  ...(clientSecret === undefined ? [] : ['client_secret_basic', 'client_secret_post']),
  'none',
];

/** Where nothing is said, this is what is supported (RFC 8414, section 2). */
const usual = ['client_secret_basic'];

/**
 * How we prove to an authorization server who we are: as agreed, or else the best way that both sides know.
 *
 * @throws {@link LoginFailed} where there is none
 */
export const clientAuth = async (as: AuthorizationServer, identity: Identity): Promise<ClientAuth> => {
  const { clientSecret, privateKey, method } = identity;
  const supported = as.token_endpoint_auth_methods_supported;
  const ours = methods(identity);
  // Who has nothing to prove it with is a public client, which is not always listed.
  const chosen =
    ours.find((each) => each === method) ??
    ours.find((each) => (supported ?? usual).includes(each)) ??
    (ours.length === 1 || supported === undefined ? ours[0] : undefined);
  if (chosen === 'private_key_jwt' && privateKey !== undefined) return PrivateKeyJwt(await signing(privateKey));
  if (chosen === 'client_secret_basic' && clientSecret !== undefined) return basic(clientSecret);
  if (chosen === 'client_secret_post' && clientSecret !== undefined) return ClientSecretPost(clientSecret);
  if (chosen === 'none') return None();
  throw failed(
    `${new URL(as.issuer).host} takes ${(supported ?? usual).join(', ')} to prove who a client is; we have ${ours.join(', ')}`,
  );
};
