/**
 * A real authorization server on a loopback address, in this process: `oidc-provider`, with pages of its own for people
 * and records that can be withdrawn.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Configuration, KoaContextWithOIDC, Provider } from 'oidc-provider';
import { interact } from './provider-pages.ts';
import { records, type Withdrawn } from './provider-records.ts';

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

/** What an authorization server has been asked for so far. */
export interface Seen {
  /** Requests for tokens, by `grant_type`, the failed ones too. */
  readonly tokenRequests: Readonly<Record<string, number>>;
  /** Applications that have registered. */
  readonly registrations: number;
  /** Tokens that were refreshed. */
  readonly refreshes: number;
  /** Questions whether a token is good. */
  readonly introspections: number;
  /** The scopes of each request that a person has allowed, in their order. */
  readonly authorizations: readonly string[];
  /** What was refused, and why: `invalid_grant: refresh token not found`. */
  readonly failures: readonly string[];
}

export interface AuthorizationServer extends AsyncDisposable {
  readonly issuer: string;
  readonly seen: Seen;
  /**
   * Takes back what has been given: all access tokens (opaque ones only: others are good until they expire), all refresh
   * tokens, or everything.
   */
  readonly withdraw: (what: Withdrawn) => void;
  /** Hangs up on everybody; afterwards nothing is left. */
  readonly close: () => Promise<void>;
}

/** An application that acts for itself (`client_credentials`). */
export const robot = { id: 'robot', secret: 'the-secret-of-the-robot' } as const;

/** A resource that asks whether tokens are good. */
export const gatekeeper = { id: 'gatekeeper', secret: 'the-secret-of-the-gatekeeper' } as const;

/** Loads the package; that it would like a newer Node, it says once, and nothing else that it says is held back. */
const load = async (): Promise<typeof import('oidc-provider')> => {
  const { warn } = console;
  console.warn = (...said: readonly unknown[]) => {
    if (!String(said[0]).includes('oidc-provider WARNING: Unsupported runtime')) warn(...said);
  };
  try {
    return await import('oidc-provider');
  } finally {
    console.warn = warn;
  }
};

const keyFor = (alg: 'ES256' | 'RS256') => {
  const { privateKey } =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig' };
};

const day = 24 * 60 * 60;

const configured = (
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

const observed = (provider: Provider) => {
  const tokenRequests: Record<string, number> = {};
  const authorizations: string[] = [];
  const failures: string[] = [];
  const counts = { registrations: 0, refreshes: 0, introspections: 0 };
  const requested = ({ oidc: { params } }: KoaContextWithOIDC): string => {
    const grant = String(params?.['grant_type']);
    tokenRequests[grant] = (tokenRequests[grant] ?? 0) + 1;
    return grant;
  };
  const failed = (_context: KoaContextWithOIDC, error: Error & { error_description?: string | undefined }): void => {
    failures.push(`${error.message}: ${error.error_description ?? ''}`);
  };
  provider.on('grant.success', (context) => {
    if (requested(context) === 'refresh_token') counts.refreshes += 1;
  });
  provider.on('grant.error', (context, error) => {
    requested(context);
    failed(context, error);
  });
  provider.on('registration_create.success', () => (counts.registrations += 1));
  provider.on('authorization.success', ({ oidc: { params } }) => authorizations.push(String(params?.['scope'] ?? '')));
  provider.on('registration_create.error', failed);
  provider.on('authorization.error', failed);
  provider.on('introspection.error', failed);
  provider.on('revocation.error', failed);
  provider.on('server_error', (context, error) => {
    failed(context, error);
    console.error(error);
  });
  return {
    asked: (path: string): void => {
      if (path === '/token/introspection') counts.introspections += 1;
    },
    seen: {
      tokenRequests,
      authorizations,
      failures,
      get registrations() {
        return counts.registrations;
      },
      get refreshes() {
        return counts.refreshes;
      },
      get introspections() {
        return counts.introspections;
      },
    } satisfies Seen,
  };
};

/**
 * Starts an authorization server on a free port of 127.0.0.1, which knows the {@link robot} and the {@link gatekeeper}.
 *
 * @example
 * await using provider = await authorizationServer({ accessTokenSeconds: 60 });
 */
export const authorizationServer = async (options: ProviderOptions = {}): Promise<AuthorizationServer> => {
  const library = await load();
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const { adapter, withdraw } = records();
  const provider = new library.Provider(issuer, { ...configured(library, options), adapter });
  const { asked, seen } = observed(provider);
  const others = provider.callback();
  server.on('request', (request, response) => {
    const { pathname } = new URL(request.url ?? '/', issuer);
    asked(pathname);
    if (!pathname.startsWith('/interaction/')) return void others(request, response);
    interact(provider, request, response).catch((error: unknown) => {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(String(error));
    });
  });
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { issuer, seen, withdraw, close, [Symbol.asyncDispose]: close };
};
