/**
 * Serves HTTP in Node: clients of every revision at one path.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { defer, from, Observable, switchMap } from 'rxjs';
import type { Listener, ServeEvent, ServeOptions } from '../era/serve.ts';
import type { Served } from '../exchange/exchange.ts';
import { ConnectionClosed } from '../frame/errors.ts';
import type { Closing, HttpDesk } from '../transport/http/desk.ts';
import { documents } from '../transport/http/documents.ts';
import { httpEndpoint, type EndpointOptions, type EndpointSetting } from '../transport/http/endpoint.ts';
import { atLongest } from '../transport/http/longest.ts';
import { drained } from '../transport/http/mount.ts';
import { assertSole } from '../transport/http/porter.ts';
import { sseServer } from '../transport/http/sse-server.ts';
import { answersWith, pathOf, takeRequest, type NodeRequest } from './node-reply.ts';

/** Where to listen, whom to let in, and how much of everything there may be. */
export interface HttpOptions extends EndpointOptions {
  /** Default 0: one that the system chooses, and `onListening` tells. */
  readonly port?: number | undefined;
  /** Default 127.0.0.1: reachable from this machine only. */
  readonly host?: string | undefined;
  /** A server of your own, instead of `port` and `host`: for TLS, or beside other things. It is neither started nor closed. */
  readonly server?: HttpServer | HttpsServer | undefined;
  /** Where on it. Default `/mcp`. */
  readonly path?: string | undefined;
  /**
   * Where the oldest clients are served besides, by HTTP+SSE: true for `/sse` and `/message`. Default: nowhere. Their sessions
   * last as long as their streams, and are as many as `sessions.max` allows.
   */
  readonly sse?: boolean | SsePaths | undefined;
  /** Where to tell that the server is up: true for `/healthz`. Default: nowhere. */
  readonly health?: boolean | string | undefined;
  /** How long a request may take to arrive, in milliseconds. Default 30,000. */
  readonly requestMs?: number | undefined;
  /** How long its headers may take, in milliseconds. Default 10,000. */
  readonly headersMs?: number | undefined;
  /** How long a connection may lie idle between requests, in milliseconds. Default 30,000. */
  readonly idleMs?: number | undefined;
  /**
   * How long a client may read nothing of what there is for it, in milliseconds, before its connection is cut; up to two
   * `keepAliveMs` longer. Default 60,000.
   */
  readonly stallMs?: number | undefined;
  /** Connections at a time; more are refused. Default 10,000. */
  readonly maxConnections?: number | undefined;
  /** How long what has been answered may take to leave after the end, in milliseconds. Default 2,000. */
  readonly flushMs?: number | undefined;
  /**
   * When it emits, the server ends in good order: it accepts nothing more, ends subscriptions, gives what is under way
   * `drainMs`, answers the rest with an error, and closes; then `serve` completes. Default: only unsubscribing ends it.
   */
  readonly until?: Observable<unknown> | undefined;
  /** Who sent a request, as whatever stands before this has established. Default: nobody is asked to prove it. */
  readonly principal?: ((request: IncomingMessage) => string | undefined) | undefined;
  /** Told where the server listens, once it does: the way to learn a port that the system has chosen. */
  readonly onListening?: ((address: AddressInfo | string) => void) | undefined;
}

/** Where clients of 2024-11-05 find what they look for. */
export interface SsePaths {
  /** Of the stream that opens a session. */
  readonly stream: string;
  /** To post to. */
  readonly message: string;
}

