/**
 * The door of 2026-07-28, where a request carries all that a server may know of its peer. Checks come in the order that
 * AMB-03 settles: required `_meta` fields, version, method, parameters.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#_meta
 */
import { map, throwError } from 'rxjs';
import { isAnswer, middleware, type Emission, type Middleware, type Request } from '../../exchange/exchange.ts';
import { codes, invalidParams, methodNotFound, quoted, RpcError } from '../../frame/errors.ts';
import { isObject, type JsonObject } from '../../frame/frame.ts';
import { validator } from '../../protocol/dated.ts';
import { loggingLevels } from '../../protocol/level.ts';
import { methods, rowsAt, type MethodTable } from '../../protocol/methods.ts';
import { discoverMethod } from '../classify.ts';
import { isModern, latestRevision, metaKeys, modernRevisions, type ModernRevision } from '../../protocol/revisions.ts';

/** What a gate knows. */
export interface GateOptions {
  /** The modern revisions that are served. Default: all. */
  readonly revisions?: readonly ModernRevision[];
  /** The methods that are known. Default: the protocol's own. */
  readonly table?: MethodTable;
}

/**
 * What is missing of the fields that every request carries; undefined where nothing is.
 *
 * @param supported - the revisions that an error names where `_meta` is missing, as with a peer of an older one
 */
export const metaProblem = (params: JsonObject | undefined, supported: readonly string[]): RpcError | undefined => {
  const meta = params?.['_meta'];
  if (!isObject(meta))
    return invalidParams('_meta is missing: every request carries its version and capabilities', { supported });
  if (typeof meta[metaKeys.protocolVersion] !== 'string')
    return invalidParams(`_meta["${metaKeys.protocolVersion}"] must be a string`);
  if (!isObject(meta[metaKeys.clientCapabilities]))
    return invalidParams(`_meta["${metaKeys.clientCapabilities}"] must be an object`);
  return undefined;
};

/** What a version gets that is not served, with those that are. */
export const unserved = (version: unknown, supported: readonly string[]): RpcError =>
  new RpcError({
    code: codes.unsupportedProtocolVersion,
    message: `protocol version ${quoted(version)} is not supported here`,
    data: { supported, requested: String(version).slice(0, 100) },
  });

/** The same error; whoever opens as older clients do learns from it what is spoken here (VER-32). */
export const guiding = (method: string, error: RpcError, supported: readonly string[]): RpcError => {
  if (method !== 'initialize') return error;
  const { code, message, data } = error;
  return new RpcError({ code, message, data: isObject(data) ? { supported, ...data } : { supported } });
};

const metaOf = (params: JsonObject | undefined): JsonObject => {
  const meta = params?.['_meta'];
  return isObject(meta) ? meta : {};
};

/**
 * Lets through what is well-formed at its own revision, and answers anything else as the specification says: -32602 for
 * missing or wrong fields (naming the field), -32022 for a version that is not served, -32601 for a method unknown.
 *
 * Every server has one at its door already; it is for those who carry exchanges over something that is no channel.
 *
 * @param options - the revisions and methods that are known
 * @returns middleware; what it refuses fails with {@link RpcError} and never reaches what is behind it
 * @example
 * const guarded = gate({ revisions: ['2026-07-28'] })(weather);
 * guarded({ method: 'tools/list' }, {}).subscribe({ error: console.error }); // -32602: _meta is missing
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#_meta
 */
export const gate = ({ revisions = modernRevisions, table = methods }: GateOptions = {}): Middleware => {
  const rows = rowsAt(table, latestRevision, 'client');
  const check = ({ method, params }: Request): RpcError | undefined => {
    const missing = metaProblem(params, revisions);
    if (missing !== undefined) return missing;
    const { [metaKeys.protocolVersion]: version, [metaKeys.logLevel]: level } = metaOf(params);
    if (!isModern(version) || !revisions.includes(version)) return unserved(version, revisions);
    if (level !== undefined && !loggingLevels.some((known) => known === level))
      return invalidParams(`_meta["${metaKeys.logLevel}"] must be one of ${loggingLevels.join(', ')}`);
    const row = rows.get(method);
    if (row?.kind !== 'request') return methodNotFound(method);
    const problem = validator(row.params, latestRevision)(params);
    return problem === undefined ? undefined : invalidParams(`${method}: ${problem}`);
  };
  /** What lies behind may speak more, or other, revisions; this door speaks these. */
  const spoken = (emission: Emission): Emission =>
    isAnswer(emission) ? { result: { ...emission.result, supportedVersions: revisions } } : emission;
  return middleware((next) => (request, context) => {
    const refusal = check(request);
    if (refusal !== undefined) return throwError(() => guiding(request.method, refusal, revisions));
    const answer = next(request, context);
    return request.method === discoverMethod ? answer.pipe(map(spoken)) : answer;
  });
};
