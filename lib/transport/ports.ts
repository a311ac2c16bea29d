/**
 * Many conversations with one worker or window: whoever connects sends a port along, which is that connection's own.
 *
 * @see https://html.spec.whatwg.org/multipage/web-messaging.html#ports-as-the-basis-of-an-object-capability-model-on-the-web
 */
import { asyncScheduler, Observable } from 'rxjs';
import type { Channel } from '../exchange/exchange.ts';
import { ConnectionClosed, Misconfigured } from '../frame/errors.ts';
import { aside, isAside, type MessageOptions } from './goodbye.ts';
import { hearken, portChannel, type Hearing } from './message-port.ts';
import type { WindowTarget } from './message-window.ts';
import { exactOrigin } from './origin.ts';

/** The bounds of a connection that is being made. */
export interface PortToOptions extends MessageOptions {
  /** How long the other side may take to accept, in ms. Default 10,000. */
  readonly acceptMs?: number | undefined;
}

/** A `Worker`, also one of Node's, or a port to somebody who takes connections. */
export interface PortTarget {
  postMessage(message: unknown, transfer: readonly object[] | undefined): void;
}

/**
 * Connects to a worker that serves {@link ports}, at each subscription anew, over a port of its own.
 *
 * Emits and completes as `messagePort` does. Fails with {@link ConnectionClosed} where nobody accepts within `acceptMs`.
 *
 * @param target - the worker; also one of Node's `worker_threads`, or a port
 * @param options - the bounds, in milliseconds and characters
 * @example
 * const worker = new Worker(new URL('weather-worker.js', import.meta.url), { type: 'module' });
 * connect(portTo(worker)).subscribe(({ revision }) => console.log(revision));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
export const portTo = (target: PortTarget, options: PortToOptions = {}): Channel =>
  dial((message, port) => target.postMessage(message, [port]), options);

/**
 * Connects to a window that serves {@link ports}, at each subscription anew. Works out of sandboxed frames too.
 *
 * The port reaches a window of that origin or nobody. Emits and completes as `messagePort` does; fails with {@link
 * ConnectionClosed} where nobody accepts within `acceptMs`, because the window has another origin, trusts not ours, or
 * is not loaded yet.
 *
 * @param target - the window: `frame.contentWindow`, `window.parent`, `window.opener`
 * @param options - its exact origin, and the bounds, in milliseconds and characters
 * @throws {@link Misconfigured} where `origin` is no exact one, as `*` is not
 * @example
 * const frame = document.querySelector('iframe')?.contentWindow;
 * if (frame) connect(portToWindow(frame, { origin: 'https://tools.example' })).subscribe();
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
export const portToWindow = (target: WindowTarget, options: PortToOptions & { readonly origin: string }): Channel => {
  const targetOrigin = exactOrigin(options.origin);
  return dial((message, port) => target.postMessage(message, { targetOrigin, transfer: [port] }), options);
};

const dial =
  (send: (message: unknown, port: MessagePort) => void, options: PortToOptions): Channel =>
  (outbound) =>
    new Observable((subscriber) => {
      const { acceptMs = 10_000 } = options;
      const { port1, port2 } = new MessageChannel();
      send(aside('rxmcp/connect'), port2);
      const late = (): void =>
        subscriber.error(
          new ConnectionClosed({ message: `nobody accepted a connection within ${acceptMs} ms`, unopened: true }),
        );
      const waiting = asyncScheduler.schedule(late, acceptMs);
      subscriber.add(waiting);
      subscriber.add(portChannel(port1, options, () => waiting.unsubscribe())(outbound).subscribe(subscriber));
    });

/** Who may connect, and the bounds of each connection. */
export interface PortsOptions extends MessageOptions {
  /**
   * The origins, exact ones, of windows that may connect. Default: none; workers and ports, which have no origin, may.
   * `'null'` is what any sandboxed frame says, and needs a `source`.
   */
  readonly origins?: readonly string[] | undefined;
  /** The only window that may connect. */
  readonly source?: object | undefined;
  /** More connections than this at a time are refused. Default unbounded. */
  readonly maxConnections?: number | undefined;
}

/**
 * Takes connections while subscribed: each message `{ type: 'rxmcp/connect' }` brings a port. Unsubscribing closes every
 * connection.
 *
 * Whoever is not allowed is not answered. A connection that breaks ends its own channel and no other.
 *
 * @param scope - where the messages arrive: a worker's `self`, `window`, or a port such as Node's `parentPort`
 * @param options - the origins allowed, and the bounds
 * @returns emits a channel per connection, to be subscribed once; never completes
 * @throws {@link Misconfigured} where an origin is no exact one, or `'null'` is allowed without a `source`
 * @example
 * // In a worker: whoever has made it may connect.
 * serve(weather, ports(self)).subscribe();
 * // In a page, for frames of this origin.
 * serve(weather, ports(self, { origins: ['https://tools.example'] })).subscribe();
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
export const ports = (
  scope: Hearing & { readonly start?: () => void },
  options: PortsOptions = {},
): Observable<Channel> => {
  const { source, maxConnections = Infinity } = options;
  const origins = options.origins?.map((origin) => allowed(origin, source !== undefined));
  const isTrusted = (event: MessageEvent): boolean => {
    if (source !== undefined && event.source !== source) return false;
    return origins === undefined ? event.origin === '' : origins.includes(event.origin);
  };
  return new Observable((subscriber) => {
    const connections = new Set<() => void>();
    const onMessage = (event: MessageEvent): void => {
      if (!isTrusted(event) || !isAside(event.data, 'rxmcp/connect')) return;
      const [port, ...strays] = event.ports;
      for (const stray of strays) stray.close();
      if (port === undefined) return;
      if (connections.size >= maxConnections) return leave(port);
      port.postMessage(aside('rxmcp/accept'));
      subscriber.next(accepted(port, options, connections));
    };
    const deafen = hearken(scope, { message: onMessage });
    scope.start?.();
    return () => {
      deafen();
      // Whoever serves them is being unsubscribed too, maybe after this, and has last words to send.
      queueMicrotask(() => {
        for (const close of connections) close();
      });
    };
  });
};

const allowed = (origin: string, sourced: boolean): string => {
  if (origin !== 'null') return exactOrigin(origin);
  if (sourced) return origin;
  throw new Misconfigured({ message: `any sandboxed frame has the origin "null": say which one by "source"` });
};

const leave = (port: MessagePort): void => {
  port.postMessage(aside('rxmcp/goodbye'));
  port.close();
};

/** A channel over a port that has come in; `connections` knows how to close it until it has ended. */
const accepted = (port: MessagePort, options: MessageOptions, connections: Set<() => void>): Channel => {
  const channel = portChannel(port, options);
  let close = (): void => {
    connections.delete(close);
    leave(port);
  };
  connections.add(close);
  return (outbound) =>
    new Observable((subscriber) => {
      connections.delete(close);
      close = () => subscriber.error(new ConnectionClosed({ message: 'the listener was closed' }));
      connections.add(close);
      const ended = (): void => void connections.delete(close);
      subscriber.add(channel(outbound).subscribe(subscriber));
      return ended;
    });
};
