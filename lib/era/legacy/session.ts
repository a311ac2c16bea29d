/**
 * The door of the handshake revisions (2024-11-05 to 2025-11-25), server's side. All state that those revisions keep
 * between requests lives in one session: what `initialize` agreed, the log level, the subscriptions. Inside, every
 * request carries it as if it came from a 2026-07-28 peer.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle
 */
import { filter, map, of, tap, throwError, type Observable } from 'rxjs';
import {
  isAnswer,
  type Context,
  type Emission,
  type Exchange,
  type Notification,
  type Request,
} from '../../exchange/exchange.ts';
import { rounds } from '../../exchange/rounds.ts';
import { translate } from '../../exchange/translate.ts';
import { invalidParams, methodNotFound } from '../../frame/errors.ts';
import { isObject, type JsonObject } from '../../frame/frame.ts';
import { methods, type MethodTable } from '../../protocol/methods.ts';
import { ClientCapabilities } from '../../protocol/peer.ts';
import {
  isLegacy,
  latestLegacyRevision,
  legacyRevisions,
  metaKeys,
  type LegacyRevision,
} from '../../protocol/revisions.ts';
import { discoverMethod } from '../classify.ts';
import { asking, type Peer } from './asking.ts';
import { downError, downHandshake } from './down.ts';
import { lanes, lanesOffered, type Lane } from './lanes.ts';
import { pruned } from './pruned.ts';
import { subscriptions } from './subscriptions.ts';
import { foreignMeta } from './meta.ts';

export interface SessionOptions {
  /** The handshake revisions that are served, oldest first. Default: all four. */
  readonly revisions?: readonly LegacyRevision[];
  readonly table?: MethodTable;
  /** How many resources may be subscribed to at once. Default 1000. */
  readonly subscriptions?: number;
  /** Asks the peer. Default: nobody is there to answer. */
  readonly ask?: Exchange;
  /** The revision that is spoken without a handshake, where each request is by itself; the peer can do nothing then. */
  readonly assumed?: LegacyRevision;
  /** Whether list changes are listened for only once {@link Session.hear} is called. Default: as soon as the peer is ready. */
  readonly deaf?: boolean;
  /** Takes the notifications that belong to no request. */
  readonly unsolicited: (notification: Notification) => void;
}

export interface Session {
  /** What the handshake agreed; undefined before it. */
  readonly revision: LegacyRevision | undefined;
  /** Answers the requests of this session. */
  readonly exchange: Exchange;
  /** Takes the peer's notifications. */
  readonly notification: (notification: Notification) => void;
  /** From now on somebody is there to be told of list changes. */
  readonly hear: () => void;
  /** Ends the session's subscriptions. */
  readonly close: () => void;
}

/** The log level of a peer that has set none: these revisions leave it to the server (LOG-04). */
const defaultLevel = 'info';

/** What the handshake agreed. */
interface Agreed {
  readonly revision: LegacyRevision;
  readonly lanes: ReadonlyMap<string, Lane>;
  readonly capabilities: JsonObject;
  readonly peer: Peer;
  /** What every request of this session says of its peer; changes with the log level. */
  meta: JsonObject;
}

