/** An issuer of tokens whose word is a signature, what reaches it, and a door to knock at. */
import {
  base64url,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  SignJWT,
  type CryptoKey,
  type JSONWebKeySet,
  type JWK,
} from 'jose';
import { isObservable, of } from 'rxjs';
import { authorize, jwks, type Access, type AuthorizeOptions, type Denial, type Guard, type Knock } from 'rxmcp/auth';
import type { Exchange, JsonObject } from 'rxmcp';
import type { Served } from '../../../lib/exchange/exchange.ts';

export const issuer = 'https://auth.example';
export const resource = 'https://mcp.example/mcp';

export interface Keys {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

/** A pair of keys; the public one as it stands in a set of them. */
export const keysFor = async (alg = 'ES256', kid?: string): Promise<Keys> => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { privateKey, jwk: { ...jwk, alg, ...(kid === undefined ? undefined : { kid }) } };
};

export const keys = await keysFor('ES256', 'one');
export const keySet: JSONWebKeySet = { keys: [keys.jwk] };

export const seconds = (): number => Math.floor(Date.now() / 1000);

/** Claims of an access token that holds for an hour. */
export const claimsNow = (): JsonObject => ({
  iss: issuer,
  sub: 'ada',
  aud: resource,
  client_id: 'app',
  scope: 'mcp',
  iat: seconds(),
  exp: seconds() + 3600,
});

/** Signs claims; those that are undefined are left out. */
export const sign = async (
  claims: JsonObject = {},
  header: JsonObject = {},
  { privateKey }: Keys = keys,
): Promise<string> =>
  new SignJWT(JSON.parse(JSON.stringify({ ...claimsNow(), ...claims })))
    .setProtectedHeader(JSON.parse(JSON.stringify({ alg: 'ES256', kid: 'one', typ: 'at+jwt', ...header })))
    .sign(privateKey);

/** What stands behind the door. */
export const inside: Exchange = () => of({ result: { inside: true } });

/** Protects it. */
export const protectedBy = (options: Partial<AuthorizeOptions> = {}): Served & { readonly guard: Guard } => {
  const served = authorize({ resource, verify: jwks({ issuer, keys: keySet }), ...options })(inside);
  if (served.guard === undefined) throw new Error('nobody stands at the door');
  return Object.assign(served, { guard: served.guard });
};

export const guardBy = (options: Partial<AuthorizeOptions> = {}): Guard => protectedBy(options).guard;

/** A knock with these headers. */
export const knock = (headers: Knock['headers'] = {}, more: Partial<Knock> = {}): Knock => ({
  method: 'POST',
  path: '/mcp',
  headers,
  ...more,
});

export const bearing = (token: string): Knock => knock({ authorization: `Bearer ${token}` });

/** Who is let in; anything else is thrown. */
export const admitted = async (guard: Guard, at: Knock): Promise<Access> => {
  const answer = await guard.admit(at);
  if ('status' in answer) throw new Error(`not let in: ${JSON.stringify(answer)}`);
  return answer;
};

/** What somebody is refused with; whoever is let in is thrown. */
export const refused = async (guard: Guard, at: Knock): Promise<Denial> => {
  const answer = await guard.admit(at);
  if (!('status' in answer)) throw new Error(`let in: ${JSON.stringify(answer)}`);
  return answer;
};

export const challengeOf = ({ headers }: Denial): string => headers['www-authenticate'] ?? '';

/** What a parameter of a challenge says. */
export const param = (denial: Denial, name: string): string | undefined =>
  new RegExp(`\\b${name}="([^"]*)"`).exec(challengeOf(denial))?.[1];

export type Answers = Readonly<Record<string, (init: RequestInit) => Response | Promise<Response>>>;

export const json = (value: unknown, status = 200): Response =>
  new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } });

/** What is reached over a network that exists in this test only, and what was asked of it. */
export const network = (answers: Answers) => {
  const asked: string[] = [];
  const sent: RequestInit[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    asked.push(url);
    sent.push(init);
    return (await answers[url]?.(init)) ?? new Response(null, { status: 404 });
  };
  return { fetch, asked, sent };
};

/** A key that tokens are bound to. */
export const holder = await keysFor();
export const jkt = await calculateJwkThumbprint(holder.jwk);

const athOf = async (token: string): Promise<string> =>
  base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))));

/** A proof that whoever sends this token has the key; claims and header can be spoilt. */
export const proofOf = async (
  token: string,
  claims: JsonObject = {},
  header: JsonObject = {},
  { privateKey, jwk }: Keys = holder,
): Promise<string> =>
  new SignJWT(
    JSON.parse(
      JSON.stringify({
        htm: 'POST',
        htu: resource,
        iat: seconds(),
        jti: crypto.randomUUID(),
        ath: await athOf(token),
        ...claims,
      }),
    ),
  )
    .setProtectedHeader(JSON.parse(JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk, ...header })))
    .sign(privateKey);

/** Whether this is what a door may say: it never lets anybody in. */
export const isDenial = (answer: unknown): boolean =>
  !isObservable(answer) && typeof answer === 'object' && answer !== null && 'status' in answer && 'headers' in answer;
