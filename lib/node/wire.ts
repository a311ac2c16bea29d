/**
 * Ties a pair of Node streams to frames: lines in, an outbox out, and the one paused while the other is full. It closes
 * nothing: its owner knows what a closed input or a broken output means.
 */
import type { Readable, Writable } from 'node:stream';
import { Subscription, type Observable } from 'rxjs';
import { Unreadable } from '../frame/unreadable.ts';
import { codes, ConnectionClosed } from '../frame/errors.ts';
import type { Frame } from '../frame/frame.ts';
import { parse } from '../frame/json.ts';
import { UnreadableResponse } from '../frame/unreadable-response.ts';
import { createOutbox, type Conflate } from '../transport/outbox.ts';
import { nodeLines } from './chunks.ts';

/** What every channel over byte streams can be told. */
export interface FramingOptions {
  /** The longest line, in bytes; a longer one is answered with an error. Default 16 MiB. */
  readonly lineLimit?: number | undefined;
  /** How much may queue for a peer that does not read, in bytes, before it is cut off. Default 64 MiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** Which queued frames a newer one replaces. Default: progress of one token, and identical change notices. */
  readonly conflate?: Conflate | undefined;
  /**
   * Whether nothing is read while the peer takes nothing. Right for whoever answers; wrong for whoever asks, because
   * two ends that both wait like this wait for ever. Default true for servers and bare streams, false for clients.
   */
  readonly pauseReader?: boolean | undefined;
}

export interface Ends {
  readonly readable: Readable;
  readonly writable: Writable;
  /** Writes to `writable`, where its own `write` is not the way. */
  readonly write?: ((text: string) => boolean) | undefined;
  readonly onValue: (value: unknown) => void;
  readonly onInputEnd: () => void;
  readonly onInputError: (error: unknown) => void;
  /** Writing has failed; nothing more is written. */
  readonly onOutputError: (error: ConnectionClosed) => void;
  /** The peer does not read; nothing more is written. */
  readonly onCongested: (error: ConnectionClosed) => void;
  /** Nothing more will be written: outbound has completed, or failed with this. */
  readonly onOutboundEnd: (failure?: { readonly error: unknown }) => void;
  /** Takes lines that are no JSON, which are values like any other without it. */
  readonly onStray?: ((line: string) => void) | undefined;
}

export interface Wire {
  stopReading(): void;
  /** Unsubscribes outbound and takes the hands off the writable, having given it what is queued. */
  stopWriting(flush: boolean): void;
}

/** How often a reader that is paused looks whether there is an end, in milliseconds. */
const glanceMs = 150;

export const wire = (ends: Ends, outbound: Observable<Frame | readonly Frame[]>, options: FramingOptions): Wire => {
  const { readable, writable, onValue, onStray } = ends;
  const input = new Subscription();
  const output = new Subscription();

  /** That the peer has closed its side shows only to who reads: now and then, one chunk is let in. */
  const glance = (): void => {
    readable.resume();
    setImmediate(() => {
      if (glancing !== undefined && !input.closed) readable.pause();
    });
  };
  let glancing: NodeJS.Timeout | undefined;
  const seeing = (): void => {
    clearInterval(glancing);
    glancing = undefined;
  };
  input.add(seeing);

  const fail = (error: ConnectionClosed) => {
    output.unsubscribe();
    ends.onOutputError(error);
  };
  const outbox = createOutbox({
    write: ends.write ?? ((text) => writable.write(text)),
    maxBytes: options.maxQueuedBytes,
    conflate: options.conflate,
    onError: (error) => {
      output.unsubscribe();
      ends.onCongested(error);
    },
    onBlocked: (blocked) => {
      if (options.pauseReader !== true || input.closed) return;
      seeing();
      if (!blocked) return void readable.resume();
      readable.pause();
      glancing = setInterval(glance, glanceMs).unref();
    },
    onUnsendable: (frame, reason) => {
      if ('method' in frame && 'id' in frame)
        onValue(new UnreadableResponse(reason, codes.internalError, frame.method, frame.id));
    },
  });

  const onDrain = () => outbox.drained();
  const onError = (cause: Error) => fail(new ConnectionClosed({ message: `the link broke: ${cause.message}`, cause }));
  const onClose = () => fail(new ConnectionClosed({ message: 'the output was closed' }));
  writable.on('drain', onDrain).on('error', onError).on('close', onClose);
  output.add(() => {
    writable.off('drain', onDrain).off('error', onError).off('close', onClose);
    outbox.close();
  });

  const onLine = (line: string | Unreadable): void => {
    if (typeof line !== 'string') return onStray !== undefined ? onStray(line.excerpt) : onValue(line);
    const value = parse(line);
    const stray = onStray !== undefined && value instanceof Unreadable && value.code === codes.parseError;
    if (stray) onStray(line);
    else onValue(value);
  };
  input.add(
    nodeLines(readable, options.lineLimit).subscribe({
      next: onLine,
      error: ends.onInputError,
      complete: ends.onInputEnd,
    }),
  );
  output.add(
    outbound.subscribe({
      next: (frame) => outbox.push(frame),
      error: (error: unknown) => ends.onOutboundEnd({ error }),
      complete: () => ends.onOutboundEnd(),
    }),
  );

  return {
    stopReading: () => input.unsubscribe(),
    stopWriting: (flush) => {
      if (flush && !output.closed) outbox.flush();
      output.unsubscribe();
    },
  };
};
