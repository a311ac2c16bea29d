/**
 * Finds out which era a server speaks: the modern request comes first where both are possible, and how the server takes
 * it tells. Whether that goes over a channel or over HTTP is its caller's business.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning#protocol-version-negotiation
 */
import {
  catchError,
  filter,
  map,
  merge,
  of,
  pipe,
  take,
  throwError,
  type Observable,
  type OperatorFunction,
} from 'rxjs';
import { isAnswer, type Emission, type Exchange } from '../exchange/exchange.ts';
import { unheld } from '../exchange/patience.ts';
import { codes, ConnectionClosed, InvalidAnswer, NoCommonRevision, RpcError, TimedOut } from '../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import {
  isModern,
  latestRevision,
  revisions as allRevisions,
  type LegacyRevision,
  type ModernRevision,
} from '../protocol/revisions.ts';
import { discoverMethod } from './classify.ts';
import type { DialOptions } from './dial.ts';

/** The revisions that may be spoken, of each era. */
export interface Choice {
  readonly modern: readonly ModernRevision[];
  readonly legacy: readonly LegacyRevision[];
}

/** The ways in. */
export interface Doors<B> {
  /** Asks `server/discover` in this revision. */
  readonly modern: (revision: ModernRevision) => Observable<B>;
  readonly legacy: () => Observable<B>;
  /** Whether an error that says nothing by its code is one of the modern era all the same. Default: no. */
  readonly isModern?: (error: RpcError) => boolean;
  /** Whether a link that closed says only that what was asked for is not known there. Default: no. */
  readonly isRefusal?: (error: ConnectionClosed) => boolean;
}

/** Opens the modern door, and the legacy one where the server does not know the modern. */
export const probe = <B>({ modern, legacy }: Choice, doors: Doors<B>): Observable<B> => {
  const preferred = preferredOf(modern) ?? latestRevision;
  return doors.modern(preferred).pipe(
    catchError((error: unknown) => {
      const supported = supportedBy(error);
      const retry =
        supported === undefined ? undefined : preferredOf(modern.filter((revision) => supported.includes(revision)));
      if (retry !== undefined) return doors.modern(retry);
      const known = error instanceof RpcError && (isModernCode(error.code) || doors.isModern?.(error) === true);
      if (known && !legacy.some((revision) => supported?.includes(revision)))
        return throwError(() => (supported === undefined ? error : noneInCommon(supported, modern)));
      if (error instanceof ConnectionClosed && doors.isRefusal?.(error) !== true) return throwError(() => error);
      if (legacy.length === 0) return throwError(() => (error instanceof RpcError ? notModern(error, modern) : error));
      return doors.legacy();
    }),
  );
};

/** What a modern server says of itself, and the revision that is spoken with it. */
export interface Discovered {
  readonly revision: ModernRevision;
  readonly discovered: JsonObject;
}

/**
 * @param ask - asks in this revision
 */
export const discover = (ask: Exchange, options: DialOptions, revision: ModernRevision): Observable<Discovered> => {
  const { probeMs = 10_000, revisions = allRevisions, held$ } = options;
  return ask({ method: discoverMethod }, {}).pipe(
    answerOf(discoverMethod, probeMs, held$),
    map((discovered) => {
      // Some legacy servers answer anything with an empty result: only a discovery says that they are not (VER-24).
      if (!isArray(discovered['supportedVersions']) || !isObject(discovered['capabilities']))
        throw new InvalidAnswer({ method: discoverMethod, message: 'the answer to server/discover is no discovery' });
      const supported = discovered['supportedVersions'].map(String);
      const chosen = preferredOf(revisions.filter(isModern).filter((each) => supported.includes(each)));
      // Told apart from a wire error by nothing: a server that supports none of ours says it in its discovery.
      if (chosen === undefined) throw unsupported(revision, supported);
      return { revision: chosen, discovered };
    }),
  );
};

/** The one answer, or an error if it takes longer than `ms`, not counting the time in which somebody is being asked. */
export const answerOf = (
  method: string,
  ms: number,
  held$: Observable<boolean> = of(false),
): OperatorFunction<Emission, JsonObject> => {
  const late$ = unheld(ms, held$).pipe(
    map(() => {
      throw new TimedOut({ method, limit: 'total', ms, message: `no answer to ${method} within ${ms} ms` });
    }),
  );
  return pipe(
    filter(isAnswer),
    map(({ result }) => result),
    (answer$) => merge(answer$, late$),
    take(1),
  );
};

/** `draft` is spoken only where nothing dated is. */
const preferredOf = (modern: readonly ModernRevision[]): ModernRevision | undefined =>
  modern.includes(latestRevision) ? latestRevision : modern.at(-1);

/** -32601 and -32602 are no sign of the modern era: every server has them (AMB-04, ERR-12). */
export const isModernCode = (code: number): boolean =>
  code === codes.headerMismatch || code === codes.missingClientCapability || code === codes.unsupportedProtocolVersion;

/** The versions that an error names as supported, if it does. */
export const supportedBy = (error: unknown): readonly string[] | undefined => {
  const data = error instanceof RpcError && isObject(error.data) ? error.data['supported'] : undefined;
  return isArray(data) ? data.map(String) : undefined;
};

/** Whatever it said instead of a discovery: a server of these revisions would have answered it. */
const notModern = ({ message }: RpcError, offered: readonly string[]): NoCommonRevision =>
  new NoCommonRevision({
    supported: [],
    offered,
    message: `the server does not speak ${offered.join(', ')}: ${message}`,
  });

const unsupported = (requested: string, supported: readonly string[]): RpcError =>
  new RpcError({
    code: codes.unsupportedProtocolVersion,
    message: 'no revision in common',
    data: { requested, supported },
  });

export const noneInCommon = (supported: readonly string[], offered: readonly string[]): NoCommonRevision =>
  new NoCommonRevision({
    supported,
    offered,
    message: `the server speaks ${supported.join(', ')}; offered were ${offered.join(', ')}`,
  });
