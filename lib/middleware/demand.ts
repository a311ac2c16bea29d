/**
 * Keeps requests at home that the far side has not offered to answer.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/architecture/index#capability-negotiation
 */
import { throwError } from 'rxjs';
import { middleware, type Middleware } from '../exchange/exchange.ts';
import { NotSupported } from '../frame/errors.ts';
import type { JsonObject } from '../frame/frame.ts';
import { offers } from '../protocol/capability.ts';
import { methods, type MethodTable } from '../protocol/methods.ts';

/**
 * Fails with {@link NotSupported}, naming the capability, what needs one that is not among these (CAP-08). Nothing is
 * sent then. Clients are behind it already.
 *
 * @param capabilities - what the far side has declared
 * @example
 * const careful = demand({ tools: {} })(client.exchange);
 * careful({ method: 'prompts/list' }, {}).subscribe({ error: (error) => console.error(error) });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/architecture/index#capability-negotiation
 */
export const demand = (capabilities: JsonObject, table: MethodTable = methods): Middleware => {
  const missing = new Map<string, string>();
  for (const [method, { serverCapability }] of Object.entries(table))
    if (serverCapability !== undefined && !offers(capabilities, serverCapability))
      missing.set(method, serverCapability);
  return middleware((next) => (request, context) => {
    const capability = missing.get(request.method);
    if (capability === undefined) return next(request, context);
    const { method } = request;
    return throwError(
      () =>
        new NotSupported({
          method,
          capability,
          message: `${method}: the server has not declared the capability ${capability}`,
        }),
    );
  });
};
