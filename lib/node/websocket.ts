/**
 * WebSockets in Node, both sides, on the `ws` package; which is loaded when it is first needed.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
import type { Agent, IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { defer, map, mergeMap, Observable, switchMap } from 'rxjs';
import type { WebSocket } from 'ws';
import { serveChannel, type Listener, type ServeOptions } from '../era/serve.ts';
import type { Channel, Context, Served } from '../exchange/exchange.ts';
import { isDenied, type Access, type Denial, type Guard } from '../exchange/guard.ts';
import { ConnectionClosed } from '../frame/errors.ts';
import { hostAdmitted, originAdmitted, type AdmissionOptions } from '../transport/admission.ts';
import { atLongest } from '../transport/http/longest.ts';
import { headersOf, isLater } from '../transport/http/porter.ts';
import {
  channelOverWebSocket,
  clientMaxBytes,
  closing,
  defaultFlushMs,
  defaultOpenMs,
  subprotocol,
  type SocketEnd,
  type WebSocketBounds,
} from '../transport/websocket-channel.ts';
import { knockOf } from './node-reply.ts';
import { abandon, dismiss, endOf, hushed } from './websocket-end.ts';

/** How a client connects, and the bounds of its connection. */
export interface NodeWebSocketOptions extends WebSocketBounds {
  /** How long what is queued, and the closing handshake, may take after the channel's end, in ms. Default 2,000. */
  readonly flushMs?: number | undefined;
  /** The longest message taken, in bytes; a longer one ends the connection with 1009. Default 16 MiB. */
  readonly maxBytes?: number | undefined;
  /** How long the handshake may take, in ms. Default 10,000. */
  readonly openMs?: number | undefined;
  /** How often a silent server is asked for a sign of life, in ms; one that gives none until the next is given up. Default 30,000. */
  readonly pingMs?: number | undefined;
  /** Headers of the handshake, as `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What makes the connection: a proxy's agent. Default: a connection of its own. */
  readonly agent?: Agent | undefined;
  /** For `wss:`, as for `tls.connect`. */
  readonly tls?: ConnectionOptions | undefined;
}

/**
 * Connects to a server over a WebSocket, at each subscription anew.
 *
 * Emits parsed messages and {@link Unreadable}s. Completes when the server closes in good order: 1000, 1001 (it goes
 * away) or no code. Fails with {@link ConnectionClosed} at any other code, which its message and `cause` tell: 1003 what
 * was sent is not text, 1006 the link broke, 1009 a message was too long, 1011 the server failed; where the server gives
 * no sign of life; and with `unopened` where there was no connection: nobody is there, the server speaks no WebSocket,
 * not `mcp`, or would not have us. Unsubscribing sends what is queued and closes with 1000.
 *
 * @param url - `ws:` or `wss:`
 * @param options - the bounds, in bytes and milliseconds
 * @example
 * connect(webSocket('ws://127.0.0.1:4000/mcp')).subscribe(({ revision }) => console.log(revision));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
export const webSocket = (url: string | URL, options: NodeWebSocketOptions = {}): Channel => {
  const { openMs = defaultOpenMs, maxBytes = clientMaxBytes, headers, agent, tls } = options;
  return channelOverWebSocket(
    (events) => {
      let end: SocketEnd | undefined;
      let left = false;
      const dial = ({ WebSocket }: typeof import('ws')): void => {
        if (left) return;
        const socket = new WebSocket(url, subprotocol, {
          ...tls,
          maxPayload: maxBytes,
          perMessageDeflate: false,
          ...(headers === undefined ? {} : { headers: { ...headers } }),
          ...(agent === undefined ? {} : { agent }),
        });
        let stream: Socket | undefined;
        socket.once('upgrade', (response) => (stream = response.socket));
        socket.once('open', events.opened);
        end = endOf(socket, () => stream, events, options);
      };
      import('ws')
        .then(dial)
        .catch((cause: unknown) => events.failed(`the connection could not be opened: ${String(cause)}`, cause));
      return {
        send: (texts) => end?.send(texts) === true,
        release: (how) => {
          left = true;
          end?.release(how);
        },
      };
    },
    { ...options, openMs, pauseReader: false },
  );
};

/** Where to listen, whom to let in, and the bounds of each connection. */
export interface WebSocketsOptions extends WebSocketBounds, AdmissionOptions {
  /** How long what is queued, and the closing handshake, may take after the channel's end, in ms. Default 2,000. */
  readonly flushMs?: number | undefined;
  /** Default 0: one that the system chooses, and `onListening` tells. */
  readonly port?: number | undefined;
  /** Default 127.0.0.1: reachable from this machine only. */
  readonly host?: string | undefined;
  /** A server of your own, instead of `port` and `host`: for TLS, or beside other things. It is neither started nor closed. */
  readonly server?: HttpServer | HttpsServer | undefined;
  /** Where on it. Default `/mcp`. */
  readonly path?: string | undefined;
  /** The longest message taken, in bytes; a longer one ends the connection with 1009. Default 4 MiB. */
  readonly maxBytes?: number | undefined;
  /** More connections than this at a time are refused. Default 1,000. */
  readonly maxConnections?: number | undefined;
  /** How often a silent peer is asked for a sign of life, in ms; one that gives none until the next is given up. Default 30,000. */
  readonly pingMs?: number | undefined;
  /** How long a connection may wait for somebody to subscribe to it, in ms; then it is closed. Default 10,000. */
  readonly claimMs?: number | undefined;
  /** Whether nothing is read from a peer that takes nothing. Default true. */
  readonly pauseReader?: boolean | undefined;
  /** Told where the server listens, once it does: the way to learn a port that the system has chosen. */
  readonly onListening?: ((address: AddressInfo | string) => void) | undefined;
}