export const legacySession = (inside: Exchange, options: SessionOptions): Session => {
  const { revisions = legacyRevisions, table = methods, unsolicited, ask = unasked } = options;
  const opening = lanes(table, latestLegacyRevision).get('initialize');
  const watched = subscriptions(inside, unsolicited, options.subscriptions ?? 1000);
  let agreed: Agreed | undefined =
    options.assumed === undefined ? undefined : assumed(options.assumed, table, unsolicited);
  let ready = false;
  let deaf = options.deaf === true;

  const initialize = (request: Request, context: Context): Observable<Emission> => {
    const problem = opening?.problem(request.params);
    if (problem !== undefined) return refuse(invalidParams(`initialize: ${problem}`));
    const { protocolVersion, capabilities: declared, clientInfo } = request.params ?? {};
    // A version that is not served is answered with another one, not with an error (LIFE-06).
    const known = isLegacy(protocolVersion) && revisions.includes(protocolVersion);
    const revision = known ? protocolVersion : (revisions.at(-1) ?? latestLegacyRevision);
    // Of what its revision does not have, a client can do nothing, whatever it says.
    const capabilities = pruned(ClientCapabilities, revision)(objectOr(declared));
    const meta: JsonObject = {
      [metaKeys.protocolVersion]: revision,
      [metaKeys.clientCapabilities]: capabilities,
      [metaKeys.clientInfo]: clientInfo,
      [metaKeys.logLevel]: defaultLevel,
    };
    return inside({ method: discoverMethod, params: { _meta: meta } }, context).pipe(
      filter(isAnswer),
      map(({ result }) => {
        watched.close();
        ready = false;
        const offered = objectOr(result['capabilities']);
        agreed = {
          revision,
          lanes: lanesOffered(lanes(table, revision), offered),
          capabilities: offered,
          peer: { revision, capabilities, ask, tell: unsolicited },
          meta,
        };
        return { result: downHandshake(result, revision) };
      }),
    );
  };

  /** What a session answers out of its own state. */
  const own: Readonly<Record<string, (agreed: Agreed, request: Request, context: Context) => Observable<Emission>>> = {
    'resources/subscribe': ({ meta }, { params }, context) => watched.subscribe(String(params?.['uri']), meta, context),
    'resources/unsubscribe': (_, { params }) => {
      watched.unsubscribe(String(params?.['uri']));
      return of({ result: {} });
    },
    'logging/setLevel': (session, { params }) => {
      session.meta = { ...session.meta, [metaKeys.logLevel]: params?.['level'] };
      return of({ result: {} });
    },
  };

  const exchange: Exchange = (request, context) => {
    const { method } = request;
    if (method === 'ping') return of({ result: {} });
    if (method === 'initialize') return initialize(request, context);
    if (agreed === undefined)
      return refuse(
        invalidParams(
          `${method} needs a session: send initialize first, or put "${metaKeys.protocolVersion}" into every request's _meta`,
        ),
      );
    const lane = agreed.lanes.get(method);
    if (lane === undefined) return refuse(methodNotFound(method));
    const problem = lane.problem(request.params);
    if (problem !== undefined) return refuse(invalidParams(`${method}: ${problem}`));
    const mine = own[method];
    if (mine !== undefined) return mine(agreed, request, context);
    return translate(
      inside(up(request, agreed.meta), context),
      lane.down,
      (error) => downError(error, method),
      undefined,
      lane.asks ? asked(agreed, request, context) : undefined,
    );
  };

  /** What the request needs first is asked of the peer, and the request made again with it. */
  const asked =
    ({ meta, peer }: Agreed, request: Request, context: Context) =>
    (needed: JsonObject): Observable<Emission> => {
      const { answer, done } = asking(peer, context);
      const ask = (again: JsonObject): Observable<Emission> => inside(up(request, meta, again), context);
      // The peer is told before it gets the answer, as nobody listens for it afterwards.
      return rounds({ method: request.method, ask, answer }, needed).pipe(
        tap((emission) => isAnswer(emission) && emission.result['isError'] !== true && done()),
      );
    };

  const listen = (): void => {
    if (ready && !deaf && agreed !== undefined) watched.lists(agreed.capabilities, agreed.meta);
  };

  return {
    get revision() {
      return agreed?.revision;
    },
    exchange,
    notification: ({ method }) => {
      if (method !== 'notifications/initialized') return;
      ready = true;
      listen();
    },
    hear: () => {
      if (!deaf) return;
      deaf = false;
      listen();
    },
    close: () => watched.close(),
  };
};

/** What stands in for a handshake that never was. What the server does not have, it says itself. */
const assumed = (revision: LegacyRevision, table: MethodTable, tell: Peer['tell']): Agreed => ({
  revision,
  lanes: lanes(table, revision),
  capabilities: {},
  peer: { revision, capabilities: {}, ask: unasked, tell },
  meta: {
    [metaKeys.protocolVersion]: revision,
    [metaKeys.clientCapabilities]: {},
    [metaKeys.logLevel]: defaultLevel,
  },
});

const refuse = (error: unknown): Observable<never> => throwError(() => error);

const objectOr = (value: unknown): JsonObject => (isObject(value) ? value : {});

/** A request of the session as one of the dialect inside. What only a 2026-07-28 peer may say is left out (BR-37). */
const up = ({ method, params }: Request, session: JsonObject, again?: JsonObject): Request => {
  const inside: Record<string, unknown> = again === undefined ? { _meta: session } : { _meta: session, ...again };
  if (params === undefined) return { method, params: inside };
  for (const name of Object.keys(params)) if (!unheard.has(name)) inside[name] = params[name];
  const foreign = foreignMeta(params['_meta']);
  if (foreign !== undefined) inside['_meta'] = Object.assign(foreign, session);
  return { method, params: inside };
};

const unasked: Exchange = ({ method }) => refuse(methodNotFound(method));

const unheard: ReadonlySet<string> = new Set(['_meta', 'inputResponses', 'requestState', 'task']);
