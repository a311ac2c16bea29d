/** What a server says of the proof that it wants: `WWW-Authenticate`. */
import { processRevocationResponse, WWWAuthenticateChallengeError } from 'oauth4webapi';

/** What is wanted, and where more of it is to be read. */
export interface Wanted {
  /** Whether a proof of possession is wanted, and a bearer token would not do. */
  readonly dpop: boolean;
  readonly error?: string;
  /** The scopes that it takes; undefined where none are named. */
  readonly scopes?: readonly string[];
  readonly resourceMetadata?: string;
}

/** Scopes as they stand in a header or an answer. */
export const scopesIn = (text: string | undefined): readonly string[] | undefined => {
  const scopes = text?.split(' ').filter((scope) => scope !== '');
  return scopes === undefined || scopes.length === 0 ? undefined : [...new Set(scopes)];
};

/** All of either, each once. */
export const unionOf = (...lists: readonly (readonly string[] | undefined)[]): readonly string[] => [
  ...new Set(lists.flatMap((list) => list ?? [])),
];

/** Reads challenges; those of other schemes say nothing here. */
export const wantedBy = async (header: string | undefined): Promise<Wanted> => {
  const challenges = (await challengesIn(header)).filter(({ scheme }) => scheme === 'bearer' || scheme === 'dpop');
  // A server that takes both says so with two; the plainer one is enough for it.
  const chosen = challenges.find(({ scheme }) => scheme === 'bearer') ?? challenges[0];
  const { error, scope, resource_metadata: resourceMetadata } = chosen?.parameters ?? {};
  const nonce = challenges.some(({ parameters }) => parameters.error === 'use_dpop_nonce');
  const scopes = scopesIn(scope);
  return {
    dpop: chosen?.scheme === 'dpop',
    ...(nonce ? { error: 'use_dpop_nonce' } : error === undefined ? undefined : { error }),
    ...(scopes === undefined ? undefined : { scopes }),
    ...(resourceMetadata === undefined ? undefined : { resourceMetadata }),
  };
};

/** The library reads them where a response is one of refusal, and gives them in the error that it throws. */
const challengesIn = async (header: string | undefined): Promise<WWWAuthenticateChallengeError['cause']> => {
  if (header === undefined) return [];
  try {
    await processRevocationResponse(new Response(null, { status: 401, headers: { 'www-authenticate': header } }));
  } catch (error) {
    if (error instanceof WWWAuthenticateChallengeError) return error.cause;
  }
  return [];
};