/**
 * Serves WebSockets while subscribed. Unsubscribing stops to accept and closes every connection.
 *
 * A handshake is refused with 404 at another path; 403 where `Host` is neither what the server is bound to, nor loopback,
 * nor in `allowedHosts`, and where `Origin` is there, and neither in `allowedOrigins` nor, while bound to loopback, a page
 * of this machine; 400 where the subprotocol `mcp` is not offered; 503 beyond `maxConnections`. Whoever passes is
 * served, or, by what `authorize` protects, asked for a proof in the handshake: 401 and 403 where that does not do. Only
 * `serve` asks, and of what is given to it as it is: behind `pipe` nobody is asked, so that nobody is let in.
 *
 * Closes with 1000 when it is done, 1001 when the server ends, 1008 when what was proved in the handshake has expired, 1003 at a binary message, 1007 at text that is no UTF-8,
 * 1009 at a message longer than `maxBytes`, 1011 when it failed; without a code a peer that gives no sign of life or
 * leaves too much unread. A channel completes when its peer closes with 1000, 1001 or no code, and fails with {@link
 * ConnectionClosed} at any other.
 *
 * @param options - where, whom, and the bounds in bytes and milliseconds
 * @returns emits a channel per connection, to be subscribed once; never completes; fails with {@link ConnectionClosed}
 * where it cannot listen
 * @example
 * serve(weather, webSockets({ port: 4000 })).subscribe(({ type }) => console.log(type));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
export const webSockets = (options: WebSocketsOptions = {}): Observable<Channel> & Listener => {
  const accepted = (guard?: Guard): Observable<Accepted> =>
    defer(() => Promise.all([import('ws'), import('node:http')])).pipe(
      switchMap(([ws, http]) => accepting(ws, http, options, guard)),
    );
  return Object.assign(accepted().pipe(map(({ channel }) => channel)), {
    listen: (exchange: Served, serving: ServeOptions) =>
      accepted(exchange.guard).pipe(
        mergeMap(({ channel, context }) => serveChannel(exchange, serving, () => context)(channel)),
      ),
  });
};

/** A connection, and what is known of whoever has made it. */
interface Accepted {
  readonly channel: Channel;
  readonly context: Context;
}

const accepting = (
  { WebSocketServer }: typeof import('ws'),
  { createServer, STATUS_CODES }: typeof import('node:http'),
  options: WebSocketsOptions,
  guard: Guard | undefined,
): Observable<Accepted> =>
  new Observable((subscriber) => {
    const { port = 0, host = '127.0.0.1', path = '/mcp', maxBytes = 4 * 1024 * 1024, maxConnections = 1_000 } = options;
    const connections = new Set<Connection>();
    /** Those of whom it is not known yet whether they may come in. */
    const knocking = new Set<Duplex>();
    const sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: maxBytes,
      perMessageDeflate: false,
      handleProtocols: () => subprotocol,
    });
    const server =
      options.server ??
      createServer({ headersTimeout: 10_000, requestTimeout: 10_000 }, (request, response) =>
        decline(response, pathOf(request) === path ? 426 : 404),
      );

    const bound = (): string => {
      if (options.server === undefined) return host;
      const address = server.address();
      return typeof address === 'object' ? (address?.address ?? '') : '';
    };
    const refusal = ({ headers }: IncomingMessage): number | undefined => {
      const origin = headers.origin ?? headers['sec-websocket-origin'];
      if (!hostAdmitted(headers.host, bound(), options)) return 403;
      if (!originAdmitted(origin?.toString(), bound(), options)) return 403;
      const offered = headers['sec-websocket-protocol']?.split(',').some((name) => name.trim() === subprotocol);
      if (offered !== true) return 400;
      return connections.size + knocking.size >= maxConnections ? 503 : undefined;
    };
    const onUpgrade = (request: IncomingMessage, stream: Duplex, head: Buffer): void => {
      const elsewhere = pathOf(request) !== path;
      // Somebody else on the same server may want it.
      if (elsewhere && server.listenerCount('upgrade') > 1) return;
      const status = elsewhere ? 404 : refusal(request);
      if (status !== undefined) return refuse(stream, status, STATUS_CODES[status]);
      const answer = guard === undefined ? undefined : asked(guard, request);
      if (answer === undefined || !isLater(answer)) return decide(request, stream, head, answer);
      knocking.add(stream);
      const gone = (): void => void knocking.delete(stream);
      stream.on('error', gone).on('close', gone);
      const settle = (decided: () => void): void => {
        // Whoever has left in the meantime, or finds the server ending, is told nothing.
        if (!knocking.delete(stream)) return;
        stream.off('error', gone).off('close', gone);
        decided();
      };
      answer.then(
        (found) => settle(() => decide(request, stream, head, found)),
        () => settle(() => decide(request, stream, head, unknowable)),
      );
    };
    /** Lets somebody in, unless they are not to be. */
    const decide = (
      request: IncomingMessage,
      stream: Duplex,
      head: Buffer,
      answer: Access | Denial | undefined,
    ): void => {
      if (answer !== undefined && isDenied(answer))
        return refuse(stream, answer.status, STATUS_CODES[answer.status], headersOf(answer));
      sockets.handleUpgrade(request, stream, head, (socket) => {
        const connection = new Connection(socket, request.socket, options);
        if (answer?.expiresAt !== undefined) connection.endAt(answer.expiresAt);
        connections.add(connection);
        socket.once('close', () => connections.delete(connection));
        const access = answer === undefined ? undefined : { access: answer, principal: answer.principal };
        subscriber.next({ channel: connection.channel, context: { connection: {}, ...access } });
      });
    };
    const onListening = (): void => {
      const address = server.address();
      if (address !== null) options.onListening?.(address);
    };

    server.on('upgrade', onUpgrade);
    if (server.listening) onListening();
    else server.once('listening', onListening);
    if (options.server === undefined) {
      server.on('error', (cause) =>
        subscriber.error(new ConnectionClosed({ message: `cannot listen: ${cause.message}`, cause })),
      );
      server.listen(port, host);
    }

    return () => {
      server.off('upgrade', onUpgrade).off('listening', onListening);
      for (const stream of [...knocking]) stream.destroy();
      knocking.clear();
      if (options.server === undefined) {
        server.close();
        server.closeAllConnections();
      }
      // Whoever serves them is being unsubscribed too, maybe after this, and has last words to send.
      queueMicrotask(() => {
        for (const connection of connections) connection.close();
      });
    };
  });

