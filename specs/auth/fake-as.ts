/**
 * A protected server and its authorization server in this process: no sockets, no time of their own. What they say can be
 * changed; what they were asked is kept.
 */
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader } from 'jose';
import { concat, defer, isObservable, NEVER, Observable, of } from 'rxjs';
import { fetchCarrier, open, remote, server as named, tool, toFetch, Schema, type OpenClient } from 'rxmcp';
import type { Carrier, HttpCall, JsonObject } from 'rxmcp';
import type { Authorization, Callback, Callbacks, Login, LoginStep } from 'rxmcp/auth';

export const issuer = 'https://auth.example';
export const server = 'https://mcp.example/mcp';

/** What somebody answers; an object is JSON. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: JsonObject | string;
}

/** Whoever answers at one URL. */
export type Place = (call: HttpCall) => Reply | Promise<Reply>;

/** A request of a token, or of what becomes one. */
export interface Asked {
  readonly url: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

export interface FakeOptions {
  /** What the authorization server says of itself besides; undefined takes something away. */
  readonly metadata?: JsonObject;
  /** What the server says of itself besides. `silent`: nothing. */
  readonly resource?: JsonObject | 'silent';
  /** Where its endpoints are. Default: at the issuer. */
  readonly at?: string;
  /** Who else is to be reached, by URL; these come first. */
  readonly places?: Readonly<Record<string, Place>>;
  /** Answers requests of tokens; undefined: they are granted. */
  readonly token?: (asked: Asked, count: number) => Reply | undefined | Promise<Reply | undefined>;
  /** How long tokens live, in seconds. Default 3600. */
  readonly expiresIn?: number;
  /** What goes with each token. */
  readonly granted?: JsonObject | ((asked: Asked) => JsonObject);
  /** Whether tokens are bound to keys, and proofs need the word of whoever reads them: `auth` at one, `mcp` at the other. */
  readonly dpop?: boolean;
  /** What a request without a token is refused with. */
  readonly challenge?: string;
  /** Has the last word on a request whose token is good; undefined: it is let in. */
  readonly judge?: (call: HttpCall, token: string) => Reply | undefined;
}

export const json = (body: JsonObject, status = 200): Reply => ({ status, body });
export const refusal = (error: string, description?: string, status = 400): Reply =>
  json({ error, ...(description === undefined ? {} : { error_description: description }) }, status);
export const notFound: Reply = { status: 404 };

const parametersOf = ({ body = '' }: HttpCall): Readonly<Record<string, string>> =>
  Object.fromEntries(new URLSearchParams(body));

/** Who made a proof of possession; undefined where it is none, or not for this. */
const proverOf = async ({ method, url, headers: { dpop = '' } }: HttpCall): Promise<string | undefined> => {
  if (dpop === '') return undefined;
  const { jwk } = decodeProtectedHeader(dpop);
  const { htm, htu } = decodeJwt(dpop);
  return jwk === undefined || htm !== method || htu !== url ? undefined : calculateJwkThumbprint(jwk);
};

const nonceIn = ({ headers: { dpop } }: HttpCall): unknown => (dpop === undefined ? '' : decodeJwt(dpop)['nonce']);

/** What an authorization server at this URL says of itself, and what more. */
export const metadataOf = (at: string, more: JsonObject = {}): JsonObject => ({
  issuer: at,
  authorization_endpoint: `${at}/authorize`,
  token_endpoint: `${at}/token`,
  code_challenge_methods_supported: ['S256'],
  ...more,
});

/** The two of them. */
export const fakeAs = (options: FakeOptions = {}) => {
  const { metadata = {}, resource = {}, places = {}, at = issuer, expiresIn = 3600, dpop = false, granted } = options;
  const { challenge = `Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/mcp"` } =
    options;
  const calls: HttpCall[] = [];
  const asked: Asked[] = [];
  const registrations: JsonObject[] = [];
  /** Tokens that are good, each with the key that it is bound to. */
  const good = new Map<string, string>();
  const issued: string[] = [];

  const handler = toFetch(
    named(
      { name: 'behind', version: '1' },
      tool('echo', { input: Schema.Struct({ message: Schema.String }) }, ({ message }) => message),
    ),
    { allowedHosts: ['mcp.example'] },
  );
  const inner = fetchCarrier({ fetch: (url, init) => handler(new Request(url, init)) });

  const token: Place = async (call) => {
    const request: Asked = { url: call.url, parameters: parametersOf(call), headers: call.headers };
    asked.push(request);
    const key = dpop ? await proverOf(call) : '';
    if (dpop && nonceIn(call) !== 'auth') return { ...refusal('use_dpop_nonce'), headers: { 'dpop-nonce': 'auth' } };
    const answer = await options.token?.(request, asked.length);
    if (answer !== undefined) return answer;
    const accessToken = `access-token-${String(issued.push('') - 1)}`;
    issued[issued.length - 1] = accessToken;
    good.set(accessToken, key ?? '');
    return json({
      access_token: accessToken,
      token_type: dpop ? 'DPoP' : 'Bearer',
      expires_in: expiresIn,
      ...(typeof granted === 'function' ? granted(request) : granted),
    });
  };

  const register: Place = ({ body = '{}' }) => {
    const said = JSON.parse(body) as JsonObject;
    registrations.push(said);
    return json({ ...said, client_id: `client-${String(registrations.length)}` }, 201);
  };

  const own: Readonly<Record<string, Place>> = {
    ...(resource === 'silent'
      ? {}
      : {
          'https://mcp.example/.well-known/oauth-protected-resource/mcp': () =>
            json({ resource: server, authorization_servers: [issuer], ...resource }),
        }),
    [`${issuer}/.well-known/oauth-authorization-server`]: () =>
      json({
        ...metadataOf(at),
        issuer,
        registration_endpoint: `${at}/register`,
        token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
        ...metadata,
      }),
    [`${at}/token`]: token,
    [`${at}/register`]: register,
  };

  /** Whether a request is let in; what it is refused with otherwise. */
  const guard = async (call: HttpCall): Promise<Reply | undefined> => {
    const [scheme, given = ''] = (call.headers['authorization'] ?? '').split(' ');
    const key = good.get(given);
    if (key === undefined) return { status: 401, headers: { 'www-authenticate': challenge } };
    if (dpop && (scheme !== 'DPoP' || (await proverOf(call)) !== key))
      return { status: 401, headers: { 'www-authenticate': 'DPoP error="invalid_dpop_proof"' } };
    if (dpop && nonceIn(call) !== 'mcp')
      return { status: 401, headers: { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'mcp' } };
    return options.judge?.(call, given);
  };

  const carrier: Carrier = (call, sink) => {
    calls.push(call);
    let abort: (() => void) | undefined;
    let over = false;
    const place = places[call.url] ?? own[call.url];
    const answer = async (): Promise<void> => {
      const reply = place === undefined && call.url === server ? await guard(call) : await (place?.(call) ?? notFound);
      if (over) return;
      if (reply === undefined) return void (abort = inner(call, sink));
      const { status = 200, headers = {}, body = '' } = reply;
      const type = typeof body === 'string' ? 'text/html' : 'application/json';
      sink.head(status, (name) => headers[name] ?? (name === 'content-type' ? type : undefined));
      sink.text(typeof body === 'string' ? body : JSON.stringify(body));
      sink.end();
    };
    void answer();
    return () => {
      over = true;
      abort?.();
    };
  };

  return {
    carrier,
    /** Every request, to whomever. */
    calls,
    /** Requests at the token endpoint. */
    asked,
    registrations,
    issued,
    /** Takes all tokens back. */
    withdraw: () => good.clear(),
    /** The requests to the server itself. */
    knocks: () => calls.filter(({ url }) => url === server),
    /** Where was looked for documents, in the order of looking. */
    looked: () => calls.filter(({ url }) => url.includes('/.well-known/')).map(({ url }) => url),
    /** A client of the server. */
    client: (auth: Authorization): Promise<OpenClient> =>
      open(remote(server, { auth, carrier }), { revisions: ['2026-07-28'] }),
  };
};

export type FakeAs = ReturnType<typeof fakeAs>;

/** All that a login says. */
export const stepsOf = (login: Login): readonly LoginStep[] => {
  const steps: LoginStep[] = [];
  login.login$.subscribe((step) => steps.push(step));
  return steps;
};

/** Why something did not succeed; the error that a client's error is due to. */
export const causeOf = async (work: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await work.then(
    () => new Error('it succeeded'),
    (why: unknown) => why,
  );
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
};

/** All that can be read of an error, and of whatever it is due to. */
export const textOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return `${error.message} ${error.stack ?? ''} ${JSON.stringify(error)} ${textOf(error.cause)}`;
};

