/** A token as it is kept: with whom it is from, what it is for, and how it is renewed. */
import type { TokenEndpointResponse } from 'oauth4webapi';
import { isObject, type JsonObject } from '../frame/frame.ts';
import { Schema } from '../protocol/schema.ts';
import { scopesIn, unionOf } from './challenge.ts';

const exact = { exact: true } as const;
const text = Schema.optionalWith(Schema.String, exact);
const Kept = Schema.Struct({
  /** Who gave it: nobody else is asked to renew it. */
  issuer: Schema.String,
  /** What it is for: it goes nowhere else. */
  resource: Schema.String,
  clientId: Schema.String,
  accessToken: Schema.String,
  /** Whether it is used with proofs of possession, and the key that signs them. */
  dpopKey: Schema.optionalWith(Schema.Record({ key: Schema.String, value: Schema.Unknown }), exact),
  refreshToken: text,
  /** In milliseconds since 1970. */
  expiresAt: Schema.optionalWith(Schema.Number, exact),
  /** From when on it is better renewed, in milliseconds since 1970. */
  renewAt: Schema.optionalWith(Schema.Number, exact),
  /** What it allows, as far as is known. */
  scopes: Schema.Array(Schema.String),
  /** What has been asked for, to be asked for again when more is needed. */
  requested: Schema.Array(Schema.String),
});

/** A token, and all that is known of it. */
export type Tokens = typeof Kept.Type;

const decode = Schema.decodeUnknownOption(Kept);

/** Reads what was kept; what is not like that is not there. */
export const tokensIn = (kept: JsonObject | undefined): Tokens | undefined => {
  const read = decode(kept);
  return read._tag === 'Some' ? read.value : undefined;
};

export const keyOf = (server: string): string => `token ${server}`;

/** Before it expires, as requests take their time to arrive; but not so early that most of its life is wasted. */
const lifeOf = (ms: number): Pick<Tokens, 'expiresAt' | 'renewAt'> => {
  const expiresAt = Date.now() + ms;
  return { expiresAt, renewAt: expiresAt - Math.min(30_000, ms / 10) };
};

/** What was given, and what it was given for. */
export interface Given {
  readonly token: TokenEndpointResponse;
  readonly issuer: string;
  readonly resource: string;
  readonly clientId: string;
  readonly requested: readonly string[] | undefined;
  readonly dpopKey: JsonObject | undefined;
  /** What it renews. */
  readonly before?: Tokens | undefined;
}

/** A token as it is kept. A token that renews another keeps what it does not say anew (a refresh token may last). */
export const tokensOf = (given: Given): Tokens => {
  const { token, issuer, resource, clientId, before } = given;
  const requested = unionOf(before?.requested, given.requested);
  const refreshToken = token.refresh_token ?? before?.refreshToken;
  // Some say that it is bound by this word only.
  const isBound = token.token_type === 'dpop';
  return {
    issuer,
    resource,
    clientId,
    accessToken: token.access_token,
    // An answer that names no scopes grants what was asked for (RFC 6749, section 5.1).
    scopes: scopesIn(token.scope) ?? (before === undefined ? requested : before.scopes),
    requested,
    ...(token.expires_in === undefined ? undefined : lifeOf(token.expires_in * 1000)),
    ...(refreshToken === undefined ? undefined : { refreshToken }),
    ...(isBound && isObject(given.dpopKey) ? { dpopKey: given.dpopKey } : undefined),
  };
};
