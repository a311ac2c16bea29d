/**
 * The one family of failures. A {@link RpcError} travels on the wire as a JSON-RPC error and may come from a peer; all
 * others are raised here, carry no code, and can never be mistaken for something that a peer said (RPC-28).
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#error-codes
 */
import { TaggedError } from 'effect/Data';
import type { ErrorObject } from './frame.ts';

/** The error codes that this runtime sends, by name. */
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
} as const;

/**
 * A JSON-RPC error: thrown by a handler it becomes the error response; received from a peer it is what the caller's
 * Observable fails with.
 *
 * @example
 * throw new RpcError({ code: codes.invalidParams, message: 'city is unknown', data: { city } });
 */
export class RpcError extends TaggedError('RpcError')<{
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}> {
  toObject(): ErrorObject {
    return this.data === undefined
      ? { code: this.code, message: this.message }
      : { code: this.code, message: this.message, data: this.data };
  }
}

/** The link broke, or the far side closed it, while something was still waiting for it. */
export class ConnectionClosed extends TaggedError('ConnectionClosed')<{
  readonly message: string;
  readonly cause?: unknown;
}> {}

/** No answer in time. `limit` says which clock ran out; `ms` is its length. */
export class TimedOut extends TaggedError('TimedOut')<{
  readonly message: string;
  readonly method: string;
  readonly limit: 'idle' | 'total';
  readonly ms: number;
}> {}

/** The peer answered with something that the protocol does not allow. */
export class InvalidAnswer extends TaggedError('InvalidAnswer')<{
  readonly message: string;
  readonly method: string;
}> {}

/** The peer did not declare what this needs, or its revision does not have it; nothing was sent. */
export class NotSupported extends TaggedError('NotSupported')<{
  readonly message: string;
  readonly method: string;
  readonly capability?: string;
}> {}

/** The two sides speak no revision in common. */
export class NoCommonRevision extends TaggedError('NoCommonRevision')<{
  readonly message: string;
  readonly offered: readonly string[];
  readonly supported: readonly string[];
}> {}

/** Something that a user of this library wrote cannot work; raised where it was written, before anything runs. */
export class Misconfigured extends TaggedError('Misconfigured')<{ readonly message: string }> {}

/** A name that a peer chose, as an error message may repeat it: short, and on one line. */
export const quoted = (name: unknown): string => {
  const text = String(name);
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
};

export const methodNotFound = (method: string): RpcError =>
  new RpcError({ code: codes.methodNotFound, message: `method not found: ${quoted(method)}` });

export const invalidParams = (message: string, data?: unknown): RpcError =>
  new RpcError({ code: codes.invalidParams, message, ...(data === undefined ? {} : { data }) });

export const invalidRequest = (message: string, data?: unknown): RpcError =>
  new RpcError({ code: codes.invalidRequest, message, ...(data === undefined ? {} : { data }) });
