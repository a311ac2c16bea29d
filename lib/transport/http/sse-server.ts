/**
 * The oldest HTTP transport, server's side: one stream of events goes out for as long as a session lasts, and what its
 * client says comes in by POST. For clients that speak nothing newer.
 *
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
import { asyncScheduler, defer, finalize, type Subscription } from 'rxjs';
import { serveChannel, type ServeOptions } from '../../era/serve.ts';
import { listenMethod } from '../../exchange/envelope.ts';
import type { Exchange, Served } from '../../exchange/exchange.ts';
import { codes, invalidRequest, RpcError } from '../../frame/errors.ts';
import { tell } from '../../frame/frame.ts';
import { parse } from '../../frame/json.ts';
import { Unreadable } from '../../frame/unreadable.ts';
import type { AdmissionOptions } from '../admission.ts';
import { tooLarge, visitors } from './admit.ts';
import { refusal } from './answer.ts';
import { isListed, readable, settled, withCors } from './cors.ts';
import type { Closing, HttpDesk } from './desk.ts';
import { defaultMaxBytes, type EndpointSetting } from './endpoint.ts';
import { eventStreamHeaders } from './event-stream.ts';
import { atLongest } from './longest.ts';
import type { HttpHandling, HttpReply, HttpRequest, Refusal } from './message.ts';
import { porter } from './porter.ts';
import { SseSession } from './sse-session.ts';

/** Whom it lets in, and the bounds of each session. */
export interface SseServerOptions extends AdmissionOptions {
  /** The longest message taken, in bytes. Default 4 MiB. */
  readonly maxBytes?: number | undefined;
  /** How much may queue for a client that does not read, in bytes; then it is cut off. Default 64 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** How many sessions there may be at a time; one more is refused. Default 1,000. */
  readonly maxSessions?: number | undefined;
  /** A stream that was silent for so long gets a sign of life, in milliseconds; it may take twice that. Default 15,000. */
  readonly keepAliveMs?: number | undefined;
}

/** Its two endpoints (SSE-01). Both refuse with 403 (`Host`, `Origin`) and 405. */
export interface SseServer extends Closing {
  /**
   * Where streams are: a GET opens a session, which lasts as long as its stream. Refused with 503 beyond `maxSessions`.
   *
   * @param endpoint - where the client is to post to: a path, as `/message`
   */
  stream(endpoint: string): HttpDesk;
  /**
   * Where messages are posted to: 202, and what there is to say to it follows on the stream. Refused with 415 where it is
   * not JSON, 413 where it is too long; 404 where there is no such session, or it is another principal's; and 400 where
   * it cannot be read or is no message, which the stream says as well.
   *
   * @param url - of this request, with its query, which names the session
   */
  message(url: string): HttpDesk;
}

