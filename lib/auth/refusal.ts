/** What an authorization server says no with, as people read it: never a token, a code or a secret. */
import { AuthorizationResponseError, ResponseBodyError, WWWAuthenticateChallengeError } from 'oauth4webapi';
import { quoted } from '../frame/errors.ts';
import { LoginFailed, type LoginStage } from '../frame/login-failed.ts';

/** The code of OAuth in a failure, where there is one. */
const codeIn = (cause: unknown): { readonly code?: string; readonly said?: string | undefined } => {
  if (cause instanceof ResponseBodyError || cause instanceof AuthorizationResponseError)
    return { code: cause.error, said: cause.error_description };
  if (cause instanceof WWWAuthenticateChallengeError) {
    const { error, error_description: said } = cause.cause[0]?.parameters ?? {};
    return error === undefined ? {} : { code: error, said };
  }
  return {};
};

/** Some say what they were sent: what looks like a token is not for people. */
const discreet = (said: string): string => said.replaceAll(/\bey[\w-]{8,}\.[\w-]+\.?[\w-]*|[\w+/=-]{60,}/g, '…');

/** A code as codes are; anybody can come back with anything. */
const plain = (code: string): string => (/^[\w.-]{1,80}$/.test(code) ? code : quoted(discreet(code)));

/** Which status it was answered with, where it was no answer of OAuth. */
const statusIn = (cause: unknown): number => {
  if (cause instanceof ResponseBodyError) return cause.status;
  return cause instanceof Error && cause.cause instanceof Response ? cause.cause.status : 0;
};

/**
 * Makes one failure of another. The cause itself stays behind, as it may hold what was sent.
 *
 * @param stage - where the login ended
 * @param what - what did not happen
 */
export const failure = (stage: LoginStage, what: string, cause: unknown): LoginFailed => {
  if (cause instanceof LoginFailed) return cause;
  const { code, said } = codeIn(cause);
  const inner = cause instanceof Error ? cause.message : String(cause);
  const why =
    code === undefined
      ? inner
      : [plain(code), said === undefined ? '' : `(${quoted(discreet(said))})`].join(' ').trim();
  const status = statusIn(cause);
  const passing = status >= 500 || status === 429 || status === 408;
  return new LoginFailed({
    stage,
    message: `${what}: ${why}`,
    ...(code === undefined ? undefined : { code }),
    ...(passing ? { passing } : undefined),
  });
};
