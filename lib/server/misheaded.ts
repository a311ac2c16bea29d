/**
 * Over HTTP, headers repeat arguments that a tool names. Whatever stood in between may have acted on them, so a call that
 * says something else than its headers is refused.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#server-validation
 */
import type { Context, Request } from '../exchange/exchange.ts';
import { codes, RpcError } from '../frame/errors.ts';
import { isObject } from '../frame/frame.ts';
import type { Mirrored } from '../protocol/header-annotation.ts';
import { mismatch } from '../protocol/header-param.ts';
import { isModern, metaKeys } from '../protocol/revisions.ts';

/** The refusal of a call whose headers do not say what its arguments say. Older revisions have no such headers. */
export const misheaded = (
  plan: readonly Mirrored[],
  { params }: Request,
  { headers }: Context,
): RpcError | undefined => {
  const meta = params?.['_meta'];
  if (headers === undefined || !isObject(meta) || !isModern(meta[metaKeys.protocolVersion])) return undefined;
  const found = mismatch(plan, params?.['arguments'], headers);
  return found === undefined
    ? undefined
    : new RpcError({ code: codes.headerMismatch, message: found.message, data: { header: found.header } });
};
