/**
 * One endpoint for every revision: a request that carries its own version is an exchange of its own, a handshake opens a
 * session. Knows requests and replies as they are everywhere, and nothing of what carries them.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
import { asyncScheduler, type SchedulerLike, type Subscription } from 'rxjs';
import { batchRevision } from '../../era/legacy/batch.ts';
import { lanes } from '../../era/legacy/lanes.ts';
import { isModernRequest } from '../../era/classify.ts';
import { gate, guiding, metaProblem } from '../../era/modern/gate.ts';
import type { ServeEvent, ServeOptions } from '../../era/serve.ts';
import type { Context, Served } from '../../exchange/exchange.ts';
import { codes, invalidParams, invalidRequest, quoted, RpcError } from '../../frame/errors.ts';
import { tell, type NotificationFrame, type RequestFrame, type ResponseFrame } from '../../frame/frame.ts';
import { excerpt, parse } from '../../frame/json.ts';
import { Unreadable } from '../../frame/unreadable.ts';
import { methods, rowsAt } from '../../protocol/methods.ts';
import {
  isLegacy,
  isModern,
  latestLegacyRevision,
  latestRevision,
  revisions as allRevisions,
  type LegacyRevision,
} from '../../protocol/revisions.ts';
import type { AdmissionOptions } from '../admission.ts';
import { admission } from './admit.ts';
import { jsonHeaders, refusal } from './answer.ts';
import { isListed, readable, settled, withCors } from './cors.ts';
import { Crowd } from './crowd.ts';
import type { Closing, HttpDesk } from './desk.ts';
import { guarded, memoryEvents, type EventStore } from './event-store.ts';
import { eventStreamHeaders } from './event-stream.ts';
import { HttpSession, type SessionSetting } from './legacy-session.ts';
import { atLongest } from './longest.ts';
import type { HttpHandling, HttpReply, HttpRequest, Refusal } from './message.ts';
import { headerMismatch, missingHeader, noticeProblem } from './modern-headers.ts';
import { modernEvents, ModernPost, type Posts, type Underway } from './modern-post.ts';
import { porter } from './porter.ts';
import { Sessions, type SessionBounds } from './sessions.ts';
import { alone } from './stateless.ts';

/** Whom an HTTP endpoint lets in, what it remembers, and how much of everything there may be. */
export interface EndpointOptions extends AdmissionOptions {
  /** The longest body taken, in bytes. Default 4 MiB. */
  readonly maxBytes?: number | undefined;
  /** How much of an answer may queue for a client that does not read, in bytes; then it is cut off. Default 64 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** How long an answer may be silent before a sign of life goes out, in milliseconds. Default 15,000. */
  readonly keepAliveMs?: number | undefined;
  /** Requests under way at a time, subscriptions included; one more is refused with 503. Default 10,000. */
  readonly maxRequests?: number | undefined;
  /** How long sessions of older clients last, and how many there may be. False: there are none, each request is by itself. */
  readonly sessions?: SessionBounds | false | undefined;
  /** Where older clients' streams are kept so that they can be resumed. False: nowhere. Default: in memory, bounded. */
  readonly events?: EventStore | false | undefined;
}

/** What an adapter needs to know besides. */
export interface EndpointSetting {
  /** The address or name that the server is bound to. */
  readonly bound?: () => string;
  readonly tell: (event: ServeEvent) => void;
  readonly scheduler?: SchedulerLike;
}

export interface HttpEndpoint extends HttpDesk, Closing {}

export const defaultMaxBytes = 4 * 1024 * 1024;

/** The revision of a client that names none (SHTTP-55). */
const unnamed: LegacyRevision = '2025-03-26';

const ending = new RpcError({ code: codes.internalError, message: 'the server is ending' });
const late = (): Refusal => refusal(503, ending, undefined, { 'retry-after': '5' });

/** Gives a session its request; `over` is called when that has been answered. */
type Take = (session: HttpSession, over?: () => void) => HttpHandling;

