/**
 * Opens a conversation with a server of any revision. The modern request comes first where both eras are possible; how
 * the server takes it tells which one it speaks.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio#backward-compatibility
 */
import {
  catchError,
  defer,
  filter,
  finalize,
  ignoreElements,
  map,
  NEVER,
  of,
  pipe,
  Subscription,
  switchMap,
  take,
  tap,
  throwError,
  timeout,
  type Observable,
  type OperatorFunction,
} from 'rxjs';
import { isAnswer, type Channel, type Emission, type Exchange, type Notification } from '../exchange/exchange.ts';
import { openLink, opened, type Link } from '../exchange/link.ts';
import { stampToken, type Stamp } from '../exchange/multiplex.ts';
import {
  codes,
  ConnectionClosed,
  InvalidAnswer,
  methodNotFound,
  NoCommonRevision,
  RpcError,
  TimedOut,
} from '../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import { methods, rowsAt, type MethodTable } from '../protocol/methods.ts';
import {
  isLegacy,
  isModern,
  latestLegacyRevision,
  latestRevision,
  metaKeys,
  revisions as allRevisions,
  type LegacyRevision,
  type ModernRevision,
  type Revision,
} from '../protocol/revisions.ts';
import { discoverMethod } from './classify.ts';
import { hearing } from './hearing.ts';
import { legacyUpstream, upHandshake } from './legacy/upstream.ts';

/** A conversation that has begun. */
export interface Connection {
  readonly revision: Revision;
  /** What the server says of itself: a `DiscoverResult`, whatever its revision. */
  readonly discovered: JsonObject;
  /** Asks the server, in the dialect of 2026-07-28. */
  readonly exchange: Exchange;
  /** What the server says that belongs to no request: over a shared channel a log line names none. */
  readonly stray: Observable<Notification>;
}

/** Who opens a conversation, what it may speak, and how long it waits for an answer. */
export interface DialOptions {
  /** Who we are. */
  readonly info: JsonObject;
  /** What we can do for the server. Default: nothing. */
  readonly capabilities?: JsonObject;
  /** The revisions that we may speak. Default: all. Name one era's only, and no other is tried. */
  readonly revisions?: readonly Revision[];
  /** How long, in milliseconds, a server may take to answer the modern request before it is taken for legacy. Default 10000. */
  readonly probeMs?: number;
  /** How long, in milliseconds, it may take to answer `initialize`. Default 60000. */
  readonly handshakeMs?: number;
  /** What a handshake declares instead, where that is more. Default: the same. */
  readonly handshake?: JsonObject;
  /** Answers what a legacy server asks of us, `ping` aside. Default: nothing. */
  readonly local?: Exchange;
  /** What we tell of our own accord, where the revision has it. Default: nothing. */
  readonly notices$?: Observable<Notification>;
  /** Hears of failures of ours while we answered a legacy server, which is told only that there was one. */
  readonly onFailure?: (error: unknown, method: string) => void;
  readonly table?: MethodTable;
}

/** Anything that a client can connect to. */
export interface Endpoint {
  /** Emits the connection and stays; completes when the server closed it. Unsubscribing closes it. */
  dial(options: DialOptions): Observable<Connection>;
}

type Era = 'modern' | 'legacy';

/** What a modern connection puts on every request; what a proxied request says of its own caller stays. */
export const modernMeta = ({ info, capabilities = {} }: DialOptions, revision: ModernRevision): Stamp => {
  const version = { [metaKeys.protocolVersion]: revision };
  const own: JsonObject = { ...version, [metaKeys.clientCapabilities]: capabilities, [metaKeys.clientInfo]: info };
  return (meta, id) => {
    if (meta === undefined) return own;
    const stamped: Record<string, unknown> = Object.assign({}, own, meta, version);
    if (meta['progressToken'] !== undefined) stamped['progressToken'] = id;
    return stamped;
  };
};

