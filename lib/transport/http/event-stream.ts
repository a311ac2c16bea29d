/**
 * One answer as a stream of events. Events that come together leave together; what a slow reader has no use for any more
 * is left out, answers never are, and a reader that takes nothing is cut off in the end.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#sending-messages-to-the-server
 */
import type { Frame } from '../../frame/frame.ts';
import { keepAliveText } from '../../frame/sse.ts';
import { createOutbox, type Outbox } from '../outbox.ts';
import type { HttpHeaders, HttpReply } from './message.ts';

export interface EventStreamOptions {
  readonly headers: HttpHeaders;
  /** A frame's line, which ends in a line feed, as an event. */
  readonly event: (line: string) => string;
  /** How much may queue for a reader that takes nothing. */
  readonly maxBytes: number | undefined;
  /** Called when such a reader has been cut off: nothing that is pushed from now on goes anywhere. */
  readonly onCut?: () => void;
}

export class EventStream {
  readonly #reply: HttpReply;
  readonly #options: EventStreamOptions;
  readonly #outbox: Outbox;
  #open = false;
  #ending = false;
  /** Whether anything has been written since the last look. */
  #active = false;
  #blocked = false;
  /** Comments and the like, which belong in front of what follows. */
  #preface = '';

  constructor(reply: HttpReply, options: EventStreamOptions) {
    this.#reply = reply;
    this.#options = options;
    this.#outbox = createOutbox({
      write: (text) => this.#write(text),
      wrap: options.event,
      maxBytes: options.maxBytes,
      onBlocked: (blocked) => (this.#blocked = blocked),
      // The stream was not complete, so it must not end as if it were.
      onError: () => {
        reply.destroy();
        options.onCut?.();
      },
    });
  }

  push(frame: Frame | readonly Frame[]): void {
    this.#outbox.push(frame);
  }

  /** Text of the stream's own: whole events or comments, in their place among the others. */
  say(text: string): void {
    this.#outbox.flush();
    this.#write(text);
  }

  /** Begins the stream with this, which leaves together with what follows at once. */
  begin(text: string): void {
    this.#preface = text;
  }

  /** Sends what there is, the head at least: whoever waits is to know that it is heard. */
  start(): void {
    if (this.#open || this.#ending) return;
    this.#outbox.flush();
    if (!this.#open) this.#write('');
  }

  /** A sign of life, where there was no other for a while. */
  keepAlive(): void {
    if (!this.#active && !this.#blocked) this.say(keepAliveText);
    this.#active = false;
  }

  /** All has been said. */
  end(): void {
    this.#ending = true;
    this.#outbox.flush();
    this.#outbox.close();
    if (this.#open) this.#reply.end();
    else this.#reply.send(200, this.#options.headers, this.#preface);
    this.#open = true;
  }

  drained(): void {
    this.#outbox.drained();
  }

  /** The reader has gone: what is queued is for nobody. */
  abandon(): void {
    this.#outbox.close();
  }

  #write(text: string): boolean {
    this.#active = true;
    if (this.#open) return this.#reply.write(text);
    const all = this.#preface + text;
    this.#preface = '';
    // What is complete before its head has left goes as a whole.
    if (this.#ending) {
      this.#preface = all;
      return true;
    }
    this.#open = true;
    this.#reply.open(200, this.#options.headers);
    return this.#reply.write(all);
  }
}

/** What every stream of events says of itself; proxies are asked not to hold it back (HTTP26-16). */
export const eventStreamHeaders: HttpHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};
