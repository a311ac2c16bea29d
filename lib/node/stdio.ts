/**
 * The serving end of stdio: this process was started by its client, who talks to it over stdin and stdout.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio
 */
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { fromEventPattern, merge, Observable, Subject } from 'rxjs';
import type { Channel } from '../exchange/exchange.ts';
import { ConnectionClosed, Misconfigured } from '../frame/errors.ts';
import { channelOver, type DuplexOptions } from './duplex.ts';
import { guard } from './guard.ts';
import { hush } from './release.ts';

/** Which streams and signals a server over stdio goes by, and the bounds of its channel. */
export interface StdioOptions extends Omit<DuplexOptions, 'flushMs'> {
  /** Default `process.stdin`. */
  readonly input?: Readable | undefined;
  /** Default `process.stdout`. */
  readonly output?: Writable | undefined;
  /** Where goes what others write to the output. Default `process.stderr`. */
  readonly errors?: Writable | undefined;
  /** The signals that end the channel. Default SIGINT and SIGTERM. */
  readonly signals?: readonly NodeJS.Signals[] | undefined;
}

/** There is one stdout, and two protocols cannot share it. */
const guarded = new WeakSet<Writable>();

/**
 * Serves the client that started this process, over its stdin and stdout.
 *
 * While subscribed, stdout belongs to the channel: what others write there goes to stderr, after one line of warning.
 * The channel completes at the end of stdin, when stdout is gone, and at SIGINT or SIGTERM. After the end of stdin or a
 * signal, answers may be written for `lingerMs` more, until outbound completes or another signal comes; a second signal
 * does what it does without us. Nothing is left that would keep the process alive.
 *
 * @param options - other streams and signals; the bounds, in bytes and milliseconds
 * @returns emits one channel and completes when that has ended and everything is written; fails with {@link
 * Misconfigured} where stdout is already served
 * @example
 * serve(weather, stdio()).subscribe({ error: console.error });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio
 */
export const stdio = (options: StdioOptions = {}): Observable<Channel> =>
  new Observable((subscriber) => {
    const { input = process.stdin, output = process.stdout, errors = process.stderr } = options;
    if (guarded.has(output))
      return subscriber.error(new Misconfigured({ message: 'stdio is served already: one client per process' }));
    guarded.add(output);
    const { write, restore } = guard(output, errors);
    const ignore = () => undefined;
    // The client who is gone has taken stderr along; a log line must not end what is being finished.
    errors.on('error', ignore);
    const closed = new Subject<void>();

    const open = () => {
      if (input instanceof Socket) input.ref();
      return {
        readable: input,
        writable: output,
        write,
        interrupted: merge(...(options.signals ?? ['SIGINT', 'SIGTERM']).map(signal)),
        closed,
        ends: isGone,
        unread: () => {
          input.pause();
          // Paused, a pipe may still count as a reason to stay.
          if (input instanceof Socket) input.unref();
        },
        release: (intact: boolean) => {
          restore();
          ignoreErrors(output, intact);
          if (output !== process.stdout) output.end();
          else if (output.writableLength > 0) letGo(output);
          subscriber.complete();
        },
      };
    };
    subscriber.next(channelOver(open, options));

    return () => {
      closed.next();
      errors.off('error', ignore);
      restore();
      guarded.delete(output);
    };
  });

const signal = (name: NodeJS.Signals): Observable<unknown> =>
  fromEventPattern(
    (handler) => process.on(name, handler),
    (handler) => process.off(name, handler),
  );

/** How long a client may take for what is left, in milliseconds; others than this one kill about then. */
const flushMs = 2_000;

/**
 * A reader that has stopped reading keeps a process with something left to write alive for ever. A standard stream cannot
 * be destroyed; what lies under it can be closed.
 */
const letGo = (output: Writable): void => {
  setTimeout(() => {
    if (output.writableLength === 0 || !('_handle' in output) || !isClosable(output._handle)) return;
    hush(output);
    output._handle.close();
  }, flushMs).unref();
};

const isClosable = (handle: unknown): handle is { close(): void } =>
  typeof handle === 'object' && handle !== null && 'close' in handle && typeof handle.close === 'function';

/** How a client that has gone without a word shows. EIO is a terminal that was closed. */
const gone: readonly unknown[] = ['EPIPE', 'ECONNRESET', 'EIO', 'ERR_STREAM_DESTROYED'];

const isGone = (error: unknown): boolean =>
  error instanceof ConnectionClosed &&
  error.cause instanceof Error &&
  'code' in error.cause &&
  gone.includes(error.cause.code);

/**
 * What is still being written concerns nobody any more; as an 'error' event its failure would end the process. So would
 * every later log line where the client is gone for good, for a standard stream cannot be destroyed.
 */
const ignoreErrors = (output: Writable, intact: boolean): void => {
  const ignore = () => undefined;
  output.on('error', ignore);
  // The event of a failed write comes after its callback.
  const done = (error?: Error | null) => {
    if (!error) setImmediate(() => output.off('error', ignore));
  };
  if (intact && !output.destroyed) output.write('', done);
};
