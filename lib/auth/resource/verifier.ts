/** What tells whether a token may be used here. */
import type { JsonObject } from '../../frame/frame.ts';

/** A token that holds. */
export interface Verified {
  /** What its issuer says with it. */
  readonly claims: JsonObject;
  /** Until when it holds, in milliseconds since 1970. Default: what `exp` says. */
  readonly expiresAt?: number;
}

/** A token that does not hold, and why: one sentence that whoever sent it may read. */
export interface Unverified {
  readonly refused: string;
}

/** Tells tokens that hold from others. {@link jwks} and {@link introspection} make one; so may anybody. */
export interface Verifier {
  /** The issuers whose tokens it takes, where it knows them. */
  readonly issuers?: readonly string[];
  /** For how long a verdict is good, in milliseconds, unless the token expires sooner. Default: until it does. */
  readonly cacheMs?: number;
  /**
   * Whether this token was issued for this resource, by somebody who may, and holds. Rejects where that cannot be told
   * now; the token must be in no error.
   */
  verify(token: string, resource: string): Promise<Verified | Unverified>;
}

/** Says why a token does not hold. */
export const unverified = (refused: string): Unverified => ({ refused });
