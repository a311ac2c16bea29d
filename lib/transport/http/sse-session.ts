/**
 * One session of the oldest HTTP transport: a stream of events that lasts as long as the session, as a channel.
 *
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
import { Observable, type Subscriber } from 'rxjs';
import type { Channel, Context } from '../../exchange/exchange.ts';
import { codes } from '../../frame/errors.ts';
import { eventText, keepAliveText } from '../../frame/sse.ts';
import { UnreadableResponse } from '../../frame/unreadable-response.ts';
import { createOutbox } from '../outbox.ts';
import type { HttpHandling, HttpHeaders, HttpReply, HttpRequest } from './message.ts';

export interface SseSessionOptions {
  /** The request that opens it. */
  readonly opening: HttpRequest;
  /** Of its stream. */
  readonly headers: HttpHeaders;
  readonly maxQueuedBytes: number | undefined;
  /** Called once, when it is over. */
  readonly onOver: (session: SseSession) => void;
}

export class SseSession implements HttpHandling {
  /** Whoever knows it may post: it can be neither guessed nor counted up to. */
  readonly id = crypto.randomUUID();
  readonly principal: string | undefined;
  /** What is known of its client: one object, until that proves itself again. */
  context: Context;
  readonly #reply: HttpReply;
  readonly #options: SseSessionOptions;
  #open = true;
  #subscriber: Subscriber<unknown> | undefined;
  #drained: (() => void) | undefined;
  /** Whether the client is there to be written to. */
  #attached = true;
  #blocked = false;
  /** Whether anything has been written since the last look. */
  #active = false;

  constructor(reply: HttpReply, options: SseSessionOptions) {
    const { principal, headers, access } = options.opening;
    this.principal = principal;
    this.context = {
      connection: this,
      headers,
      ...(principal === undefined ? undefined : { principal }),
      ...(access === undefined ? undefined : { access }),
    };
    this.#reply = reply;
    this.#options = options;
  }

  /**
   * The channel, to be subscribed once and before anything else: that answers the request.
   *
   * @param endpoint - where the client is to post to
   */
  channel(endpoint: string): Channel {
    return (outbound) =>
      new Observable((subscriber) => {
        this.#subscriber = subscriber;
        this.#reply.open(200, this.#options.headers);
        // Before anything else that it says (SSE-02).
        this.#write(eventText({ event: 'endpoint', data: `${endpoint}?sessionId=${this.id}` }));
        const outbox = createOutbox({
          write: (text) => this.#write(text),
          wrap: messageEvent,
          maxBytes: this.#options.maxQueuedBytes,
          onBlocked: (blocked) => (this.#blocked = blocked),
          onError: (error) => {
            // The stream was not complete, so it must not end as if it were.
            this.#attached = false;
            this.#reply.destroy();
            subscriber.error(error);
          },
          onUnsendable: (frame, reason) => {
            if ('method' in frame && 'id' in frame)
              subscriber.next(new UnreadableResponse(reason, codes.internalError, frame.method, frame.id));
          },
        });
        this.#drained = () => outbox.drained();
        const writing = outbound.subscribe({
          next: (frame) => outbox.push(frame),
          error: (error: unknown) => subscriber.error(error),
        });
        return () => {
          writing.unsubscribe();
          if (this.#attached) outbox.flush();
          outbox.close();
          if (this.#attached) this.#reply.end();
          this.#over();
        };
      });
  }

  /** Its client has proved itself again, with whatever it posts. */
  proved({ access }: HttpRequest): void {
    if (access !== undefined) this.context = { ...this.context, access };
  }

  /** Something has been posted. */
  receive(value: unknown): void {
    this.#subscriber?.next(value);
  }

  keepAlive(): void {
    if (!this.#active && !this.#blocked) this.#write(keepAliveText);
    this.#active = false;
  }

  drained(): void {
    this.#drained?.();
  }

  closed(): void {
    this.#attached = false;
    this.#subscriber?.complete();
    this.#over();
  }

  #write(text: string): boolean {
    this.#active = true;
    return this.#reply.write(text);
  }

  #over(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#attached = false;
    this.#options.onOver(this);
  }
}

/** A frame's line, which ends in a line feed, as an event (SSE-04). */
const messageEvent = (line: string): string => `event: message\ndata: ${line}\n`;
