/**
 * A lane is one method at one handshake revision: how its parameters are checked on the way in, and how what comes back
 * is said in the words of that revision. Derived from the method table, once for each revision.
 */
import { isAnswer, type Emission, type Notification } from '../../exchange/exchange.ts';
import { codes, quoted, RpcError } from '../../frame/errors.ts';
import type { JsonObject } from '../../frame/frame.ts';
import { offers } from '../../protocol/capability.ts';
import { validator } from '../../protocol/dated.ts';
import { rowsAt, type MethodTable, type Row } from '../../protocol/methods.ts';
import { within, type LegacyRevision } from '../../protocol/revisions.ts';
import { downResult } from './down.ts';
import { pruned } from './pruned.ts';

export interface Lane {
  /** What is wrong with these parameters; undefined where nothing is. */
  readonly problem: (params: unknown) => string | undefined;
  /** Whether a server that declared these capabilities has this method. */
  readonly offeredBy: (capabilities: JsonObject) => boolean;
  /** Whether it may ask for input first. */
  readonly asks: boolean;
  /** What comes back, as this revision says it. */
  readonly down: (emission: Emission) => Emission;
}

const known = new WeakMap<MethodTable, Map<LegacyRevision, ReadonlyMap<string, Lane>>>();

/** The methods that a client may call at this revision. */
export const lanes = (table: MethodTable, revision: LegacyRevision): ReadonlyMap<string, Lane> => {
  const byRevision = known.get(table) ?? new Map<LegacyRevision, ReadonlyMap<string, Lane>>();
  known.set(table, byRevision);
  let made = byRevision.get(revision);
  if (made === undefined) byRevision.set(revision, (made = makeLanes(table, revision)));
  return made;
};

const offered = new WeakMap<JsonObject, Map<ReadonlyMap<string, Lane>, ReadonlyMap<string, Lane>>>();

/** The methods that a server with these capabilities has; remembered, as most sessions of a server are offered the same. */
export const lanesOffered = (all: ReadonlyMap<string, Lane>, capabilities: JsonObject): ReadonlyMap<string, Lane> => {
  const byLanes = offered.get(capabilities) ?? new Map<ReadonlyMap<string, Lane>, ReadonlyMap<string, Lane>>();
  offered.set(capabilities, byLanes);
  let made = byLanes.get(all);
  if (made === undefined)
    byLanes.set(all, (made = new Map([...all].filter(([, lane]) => lane.offeredBy(capabilities)))));
  return made;
};

const makeLanes = (table: MethodTable, revision: LegacyRevision): ReadonlyMap<string, Lane> => {
  const notices = rowsAt(table, revision, 'server');
  const downNotice = (notice: Notification): Notification => {
    const row = notices.get(notice.method);
    if (row === undefined || notice.params === undefined) return notice;
    return { method: notice.method, params: pruned(row.params, revision)(notice.params) };
  };
  const downOf =
    (result: (result: JsonObject) => JsonObject) =>
    (emission: Emission): Emission =>
      isAnswer(emission) ? { result: result(complete(emission.result)) } : downNotice(emission);
  return new Map(
    [...rowsAt(table, revision, 'client')]
      .filter(([, row]) => row.kind === 'request')
      .map(([method, row]) => [
        method,
        {
          problem: problemOf(row, revision),
          offeredBy: (capabilities) => row.serverCapability === undefined || offers(capabilities, row.serverCapability),
          asks: row.asks === true,
          down: downOf(downResult(row, revision)),
        },
      ]),
  );
};

/** Older revisions know no other kind of result, and would take one for what it is not (BR-03). */
const complete = (result: JsonObject): JsonObject => {
  const { resultType } = result;
  if (resultType === undefined || resultType === 'complete') return result;
  throw new RpcError({
    code: codes.internalError,
    message: `this has a result of the type ${quoted(resultType)}, which this revision does not have`,
  });
};

/** Some methods may come without any parameters. */
const problemOf = (row: Row, revision: LegacyRevision): Lane['problem'] => {
  const check = validator(row.params, revision);
  const bare = row.bare !== undefined && within(revision, row.bare.since, row.bare.until);
  return (params) => (params === undefined && bare ? undefined : check(params ?? {}));
};
