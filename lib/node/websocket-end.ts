/** A socket of the `ws` package as a channel wants it: batches in one write, pings, and an end that comes. */
import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import {
  closing,
  defaultFlushMs,
  highWater,
  lowWater,
  type SocketEnd,
  type SocketEvents,
} from '../transport/websocket-channel.ts';

/** How long silence may last, and the end, in ms. */
export interface EndOptions {
  readonly pingMs?: number | undefined;
  readonly flushMs?: number | undefined;
}

const defaultPingMs = 30_000;

/**
 * Takes hold of a socket, open or not yet.
 *
 * @param stream - what carries it, once it is open
 */
export const endOf = (
  socket: WebSocket,
  stream: () => Socket | undefined,
  events: SocketEvents,
  options: EndOptions,
): SocketEnd => {
  const { pingMs = defaultPingMs, flushMs = defaultFlushMs } = options;
  let full = false;

  const onWritten = () => {
    if (!full || socket.bufferedAmount > lowWater) return;
    full = false;
    events.drained();
  };
  const onMessage = (data: RawData, isBinary: boolean) => {
    if (isBinary || !Buffer.isBuffer(data)) events.breach(closing.binary);
    else events.message(data.toString());
  };
  const onClose = (code: number, reason: Buffer) => events.closed({ code, reason: reason.toString() });
  const onError = (cause: Error) => events.failed(`the connection failed: ${cause.message}`, cause);
  socket.on('message', onMessage).on('close', onClose).on('error', onError);

  /** What had come, and what was left to go, when it was last looked at. */
  let read = -1;
  let unsent = -1;
  const look = () => {
    if (socket.readyState !== socket.OPEN) return;
    const bytes = stream()?.bytesRead ?? 0;
    // Where nothing is read, an answer would not be seen: then it is what the peer takes that shows its life.
    const lives = read !== bytes || (socket.isPaused && unsent !== socket.bufferedAmount);
    read = bytes;
    unsent = socket.bufferedAmount;
    if (!lives) events.failed(`the peer gave no sign of life for ${pingMs} ms`);
    else if (!socket.isPaused) socket.ping();
  };
  const pinging = setInterval(look, pingMs).unref();

  return {
    send: (texts) => {
      const carrier = texts.length > 1 ? stream() : undefined;
      carrier?.cork();
      for (const text of texts) socket.send(text, onWritten);
      carrier?.uncork();
      full ||= socket.bufferedAmount > highWater;
      return !full;
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    release: (how) => {
      clearInterval(pinging);
      socket.off('message', onMessage).off('close', onClose).off('error', onError);
      if (how === undefined || socket.readyState === socket.CONNECTING) abandon(socket);
      else dismiss(socket, how.code, how.reason, flushMs);
    },
  };
};

/** What fails after the channel has ended concerns nobody; as an 'error' event it would end the process. */
export const hushed = (socket: WebSocket): WebSocket => {
  const ignore = () => undefined;
  return socket.on('error', ignore).once('close', () => socket.off('error', ignore));
};

/** Ends a socket at once. */
export const abandon = (socket: WebSocket): void => {
  if (socket.readyState !== socket.CLOSED) hushed(socket).terminate();
};

/** Closes a socket in good order, and at once where the peer takes longer than this, in ms. */
export const dismiss = (socket: WebSocket, code: number, reason: string, withinMs: number): void => {
  if (socket.readyState === socket.CLOSED) return;
  const timer = setTimeout(() => socket.terminate(), withinMs).unref();
  hushed(socket).once('close', () => clearTimeout(timer));
  // A socket that is not read does not see the peer's farewell.
  socket.resume();
  socket.close(code, reason);
};
