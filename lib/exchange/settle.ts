/** Whatever fails an exchange, as the JSON-RPC error that its peer gets. Nothing internal leaks. */
import { codes, RpcError, TimedOut, ConnectionClosed, NotSupported } from '../frame/errors.ts';
import type { ErrorFrame, RequestId } from '../frame/frame.ts';

/**
 * An {@link RpcError} goes out as it is; local failures of a proxy's own upstream keep their one-line message, which
 * names no internals; anything else is an internal error that says only which method failed.
 */
export const wireError = (error: unknown, method: string): RpcError => {
  if (error instanceof RpcError) return error;
  if (error instanceof NotSupported) return new RpcError({ code: codes.methodNotFound, message: error.message });
  if (error instanceof TimedOut || error instanceof ConnectionClosed)
    return new RpcError({ code: codes.internalError, message: error.message });
  return new RpcError({ code: codes.internalError, message: `internal error while answering ${method}` });
};

export const errorFrame = (id: RequestId | undefined, error: RpcError): ErrorFrame =>
  id === undefined ? { jsonrpc: '2.0', error: error.toObject() } : { jsonrpc: '2.0', id, error: error.toObject() };
