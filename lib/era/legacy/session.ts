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
import type { Access } from '../../exchange/guard.ts';
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
import { subscriptions, type Subscriptions } from './subscriptions.ts';
import { foreignMeta } from './meta.ts';

/** What all sessions of a server have in common. */
export interface SessionOptions {
  /** The handshake revisions that are served, oldest first. Default: all four. */
  readonly revisions?: readonly LegacyRevision[];
  readonly table?: MethodTable;
  /** How many resources may be subscribed to at once. Default 1000. */
  readonly subscriptions?: number;
  /** The revision that is spoken without a handshake, where each request is by itself; the peer can do nothing then. */
  readonly assumed?: LegacyRevision;
  /** Whether list changes are listened for only once {@link Session.hear} is called. Default: as soon as the peer is ready. */
  readonly deaf?: boolean;
}

/** The way to the peer of a session. */
export interface Wayside {
  /** Asks the peer. Default: nobody is there to answer. */
  readonly ask?: Exchange;
  /** Takes the notifications that belong to no request. */
  readonly unsolicited: (notification: Notification) => void;
}

export interface Session {
  /** What the handshake agreed; undefined before it. */
  readonly revision: LegacyRevision | undefined;
  /** Answers the requests of this session. */
  readonly exchange: Exchange;
  /** Takes the peer's notifications. */
  notification(notification: Notification): void;
  /** The peer has proved itself again: what the session asks on its behalf goes by the newest proof. */
  proved(access: Access): void;
  /** From now on somebody is there to be told of list changes. */
  hear(): void;
  /** Ends the session's subscriptions. */
  close(): void;
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

/** Opens a session: nothing is agreed before the peer's handshake. */
export const legacySession = (inside: Exchange, way: Wayside, options: SessionOptions = {}): Session =>
  new LegacySession(inside, way, options);

/** A class, because there may be thousands that lie idle. */
class LegacySession implements Session {
  readonly exchange: Exchange = (request, context) => this.#answer(request, context);
  readonly #inside: Exchange;
  readonly #way: Wayside;
  readonly #options: SessionOptions;
  #watched: Subscriptions | undefined;
  #agreed: Agreed | undefined;
  /** Who opened it, as far as the edge knows. */
  #peer: Context = {};
  /** What they have proved last. */
  #access: Access | undefined;
  #ready = false;
  #deaf: boolean;

  constructor(inside: Exchange, way: Wayside, options: SessionOptions) {
    this.#inside = inside;
    this.#way = way;
    this.#options = options;
    this.#deaf = options.deaf === true;
    const { assumed: revision, table = methods } = options;
    if (revision !== undefined) this.#agreed = assumed(revision, table, way.unsolicited);
  }

  get revision(): LegacyRevision | undefined {
    return this.#agreed?.revision;
  }

  notification({ method }: Notification): void {
    if (method !== 'notifications/initialized') return;
    this.#ready = true;
    this.#listen();
  }

  proved(access: Access): void {
    this.#access = access;
  }

  hear(): void {
    if (!this.#deaf) return;
    this.#deaf = false;
    this.#listen();
  }

  close(): void {
    this.#watched?.close();
  }

  /** For what the session answers out of its own state. */
  get watched(): Subscriptions {
    const { subscriptions: limit = 1000 } = this.#options;
    return (this.#watched ??= subscriptions(this.#inside, (notice) => this.#way.unsolicited(notice), limit));
  }

  #listen(): void {
    if (!this.#ready || this.#deaf || this.#agreed === undefined) return;
    const { capabilities, meta } = this.#agreed;
    this.watched.lists(capabilities, meta, this.lasting(this.#peer));
  }

  /** The context of what outlasts the proof that it began with: whoever looks at it finds the newest one. */
  lasting(context: Context): Context {
    if (context.access === undefined) return context;
    const newest = (): Access | undefined => this.#access;
    return Object.defineProperty({ ...context }, 'access', { enumerable: true, get: newest });
  }

  #answer(request: Request, context: Context): Observable<Emission> {
    const { method } = request;
    if (context.access !== undefined) this.#access = context.access;
    if (method === 'ping') return of({ result: {} });
    if (method === 'initialize') return this.#initialize(request, context);
    const agreed = this.#agreed;
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
    const mine = own.get(method);
    if (mine !== undefined) return mine(this, agreed, request, context);
    return translate(
      this.#inside(up(request, agreed.meta), context),
      lane.down,
      (error) => downError(error, method),
      undefined,
      lane.asks ? this.#asked(agreed, request, context) : undefined,
    );
  }

  #initialize(request: Request, context: Context): Observable<Emission> {
    const { revisions = legacyRevisions, table = methods } = this.#options;
    const problem = lanes(table, latestLegacyRevision).get('initialize')?.problem(request.params);
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
    const { ask = unasked, unsolicited } = this.#way;
    return this.#inside({ method: discoverMethod, params: { _meta: meta } }, context).pipe(
      filter(isAnswer),
      map(({ result }) => {
        this.#watched?.close();
        this.#ready = false;
        this.#peer = callerIn(context);
        const offered = objectOr(result['capabilities']);
        this.#agreed = {
          revision,
          lanes: lanesOffered(lanes(table, revision), offered),
          capabilities: offered,
          peer: { revision, capabilities, ask, tell: unsolicited },
          meta,
        };
        return { result: downHandshake(result, revision) };
      }),
    );
  }

  /** What the request needs first is asked of the peer, and the request made again with it. */
  #asked({ meta, peer }: Agreed, request: Request, context: Context): (needed: JsonObject) => Observable<Emission> {
    return (needed) => {
      const { answer, done } = asking(peer, context);
      const ask = (again: JsonObject): Observable<Emission> => this.#inside(up(request, meta, again), context);
      // The peer is told before it gets the answer, as nobody listens for it afterwards.
      return rounds({ method: request.method, ask, answer }, needed).pipe(
        tap((emission) => isAnswer(emission) && emission.result['isError'] !== true && done()),
      );
    };
  }
}

type Own = (session: LegacySession, agreed: Agreed, request: Request, context: Context) => Observable<Emission>;

/** What a session answers out of its own state. */
const own: ReadonlyMap<string, Own> = new Map<string, Own>([
  [
    'resources/subscribe',
    (session, { meta }, { params }, context) =>
      session.watched.subscribe(String(params?.['uri']), meta, session.lasting(context)),
  ],
  [
    'resources/unsubscribe',
    ({ watched }, _, { params }) => {
      watched.unsubscribe(String(params?.['uri']));
      return of({ result: {} });
    },
  ],
  [
    'logging/setLevel',
    (_, agreed, { params }) => {
      agreed.meta = { ...agreed.meta, [metaKeys.logLevel]: params?.['level'] };
      return of({ result: {} });
    },
  ],
]);

/** Who asks, without what is of this one request. */
const callerIn = ({ principal, access, connection }: Context): Context => ({
  ...(principal === undefined ? undefined : { principal }),
  ...(access === undefined ? undefined : { access }),
  ...(connection === undefined ? undefined : { connection }),
});

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
