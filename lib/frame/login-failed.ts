/** Why nobody could be logged in. */
import { TaggedError } from 'effect/Data';

/** Where a login ended. */
export type LoginStage = 'discovery' | 'registration' | 'authorization' | 'token' | 'scope' | 'network';

/**
 * Whoever asks could not be proved to the server; it is the `cause` of the `ConnectionClosed` that a call or a connection
 * fails with. No token, code or secret is ever in it.
 *
 * @example
 * const auth = clientCredentials({ client: { clientId: 'me', clientSecret: 'a secret' } });
 * connect(remote('https://weather.example/mcp', { auth })).subscribe({
 *   error: ({ cause }: Error) => {
 *     if (cause instanceof LoginFailed) console.log(cause.stage, cause.message);
 *   },
 * });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
 */
export class LoginFailed extends TaggedError('LoginFailed')<{
  readonly message: string;
  readonly stage: LoginStage;
  /** The error code of OAuth, where an authorization server gave one: `access_denied`. */
  readonly code?: string;
  /** It may well go better later: somebody could not be reached. */
  readonly passing?: true;
  readonly cause?: unknown;
}> {}

/** Whether this says that nobody could be logged in: to try again by itself would only ask them again. */
export const isUnproved = (error: unknown): boolean =>
  error instanceof Error && error.cause instanceof LoginFailed && error.cause.passing !== true;
