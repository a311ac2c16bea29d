/** What makes a request made again the same request: who asks, for what, with which parameters (MRTR-11). */
import { canonical } from '../frame/canonical.ts';
import type { JsonObject } from '../frame/frame.ts';
import type { Context, Request } from './exchange.ts';

/** The request as it was first made. */
export const anew = ({ method, params = {} }: Request): { readonly method: string; readonly params: JsonObject } => {
  const { inputResponses, requestState, ...asked } = params;
  return { method, params: asked };
};

/** One text for one request; what it says of its peer, and what it answers, does not count. */
export const identityOf = (request: Request, { principal }: Context): string => {
  const { method, params } = anew(request);
  const { _meta, ...asked } = params;
  return canonical([principal ?? null, method, asked]);
};

/** Who asks, as far as anybody knows: the principal, or whoever is at the other end of the connection. */
export const callerOf = ({ principal, connection }: Context): string | object | undefined => principal ?? connection;
