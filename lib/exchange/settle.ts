/** Whatever fails an exchange, as the JSON-RPC error that its peer gets. Nothing internal leaks. */
import { codes, RpcError, Refused, TimedOut, ConnectionClosed, NotSupported } from '../frame/errors.ts';
import type { ErrorFrame, ErrorObject, RequestId } from '../frame/frame.ts';

/**
 * An {@link RpcError} goes out as it is. Of a failure on this side, a proxy's lost upstream included, the peer learns
 * only its kind: its message may hold paths, commands, or what a process said last.
 */
export const wireError = (error: unknown, method: string): RpcError => {
  if (error instanceof RpcError) return error;
  if (error instanceof NotSupported) return new RpcError({ code: codes.methodNotFound, message: error.message });
  if (error instanceof Refused) return new RpcError({ code: codes.userRejected, message: error.message });
  const internal = (message: string): RpcError => new RpcError({ code: codes.internalError, message });
  if (error instanceof TimedOut) return internal(`${method}: the server behind this one did not answer in time`);
  if (error instanceof ConnectionClosed) return internal(`${method}: the server behind this one is gone`);
  return internal(`internal error while answering ${method}`);
};

/** The fields are read one by one: a subclass, or a careless author, may have put more on the error. */
const errorObject = ({ code, message, data }: RpcError): ErrorObject =>
  data === undefined ? { code, message } : { code, message, data };

export const errorFrame = (id: RequestId | undefined, error: RpcError): ErrorFrame =>
  id === undefined ? { jsonrpc: '2.0', error: errorObject(error) } : { jsonrpc: '2.0', id, error: errorObject(error) };
