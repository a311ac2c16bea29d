/** What makes a request made again the same request: who asks, for what, with which parameters (MRTR-11). */
import { canonical } from '../frame/canonical.ts';
import type { Context, Request } from './exchange.ts';

/** One text for one request; what it says of its peer, and what it answers, does not count. */
export const identityOf = ({ method, params = {} }: Request, { principal }: Context): string => {
  const { _meta, inputResponses, requestState, ...asked } = params;
  return canonical([principal ?? null, method, asked]);
};

/** Who asks, as far as anybody knows: the principal, or whoever is at the other end of the connection. */
export const callerOf = ({ principal, connection }: Context): string | object | undefined => principal ?? connection;
