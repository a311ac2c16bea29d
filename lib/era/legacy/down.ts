/**
 * From the dialect inside (2026-07-28) to a handshake revision: what that revision does not have is left out, or said in
 * its own words. The dated schemas know most of it; the rest are the differences in kind below.
 */
import { codes, RpcError } from '../../frame/errors.ts';
import { isObject, type JsonObject } from '../../frame/frame.ts';
import { pruned } from './pruned.ts';
import type { Row } from '../../protocol/methods.ts';
import { ServerCapabilities, Implementation } from '../../protocol/peer.ts';
import { metaKeys, type LegacyRevision } from '../../protocol/revisions.ts';
import { foreignMeta } from './meta.ts';

type Translate = (result: JsonObject) => JsonObject;

const withoutModernMeta: Translate = (result) => {
  const { _meta } = result;
  if (_meta === undefined) return result;
  const foreign = foreignMeta(_meta);
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(result)) if (name !== '_meta') copy[name] = result[name];
  if (foreign !== undefined) copy['_meta'] = foreign;
  return copy;
};

/** Translates the results of one method to one revision. */
export const downResult = ({ result: schema }: Row, revision: LegacyRevision): Translate => {
  if (schema === undefined) return withoutModernMeta;
  const fields = pruned(schema, revision);
  return fields;
};

/** Not-found was -32002 (BR-34), and nobody knew -32021 (BR-73). */
export const downError = (error: unknown, method: string): unknown => {
  if (!(error instanceof RpcError)) return error;
  const { code, message, data } = error;
  if (method === 'resources/read' && code === codes.invalidParams && isObject(data) && data['uri'] !== undefined)
    return new RpcError({ code: codes.resourceNotFound, message, data });
  if (code === codes.missingClientCapability) return new RpcError({ code: codes.invalidRequest, message, data });
  return error;
};

/** What a server says of itself, as the answer to `initialize` (BR-02). */
export const downHandshake = (discovered: JsonObject, revision: LegacyRevision): JsonObject => {
  const { capabilities, instructions, _meta } = discovered;
  const named = isObject(_meta) ? _meta[metaKeys.serverInfo] : undefined;
  return {
    protocolVersion: revision,
    capabilities: pruned(ServerCapabilities, revision)(isObject(capabilities) ? capabilities : {}),
    // Servers may keep their name to themselves since 2026-07-28; a handshake cannot do without one.
    serverInfo: pruned(Implementation, revision)(isObject(named) ? named : { name: 'unnamed', version: '0' }),
    ...(typeof instructions === 'string' ? { instructions } : undefined),
  };
};