/**
 * Serves an exchange by the transport of 2024-11-05. A client that hangs up has left its session, and what was under way
 * for it is torn down; one that leaves too much unread is cut off.
 *
 * @param exchange - what answers
 * @param options - whom to serve, and the bounds in bytes and milliseconds
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
export const sseServer = (
  exchange: Served,
  options: SseServerOptions & ServeOptions,
  setting: EndpointSetting,
): SseServer => {
  const { maxBytes = defaultMaxBytes, maxSessions = 1_000, keepAliveMs = 15_000, allowedOrigins } = options;
  const { bound = () => '127.0.0.1', tell: report, scheduler = asyncScheduler } = setting;
  const sessions = new Map<string, SseSession>();
  const serving = new Map<SseSession, Subscription>();
  let keepingAlive: Subscription | undefined;
  let closing = false;
  let busy = 0;

  const refusing: Pick<HttpDesk, 'readable' | 'unknown'> = {
    readable: (told, request) => readable(told, request, allowedOrigins),
    unknown: (error) => {
      report({ type: 'failure', method: 'principal', error });
      return unidentified;
    },
  };
  const door = exchange.guard === undefined ? undefined : porter(exchange.guard, refusing);

  const deniedIn = (told: ReturnType<typeof tell>, request: HttpRequest): Refusal | undefined => {
    if (told.kind === 'batch') return door?.judgeAll(told.items, request);
    return told.kind === 'request' ? door?.judge(told.frame, request) : undefined;
  };

  /** What is under way is counted. */
  const counted: Exchange = (request, context) => {
    const answers = exchange(request, context);
    if (request.method === listenMethod) return answers;
    return defer(() => {
      busy += 1;
      return answers;
    }).pipe(finalize(() => (busy -= 1)));
  };

  const keepAlive = (): void => {
    for (const session of sessions.values()) session.keepAlive();
    keepingAlive = scheduler.schedule(keepAlive, atLongest(keepAliveMs));
  };
  const over = (session: SseSession): void => {
    sessions.delete(session.id);
    serving.delete(session);
    if (sessions.size > 0) return;
    keepingAlive?.unsubscribe();
    keepingAlive = undefined;
  };

  const open = (endpoint: string, request: HttpRequest, reply: HttpReply): HttpHandling => {
    if (closing || sessions.size >= maxSessions) return refuse(reply, full());
    const { maxQueuedBytes } = options;
    const session = new SseSession(reply, {
      opening: request,
      headers: eventStreamHeaders,
      maxQueuedBytes,
      onOver: over,
    });
    sessions.set(session.id, session);
    keepingAlive ??= scheduler.schedule(keepAlive, atLongest(keepAliveMs));
    // Where the stream goes, so does whoever would read an answer.
    const serve = serveChannel(counted, { ...options, drainMs: 0 }, () => session.context);
    const running = serve(session.channel(endpoint)).subscribe({
      next: report,
      error: (error: unknown) => report({ type: 'disconnected', error }),
    });
    if (!running.closed) serving.set(session, running);
    return session;
  };

  const post = (url: string, body: string, request: HttpRequest, reply: HttpReply): HttpHandling => {
    const session = sessions.get(sessionIn(url));
    // That there is a session is nobody's business but its principal's.
    if (session === undefined || session.principal !== request.principal)
      return refuse(reply, refusal(404, 'there is no such session, or not any more'));
    const value = parse(body);
    const told = value instanceof Unreadable ? undefined : tell(value);
    const denied = told === undefined ? undefined : deniedIn(told, request);
    // What may not be asked is answered here, and never was said on the channel.
    if (denied !== undefined) return refuse(reply, denied);
    const problem = problemOf(value);
    if (problem === undefined) reply.send(202, {}, '');
    else refuse(reply, refusal(400, problem));
    session.proved(request);
    session.receive(value);
    return settled;
  };

  const desk = (
    served: 'GET' | 'POST',
    take: (request: HttpRequest, body: string, reply: HttpReply) => HttpHandling,
  ) => {
    const turnedAway = visitors({ ...options, bound, methods: [served] });
    /** Who is not let in, whatever they say (SSE-05), and what nobody reads. */
    const refused = (request: HttpRequest): Refusal | undefined => {
      const { headers } = request;
      const told = turnedAway(request);
      if (told !== undefined || served === 'GET') return told;
      if (!isJson.test(headers['content-type'] ?? '')) return refusal(415, 'Content-Type must be application/json');
      return Number(headers['content-length'] ?? 0) > maxBytes ? tooLarge(maxBytes) : undefined;
    };
    const result: HttpDesk = {
      ...refusing,
      maxBytes,
      admit: (request) => {
        const told = refused(request);
        return told === undefined ? undefined : refusing.readable(told, request);
      },
      identify: door?.identify,
      handle: (request, body, reply) => {
        const { origin } = request.headers;
        const listed = origin !== undefined && isListed(origin, allowedOrigins);
        return take(request, body, listed ? withCors(reply, origin) : reply);
      },
    };
    return result;
  };

  return {
    stream: (endpoint) => desk('GET', (request, _, reply) => open(endpoint, request, reply)),
    message: (url) => desk('POST', (request, body, reply) => post(url, body, request, reply)),
    get busy() {
      return busy;
    },
    conclude: () => (closing = true),
    close: () => {
      closing = true;
      for (const running of [...serving.values()]) running.unsubscribe();
    },
  };
};

const refuse = (reply: HttpReply, { status, headers, body }: Refusal): HttpHandling => {
  reply.send(status, headers, body);
  return settled;
};

const full = (): Refusal => refusal(503, 'no more sessions are opened now', undefined, { 'retry-after': '30' });
const unidentified = refusal(
  500,
  new RpcError({ code: codes.internalError, message: 'the sender could not be identified' }),
);

/** `application/jsonp` begins like it. */
const isJson = /^\s*application\/json\s*(?:;|$)/i;

const sessionIn = (url: string): string => new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('sessionId') ?? '';

/** Why this is no message, if it is none. */
const problemOf = (value: unknown): RpcError | undefined => {
  if (value instanceof Unreadable) return new RpcError({ code: value.code, message: value.reason });
  const told = tell(value);
  return told.kind === 'malformed' ? invalidRequest(told.reason) : undefined;
};
