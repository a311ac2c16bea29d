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
  Subscription,
  switchMap,
  tap,
  throwError,
  type Observable,
} from 'rxjs';
import type { Channel, Exchange, Notification } from '../exchange/exchange.ts';
import { openLink, opened, type Link } from '../exchange/link.ts';
import { stampToken, type Stamp } from '../exchange/multiplex.ts';
import { numbered } from '../exchange/numbered.ts';
import {
  ConnectionClosed,
  InvalidAnswer,
  methodNotFound,
  NoCommonRevision,
  RpcError,
  TimedOut,
} from '../frame/errors.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import { methods, rowsAt, type MethodTable } from '../protocol/methods.ts';
import {
  isLegacy,
  isModern,
  latestLegacyRevision,
  metaKeys,
  revisions as allRevisions,
  type LegacyRevision,
  type ModernRevision,
  type Revision,
} from '../protocol/revisions.ts';
import { hearing } from './hearing.ts';
import { legacyUpstream, upHandshake } from './legacy/upstream.ts';
import { answerOf, discover, noneInCommon, probe, supportedBy, type Choice } from './probe.ts';

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
  /** Whether somebody is being asked on account of the connection: neither of these clocks runs then. Default: no. */
  readonly held$?: Observable<boolean>;
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
  /** Resolves when nothing is left of what was closed, where it goes on for a while. */
  closed?(): Promise<void>;
  /** Whether somebody is being asked on account of it, for a password say: clocks stand still meanwhile. Emits at once. */
  readonly held$?: Observable<boolean>;
  /** The extensions of the protocol that are spoken because of it. */
  readonly extensions?: Readonly<Record<string, JsonObject>>;
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

/** A channel that predates modern requests: nobody asks for one over it (SSE-09). */
export type HandshakeChannel = Channel & { readonly handshakeOnly: true } & Pick<Endpoint, 'held$' | 'extensions'>;

/** The revisions that may be spoken, sorted by era. */
export const choiceOf = ({ revisions = allRevisions }: DialOptions): Choice => ({
  modern: revisions.filter(isModern),
  legacy: revisions.filter(isLegacy),
});

/** Remembers which era the server behind a channel speaks, so that a restart needs no second probe (VER-30). */
export const channelEndpoint = (channel: Channel | HandshakeChannel): Endpoint => {
  let known: Era | undefined;
  return {
    ...('handshakeOnly' in channel ? asksOf(channel) : undefined),
    dial: (options) => {
      const { modern, legacy } = choiceOf(options);
      const attempt = (era?: Era): Observable<Connection> => dialChannel(channel, options, { modern, legacy }, era);
      return defer(() => {
        if ('handshakeOnly' in channel) return legacy.length > 0 ? attempt('legacy') : throwError(() => tooOld(modern));
        if (modern.length === 0 || legacy.length === 0) return attempt(modern.length > 0 ? 'modern' : 'legacy');
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

/** What an endpoint says of itself besides how it is dialled. */
export const asksOf = ({
  held$,
  extensions,
}: Pick<Wired, 'held$' | 'extensions'>): Pick<Endpoint, 'held$' | 'extensions'> => ({
  ...(held$ === undefined ? undefined : { held$ }),
  ...(extensions === undefined ? undefined : { extensions }),
});

/** The same, where nothing may be said as well as nothing. */
interface Wired {
  readonly held$?: Observable<boolean> | undefined;
  readonly extensions?: Readonly<Record<string, JsonObject>> | undefined;
}

const tooOld = (offered: readonly string[]): NoCommonRevision =>
  new NoCommonRevision({
    supported: [],
    offered,
    message: `this transport is too old for ${offered.join(', ')}`,
  });

/** Whether the link broke under the probe. What never opened has not, and what answered is alive. */
const diedOfIt = (error: unknown): boolean => {
  if (error instanceof ConnectionClosed) return error.unopened !== true;
  return !answers.some((kind) => error instanceof kind);
};

const answers = [RpcError, InvalidAnswer, NoCommonRevision, TimedOut] as const;

/** How many questions of a legacy server are answered at a time (ELI-26). */
const mostQuestions = 32;

/**
 * Opens a conversation over a channel, once.
 *
 * @param era - the one to open in; without it, it is found out
 */
export const dialChannel = (
  channel: Channel,
  options: DialOptions,
  choice: Choice,
  era?: Era,
): Observable<Connection> =>
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
      request: (frame, { demultiplexer }, concerning) => {
        const context = concerning === undefined ? {} : { concerning };
        if (speaking !== 'modern') demultiplexer.request(frame, ponging(asked), context, { logs: true });
      },
      notification: (frame) => tell(opened(frame)),
      limit: mostQuestions,
      ...(options.onFailure === undefined ? undefined : { onFailure: options.onFailure }),
      answersMalformed: () => speaking !== 'modern',
    }).pipe(
      switchMap((link) => begin(link, options, choice, era).pipe(map(connected))),
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

const begin = (link: Link, options: DialOptions, choice: Choice, era?: Era): Observable<Begun> => {
  const { multiplexer } = link;
  const legacy = (): Observable<Begun> => initialize(link, options, choice.legacy);
  if (era === 'legacy') return legacy();
  const modern = (revision: ModernRevision): Observable<Begun> => {
    multiplexer.stamp = modernMeta(options, revision);
    return discover(multiplexer.exchange, options, revision).pipe(
      tap(({ revision: chosen }) => (multiplexer.stamp = modernMeta(options, chosen))),
      map((discovered) => ({ ...discovered, upstream: () => ({ exchange: multiplexer.exchange }) })),
    );
  };
  return probe(choice, { modern, legacy });
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
      answerOf('initialize', handshakeMs, options.held$),
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
            ask: numbered(multiplexer),
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

/** Whatever else may be asked of us, `ping` is answered. */
const ponging =
  (asked: Exchange): Exchange =>
  (request, context) =>
    request.method === 'ping' ? of({ result: {} }) : asked(request, context);

const mute: Exchange = ({ method }) => throwError(() => methodNotFound(method));
