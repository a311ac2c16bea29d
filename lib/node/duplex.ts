/**
 * A channel over any pair of Node streams: one JSON message per line, either way.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
import type { Readable, Writable } from 'node:stream';
import { Observable } from 'rxjs';
import type { Channel } from '../exchange/exchange.ts';
import { wire, type FramingOptions } from './wire.ts';
import { releaseStreams } from './release.ts';

/** The bounds of a channel over streams, and how it ends. */
export interface DuplexOptions extends FramingOptions {
  /** How long answers may still be written after the input has ended, in ms. Default 30,000; for clients 0. */
  readonly lingerMs?: number | undefined;
  /** How long what is queued may take to be written after the channel's end, in ms. Default 2,000. */
  readonly flushMs?: number | undefined;
}

/** What carries one subscription of a channel. */
export interface Carrier {
  readonly readable: Readable;
  readonly writable: Writable;
  readonly write?: ((text: string) => boolean) | undefined;
  /** Its first value ends the channel, as if the far side had ended it, without waiting for answers. */
  readonly until?: Observable<unknown> | undefined;
  /** Whether this failure is but an end. */
  readonly ends?: ((error: unknown) => boolean) | undefined;
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
      const { readable, writable, write, until, ends, release } = open();
      const { lingerMs = 30_000 } = options;
      /** Whether nobody listens any more; answers may still be written. */
      let left = false;
      let released = false;
      let intact = true;
      let inputEnded = false;
      let outboundEnded = false;
      let timer: NodeJS.Timeout | undefined;

      const close = () => {
        if (released) return;
        released = true;
        clearTimeout(timer);
        interruption?.unsubscribe();
        streams.stopWriting(intact);
        release(intact);
      };
      const broken = (error: unknown) => {
        intact = false;
        if (left) close();
        else if (ends?.(error) === true) subscriber.complete();
        else subscriber.error(error);
      };

      const streams = wire(
        {
          readable,
          writable,
          write,
          onValue: (value) => subscriber.next(value),
          onInputEnd: () => {
            inputEnded = true;
            subscriber.complete();
          },
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
      const interruption = until?.subscribe({
        next: () => {
          if (left) close();
          else subscriber.complete();
        },
        error: broken,
      });

      return () => {
        left = true;
        streams.stopReading();
        const lingers = inputEnded && !outboundEnded && intact && lingerMs > 0;
        // What is still being worked on keeps the process; waiting for it does not.
        if (lingers) timer = setTimeout(close, lingerMs).unref();
        else close();
      };
    });
