/** A place to come back to from an authorization server: one page of this machine, there for one login. */
import { defer, finalize, ignoreElements, map, merge, take, throwError, timeout, type Observable } from 'rxjs';
import type { Callbacks } from '../auth/callback.ts';
import { schemeProblem } from '../auth/reach.ts';
import { Misconfigured, quoted } from '../frame/errors.ts';
import { LoginFailed } from '../frame/login-failed.ts';
import { atLongest } from '../transport/http/longest.ts';
import { Desk } from './loopback-desk.ts';
import { servedAt, type LoopbackHost } from './loopback-server.ts';

/** How somebody is shown where to log in, and where they come back to. */
export interface LoopbackOptions {
  /**
   * Shows somebody the page where they log in: opens a browser, or says where to go. The URL has been checked to be
   * `https:`, or of this machine; all else in it may have been chosen by an attacker, so never hand it to a shell. What
   * this throws fails the login.
   */
  readonly onUrl: (url: string) => void | Promise<void>;
  /** What this machine is called in the redirect URI. Default 127.0.0.1. */
  readonly host?: LoopbackHost | undefined;
  /** To come back to, where it is free. Default: one that an authorization server knows already, or any. */
  readonly port?: number | undefined;
  /** Of the redirect URI. Default `/callback`. */
  readonly path?: string | undefined;
  /** How long somebody may take, in milliseconds. Default 300,000. */
  readonly waitMs?: number | undefined;
  /** HTML for those who come back, instead of our own. Styles must stand in it; nothing else is loaded, and no script runs. */
  readonly page?: { readonly success?: string | undefined; readonly failure?: string | undefined } | undefined;
}

/**
 * Makes a place on this machine for somebody to come back to after they have logged in: a port that nobody else's machine
 * can reach, and that serves one path while this is subscribed. Only who brings along the `state` of a login ends the wait
 * for it.
 *
 * A port that is taken is passed over. It fails with {@link LoginFailed} where none can be opened; a visit does where its
 * page is not one to be shown, could not be shown, or nobody came back in time.
 *
 * @param options - see {@link LoopbackOptions}; times are in milliseconds
 * @throws {@link Misconfigured} for a port or path that cannot be
 * @example
 * const callbacks = loopback({ onUrl: (url) => console.log(`Log in at ${url}`) });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/security-considerations
 */
export const loopback = (options: LoopbackOptions): Callbacks => {
  const { onUrl, host = '127.0.0.1', port: wanted, waitMs = 300_000, page } = options;
  const redirectUri = redirectUriOf(options);
  return (known) =>
    defer(() => {
      const desk = new Desk(redirectUri, page);
      return servedAt(host, portsOf(redirectUri, known, wanted), desk.listener).pipe(
        map((port) => ({
          redirectUri: redirectUri(port).href,
          visit: (url: URL) =>
            defer(() => merge(desk.returned(stateOf(url)), shown(onUrl, url))).pipe(
              take(1),
              timeout({ first: atLongest(waitMs), with: () => failure(`nobody came back within ${waitMs} ms`) }),
            ),
        })),
        finalize(() => desk.close()),
      );
    });
};

/** The redirect URI at a port. */
const redirectUriOf = ({ host = '127.0.0.1', port = 0, path = '/callback' }: LoopbackOptions) => {
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Misconfigured({ message: `loopback: port must be from 0 to 65535, not ${quoted(port)}` });
  const base = `http://${host === '::1' ? '[::1]' : host}`;
  if (!path.startsWith('/') || !URL.canParse(`${base}${path}`) || new URL(`${base}${path}`).pathname !== path)
    throw new Misconfigured({ message: `loopback: ${quoted(path)} is no path, like "/callback"` });
  return (at: number): URL => new URL(`${base}:${at}${path}`);
};

/** What to try in turn: what somebody knows us by already comes first, and most of all what was asked for. */
const portsOf = (
  redirectUri: (port: number) => URL,
  known: readonly string[],
  wanted: number | undefined,
): readonly number[] => {
  const given = known.flatMap((uri) => {
    const port = URL.canParse(uri) ? Number(new URL(uri).port || 80) : 0;
    return port > 0 && redirectUri(port).href === new URL(uri).href ? [port] : [];
  });
  const asked = wanted === undefined || wanted === 0 ? [] : [wanted];
  const first = asked.filter((port) => given.includes(port));
  // What is free under one address of `localhost` may be taken under the other one.
  return [...new Set([...first, ...given, ...asked]), 0, 0, 0];
};

/** What whoever has seen this page comes back with. */
const stateOf = (url: URL): string => {
  const problem = schemeProblem(url);
  if (problem !== undefined) throw failed(`the page to log in at must not be shown: ${problem}`);
  const [state = '', ...others] = url.searchParams.getAll('state');
  if (state === '' || others.length > 0)
    throw failed('the page to log in at names no single `state` to come back with');
  return state;
};

/** Emits nothing; fails where the page could not be shown. */
const shown = (onUrl: LoopbackOptions['onUrl'], url: URL): Observable<never> =>
  defer(async () => {
    try {
      await onUrl(url.href);
    } catch (cause) {
      const why = (cause instanceof Error ? cause.message : String(cause)).replaceAll(url.href, '…');
      throw failed(`the page to log in at could not be shown: ${why}`, cause);
    }
  }).pipe(ignoreElements());

const failed = (message: string, cause?: unknown): LoginFailed =>
  new LoginFailed({ stage: 'authorization', message, ...(cause === undefined ? undefined : { cause }) });

const failure = (message: string): Observable<never> => throwError(() => failed(message));
