/**
 * One answer as a stream of events. Events that come together leave together; what a slow reader has no use for any more
 * is left out, answers never are, and a reader that takes nothing is cut off in the end.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#sending-messages-to-the-server
 */
import type { Frame } from '../../frame/frame.ts';
import { keepAliveText } from '../../frame/sse.ts';
import { createOutbox, serialise, type Outbox } from '../outbox.ts';
import type { HttpHeaders, HttpReply } from './message.ts';

/** Whose events these are. */
export interface EventSource {
  /** What the answer says of itself. */
  readonly eventHeaders: HttpHeaders;
  /** How much may queue for a reader that takes nothing. */
  readonly maxBytes: number | undefined;
  /** What goes before the first event of a stream that is sent as it comes. */
  preface(): string;
  /** A frame's line, which ends in a line feed, as an event of such a stream. */
  event(line: string): string;
  /** Called when a reader that takes nothing has been cut off: nothing that is pushed from now on goes anywhere. */
  cut(): void;
}

/** What comes in one turn is not gathered beyond this, in characters: a reader may have stopped to read by then. */
const mostHeld = 64 * 1024;

/** A line that ends in a line feed as an event that nobody can come back to. */
export const plainEvent = (line: string): string => `event: message\ndata: ${line}\n`;

export class EventStream {
  readonly #reply: HttpReply;
  readonly #source: EventSource;
  /** What waits for the end of this turn, by which it may be all; undefined once the head has left. */
  #held: string[] | undefined = [];
  #heldSize = 0;
  /** Where what is said goes, once the reader has not kept up. */
  #outbox: Outbox | undefined;
  #over = false;
  /** Whether anything has been written since the last look. */
  #active = false;
  #blocked = false;

  constructor(reply: HttpReply, source: EventSource) {
    this.#reply = reply;
    this.#source = source;
  }

  push(frame: Frame | readonly Frame[]): void {
    if (this.#over) return;
    if (this.#outbox !== undefined) return this.#outbox.push(frame);
    const line = serialise(frame, undefined);
    if (line === undefined) return;
    if (this.#held === undefined) return void this.#write(this.#source.event(line));
    if (this.#held.push(line) === 1) queueMicrotask(() => this.start());
    this.#heldSize += line.length;
    if (this.#heldSize > mostHeld) this.start();
  }

  /** Text of the stream's own: whole events or comments, in their place among the others. */
  say(text: string): void {
    if (this.#over) return;
    if (this.#held !== undefined) return this.start(text);
    this.#outbox?.flush();
    this.#write(text);
  }

  /**
   * Sends what there is, the head at least: whoever waits is to know that it is heard.
   *
   * @param last - text of the stream's own that follows
   */
  start(last = ''): void {
    if (this.#held === undefined || this.#over) return;
    const held = this.#held;
    this.#held = undefined;
    let text = this.#source.preface();
    for (const line of held) text += this.#source.event(line);
    this.#reply.open(200, this.#source.eventHeaders);
    text += last;
    this.#write(text === '' ? keepAliveText : text);
  }

  /** A sign of life, where there was no other for a while. */
  keepAlive(): void {
    if (!this.#active && !this.#blocked) this.say(keepAliveText);
    this.#active = false;
  }

  /** All has been said. What is complete before its head has left goes as a whole, as other answers do. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#held !== undefined)
      return this.#reply.send(200, this.#source.eventHeaders, this.#held.map(plainEvent).join(''));
    this.#outbox?.flush();
    this.#outbox?.close();
    this.#reply.end();
  }

  drained(): void {
    this.#blocked = false;
    this.#outbox?.drained();
  }

  /** The reader has gone: what is queued is for nobody. */
  abandon(): void {
    this.#over = true;
    this.#outbox?.close();
  }

  #write(text: string): boolean {
    this.#active = true;
    const took = this.#reply.write(text);
    if (took) return true;
    this.#blocked = true;
    this.#outbox ??= createOutbox({
      write: (more) => this.#write(more),
      blocked: true,
      wrap: (line) => this.#source.event(line),
      maxBytes: this.#source.maxBytes,
      // The stream was not complete, so it must not end as if it were.
      onError: () => {
        this.#over = true;
        this.#reply.destroy();
        this.#source.cut();
      },
    });
    return false;
  }
}

/** What every stream of events says of itself; proxies are asked not to hold it back (HTTP26-16). */
export const eventStreamHeaders: HttpHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};
