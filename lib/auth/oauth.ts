/** Logging in, for clients. */
import { Subject, type Observable } from 'rxjs';
import { LoginFailed } from '../frame/login-failed.ts';
import type { Authorization } from '../transport/remote/authorizer.ts';
import { authorizerOf, type AuthorizerSetting, type ServerAuthorizer } from './authorizer.ts';
import type { Callbacks } from './callback.ts';
import { codeGrant } from './code-grant.ts';
import type { Grant } from './grant.ts';
import { checkedClient, type ClientOptions } from './registration.ts';
import type { LoginStep } from './steps.ts';
import { memoryTokens, type TokenStore } from './token-store.ts';
import { keyOf } from './tokens.ts';

/** What all ways to get a token have in common. */
export interface TokenOptions {
  /**
   * Where tokens are kept, and who we are known as. Default: in memory, so that each start of the program logs in anew. It is
   * of one person: whoever shares it is logged in as they are.
   */
  readonly store?: TokenStore | undefined;
  /** What to ask for besides what a server names; where it names nothing, only these. Default: all that it offers. */
  readonly scopes?: readonly string[] | undefined;
  /** Whether tokens are bound to a key of ours (DPoP), so that a stolen one is worth nothing. Default: where it is asked for. */
  readonly dpop?: boolean | undefined;
  /**
   * Names or networks (`10.0.0.0/8`) that may be asked for metadata and tokens though they are private. Default: none;
   * servers on this machine may name others on this machine.
   */
  readonly trustedHosts?: readonly string[] | undefined;
}

/** How somebody logs in, and who asks them to. */
export interface OauthOptions extends TokenOptions {
  /** Brings people to a page and back: `loopback(…)` of `rxmcp/node`, or one of your own. */
  readonly callback: Callbacks;
  /** Who asks them. Default: `rxmcp`, which registers wherever it is let. */
  readonly client?: ClientOptions | undefined;
}

/** Gets tokens, and tells how; the option `auth` of `remote` and `sse`. */
export interface Login extends Authorization {
  /** Every step of whatever login goes on, for as long as it is subscribed. Never completes. */
  readonly login$: Observable<LoginStep>;
  /** Gives up whatever login goes on: whoever waits for it fails with {@link LoginFailed}. */
  cancel(): void;
  /**
   * Forgets the tokens of a server, and has them revoked where it was connected to in this run of the program.
   *
   * @param server - its URL, as it was given to `remote`
   */
  logout(server: string): Promise<void>;
}

/** Makes a login of a grant. */
export const loginBy = (grant: Grant, options: TokenOptions): Login => {
  const { store = memoryTokens(), scopes, trustedHosts = [] } = options;
  const login$ = new Subject<LoginStep>();
  const cancel$ = new Subject<LoginFailed>();
  const authorizers = new Map<string, ServerAuthorizer>();
  const setting: AuthorizerSetting = {
    grant,
    store,
    scopes,
    trustedHosts,
    dpop: options.dpop ?? 'asked',
    cancel$,
    tell: (step) => login$.next(step),
  };
  return {
    login$: login$.asObservable(),
    cancel: () => cancel$.next(new LoginFailed({ stage: 'authorization', message: 'the login was cancelled' })),
    logout: async (server) => {
      const url = new URL(server);
      url.hash = '';
      const known = authorizers.get(url.href);
      await (known === undefined ? store.set(keyOf(url.href), undefined) : known.forget());
    },
    authorizerFor: (resource) => {
      const known = authorizers.get(resource.url);
      if (known !== undefined) return known;
      const authorizer = authorizerOf(resource, setting);
      authorizers.set(resource.url, authorizer);
      return authorizer;
    },
    ...(grant.extensions === undefined ? undefined : { extensions: grant.extensions }),
  };
};

/**
 * Logs people in to servers that ask for it, by OAuth 2.1: finds out where, registers, sends them to a page, and keeps the
 * token fresh. A token goes to the one server that it was asked for, and nowhere else.
 *
 * A server that wants more for one operation is asked for in the same way (step-up), once. While somebody is asked, calls
 * wait without being late. A call or connection whose login fails, fails with a `ConnectionClosed` whose `cause` is a
 * {@link LoginFailed}; unsubscribing, or `cancel()`, gives it up at any step.
 *
 * @param options - see {@link OauthOptions}
 * @throws {@link Misconfigured} where `client.metadataUrl` cannot be a client id
 * @example
 * const auth = oauth({
 *   callback: loopback({ onUrl: (url) => console.error(`Please open ${url}`) }),
 *   store: tokenFile('tokens.json'),
 *   client: { name: 'Weather watcher' },
 * });
 * auth.login$.subscribe(({ kind }) => console.error(kind));
 * connect(remote('https://weather.example/mcp', { auth })).subscribe(({ server }) => console.log(server?.name));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
 */
export const oauth = ({ callback, client = {}, ...options }: OauthOptions): Login =>
  loginBy(codeGrant(callback, checkedClient(client)), options);
