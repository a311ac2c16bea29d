/** Counts what an authorization server is asked for, and remembers what it refused. */
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';

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

/** Listens to it from now on; `asked` is told of each request's path. */
export const observed = (provider: Provider) => {
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
