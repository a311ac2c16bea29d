/** A client over the platform's own `WebSocket`. */
import { asyncScheduler, Subscription } from 'rxjs';
import type { Channel } from '../exchange/exchange.ts';
import {
  channelOverWebSocket,
  clientMaxBytes,
  closing,
  defaultOpenMs,
  highWater,
  lowWater,
  subprotocol,
  type Closing,
  type SocketEnd,
  type SocketEvents,
  type WebSocketBounds,
} from './websocket-channel.ts';

/** How a client connects, and the bounds of its connection. */
export interface WebSocketOptions extends WebSocketBounds {
  /** The longest message taken, in bytes (in browsers: UTF-16 units); a longer one ends the connection. Default 16 MiB. */
  readonly maxBytes?: number | undefined;
  /** How long the handshake may take, in ms. Default 10,000. */
  readonly openMs?: number | undefined;
  /** Where the platform has none of its own under that name, or another is wanted. */
  readonly WebSocket?: typeof globalThis.WebSocket | undefined;
}

/**
 * Connects to a server over the platform's own `WebSocket`, at each subscription anew: browsers, workers, Deno, Bun,
 * Node from 22 on. `webSocket` of `rxmcp/node` is the same for every Node, with headers and pings.
 *
 * Emits parsed messages and {@link Unreadable}s. Completes when the server closes in good order: 1000, 1001 (it goes
 * away) or no code. Fails with {@link ConnectionClosed} at any other code, which its message and `cause` tell: 1003 what
 * was sent is not text, 1006 the link broke, 1009 a message was too long, 1011 the server failed; and with `unopened`
 * where there was no connection: nobody is there, the server speaks no WebSocket, not `mcp`, or would not have us.
 * Unsubscribing sends what is queued and closes with 1000. A browser may not say 1003, 1009 or 1011: it says 4003, 4009
 * or 4011.
 *
 * @param url - `ws:` or `wss:`
 * @param options - the bounds, in bytes and milliseconds
 * @example
 * connect(webSocket('wss://weather.example/mcp')).subscribe(({ revision }) => console.log(revision));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
export const webSocket = (url: string | URL, options: WebSocketOptions = {}): Channel => {
  const { openMs = defaultOpenMs } = options;
  return channelOverWebSocket((events) => dial(url, options, events), { ...options, openMs, pauseReader: false });
};

/** The platform tells nobody when a socket takes more: one has to look, this often, in ms. */
const lookMs = 10;

/** What holds no socket: it could not even be made. */
const nothing: SocketEnd = { send: () => false, release: () => undefined };

const dial = (url: string | URL, options: WebSocketOptions, events: SocketEvents): SocketEnd => {
  const { maxBytes = clientMaxBytes } = options;
  const Socket = options.WebSocket ?? (typeof WebSocket === 'undefined' ? undefined : WebSocket);
  if (Socket === undefined) {
    events.failed('there is no WebSocket on this platform; in Node, use webSocket of rxmcp/node');
    return nothing;
  }
  let socket: WebSocket;
  try {
    socket = new Socket(url, subprotocol);
  } catch (cause) {
    events.failed(`the connection could not be opened: ${String(cause)}`, cause);
    return nothing;
  }
  const looking = new Subscription();
  let full = false;
  const look = (): void => {
    if (socket.bufferedAmount > lowWater) return void looking.add(asyncScheduler.schedule(look, lookMs));
    full = false;
    events.drained();
  };
  socket.onopen = () => {
    if (socket.protocol === subprotocol) events.opened();
    else events.failed(`the server does not speak the subprotocol ${subprotocol}`);
  };
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (typeof data !== 'string') events.breach(closing.binary);
    else if (data.length > maxBytes) events.breach(closing.tooBig);
    else events.message(data);
  };
  socket.onclose = ({ code, reason }) => events.closed({ code, reason });
  // What is wrong is kept from programs, and the close event follows; a listener keeps it from being reported as unhandled.
  socket.onerror = () => undefined;

  return {
    send: (texts) => {
      for (const text of texts) socket.send(text);
      if (full) return false;
      full = socket.bufferedAmount > highWater;
      if (full) looking.add(asyncScheduler.schedule(look, lookMs));
      return !full;
    },
    release: (how) => {
      looking.unsubscribe();
      socket.onopen = socket.onmessage = socket.onclose = null;
      close(socket, how);
    },
  };
};

/** A program may say 1000, or a code of its own; there is no other way to let go of a socket either. */
const close = (socket: WebSocket, { code, reason }: Closing = closing.done): void =>
  socket.close(code === 1000 ? code : 3000 + code, reason);
