/**
 * The headers that repeat what a request of 2026-07-28 says in its body, so that whoever stands in between need not read
 * it. Both must say the same, or the two would act on different requests.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#request-metadata-headers
 */
import { unserved } from '../../era/modern/gate.ts';
import { codes, quoted, RpcError } from '../../frame/errors.ts';
import { isObject, type JsonObject, type NotificationFrame, type RequestFrame } from '../../frame/frame.ts';
import { decodeHeader } from '../../protocol/header-value.ts';
import type { Row } from '../../protocol/methods.ts';
import { metaKeys } from '../../protocol/revisions.ts';
import type { HttpHeaders } from './message.ts';

const mismatch = (message: string): RpcError => new RpcError({ code: codes.headerMismatch, message });

/** Which of the headers that every request needs is not there (HTTP26-36). */
export const missingHeader = (headers: HttpHeaders, row: Row | undefined): RpcError | undefined => {
  if (headers['mcp-protocol-version'] === undefined) return mismatch('the header MCP-Protocol-Version is missing');
  if (headers['mcp-method'] === undefined) return mismatch('the header Mcp-Method is missing');
  if (row?.nameIn !== undefined && headers['mcp-name'] === undefined)
    return mismatch(`the header Mcp-Name is missing: it repeats params.${row.nameIn}`);
  return undefined;
};

/** Which header says something else than the body (HTTP26-25, HTTP26-35, HTTP26-37). */
export const headerMismatch = (
  headers: HttpHeaders,
  { method, params }: RequestFrame,
  row: Row | undefined,
): RpcError | undefined => {
  const version = metaOf(params)[metaKeys.protocolVersion];
  if (headers['mcp-protocol-version'] !== version)
    return differs('MCP-Protocol-Version', headers['mcp-protocol-version'], `_meta`, version);
  if (headers['mcp-method'] !== method) return differs('Mcp-Method', headers['mcp-method'], 'method', method);
  if (row?.nameIn === undefined) return undefined;
  const sent = headers['mcp-name'] ?? '';
  const name = decodeHeader(sent);
  if (name === undefined) return mismatch(`the header Mcp-Name is not readable: ${quoted(sent)}`);
  const meant = params?.[row.nameIn];
  return name === meant ? undefined : differs('Mcp-Name', name, `params.${row.nameIn}`, meant);
};

/** What is wrong with the headers of a notification, which need not be there (AMB-02). */
export const noticeProblem = (
  headers: HttpHeaders,
  { method, params }: NotificationFrame,
  served: readonly string[],
): RpcError | undefined => {
  const { 'mcp-method': said, 'mcp-protocol-version': version } = headers;
  if (said !== undefined && said !== method) return differs('Mcp-Method', said, 'method', method);
  if (version === undefined) return undefined;
  const { [metaKeys.protocolVersion]: meant = version } = metaOf(params);
  if (meant !== version) return differs('MCP-Protocol-Version', version, '_meta', meant);
  return served.includes(version) ? undefined : unserved(version, served);
};

const metaOf = (params: JsonObject | undefined): JsonObject => {
  const meta = params?.['_meta'];
  return isObject(meta) ? meta : {};
};

const differs = (header: string, said: unknown, where: string, meant: unknown): RpcError =>
  mismatch(`the header ${header} says ${quoted(said)}, and ${where} says ${quoted(meant)}`);
