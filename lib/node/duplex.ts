/**
 * A channel over any pair of Node streams: one JSON message per line, either way.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
import type { Readable, Writable } from 'node:stream';
import { Observable, Subscription, take } from 'rxjs';
import type { Channel } from '../exchange/exchange.ts';
import { ConnectionClosed } from '../frame/errors.ts';
import { wire, type FramingOptions } from './wire.ts';
import { releaseStreams } from './release.ts';

/** The bounds of a channel over streams, and how it ends. */
export interface DuplexOptions extends FramingOptions {
  /** How long answers may still be written after the input has ended, or a signal has come, in ms. Default 30,000; for clients 0. */
  readonly lingerMs?: number | undefined;
  /** How long what is queued may take to be written after the channel's end, in ms. Default 2,000. */
  readonly flushMs?: number | undefined;
}

/** What carries one subscription of a channel. */
export interface Carrier {
  readonly readable: Readable;
  readonly writable: Writable;
  readonly write?: ((text: string) => boolean) | undefined;
  /**
   * Its first value ends the channel, as the end of the input does: answers may still be written. Where those are waited
   * for already, it ends that too. Nobody listens to it after its first value.
   */
  readonly interrupted?: Observable<unknown> | undefined;
  /** Its first value ends the channel without waiting for answers. */
  readonly closed?: Observable<unknown> | undefined;
  /** Whether there has ever been a link. Default: there has. */
  readonly opened?: (() => boolean) | undefined;
  /** Whether this failure is but an end. */
  readonly ends?: ((error: unknown) => boolean) | undefined;
  /** Called once, when nothing is read any more. */
  readonly unread?: (() => void) | undefined;
  /** Called once, when nothing is read or written any more; `intact` says whether the output still works. */
  readonly release: (intact: boolean) => void;
}

/**
 * Makes a channel of two streams, which it owns from its subscription on and closes at its end.
 *
 * Emits parsed messages and {@link Unreadable}s. Completes at the end of the input; answers may be written for
 * `lingerMs` after that, until outbound completes. Fails with {@link ConnectionClosed} where reading or writing fails
 * (EPIPE, ECONNRESET…), where the input is closed before its end, and where the peer does not read.
 *
 * Its defaults are those of whoever answers. Whoever asks reads on while the peer takes nothing, and waits for nothing
 * at the end: `{ pauseReader: false, lingerMs: 0 }`.
 *
 * @param readable - where messages come from, one per line
 * @param writable - where messages go; may be the same stream
 * @param options - the bounds, in bytes and milliseconds
 * @example
 * import { createConnection } from 'node:net';
 *
 * const link = createConnection({ path: '/run/weather.sock' });
 * connect(duplex(link, link, { pauseReader: false, lingerMs: 0 })).subscribe(({ revision }) => console.log(revision));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
export const duplex = (readable: Readable, writable: Writable, options: DuplexOptions = {}): Channel =>
  channelOver(
    () => ({
      readable,
      writable,
      release: (intact) => releaseStreams(readable, writable, intact, options.flushMs ?? 2_000),
    }),
    options,
  );

/** A channel over streams that `open` provides at each subscription. */
export const channelOver =
  (open: () => Carrier, options: DuplexOptions): Channel =>
  (outbound) =>
    new Observable((subscriber) => {
      const { readable, writable, write, interrupted, closed, opened, ends, unread, release } = open();
      const { lingerMs = 30_000 } = options;
      /** Whether nobody listens any more; answers may still be written. */
      let left = false;
      let released = false;
      let intact = true;
      /** Whether it has ended in good order, so that answers are still wanted. */
      let lingers = false;
      let outboundEnded = false;
      let timer: NodeJS.Timeout | undefined;

      const close = () => {
        if (released) return;
        released = true;
        clearTimeout(timer);
        ending.unsubscribe();
        streams.stopWriting(intact);
        release(intact);
      };
      const broken = (error: unknown) => {
        intact = false;
        if (left) close();
        else if (ends?.(error) === true) subscriber.complete();
        else if (error instanceof ConnectionClosed && opened?.() === false)
          subscriber.error(new ConnectionClosed({ message: error.message, cause: error.cause, unopened: true }));
        else subscriber.error(error);
      };
      const end = () => {
        lingers = true;
        subscriber.complete();
      };
      const ending = new Subscription();

      const streams = wire(
        {
          readable,
          writable,
          write,
          onValue: (value) => subscriber.next(value),
          onInputEnd: end,
          onInputError: broken,
          onOutputError: broken,
          onCongested: broken,
          onOutboundEnd: (failure) => {
            outboundEnded = true;
            if (left) close();
            else if (failure !== undefined) subscriber.error(failure.error);
          },
        },
        outbound,
        { pauseReader: true, ...options },
      );
      ending.add(interrupted?.pipe(take(1)).subscribe({ next: () => (left ? close() : end()), error: broken }));
      ending.add(
        closed?.pipe(take(1)).subscribe({ next: () => (left ? close() : subscriber.complete()), error: broken }),
      );

      return () => {
        left = true;
        streams.stopReading();
        unread?.();
        // What is still being worked on keeps the process; waiting for it does not.
        if (lingers && !outboundEnded && intact && lingerMs > 0) timer = setTimeout(close, lingerMs).unref();
        else close();
      };
    });
