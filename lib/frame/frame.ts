/**
 * A frame is one JSON-RPC 2.0 message. Telling frames apart is a handful of property checks by hand: it happens for
 * every message, and trying schemas instead costs fifty times as much.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#messages
 */

/** A JSON object whose members nobody has looked at yet. */
export type JsonObject = { readonly [key: string]: unknown };

/** Correlates a request with its response: a string or a safe integer, never null. */
export type RequestId = string | number;

export interface RequestFrame {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
  readonly method: string;
  readonly params?: JsonObject;
}

export interface NotificationFrame {
  readonly jsonrpc: '2.0';
  readonly method: string;
  readonly params?: JsonObject;
}

export interface ResultFrame {
  readonly jsonrpc: '2.0';
  readonly id: RequestId;
  readonly result: JsonObject;
}

export interface ErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** The id is missing only where the request that it answers could not be read. */
export interface ErrorFrame {
  readonly jsonrpc: '2.0';
  readonly id?: RequestId;
  readonly error: ErrorObject;
}

export type ResponseFrame = ResultFrame | ErrorFrame;
/** One JSON-RPC 2.0 message, of any kind. */
export type Frame = RequestFrame | NotificationFrame | ResponseFrame;

/** What came in, told apart: a frame of a known kind, or what is wrong with it and whom to tell. */
export type Told =
  | { readonly kind: 'request'; readonly frame: RequestFrame }
  | { readonly kind: 'notification'; readonly frame: NotificationFrame }
  | { readonly kind: 'response'; readonly frame: ResponseFrame }
  | { readonly kind: 'batch'; readonly items: readonly unknown[] }
  | { readonly kind: 'malformed'; readonly reason: string; readonly id?: RequestId; readonly answerable: boolean };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same as `Array.isArray`, which would make every item `any`. */
export const isArray = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Zero and the empty string are ids; null, fractions and integers beyond 2^53 are not. */
export const isRequestId = (value: unknown): value is RequestId =>
  typeof value === 'string' || (typeof value === 'number' && Number.isSafeInteger(value));

const malformed = (reason: string, id: unknown, answerable: boolean): Told =>
  isRequestId(id) ? { kind: 'malformed', reason, id, answerable } : { kind: 'malformed', reason, answerable };

/**
 * Tells what an inbound value is. Never throws; a value that is no frame comes back as `malformed`, naming the field
 * and the rule, with the id wherever one can be read, so that its sender gets an answer.
 */
export const tell = (value: unknown): Told => {
  if (typeof value !== 'object' || value === null) return malformed('a message must be a JSON object', undefined, true);
  if (Array.isArray(value)) return { kind: 'batch', items: value };
  const { jsonrpc, id, method, params, result, error } = value as Readonly<Record<string, unknown>>;
  if (method === undefined && (result !== undefined || error !== undefined)) return tellResponse(value);
  if (jsonrpc !== '2.0') return malformed('jsonrpc must be "2.0"', id, true);
  if (typeof method !== 'string') return malformed('method must be a string', id, true);
  if (params !== undefined && !isObject(params)) return malformed('params must be an object', id, id !== undefined);
  if (id === undefined) return { kind: 'notification', frame: value as NotificationFrame };
  if (!isRequestId(id)) return malformed('id must be a string or an integer', undefined, true);
  return { kind: 'request', frame: value as RequestFrame };
};

const tellResponse = (value: object): Told => {
  const { jsonrpc, id, result, error } = value as Readonly<Record<string, unknown>>;
  const wrong = (reason: string) => malformed(reason, id, false);
  if (jsonrpc !== '2.0') return wrong('jsonrpc must be "2.0"');
  if (result !== undefined && error !== undefined) return wrong('a response must not hold both result and error');
  if (error !== undefined) {
    if (!isObject(error) || !Number.isInteger(error['code']) || typeof error['message'] !== 'string')
      return wrong('error must have an integer code and a string message');
    // JSON-RPC says null where the id could not be read; MCP leaves it out (AMB-15): accept both.
    if (id !== undefined && id !== null && !isRequestId(id)) return wrong('id must be a string or an integer');
    return { kind: 'response', frame: value as ErrorFrame };
  }
  if (!isRequestId(id)) return wrong('id must be a string or an integer');
  if (!isObject(result)) return wrong('result must be an object');
  return { kind: 'response', frame: value as ResultFrame };
};
