/**
 * The way out of a channel, for a sink that may be slower than those who write: RxJS knows no backpressure, so the edge
 * does. While the sink takes no more, frames queue; what is out of date by then is dropped, answers never are.
 */
import { codes, ConnectionClosed } from '../frame/errors.ts';
import { isArray, type Frame } from '../frame/frame.ts';
import { stringify } from '../frame/json.ts';

/** How much may queue for a sink that takes nothing: 64 MiB. */
export const queueLimit = 64 * 1024 * 1024;

/** Names what a frame is the newest state of: of queued frames with one key only the last is sent. */
export type Conflate = (frame: Frame, text: string) => string | undefined;

export interface OutboxOptions {
  /** Hands text, of one or more whole lines, to the sink; false says: no more before {@link Outbox.drained}. */
  readonly write: (text: string) => boolean;
  /** What a line becomes before it is queued: an event of a stream. Called once for each, in order. Default: itself. */
  readonly wrap?: ((line: string) => string) | undefined;
  /** Whether the sink takes nothing more as it is, so that all waits for {@link Outbox.drained}. Default false. */
  readonly blocked?: boolean | undefined;
  /** Default {@link conflateNotices}. */
  readonly conflate?: Conflate | undefined;
  /** How much may queue before the peer is given up, in bytes of ASCII text. Default {@link queueLimit}, 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** The peer does not keep up: the queue went beyond `maxBytes`. Called once; the outbox is empty and dead then. */
  readonly onError: (error: ConnectionClosed) => void;
  /** The sink has stopped to take more (true), or everything queued has been taken again (false). */
  readonly onBlocked?: ((blocked: boolean) => void) | undefined;
  /** A request or notification that JSON cannot express was left out. */
  readonly onUnsendable?: ((frame: Frame, reason: string) => void) | undefined;
}

export interface Outbox {
  /** Queues a frame, or a batch for one line; it is written together with all others of this microtask. */
  push(frame: Frame | readonly Frame[]): void;
  /** The sink takes more again. */
  drained(): void;
  /** Hands over everything, whether the sink asks for more or not: the last thing before the sink is ended. */
  flush(): void;
  /** Forgets what is queued, and takes nothing more. */
  close(): void;
  /** How much is queued here, in bytes of ASCII text; what the sink holds itself is not counted. */
  readonly pendingBytes: number;
}

/** A write of this size is not held back for more, nor made larger: what is written can no longer be conflated. */
const writeSize = 64 * 1024;

/**
 * Progress is out of date when there is newer progress of its token; list changes and updates of a resource are so
 * when the same is said again.
 */
export const conflateNotices: Conflate = (frame, text) => {
  if (!('method' in frame) || 'id' in frame) return undefined;
  const { method, params } = frame;
  if (method === 'notifications/progress') return `progress ${JSON.stringify(params?.['progressToken'])}`;
  return method.endsWith('/list_changed') || method === 'notifications/resources/updated' ? text : undefined;
};

/**
 * Makes an outbox. A frame is serialised once, when it is pushed. A response that JSON cannot express is replaced by
 * an error, so that its request does not wait for ever.
 *
 * @example
 * import { createConnection } from 'node:net';
 *
 * const link = createConnection({ port: 4000 });
 * const outbox = createOutbox({ write: (text) => link.write(text), onError: (error) => link.destroy(error) });
 * link.on('drain', () => outbox.drained());
 */
export const createOutbox = (options: OutboxOptions): Outbox => new Queue(options);

