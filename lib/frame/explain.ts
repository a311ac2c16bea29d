/** An error, in words for people. */
import {
  codes,
  ConnectionClosed,
  InputRequired,
  InvalidAnswer,
  Misconfigured,
  NoCommonRevision,
  NotSupported,
  Refused,
  RpcError,
  TimedOut,
  type During,
} from './errors.ts';
import { LoginFailed, type LoginStage } from './login-failed.ts';

/**
 * Says what was being done, with which server, what went wrong and what to do about it, in one line for a person: for
 * terminals, logs and dialogs. The error itself stays as it was; programs look at its class and fields.
 *
 * @param error - anything that was thrown
 * @example
 * const weatherToday = await client.callTool('forecast', { city: 'Oslo' }).catch((error: unknown) => explain(error));
 * // tools/call "forecast" at weather 1.0.0: no sign of life within 60000 ms. Allow it a longer idleMs, or …
 */
export const explain = (error: unknown): string => {
  const what = error instanceof Error && 'during' in error ? doing(error.during as During | undefined) : '';
  const said = error instanceof Error ? error.message : String(error);
  const code = error instanceof RpcError ? ` (${error.code})` : '';
  const advice = adviceOn(error);
  return `${what}${sentence(`${said}${code}`)}${advice === undefined ? '' : ` ${advice}`}`;
};

const doing = (what: During | undefined): string => {
  if (what === undefined) return '';
  const { method, name, server } = what;
  return `${method}${name === undefined ? '' : ` ${JSON.stringify(name)}`}${server === undefined ? '' : ` at ${server}`}: `;
};

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

const adviceOn = (error: unknown): string | undefined => {
  if (error instanceof TimedOut)
    return error.limit === 'idle'
      ? 'Allow it a longer idleMs, or have the server report progress.'
      : 'Allow it a longer totalMs, or ask for less at once.';
  if (error instanceof ConnectionClosed && error.cause instanceof LoginFailed) return adviceOnLogin(error.cause);
  if (error instanceof ConnectionClosed)
    return error.unopened === true
      ? 'Check the command or address, and that the server is there.'
      : 'Connect again, or put restart() behind connect; whether the request was carried out is not known.';
  if (error instanceof NotSupported) return 'Nothing was sent: look at what the server declares, and at `answers`.';
  if (error instanceof InvalidAnswer) return 'The server breaks the protocol here: tell its author.';
  if (error instanceof InputRequired) return 'Give `answers` to connect, or go on with `again`.';
  if (error instanceof NoCommonRevision) return 'Allow more `revisions`, or update whichever side is older.';
  if (error instanceof Refused) return 'Nothing went wrong: somebody said no.';
  if (error instanceof Misconfigured) return 'Mend it where it is written; it cannot work as it is.';
  return error instanceof RpcError ? adviceOf[error.code] : undefined;
};

const adviceOnLogin = ({ passing, stage }: LoginFailed): string =>
  passing === true ? 'Try again later: somebody could not be reached.' : adviceAt[stage];

const adviceAt: Readonly<Record<LoginStage, string>> = {
  discovery: 'The server, or who logs people in for it, is not set up right: tell who runs it.',
  registration: 'Give `client.known` or `client.metadataUrl`, by which its authorization server knows you.',
  authorization: 'Log in when you are asked to, or ask who runs the server to let you in.',
  token: 'Connect again, and log in anew.',
  scope: 'Ask who runs the server for what is missing.',
  network: 'If that host is meant, name it in `trustedHosts`; if not, do not trust this server.',
};

const adviceOf: Readonly<Record<number, string>> = {
  [codes.methodNotFound]: 'The server does not offer this: look at its capabilities.',
  [codes.invalidParams]: 'Mend what was asked: the server would refuse the same again.',
  [codes.internalError]: "The fault is the server's: its own log says more.",
  [codes.missingClientCapability]: 'Give `answers` to connect for what it needs.',
};
