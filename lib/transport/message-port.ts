/**
 * A channel over a MessagePort, or a worker: frames are posted as objects, and cloned on the way.
 *
 * @see https://html.spec.whatwg.org/multipage/web-messaging.html#message-ports
 */
import type { Channel } from '../exchange/exchange.ts';
import { ConnectionClosed } from '../frame/errors.ts';
import { channelOverMessages, type MessageOptions } from './goodbye.ts';

/** Where events are heard: what ports, workers and windows have in common. */
export interface Hearing {
  addEventListener(type: string, listener: MessageListener): void;
  removeEventListener(type: string, listener: MessageListener): void;
}

/** What is told of events. */
export interface MessageListener {
  handleEvent(event: MessageEvent): void;
}

/** A listener for each of these events, until what is returned is called. */
export const hearken = (
  to: Hearing,
  handlers: Readonly<Record<string, (event: MessageEvent) => void>>,
): (() => void) => {
  const listeners = Object.entries(handlers).map(([type, handleEvent]) => [type, { handleEvent }] as const);
  for (const [type, listener] of listeners) to.addEventListener(type, listener);
  return () => {
    for (const [type, listener] of listeners) to.removeEventListener(type, listener);
  };
};

/** A `MessagePort`, a `Worker`, or a worker's own `self`; in Node a `MessagePort`, such as `parentPort`. */
export interface Port extends Hearing {
  postMessage(message: unknown): void;
  /** Ports have it, workers have not: they are running already. */
  start?(): void;
  close?(): void;
}

/**
 * A channel over a port whose other end is somebody's channel too; both may be opened once.
 *
 * Emits messages, which are objects, and {@link Unreadable}s for those that JSON could not say. Completes when the far
 * side says goodbye, or the platform tells that it has gone; not every browser does, so a page that vanishes may be
 * noticed by time limits only. Fails with {@link ConnectionClosed} where a worker does not even start. Unsubscribing
 * says goodbye and closes the port; a worker goes on, and whoever made it ends it.
 *
 * Ports know no backpressure: what the far side does not read yet is in its memory.
 *
 * @param port - a `MessagePort`, a `Worker`, or a worker's own `self`, which carry one conversation at a time
 * @param options - the bound of a message, in characters
 * @example
 * import { of } from 'rxjs';
 *
 * const { port1, port2 } = new MessageChannel();
 * serve(weather, of(messagePort(port2))).subscribe();
 * connect(messagePort(port1)).subscribe(({ revision }) => console.log(revision));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
export const messagePort = (port: Port, options: MessageOptions = {}): Channel => portChannel(port, options);

/** The same, for those who want to know when the far side is first heard. */
export const portChannel = (port: Port, options: MessageOptions, onHeard?: () => void): Channel => {
  // Of what can be closed only a port is ours to close: closing `self` would end the worker.
  const closes = port.start !== undefined;
  let closed = false;
  return channelOverMessages((ears) => {
    if (closed) throw new ConnectionClosed({ message: 'the port has been used and closed', unopened: true });
    let heard = false;
    const hear = (): void => {
      if (!heard) onHeard?.();
      heard = true;
    };
    const deafen = hearken(port, {
      message: ({ data, ports }) => {
        hear();
        // Frames bring no ports; nobody would ever close these.
        for (const stray of ports) stray.close();
        ears.message(data);
      },
      messageerror: () => {
        hear();
        ears.garbled();
      },
      close: () => ears.gone(),
      // What fails in a worker later need not end it; on `self` it is this side's own failure.
      error: () => {
        if (heard || Object.is(port, globalThis)) return;
        ears.failed(new ConnectionClosed({ message: 'the worker failed before it said anything', unopened: true }));
      },
    });
    return {
      post: (message) => port.postMessage(message),
      start: () => port.start?.(),
      release: () => {
        deafen();
        if (!closes) return;
        closed = true;
        port.close?.();
      },
    };
  }, options);
};