/**
 * Serves HTTP while subscribed: Streamable HTTP in every revision at one path, to new clients each request by itself, to
 * older ones in sessions, both at once. Unsubscribing answers what is under way with an error and closes everything; to
 * end in good order, use `until`.
 *
 * Requests are refused with 403 where `Host` is neither what the server is bound to, nor loopback, nor in `allowedHosts`,
 * and where `Origin` is there, and neither in `allowedOrigins` nor, while bound to loopback, a page of this machine. Pages
 * of other origins may read answers only where theirs is in `allowedOrigins` (CORS). Whoever
 * passes is served, or, by what `authorize` protects, asked for a proof; its metadata are served besides.
 *
 * @param options - where, whom, and the bounds in bytes and milliseconds
 * @returns for `serve`, which fails with {@link ConnectionClosed} where it cannot listen, and with {@link Misconfigured}
 * where both `principal` and `authorize` say who asks
 * @example
 * serve(weather, http({ port: 4000 })).subscribe(({ type }) => console.log(type));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export const http = (options: HttpOptions = {}): Listener => ({
  listen: (exchange, serveOptions) =>
    defer(() => from(import('node:http'))).pipe(
      switchMap(({ createServer }) => serving(createServer, exchange, { ...serveOptions, ...options })),
    ),
});

const serving = (
  createServer: typeof import('node:http').createServer,
  exchange: Served,
  options: HttpOptions & ServeOptions,
): Observable<ServeEvent> =>
  new Observable((subscriber) => {
    assertSole(exchange.guard, options.principal);
    const { port = 0, host = '127.0.0.1', path = '/mcp', health = false, drainMs = 1000, flushMs = 2000 } = options;
    const healthPath = health === true ? '/healthz' : health;
    const own = options.server === undefined;
    const server: HttpServer | HttpsServer =
      options.server ??
      createServer({
        requestTimeout: options.requestMs ?? 30_000,
        headersTimeout: options.headersMs ?? 10_000,
        keepAliveTimeout: options.idleMs ?? 30_000,
        connectionsCheckingInterval: 5_000,
        noDelay: true,
      });
    if (own) {
      server.maxConnections = options.maxConnections ?? 10_000;
      // Whoever reads hears a sign of life at least that often, so that silence means that nothing gets through.
      server.setTimeout(atLongest((options.stallMs ?? 60_000) + 2 * (options.keepAliveMs ?? 15_000)));
    }
    const bound = (): string => {
      if (own) return host;
      const address = server.address();
      return typeof address === 'object' ? (address?.address ?? '') : '';
    };
    const setting: EndpointSetting = { bound, tell: (event) => subscriber.next(event) };
    const endpoint = httpEndpoint(exchange, options, setting);
    const readable = exchange.guard === undefined ? undefined : documents(exchange.guard, { ...options, bound });
    const oldest = oldestOf(exchange, options, setting);
    const all: readonly Closing[] = oldest === undefined ? [endpoint] : [endpoint, oldest.server];
    const desks = new Map<string, (url: string) => HttpDesk>([[path, () => endpoint], ...(oldest?.desks ?? [])]);

    const onRequest = (request: NodeRequest, response: ServerResponse): void => {
      const at = pathOf(request);
      const desk = desks.get(at);
      if (desk !== undefined) return takeRequest(desk(request.url ?? ''), request, response, options.principal);
      // Of several on one server each has metadata at the root: the first says where it is, and none cuts it off.
      if (readable !== undefined && !response.headersSent && answersWith(readable, request, response)) return;
      if (at === healthPath) return answer(response, 200, '{"status":"ok"}');
      // Somebody else on the same server may want it.
      if (own || server.listenerCount('request') === 1) answer(response, 404, '');
    };
    const onListening = (): void => {
      const address = server.address();
      if (address !== null) options.onListening?.(address);
    };
    const release = (): void => {
      server.off('request', onRequest).off('listening', onListening);
      for (const each of all) each.close();
      if (!own) return;
      server.close();
      const timer = setTimeout(() => server.closeAllConnections(), atLongest(flushMs));
      server.once('close', () => clearTimeout(timer));
      // What has been answered is on its way; a connection that has nothing more to say is closed at once.
      setImmediate(() => server.closeIdleConnections());
    };
    const conclude = (): void => {
      if (own) server.close();
      for (const each of all) each.conclude();
      const left = {
        get busy() {
          return all.reduce((sum, each) => sum + each.busy, 0);
        },
      };
      drained(left, drainMs).then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      );
    };

    server.on('request', onRequest);
    if (server.listening) onListening();
    else server.once('listening', onListening);
    if (own) {
      server.on('error', (cause) =>
        subscriber.error(new ConnectionClosed({ message: `cannot listen: ${cause.message}`, cause })),
      );
      server.listen(port, host);
    }
    subscriber.add(options.until?.subscribe({ next: conclude, error: (error: unknown) => subscriber.error(error) }));
    return release;
  });

/** The oldest transport, where it is wanted. */
const oldestOf = (exchange: Served, options: HttpOptions & ServeOptions, setting: EndpointSetting) => {
  const { sse = false, sessions } = options;
  if (sse === false) return undefined;
  const { stream, message } = sse === true ? { stream: '/sse', message: '/message' } : sse;
  const maxSessions = sessions === false ? undefined : sessions?.max;
  const server = sseServer(exchange, { ...options, maxSessions }, setting);
  const streams = server.stream(message);
  const desks: readonly (readonly [string, (url: string) => HttpDesk])[] = [
    [stream, () => streams],
    [message, (url) => server.message(url)],
  ];
  return { server, desks };
};

const answer = (response: ServerResponse, status: number, body: string): void => {
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body);
};