/** Remembers which era the server behind a channel speaks, so that a restart needs no second probe (VER-30). */
export const channelEndpoint = (channel: Channel): Endpoint => {
  let known: Era | undefined;
  return {
    dial: (options) => {
      const { revisions = allRevisions } = options;
      const modern = revisions.filter(isModern);
      const legacy = revisions.filter(isLegacy);
      const probing = modern.length > 0 && legacy.length > 0;
      const attempt = (era?: Era): Observable<Connection> =>
        dialOnce(channel, options, { modern, legacy, ...(era === undefined ? undefined : { era }) });
      return defer(() => {
        if (!probing) return attempt(modern.length > 0 ? 'modern' : 'legacy');
        let begun = false;
        return attempt(known).pipe(
          tap(({ revision }) => {
            begun = true;
            known = isModern(revision) ? 'modern' : 'legacy';
          }),
          catchError((error: unknown) => {
            // Some servers die of the probe, and an assumption may have gone stale: ask once more the other way.
            const assumed = known;
            if (!begun) known = undefined;
            if (begun || assumed === 'legacy' || !(assumed === 'modern' || diedOfIt(error)))
              return throwError(() => error);
            return attempt('legacy').pipe(tap(() => (known = 'legacy')));
          }),
        );
      });
    },
  };
};

/** Whether the link broke under the probe. What never opened has not, and what answered is alive. */
const diedOfIt = (error: unknown): boolean => {
  if (error instanceof ConnectionClosed) return error.unopened !== true;
  return !answers.some((kind) => error instanceof kind);
};

const answers = [RpcError, InvalidAnswer, NoCommonRevision, TimedOut] as const;

interface Choice {
  readonly modern: readonly ModernRevision[];
  readonly legacy: readonly LegacyRevision[];
  /** The era to open in; undefined finds out. */
  readonly era?: Era;
}

/** How many questions of a legacy server are answered at a time (ELI-26). */
const mostQuestions = 32;

const dialOnce = (channel: Channel, options: DialOptions, choice: Choice): Observable<Connection> =>
  defer(() => {
    const { stray, tell, wrap } = hearing();
    let speaking: Era | undefined;
    let asked = mute;
    const telling = new Subscription();
    const connected = ({ revision, discovered, upstream }: Begun): Connection => {
      speaking = isModern(revision) ? 'modern' : 'legacy';
      const server = upstream(stray);
      asked = server.asked ?? asked;
      // Roots that fail are no reason to end the conversation: whoever asks for them is told.
      telling.add(server.told?.subscribe({ error: () => undefined }));
      return { revision, discovered, stray, exchange: wrap(server.exchange) };
    };
    return openLink(channel, {
      // A modern server asks nothing by itself (RPC-24), and gets no answer if it does (RPC-25).
      request: (frame, { demultiplexer }) => {
        if (speaking !== 'modern') demultiplexer.request(frame, ponging(asked), {}, { logs: true });
      },
      notification: (frame) => tell(opened(frame)),
      limit: mostQuestions,
      ...(options.onFailure === undefined ? undefined : { onFailure: options.onFailure }),
      answersMalformed: () => speaking !== 'modern',
    }).pipe(
      switchMap((link) => begin(link, options, choice).pipe(map(connected))),
      finalize(() => {
        telling.unsubscribe();
        stray.complete();
      }),
    );
  });

/** A conversation before its strays are known: the exchange of a legacy server is made of them too. */
interface Begun extends Pick<Connection, 'revision' | 'discovered'> {
  readonly upstream: (stray: Observable<Notification>) => {
    readonly exchange: Exchange;
    /** Answers what the server asks of us. */
    readonly asked?: Exchange;
    /** Never emits; tells the server what we have to tell while it is subscribed. */
    readonly told?: Observable<never>;
  };
}

const begin = (link: Link, options: DialOptions, { modern, legacy, era }: Choice): Observable<Begun> => {
  if (era === 'legacy') return initialize(link, options, legacy);
  const preferred = preferredOf(modern) ?? latestRevision;
  return discover(link, options, preferred).pipe(
    catchError((error: unknown) => {
      const supported = supportedBy(error);
      const retry =
        supported === undefined ? undefined : preferredOf(modern.filter((revision) => supported.includes(revision)));
      if (retry !== undefined && retry !== preferred) return discover(link, options, retry);
      if (isModernError(error) && !legacy.some((revision) => supported?.includes(revision)))
        return throwError(() => (supported === undefined ? error : noneInCommon(supported, modern)));
      if (error instanceof ConnectionClosed) return throwError(() => error);
      if (legacy.length === 0) return throwError(() => (error instanceof RpcError ? notModern(error, modern) : error));
      return initialize(link, options, legacy);
    }),
  );
};