const pathOf = ({ url = '' }: IncomingMessage): string => /^[^?#]*/.exec(url)?.[0] ?? '';

/** Nobody comes in because something failed. */
const unknowable: Denial = { status: 503, message: 'the sender could not be identified', headers: {} };

const asked = (guard: Guard, request: IncomingMessage): ReturnType<Guard['admit']> => {
  try {
    return guard.admit(knockOf(request));
  } catch {
    return unknowable;
  }
};

/** To a request that asks for no WebSocket. */
const decline = (response: ServerResponse, status: number): void => {
  response.writeHead(status, { connection: 'close', ...(status === 426 ? { upgrade: 'websocket' } : {}) }).end();
};

/** To a request that asks for a WebSocket, and does not get it. */
const refuse = (stream: Duplex, status: number, text = '', headers: Readonly<Record<string, string>> = {}): void => {
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  stream.on('error', () => stream.destroy()).once('finish', () => stream.destroy());
  stream.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Length: 0\r\n${more.join('')}\r\n`);
};

/** One accepted socket: waits for its subscriber, then belongs to it. */
class Connection {
  readonly channel: Channel;
  readonly #socket: WebSocket;
  readonly #flushMs: number;
  #state: 'unclaimed' | 'open' | 'released' = 'unclaimed';

  constructor(socket: WebSocket, stream: Socket, options: WebSocketsOptions) {
    const { claimMs = 10_000, flushMs = defaultFlushMs, pauseReader = true } = options;
    this.#socket = hushed(socket);
    this.#flushMs = flushMs;
    // What comes before somebody listens is not lost.
    socket.pause();
    const timer = setTimeout(() => abandon(socket), claimMs).unref();
    socket.once('close', () => clearTimeout(timer));
    this.channel = channelOverWebSocket(
      (events) => {
        clearTimeout(timer);
        this.#state = 'open';
        const end = endOf(socket, () => stream, events, options);
        socket.resume();
        if (socket.readyState === socket.CLOSED) events.closed({ code: 1006, reason: '' });
        return {
          ...end,
          release: (how) => {
            this.#state = 'released';
            end.release(how);
          },
        };
      },
      { ...options, pauseReader },
    );
  }

  /** What was proved in the handshake holds until then (in milliseconds since 1970): whoever stays has to prove it again. */
  endAt(time: number): void {
    const socket = this.#socket;
    const end = (): void => dismiss(socket, 1008, 'what has proved who asks has expired', this.#flushMs);
    const timer = setTimeout(end, atLongest(Math.max(0, time - Date.now()))).unref();
    socket.once('close', () => clearTimeout(timer));
  }

  /** The server ends. A connection that was released before ends by itself, when it has written what is left. */
  close(): void {
    if (this.#state === 'unclaimed') abandon(this.#socket);
    else if (this.#state === 'open') dismiss(this.#socket, closing.leaving.code, closing.leaving.reason, this.#flushMs);
  }
}
