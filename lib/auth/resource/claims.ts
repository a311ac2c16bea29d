/** What claims tell of a token, whoever vouches for them. */
import { isArray, type JsonObject } from '../../frame/frame.ts';
import { namesSame } from './resource-uri.ts';

/** What may be between the clocks of two machines where nothing is said, in seconds. */
const skewS = 5;

/** How far clocks may differ; what has expired has, unless somebody has said otherwise. */
export interface Tolerance {
  /** For what is to begin, in seconds. */
  readonly early: number;
  /** For what is over, in seconds. */
  readonly late: number;
}

export const toleranceOf = (clockToleranceS: number | undefined): Tolerance => ({
  early: clockToleranceS ?? skewS,
  late: clockToleranceS ?? 0,
});

/** Why these are not the claims of a token that holds now, for this resource; undefined: they are. */
export const claimsProblem = (
  claims: JsonObject,
  resource: string,
  audience: readonly string[],
  { early, late }: Tolerance,
): string | undefined => {
  const now = Date.now() / 1000;
  const { exp, nbf, iat, aud } = claims;
  if (exp !== undefined && !(typeof exp === 'number' && exp + late > now)) return 'the token has expired';
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf - early <= now)) return 'the token does not hold yet';
  if (iat !== undefined && !(typeof iat === 'number' && iat - early <= now)) return 'the token is from the future';
  const fits = (isArray(aud) ? aud : [aud]).some(
    (one) => typeof one === 'string' && (namesSame(one, resource) || audience.includes(one)),
  );
  return fits ? kindProblem(claims) : 'the token is not meant for this resource';
};

/** When a token ends, in milliseconds since 1970. */
export const endOf = ({ exp }: JsonObject, { late }: Tolerance): { readonly expiresAt?: number } =>
  typeof exp === 'number' ? { expiresAt: (exp + late) * 1000 } : {};

/** What only ID tokens have (OpenID Connect Core, sections 2 and 3.3.2.11), and what only logout tokens have. */
const foreignClaims = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events'] as const;

/** What authorization servers write on what is no access token: `typ` by Keycloak, others by others. */
const foreignKinds = /^(?:refresh|offline|logout|id$|id[_-]?token)/i;
const kindClaims = ['typ', 'type', 'token_type'] as const;

/** Refresh tokens are no bearers, nor are those that tell an application who its user is. */
const kindProblem = (claims: JsonObject): string | undefined => {
  const use = claims['token_use'];
  const isForeign =
    (use !== undefined && use !== 'access') ||
    foreignClaims.some((claim) => claims[claim] !== undefined) ||
    kindClaims.some((claim) => foreignKinds.test(String(claims[claim])));
  return isForeign ? 'this is no access token' : undefined;
};
