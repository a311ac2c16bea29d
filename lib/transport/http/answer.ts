/** Answers that are one JSON object: results, errors, and refusals before anything was asked. */
import { codes, invalidRequest, type RpcError } from '../../frame/errors.ts';
import type { Frame, RequestId } from '../../frame/frame.ts';
import { errorFrame } from '../../exchange/settle.ts';
import { serialise } from '../outbox.ts';
import type { HttpHeaders, Refusal } from './message.ts';

export const jsonHeaders: HttpHeaders = { 'content-type': 'application/json' };

/**
 * The status that goes with an error code (matrix 2): a method that is unknown is a page that is not there, and what was
 * wrong with the request itself is a bad request. Everything else is the method's own affair, and well-formed (AMB-14).
 */
export const statusOf = (code: number): number => {
  if (code === codes.methodNotFound) return 404;
  return badRequests.has(code) ? 400 : 200;
};

const badRequests: ReadonlySet<number> = new Set([
  codes.headerMismatch,
  codes.missingClientCapability,
  codes.unsupportedProtocolVersion,
]);

/** A frame, or a batch, as a body; an answer that JSON cannot express has become an error. */
export const bodyOf = (frame: Frame | readonly Frame[]): string => serialise(frame, undefined) ?? '';

/**
 * What a request is refused with that never reached an exchange.
 *
 * @param status - of HTTP
 * @param error - what it is told, or a sentence that names the rule
 * @param id - of the request, where it could be read
 * @param headers - what else it is told
 */
export const refusal = (status: number, error: RpcError | string, id?: RequestId, headers?: HttpHeaders): Refusal => ({
  status,
  headers: headers === undefined ? jsonHeaders : { ...jsonHeaders, ...headers },
  body: bodyOf(errorFrame(id, typeof error === 'string' ? invalidRequest(error) : error)),
});
