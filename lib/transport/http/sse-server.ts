/**
 * The oldest HTTP transport, server's side: one stream of events goes out for as long as a session lasts, and what its
 * client says comes in by POST. For clients that speak nothing newer.
 *
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
import { asyncScheduler, type SchedulerLike, type Subscription } from 'rxjs';
import type { Channel } from '../../exchange/exchange.ts';
import { invalidRequest, RpcError } from '../../frame/errors.ts';
import { tell } from '../../frame/frame.ts';
import { parse } from '../../frame/json.ts';
import { Unreadable } from '../../frame/unreadable.ts';
import { hostAdmitted, originAdmitted, type AdmissionOptions } from '../admission.ts';
import type { Conflate } from '../outbox.ts';
import { refusal } from './answer.ts';
import { eventStreamHeaders } from './event-stream.ts';
import type { HttpHandling, HttpHeaders, HttpReply, HttpRequest, Refusal } from './message.ts';
import { SseSession } from './sse-session.ts';

/** Whom it lets in, and the bounds of each session. */
export interface SseServerOptions extends AdmissionOptions {
  /** Takes the channel of each session, and subscribes to it at once; `request` is what opened its stream. */
  readonly accept: (channel: Channel, request: HttpRequest) => void;
  /** The address or name that the server is bound to. */
  readonly bound: () => string;
  /** The longest message taken, in bytes. Default 4 MiB. */
  readonly maxBytes?: number | undefined;
  /** How much may queue for a peer that does not read, in bytes, before it is cut off. Default 64 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** More sessions than this at a time are refused. Default 1,000. */
  readonly maxSessions?: number | undefined;
  /** A stream that was silent for so long is kept alive by a comment, in ms; it may take twice that. Default 15,000. */
  readonly keepAliveMs?: number | undefined;
  /** Which queued frames a newer one replaces. Default: progress of one token, and identical change notices. */
  readonly conflate?: Conflate | undefined;
  /** What every answer to this request says besides, as for CORS. */
  readonly headers?: ((request: HttpRequest) => HttpHeaders) | undefined;
  /** For tests in virtual time. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** Its two endpoints (SSE-01). */
export interface SseServer {
  /**
   * Takes a request to the endpoint of streams: a GET opens a session, which lasts as long as its stream. Refused with 403
   * (`Host`, `Origin`), 405, and 503 beyond `maxSessions`.
   *
   * @param endpoint - where the client is to post to: a path, as `/message`
   * @returns what goes on; undefined where the answer is complete
   */
  stream(request: HttpRequest, endpoint: string, reply: HttpReply): HttpHandling | undefined;
  /**
   * Takes a request to the endpoint of messages. A POST is answered with 202, and what there is to say to it follows on
   * the stream. Refused with 403 (`Host`, `Origin`); 405; 404 where there is no such session, or it is another
   * principal's; 415 where it is not JSON, 413 where it is too long, and 400 where it cannot be read or is no message,
   * which the stream tells too.
   *
   * @param url - a path with its query, which names the session
   */
  message(request: HttpRequest, url: string, body: string, reply: HttpReply): void;
  /** Lets nobody in any more, and ends each session that is left; whoever is to have last words unsubscribes before. */
  close(): void;
}

/**
 * Serves the transport of 2024-11-05. Each session is a channel: it completes when its client hangs up, and fails with
 * `ConnectionClosed` where that leaves too much unread; unsubscribing ends the stream.
 *
 * @param options - whom to serve, and the bounds in bytes and milliseconds
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
export const sseServer = (options: SseServerOptions): SseServer => {
  const { maxBytes = 4 * 1024 * 1024, maxSessions = 1_000, keepAliveMs = 15_000, scheduler = asyncScheduler } = options;
  const sessions = new Map<string, SseSession>();
  let keepingAlive: Subscription | undefined;
  let closed = false;

  /** Who is not let in, whatever they ask for (SSE-05). */
  const stranger = ({ method, headers }: HttpRequest, served: string): Refusal | undefined => {
    const bound = options.bound();
    if (!hostAdmitted(headers['host'], bound, options)) return refusal(403, 'this server is not called that');
    if (!originAdmitted(headers['origin'], bound, options)) return refusal(403, 'this origin may not connect');
    if (method === served) return undefined;
    return refusal(405, `only ${served} is served here`, undefined, { allow: served });
  };
  const besides = (request: HttpRequest): HttpHeaders => options.headers?.(request) ?? {};
  const refuse = (request: HttpRequest, reply: HttpReply, { status, headers, body }: Refusal): undefined =>
    void reply.send(status, { ...headers, ...besides(request) }, body);

  const keepAlive = (): void => {
    for (const session of sessions.values()) session.keepAlive();
    keepingAlive = scheduler.schedule(keepAlive, keepAliveMs);
  };
  const forget = ({ id }: SseSession): void => {
    sessions.delete(id);
    if (sessions.size > 0) return;
    keepingAlive?.unsubscribe();
    keepingAlive = undefined;
  };

  return {
    stream: (request, endpoint, reply) => {
      const refused = stranger(request, 'GET');
      if (refused !== undefined) return refuse(request, reply, refused);
      if (closed || sessions.size >= maxSessions)
        return refuse(request, reply, refusal(503, 'no more sessions are served now'));
      const session = new SseSession(reply, {
        principal: request.principal,
        headers: { ...eventStreamHeaders, ...besides(request) },
        maxQueuedBytes: options.maxQueuedBytes,
        conflate: options.conflate,
        onOver: forget,
      });
      sessions.set(session.id, session);
      keepingAlive ??= scheduler.schedule(keepAlive, keepAliveMs);
      options.accept(session.channel(endpoint), request);
      if (session.claimed) return session;
      forget(session);
      return refuse(request, reply, refusal(503, 'nobody serves this session'));
    },
    message: (request, url, body, reply) => {
      const refused = stranger(request, 'POST');
      if (refused !== undefined) return refuse(request, reply, refused);
      const session = sessions.get(sessionIn(url));
      // That there is a session is nobody's business but its principal's.
      if (session === undefined || session.principal !== request.principal)
        return refuse(request, reply, refusal(404, 'there is no such session'));
      if (!isJson.test(request.headers['content-type'] ?? ''))
        return refuse(request, reply, refusal(415, 'a message is application/json'));
      if (Number(request.headers['content-length']) > maxBytes || body.length > maxBytes)
        return refuse(request, reply, refusal(413, `a message must not be longer than ${maxBytes} bytes`));
      const value = parse(body);
      const problem = problemOf(value);
      if (problem === undefined) reply.send(202, { 'content-type': 'text/plain', ...besides(request) }, 'Accepted');
      else refuse(request, reply, refusal(400, problem));
      session.receive(value);
    },
    close: () => {
      closed = true;
      for (const session of sessions.values()) session.close();
    },
  };
};

/** `application/jsonp` begins like it. */
const isJson = /^application\/json\s*(?:;|$)/i;

const sessionIn = (url: string): string => new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('sessionId') ?? '';

/** Why this is no message, if it is none. */
const problemOf = (value: unknown): RpcError | undefined => {
  if (value instanceof Unreadable) return new RpcError({ code: value.code, message: value.reason });
  const told = tell(value);
  return told.kind === 'malformed' ? invalidRequest(told.reason) : undefined;
};
