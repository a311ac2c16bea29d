/** What an authorization server does, and for whom: the settings of `oidc-provider`, all that it would warn of included. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { Configuration } from 'oidc-provider';

/** Which tokens an authorization server gives out, and to whom. */
export interface ProviderOptions {
  /** What may be asked for at any resource. Default: `mcp`, `files:read`, `files:write`. */
  readonly scopes?: readonly string[];
  /** For how long an access token is good, in seconds. Default: 3600. */
  readonly accessTokenSeconds?: number;
  /** `jwt`: resources check tokens by themselves; `opaque`: they ask, and tokens can be withdrawn. Default: `jwt`. */
  readonly format?: 'jwt' | 'opaque';
  /** What tokens are signed with. Default: `ES256`. */
  readonly alg?: 'ES256' | 'RS256';
  /** Whether anybody may register an application. Default: true. */
  readonly registration?: boolean;
  /** When there are refresh tokens: always, or where `offline_access` was allowed. Default: `always`. */
  readonly refreshTokens?: 'always' | 'offline_access';
  /** Whether proofs of possession (DPoP) need a nonce. Default: false. */
  readonly dpopNonces?: boolean;
}

/** An application that acts for itself (`client_credentials`). */
export const robot = { id: 'robot', secret: 'the-secret-of-the-robot' } as const;

/** A resource that asks whether tokens are good. */
export const gatekeeper = { id: 'gatekeeper', secret: 'the-secret-of-the-gatekeeper' } as const;

const keyFor = (alg: 'ES256' | 'RS256') => {
  const { privateKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig' };
};

const day = 24 * 60 * 60;

export const configured = (
  { errors: { InvalidTarget } }: typeof import('oidc-provider'),
  { scopes = ['mcp', 'files:read', 'files:write'], accessTokenSeconds = 3600, ...options }: ProviderOptions,
): Configuration => {
  const { alg = 'ES256', format = 'jwt', refreshTokens = 'always' } = options;
  return {
    jwks: { keys: [keyFor(alg)] },
    clientDefaults: { id_token_signed_response_alg: alg },
    clients: [
      {
        client_id: robot.id,
        client_secret: robot.secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
      {
        client_id: gatekeeper.id,
        client_secret: gatekeeper.secret,
        grant_types: [],
        redirect_uris: [],
        response_types: [],
      },
    ],
    clientBasedCORS: (_context, origin, { redirectUris = [] }) =>
      redirectUris.some((uri) => new URL(uri).origin === origin),
    // A token is not good for a second longer than it says.
    clockTolerance: 0,
    cookies: { keys: [randomBytes(32)] },
    scopes: ['openid', 'offline_access', ...scopes],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    issueRefreshToken: (_context, client, source) =>
      client.grantTypeAllowed('refresh_token') && (refreshTokens === 'always' || source.scopes.has('offline_access')),
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    renderError: (context, out) => {
      context.type = 'json';
      context.body = JSON.stringify(out);
    },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    ttl: {
      AccessToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
      RefreshToken: 14 * day,
      Grant: 14 * day,
      Session: day,
      Interaction: 600,
      IdToken: 600,
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_context, client) => client.clientId === gatekeeper.id },
      revocation: { enabled: true, allowedPolicy: (_context, client, token) => client.clientId === token.clientId },
      registration: { enabled: options.registration ?? true },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => options.dpopNonces ?? false },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => {
          if (!['127.0.0.1', 'localhost', '[::1]'].includes(new URL(resource).hostname)) throw new InvalidTarget();
          return {
            scope: scopes.join(' '),
            audience: resource,
            accessTokenTTL: accessTokenSeconds,
            accessTokenFormat: format,
            jwt: { sign: { alg } },
          };
        },
      },
    },
  };
};
