/** What makes a request made again the same request: who asks, for what, with which parameters (MRTR-11). */
import { canonical } from '../frame/canonical.ts';
import type { Context, Request } from './exchange.ts';

/** One text for one request; what it says of its peer, and what it answers, does not count. */
export const identityOf = ({ method, params = {} }: Request, { principal }: Context): string => {
  const { _meta, inputResponses, requestState, ...asked } = params;
  return canonical([principal ?? null, method, asked]);
};
