/**
 * Channels over TCP and Unix sockets, framed like stdio.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
import {
  connect,
  createServer,
  type AddressInfo,
  type ListenOptions,
  type NetConnectOpts,
  type Socket,
} from 'node:net';
import { Observable } from 'rxjs';
import type { Channel } from '../exchange/exchange.ts';
import { ConnectionClosed } from '../frame/errors.ts';
import { channelOver, type DuplexOptions } from './duplex.ts';
import { hush, releaseStreams } from './release.ts';

const defaultFlushMs = 2_000;

/**
 * Connects to a server that listens on a TCP port or a Unix socket, at each subscription anew.
 *
 * Emits parsed messages and {@link Unreadable}s. Completes when the server closes its end; fails with {@link
 * ConnectionClosed} when it cannot be reached, or the connection breaks.
 *
 * @param to - where to: `{ port, host? }` or `{ path }`, as for `net.connect`
 * @param options - the bounds, in bytes and milliseconds
 * @example
 * connect(socket({ port: 4000 })).subscribe(({ revision }) => console.log(revision));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
export const socket = (to: NetConnectOpts, options: DuplexOptions = {}): Channel =>
  channelOver(
    () => {
      const stream = connect({ allowHalfOpen: true, noDelay: true, ...to });
      let opened = false;
      stream.once('connect', () => (opened = true));
      return {
        readable: stream,
        writable: stream,
        opened: () => opened,
        // There is nothing to wait for where nobody has answered yet.
        release: (intact) =>
          releaseStreams(stream, stream, intact && !stream.connecting, options.flushMs ?? defaultFlushMs),
      };
    },
    // Whoever asks has nothing left to say to a server that has closed.
    { pauseReader: false, lingerMs: 0, ...options },
  );

/** Where to listen, and the bounds of each connection. */
export interface ListenerOptions extends ListenOptions, DuplexOptions {
  /** Told where the server listens, once it does: the way to learn a port that the system has chosen. */
  readonly onListening?: ((address: AddressInfo | string) => void) | undefined;
  /** How long a connection may wait for somebody to subscribe to it, in ms; then it is closed. Default 10,000. */
  readonly claimMs?: number | undefined;
  /** More connections than this at a time are refused. Default unbounded. */
  readonly maxConnections?: number | undefined;
}

/**
 * Listens on a TCP port or a Unix socket while subscribed. Unsubscribing closes the server and every connection.
 *
 * A broken connection ends its own channel and no other. There is no authorization: whoever can connect is served.
 *
 * @param options - `{ port, host? }` or `{ path }`, as for `net.Server.listen`; the host is 127.0.0.1 by default
 * @returns emits a channel per connection, to be subscribed once; never completes; fails with {@link ConnectionClosed}
 * where it cannot listen
 * @example
 * serve(weather, listen({ port: 4000 })).subscribe(({ type }) => console.log(type));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
export const listen = (options: ListenerOptions): Observable<Channel> =>
  new Observable((subscriber) => {
    const { onListening, claimMs = 10_000, maxConnections, path, host } = options;
    const connections = new Set<Connection>();
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (stream) => {
      const connection = new Connection(stream, options, claimMs);
      connections.add(connection);
      stream.once('close', () => connections.delete(connection));
      subscriber.next(connection.channel);
    });
    if (maxConnections !== undefined) server.maxConnections = maxConnections;
    server.on('error', (cause) =>
      subscriber.error(new ConnectionClosed({ message: `cannot listen: ${cause.message}`, cause })),
    );
    server.once('listening', () => {
      const address = server.address();
      if (address !== null) onListening?.(address);
    });
    // Reachable from this machine only, unless somebody says otherwise.
    const local = path === undefined && host === undefined;
    server.listen(local ? { ...options, host: '127.0.0.1' } : options);

    return () => {
      server.close();
      // Whoever serves them is being unsubscribed too, maybe after this, and has last words to send.
      queueMicrotask(() => {
        for (const connection of connections) connection.close();
      });
    };
  });

/** One accepted socket: waits for its subscriber, then belongs to it. */
class Connection {
  readonly channel: Channel;
  readonly #stream: Socket;
  #state: 'unclaimed' | 'open' | 'released' = 'unclaimed';

  constructor(stream: Socket, options: DuplexOptions, claimMs: number) {
    this.#stream = stream;
    hush(stream);
    // A socket that nobody reads does not even notice that its peer has gone.
    const timer = setTimeout(() => stream.destroy(), claimMs).unref();
    stream.once('close', () => clearTimeout(timer));
    this.channel = channelOver(() => {
      clearTimeout(timer);
      this.#state = 'open';
      return {
        readable: stream,
        writable: stream,
        release: (intact) => {
          this.#state = 'released';
          releaseStreams(stream, stream, intact, options.flushMs ?? defaultFlushMs);
        },
      };
    }, options);
  }

  /** The listener ends. A connection that was released before ends by itself, when it has written what is left. */
  close(): void {
    if (this.#state === 'unclaimed') this.#stream.destroy();
    else if (this.#state === 'open') this.#stream.destroy(new Error('the listener was closed'));
  }
}