/** A class, because there is one for each channel and slow stream. */
class Queue implements Outbox {
  readonly #options: OutboxOptions;
  readonly #conflate: Conflate;
  readonly #maxBytes: number;
  /** What goes out with the next write: all there is, as long as the sink keeps up. */
  #ready = '';
  /** What waits for a blocked sink, in order of insertion: under a key of its own, or a number. */
  #waiting: Map<string | number, string> | undefined;
  #next = 0;
  #pending = 0;
  #blocked = false;
  #scheduled = false;
  #closed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#conflate = options.conflate ?? conflateNotices;
    this.#maxBytes = options.maxBytes ?? queueLimit;
    this.#blocked = options.blocked === true;
  }

  get pendingBytes(): number {
    return this.#pending;
  }

  push(frame: Frame | readonly Frame[]): void {
    if (this.#closed) return;
    const { wrap, onUnsendable, onError } = this.#options;
    const line = serialise(frame, onUnsendable);
    if (line === undefined) return;
    const text = wrap === undefined ? line : wrap(line);
    if (!this.#blocked && (this.#waiting?.size ?? 0) === 0) {
      this.#ready += text;
      this.#pending += text.length;
      return this.#schedule();
    }
    const key = isSingle(frame) ? this.#conflate(frame, line) : undefined;
    this.#put(key ?? (this.#next += 1), text);
    if (this.#blocked && this.#pending > this.#maxBytes) {
      const size = this.#pending;
      this.close();
      const message = `the peer does not read: ${size} bytes are queued for it, ${this.#maxBytes} are allowed`;
      onError(new ConnectionClosed({ message }));
    } else if (!this.#blocked) this.#schedule();
  }

  drained(): void {
    if (!this.#blocked || this.#closed) return;
    this.#blocked = false;
    this.#write(false);
    if (!this.#blocked) this.#options.onBlocked?.(false);
  }

  flush(): void {
    this.#write(true);
  }

  close(): void {
    this.#closed = true;
    this.#ready = '';
    this.#waiting = undefined;
    this.#pending = 0;
  }

  #put(key: string | number, text: string): void {
    const waiting = (this.#waiting ??= new Map<string | number, string>());
    const older = waiting.get(key);
    if (older !== undefined) {
      waiting.delete(key);
      this.#pending -= older.length;
    }
    waiting.set(key, text);
    this.#pending += text.length;
  }

  #hand(text: string): void {
    const took = this.#options.write(text);
    if (took || this.#blocked) return;
    this.#blocked = true;
    this.#options.onBlocked?.(true);
  }

  /** Writes up to `writeSize` at a time. */
  #write(all: boolean): void {
    if (this.#ready !== '' && (all || !this.#blocked)) {
      const text = this.#ready;
      this.#ready = '';
      this.#pending -= text.length;
      this.#hand(text);
    }
    while (this.#waiting !== undefined && this.#waiting.size > 0 && (all || !this.#blocked)) {
      let text = '';
      for (const [key, line] of this.#waiting) {
        text += line;
        this.#waiting.delete(key);
        this.#pending -= line.length;
        if (text.length >= writeSize) break;
      }
      this.#hand(text);
    }
  }

  #schedule(): void {
    if (this.#pending >= writeSize) return this.#write(false);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#write(false);
    });
  }
}

const isSingle = (frame: Frame | readonly Frame[]): frame is Frame => !isArray(frame);

/** A frame, or a batch, as one line; undefined where nothing of it can be sent. */
export const serialise = (
  frame: Frame | readonly Frame[],
  onUnsendable: OutboxOptions['onUnsendable'],
): string | undefined => {
  try {
    return `${stringify(frame)}\n`;
  } catch {
    const rest = (isSingle(frame) ? [frame] : frame).flatMap((one) => sendable(one, onUnsendable) ?? []);
    const [only] = rest;
    return only === undefined ? undefined : `${stringify(isSingle(frame) ? only : rest)}\n`;
  }
};

const sendable = (frame: Frame, onUnsendable: OutboxOptions['onUnsendable']): Frame | undefined => {
  try {
    stringify(frame);
    return frame;
  } catch (error) {
    const reason = `JSON cannot express it: ${error instanceof Error ? error.message : String(error)}`;
    if ('method' in frame || frame.id === undefined) return void onUnsendable?.(frame, reason);
    return { jsonrpc: '2.0', id: frame.id, error: { code: codes.internalError, message: 'the result is no JSON' } };
  }
};
