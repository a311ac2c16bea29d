/**
 * The one family of failures. A {@link RpcError} travels on the wire as a JSON-RPC error and may come from a peer; all
 * others are raised here, carry no code, and can never be mistaken for something that a peer said (RPC-28).
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#error-codes
 */
import { TaggedError } from 'effect/Data';

/** What was being done when an error came up. */
export interface During {
  /** The server's own name, and its version, where it has given them. */
  readonly server?: string;
  readonly method: string;
  /** The tool, prompt or URI that was meant. */
  readonly name?: string;
}

/**
 * The error codes that this runtime sends, by name.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#error-codes
 */
export const codes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** Legacy revisions only (<= 2025-11-25); 2026-07-28 uses invalidParams. */
  resourceNotFound: -32002,
  headerMismatch: -32020,
  missingClientCapability: -32021,
  unsupportedProtocolVersion: -32022,
  /** A user would not have their model asked; legacy revisions only (SAMP-17). */
  userRejected: -1,
} as const;

/**
 * A JSON-RPC error: thrown by a handler it becomes the error response; received from a peer it is what the caller's
 * Observable fails with.
 *
 * @example
 * throw new RpcError({ code: codes.invalidParams, message: 'city is unknown', data: { city: 'Olso' } });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#error-codes
 */
export class RpcError extends TaggedError('RpcError')<{
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}> {
  /** What a client was doing; beside what is listed, compared or sent. */
  declare readonly during?: During;
}

/**
 * The link broke, or was closed from either side, while something was still waiting for it; or it could not be opened.
 */
export class ConnectionClosed extends TaggedError('ConnectionClosed')<{
  readonly message: string;
  readonly cause?: unknown;
  /** There never was a link: nobody listens there, or no process could be started. Asking again is of no use. */
  readonly unopened?: true;
}> {
  /** What a client was doing; beside what is listed, compared or sent. */
  declare readonly during?: During;
}

/**
 * No answer in time. `limit` says which clock ran out; `ms` is its length in milliseconds.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/cancellation#timeouts
 */
export class TimedOut extends TaggedError('TimedOut')<{
  readonly message: string;
  readonly method: string;
  readonly limit: 'idle' | 'total';
  readonly ms: number;
}> {
  /** What a client was doing; beside what is listed, compared or sent. */
  declare readonly during?: During;
}

/**
 * The peer answered with something that the protocol does not allow.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#responses
 */
export class InvalidAnswer extends TaggedError('InvalidAnswer')<{
  readonly message: string;
  readonly method: string;
}> {
  /** What a client was doing; beside what is listed, compared or sent. */
  declare readonly during?: During;
}

/**
 * The peer did not declare what this needs, or its revision does not have it: nothing was sent. Or it asks for input
 * that this client cannot give.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/architecture/index#capability-negotiation
 */
export class NotSupported extends TaggedError('NotSupported')<{
  readonly message: string;
  readonly method: string;
  readonly capability?: string;
}> {
  /** What a client was doing; beside what is listed, compared or sent. */
  declare readonly during?: During;
}

/**
 * The server needs to know more before it can answer, and this call was told to ask nobody (`rounds: 0`), or has asked as
 * often as it may. Make the call again with `again: { inputResponses, requestState }`.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
export class InputRequired extends TaggedError('InputRequired')<{
  readonly message: string;
  readonly method: string;
  /** What it asks, under its own keys. */
  readonly inputRequests?: { readonly [key: string]: unknown };
  /** To be given back as it is. */
  readonly requestState?: string;
}> {
  /** What a client was doing; beside what is listed, compared or sent. */
  declare readonly during?: During;
}

/**
 * The user, or the program in the user's name, would not answer what a server asked. Thrown by a client's own handler: a
 * form or page counts as declined; sampling fails the call that asked for it.
 *
 * @example
 * const answers: Answers = {
 *   sample: () => {
 *     throw new Refused({ message: 'no model is available' });
 *   },
 * };
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/sampling#error-handling
 */
export class Refused extends TaggedError('Refused')<{ readonly message: string }> {}

/**
 * The two sides speak no revision in common.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning#protocol-version-negotiation
 */
export class NoCommonRevision extends TaggedError('NoCommonRevision')<{
  readonly message: string;
  readonly offered: readonly string[];
  readonly supported: readonly string[];
}> {}

/** Something that a user of this library wrote cannot work; raised where it was written, before anything runs. */
export class Misconfigured extends TaggedError('Misconfigured')<{ readonly message: string }> {}

/** Notes on an error what was being done. Every call has an error of its own. */
export const during = (error: unknown, what: During): unknown => {
  // One that lets nothing be noted on it stays as it is.
  if (error instanceof Error) Reflect.defineProperty(error, 'during', { value: what, configurable: true });
  return error;
};

/**
 * A name that a peer chose, as an error message may repeat it: short, and on one line.
 *
 * @param name - anything; beyond 100 characters it is cut
 * @example
 * throw invalidParams(`city ${quoted('Os\nlo')} is unknown`); // city "Os\nlo" is unknown
 */
export const quoted = (name: unknown): string => {
  const text = String(name);
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
};

/**
 * The error that says that a method is unknown here: -32601.
 *
 * @param method - its name
 * @example
 * const nothing: Exchange = ({ method }) => throwError(() => methodNotFound(method));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#error-codes
 */
export const methodNotFound = (method: string): RpcError =>
  new RpcError({ code: codes.methodNotFound, message: `method not found: ${quoted(method)}` });

/**
 * The error that says what is wrong with a request's parameters: -32602.
 *
 * @param message - one sentence that names the field and its rule
 * @param data - anything JSON can hold, for programs
 * @example
 * throw invalidParams('city is unknown', { city: 'Olso' });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#error-codes
 */
export const invalidParams = (message: string, data?: unknown): RpcError =>
  new RpcError({ code: codes.invalidParams, message, ...(data === undefined ? {} : { data }) });

/**
 * The error that says that a message is no request that may be sent now: -32600.
 *
 * @param message - one sentence that names the rule
 * @param data - anything JSON can hold, for programs
 * @example
 * throw invalidRequest('this session has ended');
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#error-codes
 */
export const invalidRequest = (message: string, data?: unknown): RpcError =>
  new RpcError({ code: codes.invalidRequest, message, ...(data === undefined ? {} : { data }) });
