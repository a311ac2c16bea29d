/**
 * Bytes to lines: the framing of stdio, and of every other byte stream that carries frames.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio
 */
import { Observable, type OperatorFunction, type Subscriber } from 'rxjs';
import type { Unreadable } from './unreadable.ts';
import { codes } from './errors.ts';
import { unreadable } from './json.ts';
import { Salvage } from './salvage.ts';

/** How long a line may be unless said otherwise: 16 MiB. */
export const lineLimit = 16 * 1024 * 1024;

export interface LinesOptions {
  /** The longest line, in bytes. Default {@link lineLimit}, 16 MiB. */
  readonly limit?: number | undefined;
  /** UTF-8 bytes to text, keeping byte order marks. Default a `TextDecoder`; Node's `Buffer` is faster. */
  readonly decode?: ((bytes: Uint8Array) => string) | undefined;
}

const newline = 0x0a;
/** A buffer beyond this size is given back after the line that needed it. */
const keptBuffer = 64 * 1024;
/** How much of a line that is too long is kept for diagnostics, in bytes. */
const keptExcerpt = 256;

/**
 * Cuts bytes into lines. A line ends with `\n` or `\r\n`, and the last one with the input; blank lines are skipped; a
 * byte order mark is dropped. Characters may be split anywhere.
 *
 * A line beyond the limit is thrown away as it arrives, so that memory stays bounded whatever the peer sends; at its
 * end it yields an {@link Unreadable} (−32600) with the id of the request that it was, and reading goes on.
 *
 * @param options.limit - the longest line, in bytes; default 16 MiB
 * @returns an operator that emits each line without its end, completes with its source, and adds no errors of its own
 * @example
 * from([new TextEncoder().encode('first\nsec'), new TextEncoder().encode('ond\n')]).pipe(lines()); // 'first', 'second'
 */
export const lines =
  ({ limit = lineLimit, decode = decoder() }: LinesOptions = {}): OperatorFunction<Uint8Array, string | Unreadable> =>
  (source) =>
    new Observable((subscriber) => {
      const cutter = new Cutter(subscriber, limit, decode);
      return source.subscribe({
        next: (chunk) => cutter.push(chunk),
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          cutter.end();
          subscriber.complete();
        },
      });
    });

const decoder = (): ((bytes: Uint8Array) => string) => {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  return (bytes) => utf8.decode(bytes);
};

/** A line that is being thrown away. */
interface TooLong {
  readonly salvage: Salvage;
  readonly beginning: Uint8Array;
  size: number;
}

class Cutter {
  readonly #subscriber: Subscriber<string | Unreadable>;
  readonly #limit: number;
  readonly #decode: (bytes: Uint8Array) => string;
  /** The line under way, in the first `#length` bytes. */
  #buffer = new Uint8Array(0);
  #length = 0;
  #tooLong: TooLong | undefined;

  constructor(subscriber: Subscriber<string | Unreadable>, limit: number, decode: (bytes: Uint8Array) => string) {
    this.#subscriber = subscriber;
    this.#limit = limit;
    this.#decode = decode;
  }

  push(chunk: Uint8Array): void {
    const last = chunk.lastIndexOf(newline);
    if (last === -1) return this.#keep(chunk);
    let start = 0;
    if (this.#tooLong !== undefined) {
      start = chunk.indexOf(newline) + 1;
      this.#keep(chunk.subarray(0, start - 1));
      this.#reject();
    }
    if (start <= last) {
      // Where all of it is within the limit, so is each line, and one decoding serves them all.
      if (this.#length + last - start <= this.#limit) this.#emit(this.#take(chunk.subarray(start, last)));
      else this.#cut(chunk.subarray(start, last + 1));
    }
    this.#keep(chunk.subarray(last + 1));
  }

  /** The input's end ends a line. */
  end(): void {
    if (this.#tooLong !== undefined) this.#reject();
    else if (this.#length > 0) this.#emit(this.#take(new Uint8Array(0)));
  }

  /** Line by line, each one of them against the limit. */
  #cut(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length;) {
      const end = bytes.indexOf(newline, start);
      const line = bytes.subarray(start, end);
      start = end + 1;
      if (this.#length + line.length <= this.#limit) this.#emit(this.#take(line));
      else {
        this.#keep(line);
        this.#reject();
      }
    }
  }

  #emit(text: string): void {
    for (let start = 0; start <= text.length && !this.#subscriber.closed;) {
      const found = text.indexOf('\n', start);
      const end = found === -1 ? text.length : found;
      const from = text.charCodeAt(start) === 0xfeff ? start + 1 : start;
      const to = end > from && text.charCodeAt(end - 1) === 0x0d ? end - 1 : end;
      start = end + 1;
      if (from === to) continue;
      const line = text.slice(from, to);
      // Few lines begin with white space, so few are looked at as a whole.
      if (line.charCodeAt(0) > 0x20 || line.trim() !== '') this.#subscriber.next(line);
    }
  }

  /** The line under way and these bytes, decoded. */
  #take(bytes: Uint8Array): string {
    if (this.#length === 0) return this.#decode(bytes);
    this.#append(bytes);
    const text = this.#decode(this.#buffer.subarray(0, this.#length));
    this.#forget();
    return text;
  }

  #keep(bytes: Uint8Array): void {
    if (this.#tooLong === undefined) {
      if (this.#length + bytes.length <= this.#limit) return this.#append(bytes);
      this.#tooLong = { salvage: new Salvage(), beginning: new Uint8Array(keptExcerpt), size: 0 };
      this.#throwAway(this.#tooLong, this.#buffer.subarray(0, this.#length));
      this.#forget();
    }
    this.#throwAway(this.#tooLong, bytes);
  }

  #throwAway(line: TooLong, bytes: Uint8Array): void {
    if (line.size < keptExcerpt) line.beginning.set(bytes.subarray(0, keptExcerpt - line.size), line.size);
    line.size += bytes.length;
    line.salvage.push(bytes);
  }

  /** The end of a line that was thrown away. */
  #reject(): void {
    const line = this.#tooLong;
    this.#tooLong = undefined;
    if (line === undefined) return;
    const beginning = this.#decode(line.beginning.subarray(0, Math.min(line.size, keptExcerpt)));
    const reason = `a message must not be longer than ${this.#limit} bytes, this one has ${line.size}`;
    this.#subscriber.next(unreadable(reason, codes.invalidRequest, beginning, line.salvage.end()));
  }

  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, Math.min(this.#buffer.length * 2, this.#limit)));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }

  #forget(): void {
    this.#length = 0;
    if (this.#buffer.length > keptBuffer) this.#buffer = new Uint8Array(0);
  }
}