const discover = (link: Link, options: DialOptions, revision: ModernRevision): Observable<Begun> => {
  const { multiplexer } = link;
  const { probeMs = 10_000, revisions = allRevisions } = options;
  multiplexer.stamp = modernMeta(options, revision);
  return multiplexer.exchange({ method: discoverMethod }, {}).pipe(
    answerOf(discoverMethod, probeMs),
    map((discovered) => {
      // Some legacy servers answer anything with an empty result: only a discovery says that they are not (VER-24).
      if (!isArray(discovered['supportedVersions']) || !isObject(discovered['capabilities']))
        throw new InvalidAnswer({ method: discoverMethod, message: 'the answer to server/discover is no discovery' });
      const supported = discovered['supportedVersions'].map(String);
      const chosen = preferredOf(revisions.filter(isModern).filter((each) => supported.includes(each)));
      // Told apart from a wire error by nothing: a server that supports none of ours says it in its discovery.
      if (chosen === undefined) throw unsupported(revision, supported);
      multiplexer.stamp = modernMeta(options, chosen);
      return { revision: chosen, discovered, upstream: () => ({ exchange: multiplexer.exchange }) };
    }),
  );
};

const initialize = (link: Link, options: DialOptions, legacy: readonly LegacyRevision[]): Observable<Begun> => {
  const { multiplexer } = link;
  const { info, capabilities = {}, handshake: declared = capabilities, local = mute, notices$ = NEVER } = options;
  const { handshakeMs = 60_000, table = methods } = options;
  const wanted = legacy.at(-1) ?? latestLegacyRevision;
  multiplexer.stamp = stampToken;
  return multiplexer
    .exchange(
      { method: 'initialize', params: { protocolVersion: wanted, capabilities: declared, clientInfo: info } },
      {},
    )
    .pipe(
      answerOf('initialize', handshakeMs),
      catchError((error: unknown) => {
        const supported = supportedBy(error);
        return throwError(() => (supported === undefined ? error : noneInCommon(supported, legacy)));
      }),
      map((handshake) => {
        const revision = handshake['protocolVersion'];
        if (!isLegacy(revision) || !legacy.includes(revision)) throw noneInCommon([String(revision)], legacy);
        if (!isObject(handshake['capabilities']) || !isObject(handshake['serverInfo']))
          throw new InvalidAnswer({
            method: 'initialize',
            message: 'the answer to initialize lacks capabilities or serverInfo',
          });
        link.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
        const rows = rowsAt(table, revision, 'client');
        const told = notices$.pipe(
          filter(({ method }) => rows.has(method)),
          tap((notice) => link.send({ jsonrpc: '2.0', ...notice })),
          ignoreElements(),
        );
        const upstream: Begun['upstream'] = (unsolicited) => ({
          ...legacyUpstream({
            revision,
            handshake,
            ask: multiplexer.exchange,
            underway: (asking) => multiplexer.count(asking),
            unsolicited,
            table,
            declared,
            local,
          }),
          told,
        });
        return { revision, discovered: upHandshake({ revision, handshake }), upstream };
      }),
    );
};

/** The one answer, or an error if it takes longer than `ms`. */
const answerOf = (method: string, ms: number): OperatorFunction<Emission, JsonObject> =>
  pipe(
    filter(isAnswer),
    map(({ result }) => result),
    timeout({
      first: ms,
      with: () =>
        throwError(
          () => new TimedOut({ method, limit: 'total', ms, message: `no answer to ${method} within ${ms} ms` }),
        ),
    }),
    take(1),
  );

/** `draft` is spoken only where nothing dated is. */
const preferredOf = (modern: readonly ModernRevision[]): ModernRevision | undefined =>
  modern.includes(latestRevision) ? latestRevision : modern.at(-1);

/** -32601 and -32602 are no sign of the modern era: every server has them (AMB-04, ERR-12). */
const modernCodes: readonly number[] = [
  codes.headerMismatch,
  codes.missingClientCapability,
  codes.unsupportedProtocolVersion,
];

const isModernError = (error: unknown): error is RpcError =>
  error instanceof RpcError && modernCodes.includes(error.code);

/** The versions that an error names as supported, if it does. */
const supportedBy = (error: unknown): readonly string[] | undefined => {
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

const noneInCommon = (supported: readonly string[], offered: readonly string[]): NoCommonRevision =>
  new NoCommonRevision({
    supported,
    offered,
    message: `the server speaks ${supported.join(', ')}; offered were ${offered.join(', ')}`,
  });

/** Whatever else may be asked of us, `ping` is answered. */
const ponging =
  (asked: Exchange): Exchange =>
  (request, context) =>
    request.method === 'ping' ? of({ result: {} }) : asked(request, context);

const mute: Exchange = ({ method }) => throwError(() => methodNotFound(method));
