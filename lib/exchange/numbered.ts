/** Requests that are known by the id under which they go out, so that what comes in for one can be told to be its own. */
import { defer, type Observable } from 'rxjs';
import type { RequestId } from '../frame/frame.ts';
import type { Context, Emission, Request } from './exchange.ts';
import type { Multiplexer } from './multiplex.ts';

/** An exchange; `sent` is told the id of the request when it goes. */
export type Numbered = (request: Request, context: Context, sent?: (id: RequestId) => void) => Observable<Emission>;

/** @param multiplexer - with the stamp of its era, over which this one goes */
export const numbered = (multiplexer: Multiplexer): Numbered => {
  const { stamp, exchange } = multiplexer;
  let told: ((id: RequestId) => void) | undefined;
  multiplexer.stamp = (meta, id) => {
    told?.(id);
    told = undefined;
    return stamp(meta, id);
  };
  return (request, context, sent) => {
    if (sent === undefined) return exchange(request, context);
    // It gets its number while it is subscribed, before anything else can be asked.
    return defer(() => {
      told = sent;
      return exchange(request, context);
    });
  };
};
