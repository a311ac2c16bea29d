/**
 * A channel over a WebSocket: one JSON message in each text message, under the subprotocol `mcp`. Which
 * `WebSocket` it is, the platform's own or that of `ws`, is its maker's business.
 */
import { asyncScheduler, Observable, Subscription } from 'rxjs';
import type { Channel } from '../exchange/exchange.ts';
import { codes, ConnectionClosed, quoted } from '../frame/errors.ts';
import { parse } from '../frame/json.ts';
import { UnreadableResponse } from '../frame/unreadable-response.ts';
import { createOutbox, type Conflate } from './outbox.ts';

/** The subprotocol that both sides insist on. */
export const subprotocol = 'mcp';

/** The bounds of a channel over a WebSocket. */
export interface WebSocketBounds {
  /** How much may queue for a peer that does not read, in bytes, before it is cut off. Default 64 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** Which queued frames a newer one replaces. Default: progress of one token, and identical change notices. */
  readonly conflate?: Conflate | undefined;
}

/** The longest message that a client takes: 16 MiB. */
export const clientMaxBytes = 16 * 1024 * 1024;

/** How long a client's handshake may take, and how long the end of any connection, in ms. */
export const defaultOpenMs = 10_000;
export const defaultFlushMs = 2_000;

/** From how much on a socket takes no more, and down to how much it takes again, in bytes. */
export const highWater = 64 * 1024;
export const lowWater = 16 * 1024;

/** Why this side closes. */
export const closing = {
  done: { code: 1000, reason: '' },
  leaving: { code: 1001, reason: 'the server is ending' },
  binary: { code: 1003, reason: 'messages are text' },
  tooBig: { code: 1009, reason: 'the message is too long' },
  failed: { code: 1011, reason: 'internal error' },
} as const;

/** A close code, and what was said to it. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** What a socket tells its channel. */
export interface SocketEvents {
  readonly opened: () => void;
  readonly message: (text: string) => void;
  /** This side can bear it no longer: what came is no message here. */
  readonly breach: (why: Closing) => void;
  /** The sink takes more again, after a `send` that said no. */
  readonly drained: () => void;
  readonly closed: (how: Closing) => void;
  readonly failed: (why: string, cause?: unknown) => void;
}

/** What a channel wants of a socket. */
export interface SocketEnd {
  /** Sends each text as a message of its own; false says: no more before `drained`. */
  readonly send: (texts: readonly string[]) => boolean;
  /** Stops and starts reading, where a socket can. */
  readonly pause?: (() => void) | undefined;
  readonly resume?: (() => void) | undefined;
  /**
   * Lets go of the socket: no event comes after this. Closes it in good order, within a bounded time; without `how` at
   * once.
   */
  readonly release: (how?: Closing) => void;
}

interface Terms extends WebSocketBounds {
  /** How long the handshake may take, in ms; without it the socket is open. */
  readonly openMs?: number | undefined;
  /** Whether nothing is read while the peer takes nothing. */
  readonly pauseReader: boolean;
}

/** Codes of an end in good order; the last stands for a close that gave no code, as a browser's plain `close()` does. */
const goodOrder: ReadonlySet<number> = new Set([1000, 1001, 1005]);

/** Makes a channel of a socket that `open` provides at each subscription. */
export const channelOverWebSocket =
  (open: (events: SocketEvents) => SocketEnd, terms: Terms): Channel =>
  (outbound) =>
    new Observable((subscriber) => {
      const waiting = new Subscription();
      let isOpen = terms.openMs === undefined;
      /** What the outbox has let go before the socket was open. */
      const early: string[] = [];
      /** How the socket is to be closed; undefined where there is nobody left to say it to. */
      let how: Closing | undefined = closing.done;

      const fail = (message: string, cause?: unknown) =>
        subscriber.error(new ConnectionClosed({ message, cause, ...(isOpen ? {} : { unopened: true }) }));
      const cutOff = (message: string, cause?: unknown) => {
        how = undefined;
        fail(message, cause);
      };
      const outbox = createOutbox({
        write: (text) => {
          const texts = messagesOf(text);
          if (isOpen) return socket.send(texts);
          early.push(...texts);
          return false;
        },
        maxBytes: terms.maxQueuedBytes,
        conflate: terms.conflate,
        onError: (error) => {
          how = undefined;
          subscriber.error(error);
        },
        onBlocked: (blocked) => {
          if (!terms.pauseReader || !isOpen) return;
          if (blocked) socket.pause?.();
          else socket.resume?.();
        },
        onUnsendable: (frame, reason) => {
          if ('method' in frame && 'id' in frame)
            subscriber.next(new UnreadableResponse(reason, codes.internalError, frame.method, frame.id));
        },
      });
      const socket = open({
        opened: () => {
          isOpen = true;
          waiting.unsubscribe();
          if (early.length === 0 || socket.send(early.splice(0))) outbox.drained();
        },
        message: (text) => subscriber.next(parse(text)),
        breach: (why) => {
          how = why;
          fail(`the connection was closed: ${why.reason} (${why.code})`, why);
        },
        drained: () => outbox.drained(),
        closed: (by) => {
          how = undefined;
          if (!isOpen) fail('the connection could not be opened', by);
          else if (goodOrder.has(by.code)) subscriber.complete();
          else fail(`the connection was closed with code ${by.code}${by.reason && `: ${quoted(by.reason)}`}`, by);
        },
        failed: cutOff,
      });
      if (terms.openMs !== undefined && !isOpen)
        waiting.add(asyncScheduler.schedule(() => cutOff('the handshake took too long'), terms.openMs));
      const writing = outbound.subscribe({
        next: (frame) => outbox.push(frame),
        error: (error: unknown) => {
          how = closing.failed;
          subscriber.error(error);
        },
      });

      return () => {
        waiting.unsubscribe();
        writing.unsubscribe();
        if (isOpen && how !== undefined) outbox.flush();
        outbox.close();
        socket.release(how);
      };
    });

/** The lines of an outbox, without their ends: JSON has no line breaks of its own. */
const messagesOf = (text: string): readonly string[] => {
  const end = text.length - 1;
  return text.indexOf('\n') === end ? [text.slice(0, end)] : text.slice(0, end).split('\n');
};
