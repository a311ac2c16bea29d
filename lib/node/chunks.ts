import type { Readable } from 'node:stream';
import { Observable } from 'rxjs';
import { ConnectionClosed } from '../frame/errors.ts';
import { lines, type LinesOptions } from '../frame/lines.ts';

/** `Buffer` decodes several times faster than a `TextDecoder`. */
const decode = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');

/**
 * Reads a Node stream while subscribed; it is paused, not destroyed, when unsubscribed.
 *
 * @returns emits what arrives, completes at the end of the input; fails with {@link ConnectionClosed} where the stream
 * fails, or is closed before its end
 */
export const chunks = (readable: Readable): Observable<Uint8Array> =>
  new Observable((subscriber) => {
    const closed = (message: string, cause?: unknown) =>
      subscriber.error(new ConnectionClosed(cause === undefined ? { message } : { message, cause }));
    const onData = (chunk: Uint8Array | string) =>
      subscriber.next(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    const onEnd = () => subscriber.complete();
    const onError = (error: Error) => closed(`the link broke: ${error.message}`, error);
    const onClose = () => closed('the input was closed before its end', readable.errored ?? undefined);
    if (readable.readableEnded) return onEnd();
    if (readable.destroyed) return onClose();
    readable.on('end', onEnd).on('error', onError).on('close', onClose).on('data', onData);
    readable.resume();
    return () => {
      readable.off('end', onEnd).off('error', onError).off('close', onClose).off('data', onData);
      readable.pause();
    };
  });

/** {@link lines} over a Node stream, with Node's own decoder. */
export const nodeLines = (readable: Readable, limit: LinesOptions['limit']) =>
  chunks(readable).pipe(lines({ limit, decode }));
