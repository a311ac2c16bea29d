/** A gate of one's own: a middleware is a function from an exchange to an exchange, and nothing else. */
import { throwError } from 'rxjs';
import { codes, RpcError, type Middleware } from 'rxmcp';

/**
 * Lets tools be called only while it is open; everything else passes.
 *
 * @param isOpen - asked for each call
 */
export const openingHours =
  (isOpen: () => boolean): Middleware =>
  (next) =>
  (request, context) =>
    request.method === 'tools/call' && !isOpen()
      ? throwError(() => new RpcError({ code: codes.invalidRequest, message: 'we are closed' }))
      : next(request, context);