/** Makes an endpoint of an exchange. */
export const httpEndpoint = (
  exchange: Served,
  options: EndpointOptions & ServeOptions,
  { bound, tell: report, scheduler = asyncScheduler }: EndpointSetting,
): HttpEndpoint => {
  const { revisions = allRevisions, table = methods, maxBytes = defaultMaxBytes, maxRequests = 10_000 } = options;
  const { keepAliveMs = 15_000, inflight, subscriptions, maxQueuedBytes } = options;
  const legacy = revisions.filter(isLegacy);
  const modern = revisions.filter(isModern);
  const rows = rowsAt(table, latestRevision, 'client');
  const handshake = lanes(table, latestLegacyRevision).get('initialize');
  const gated = gate({ revisions: modern, table })(exchange);
  const sessions = options.sessions === false ? undefined : new Sessions(options.sessions ?? {}, scheduler);
  const hasSessions = sessions !== undefined && legacy.length > 0;
  const admitted = admission({
    ...options,
    ...(bound === undefined ? undefined : { bound }),
    maxBytes,
    methods: hasSessions ? ['POST', 'GET', 'DELETE'] : ['POST'],
  });
  const onFailure = (error: unknown, method: string): void => report({ type: 'failure', method, error });
  const store =
    options.events === false || options.sessions === false
      ? undefined
      : guarded(options.events ?? memoryEvents(), (error) => onFailure(error, 'events'));
  const open = new Crowd<Underway>();
  /** Those that nobody can name: handshakes under way, and requests of older clients where there are no sessions. */
  const passing = new Set<HttpSession>();
  let legacyPosts = 0;
  const posts: Posts = { json: jsonHeaders, events: modernEvents(maxQueuedBytes), onFailure, open };
  let closing = false;
  let clock: Subscription | undefined;

  /** One clock for all that may have to give a sign of life; it stands still while there is nothing. */
  const wind = (): void => {
    clock ??= scheduler.schedule(() => {
      clock = undefined;
      for (const post of open.all()) post.tick();
      for (const session of sessions ?? []) session.keepAlive();
      for (const session of passing) session.keepAlive();
      if (open.size > 0 || passing.size > 0 || (sessions?.size ?? 0) > 0) wind();
    }, atLongest(keepAliveMs));
  };

  const refuse = (reply: HttpReply, { status, headers, body }: Refusal): HttpHandling => {
    reply.send(status, headers, body);
    return settled;
  };

  const malformed = (reason: string, body: string): void =>
    report({ type: 'malformed', reason, excerpt: excerpt(body) });

  /** More work than may be under way. */
  const busyRefusal = (id?: RequestFrame['id']): Refusal | undefined =>
    open.size + legacyPosts < maxRequests
      ? undefined
      : refusal(503, 'too many requests are under way', id, { 'retry-after': '5' });

  const modernPost = (frame: RequestFrame, request: HttpRequest, reply: HttpReply): HttpHandling => {
    const { headers } = request;
    const row = rows.get(frame.method);
    const wrong =
      missingHeader(headers, row) ?? metaProblem(frame.params, modern) ?? headerMismatch(headers, frame, row);
    if (wrong !== undefined) return refuse(reply, refusal(400, guiding(frame.method, wrong, modern), frame.id));
    const busy = busyRefusal(frame.id);
    if (busy !== undefined) return refuse(reply, busy);
    const post = new ModernPost(frame, reply, posts).start(gated, contextOf(frame, request));
    if (open.size > 0) wind();
    return post;
  };

  const setting: SessionSetting = {
    exchange,
    door: { revisions: legacy, table, deaf: true, ...(subscriptions === undefined ? undefined : { subscriptions }) },
    inflight,
    store,
    maxBytes: maxQueuedBytes,
    headers: { json: jsonHeaders, events: eventStreamHeaders },
    onFailure,
    count: (change) => (legacyPosts += change),
  };

  /** What is wrong with the version that a request of an older client names (SHTTP-56). */
  const versionProblem = ({ headers }: HttpRequest): RpcError | undefined => {
    const version = headers['mcp-protocol-version'];
    if (version === undefined || legacy.some((known) => known === version)) return undefined;
    return invalidRequest(
      `MCP-Protocol-Version ${quoted(version)} is not served here without _meta; served are ${legacy.join(', ')}`,
    );
  };

  /** The session of a request, or why it has none (SHTTP-48, SHTTP-49). */
  const sessionOf = (request: HttpRequest, id?: RequestFrame['id']): HttpSession | Refusal => {
    const named = request.headers['mcp-session-id'];
    if (named === undefined)
      return refusal(400, 'Mcp-Session-Id is missing: send initialize first, or a version in _meta', id);
    const session = sessions?.find(named, request);
    if (session === undefined) return refusal(404, 'there is no such session, or not any more: initialize again', id);
    const problem = versionProblem(request);
    if (problem !== undefined) return refusal(400, problem, id);
    session.proved(request);
    return session;
  };

  /** A handshake opens a session once it has succeeded. */
  const initialize = (frame: RequestFrame, request: HttpRequest, reply: HttpReply): HttpHandling => {
    const named = request.headers['mcp-session-id'];
    if (sessions === undefined || (named !== undefined && sessions.find(named, request) !== undefined)) {
      const problem = handshake?.problem(frame.params);
      const wrong = problem === undefined ? 'this session has been initialized already' : invalidParams(problem);
      return refuse(reply, refusal(400, wrong, frame.id));
    }
    if (!sessions.makeRoom(passing.size))
      return refuse(reply, refusal(503, 'there are too many sessions', frame.id, { 'retry-after': '30' }));
    const session = new HttpSession(crypto.randomUUID(), request.principal, setting);
    return pass(session, (over) =>
      session.request(frame, reply, request, () => {
        over();
        if (session.revision === undefined || closing) return session.close();
        sessions.add(session);
        wind();
      }),
    );
  };

  /** A session that nobody can name is for nobody once its client has gone. */
  const pass = (session: HttpSession, take: (over: () => void) => HttpHandling): HttpHandling => {
    passing.add(session);
    const handling = take(() => passing.delete(session));
    // What was refused never began.
    if (session.inflight === 0) passing.delete(session);
    if (passing.has(session)) wind();
    return {
      closed: () => {
        handling.closed();
        if (passing.delete(session)) session.close();
      },
      drained: () => handling.drained(),
    };
  };

  /** Without sessions, each request has one that goes with it. */
  const byItself = (request: HttpRequest, take: Take): HttpHandling => {
    const version = request.headers['mcp-protocol-version'];
    const assumed = isLegacy(version) ? version : unnamed;
    const session = new HttpSession('', request.principal, {
      ...setting,
      door: { ...setting.door, assumed },
      wrap: alone,
    });
    return pass(session, (over) => take(session, over));
  };

  const legacyPost = (frame: RequestFrame, request: HttpRequest, reply: HttpReply): HttpHandling => {
    const busy = busyRefusal(frame.id);
    if (busy !== undefined) return refuse(reply, busy);
    if (frame.method === 'initialize' && sessions !== undefined) return initialize(frame, request, reply);
    if (sessions === undefined) {
      const problem = frame.method === 'initialize' ? undefined : versionProblem(request);
      if (problem !== undefined) return refuse(reply, refusal(400, problem, frame.id));
      return byItself(request, (session, over) => session.request(frame, reply, request, over));
    }
    const session = sessionOf(request, frame.id);
    if (!(session instanceof HttpSession)) return refuse(reply, session);
    if (session.has(frame))
      // With the id, this error would answer the first request.
      return refuse(reply, refusal(400, `id ${quoted(frame.id)} is already in flight`));
    return session.request(frame, reply, request);
  };

  /** What asks for no answer: a notification, or an answer of the client's. */
  const accept = (frame: NotificationFrame | ResponseFrame, request: HttpRequest, reply: HttpReply): HttpHandling => {
    const isNotice = 'method' in frame;
    const isNewer = legacy.length === 0 || (modern.length > 0 && isModern(request.headers['mcp-protocol-version']));
    if (isNewer && !isNotice) return refuse(reply, refusal(400, 'a client of this revision sends no responses'));
    if (isNewer || sessions === undefined) {
      const problem = isNewer && isNotice ? noticeProblem(request.headers, frame, modern) : versionProblem(request);
      if (problem !== undefined) return refuse(reply, refusal(400, problem));
    } else {
      const session = sessionOf(request);
      if (!(session instanceof HttpSession)) return refuse(reply, session);
      if (isNotice) session.notification(frame);
      else session.response(frame);
    }
    reply.send(202, {}, '');
    return settled;
  };

  const batch = (items: readonly unknown[], request: HttpRequest, reply: HttpReply): HttpHandling => {
    if (legacy.length === 0) return refuse(reply, refusal(400, 'a body is one message; batches do not exist any more'));
    if (items.length === 0) return refuse(reply, refusal(400, 'a batch must not be empty'));
    if (items.length > batchLimit) return refuse(reply, refusal(400, `a batch has at most ${batchLimit} messages`));
    const refused = busyRefusal() ?? door?.judgeAll(items, request);
    if (refused !== undefined) return refuse(reply, refused);
    const take: Take = (session, over) =>
      session.revision === batchRevision
        ? session.batch(items, reply, request, over)
        : refuse(reply, refusal(400, `batches exist at revision ${batchRevision} only; send each message by itself`));
    if (sessions !== undefined) {
      const session = sessionOf(request);
      return session instanceof HttpSession ? take(session) : refuse(reply, session);
    }
    const problem = versionProblem(request);
    return problem === undefined ? byItself(request, take) : refuse(reply, refusal(400, problem));
  };

  const post = (request: HttpRequest, body: string, reply: HttpReply): HttpHandling => {
    const value = parse(body);
    if (value instanceof Unreadable) {
      malformed(value.reason, body);
      const error = new RpcError({ code: value.code, message: value.reason });
      return refuse(reply, refusal(400, error, value.id));
    }
    const told = tell(value);
    if (told.kind === 'request') {
      const { frame } = told;
      const denied = door?.judge(frame, request);
      if (denied !== undefined) return refuse(reply, denied);
      return isOfModernEra(frame, request) ? modernPost(frame, request, reply) : legacyPost(frame, request, reply);
    }
    if (told.kind === 'batch') return batch(told.items, request, reply);
    if (told.kind !== 'malformed') return accept(told.frame, request, reply);
    malformed(told.reason, body);
    // What was meant for an answer is not to be answered: with its id, this would be one.
    return refuse(reply, refusal(400, told.reason, told.answerable ? told.id : undefined));
  };

  /** A handshake is a handshake, whatever its headers say, unless it carries a version. */
  const isOfModernEra = (frame: RequestFrame, { headers }: HttpRequest): boolean => {
    if (legacy.length === 0) return true;
    if (modern.length === 0) return false;
    if (isModernRequest(frame)) return true;
    return isModern(headers['mcp-protocol-version']) && frame.method !== 'initialize';
  };

  const get = (request: HttpRequest, reply: HttpReply): HttpHandling => {
    const session = sessionOf(request);
    if (!(session instanceof HttpSession)) return refuse(reply, session);
    return session.listen(reply, request.headers['last-event-id'], (why) => refuse(reply, refusal(400, why)));
  };

  const remove = (request: HttpRequest, reply: HttpReply): HttpHandling => {
    const session = sessionOf(request);
    if (!(session instanceof HttpSession)) return refuse(reply, session);
    sessions?.end(session);
    reply.send(200, {}, '');
    return settled;
  };

  const { allowedOrigins } = options;
  const refusing: Pick<HttpDesk, 'readable' | 'unknown'> = {
    readable: (refusal, request) => readable(refusal, request, allowedOrigins),
    unknown: (error) => {
      onFailure(error, 'principal');
      return refusal(500, new RpcError({ code: codes.internalError, message: 'the sender could not be identified' }));
    },
  };
  const door = exchange.guard === undefined ? undefined : porter(exchange.guard, refusing);

  return {
    ...refusing,
    maxBytes,
    identify: door?.identify,
    admit: (request) => {
      const refused = admitted(request);
      return refused === undefined && closing ? readable(late(), request, allowedOrigins) : refused;
    },
    handle: (request, body, bare) => {
      const origin = request.headers['origin'];
      const listed = origin !== undefined && isListed(origin, allowedOrigins);
      const reply = listed ? withCors(bare, origin) : bare;
      // Its body may have come in slowly.
      if (closing) return refuse(reply, late());
      if (request.method === 'POST') return post(request, body, reply);
      return request.method === 'GET' ? get(request, reply) : remove(request, reply);
    },
    get busy() {
      let count = 0;
      for (const post of open.all()) if (!post.listens) count += 1;
      for (const session of sessions ?? []) count += session.inflight;
      for (const session of passing) count += session.inflight;
      return count;
    },
    conclude: () => {
      closing = true;
      for (const post of open.all()) post.conclude();
      for (const session of sessions?.all() ?? []) session.conclude();
    },
    close: () => {
      closing = true;
      for (const post of open.all()) post.conclude();
      for (const post of open.all()) post.abandon(ending);
      for (const session of sessions?.all() ?? []) sessions?.end(session);
      for (const session of [...passing]) session.close();
      clock?.unsubscribe();
    },
  };
};

/** What a request of the newest revision is asked with. Callers who prove nothing are all strangers to each other. */
const contextOf = (connection: RequestFrame, { principal, access, headers }: HttpRequest): Context => {
  if (access !== undefined) return { principal: access.principal, access, connection, headers };
  return principal === undefined ? { connection, headers } : { principal, connection, headers };
};

/** How many messages an array may hold. */
const batchLimit = 1000;