type Back = Readonly<Record<string, string>> | Observable<URLSearchParams>;

/** Comes back from a page as people do who have logged in. */
export const loggedIn = (page: URL): Readonly<Record<string, string>> => ({
  code: 'code-1',
  state: page.searchParams.get('state') ?? '',
});

/** Somebody who is shown pages, and comes back with what is made of each. */
export const somebody = (back: (page: URL) => Back = loggedIn, redirectUri = 'http://127.0.0.1:4242/callback') => {
  const pages: URL[] = [];
  const known: (readonly string[])[] = [];
  /** How many places to come back to there are now, and how many people are away. */
  const now = { places: 0, away: 0 };
  const counting = <T>(name: keyof typeof now, inner$: Observable<T>): Observable<T> =>
    new Observable((subscriber) => {
      now[name] += 1;
      subscriber.add(() => (now[name] -= 1));
      subscriber.add(inner$.subscribe(subscriber));
    });
  const visit: Callback['visit'] = (page) =>
    counting(
      'away',
      defer(() => {
        pages.push(page);
        const answer = back(page);
        return isObservable(answer) ? answer : of(new URLSearchParams(answer));
      }),
    );
  const callback: Callbacks = (redirects) => {
    known.push(redirects);
    return counting('places', concat(of({ redirectUri, visit }), NEVER));
  };
  return { callback, pages, known, now };
};
