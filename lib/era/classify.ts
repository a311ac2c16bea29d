/**
 * Which era a frame belongs to. Decided for every frame by itself, with no connection state: a server of both eras
 * serves both on one channel.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning
 */
import { isObject, type RequestFrame } from '../frame/frame.ts';
import { metaKeys } from '../protocol/revisions.ts';

export const discoverMethod = 'server/discover';

/** A request that carries its own version, or asks what no older revision has, is modern; anything else is legacy. */
export const isModernRequest = ({ method, params }: RequestFrame): boolean => {
  const meta = params?.['_meta'];
  return (isObject(meta) && meta[metaKeys.protocolVersion] !== undefined) || method === discoverMethod;
};
