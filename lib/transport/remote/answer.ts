/** One HTTP request and what comes back: a text in one piece, a stream of events, or a refusal. */
import { asyncScheduler, type Subscription } from 'rxjs';
import { createParser, type EventSourceMessage, type EventSourceParser } from 'eventsource-parser';
import { onceUnheld } from '../../exchange/patience.ts';
import { ConnectionClosed, quoted } from '../../frame/errors.ts';
import { excerpt } from '../../frame/json.ts';
import { HttpRefusal } from '../../frame/http-refusal.ts';
import type { HttpCall, HttpSink } from './carrier.ts';
import type { Wire } from './wire.ts';

export type Header = (name: string) => string | undefined;

/** Hears of an answer. After `whole`, `ended`, `refused` and `failed` nothing more comes. */
export interface AnswerListener {
  /** The request was taken: its status is one of success. */
  accepted?(header: Header): void;
  /** A body that is no stream; `type` is its media type, empty where it has none. */
  whole(text: string, type: string): void;
  event(event: EventSourceMessage): void;
  /** How long to wait before coming back, in milliseconds, when the stream has broken. */
  retry?(ms: number): void;
  /** The stream of events has ended in good order. */
  ended(): void;
  /** Any other status, with as much of its body as came in time. */
  refused(refusal: HttpRefusal, text: string): void;
  /** There was no connection, it broke, or it was more than can be borne. */
  failed(error: ConnectionClosed): void;
}

/** A class, because one is made for every call. */
export class Answer implements HttpSink {
  readonly #wire: Wire;
  readonly #listener: AnswerListener;
  #call: HttpCall;
  #abort: (() => void) | undefined;
  #clock: Subscription | undefined;
  #over = false;
  #hops = 0;
  #status = 0;
  #header: Header | undefined;
  #type = '';
  #text = '';
  /** Whether no text has come yet. */
  #fresh = true;
  #parser: EventSourceParser | undefined;

  /** @param openMs - how long the head may take, where that is limited here */
  constructor(wire: Wire, call: HttpCall, listener: AnswerListener, openMs?: number) {
    this.#wire = wire;
    this.#call = call;
    this.#listener = listener;
    if (openMs !== undefined)
      this.#clock = onceUnheld(openMs, wire.held$, () =>
        this.#fail(`the server did not begin its answer within ${openMs} ms`),
      );
    this.#carry();
  }

  /** Gives the request up; the listener hears nothing more. */
  stop(): void {
    if (this.#over) return;
    this.#end();
    this.#abort?.();
  }

  /** Has heard enough. The stream gets a moment to end by itself, so that its connection can be used again. */
  release(): void {
    if (this.#over) return;
    this.#end();
    this.#clock = asyncScheduler.schedule(() => this.#abort?.(), drainMs);
  }

  head(status: number, header: Header): void {
    if (this.#over) return;
    if (status >= 300 && status < 400 && status !== 304) return this.#redirected(status, header);
    this.#clock?.unsubscribe();
    this.#status = status;
    this.#header = header;
    this.#type = mediaType(header('content-type'));
    if (!this.#success) {
      // What is said with it is not worth more time than that.
      this.#clock = asyncScheduler.schedule(() => this.#cut(), this.#wire.openMs);
      return;
    }
    if (this.#type === 'text/event-stream')
      this.#parser = createParser({
        onEvent: (event) => this.#event(event),
        onRetry: (ms) => this.#listener.retry?.(ms),
        onError: ({ type }) => {
          if (type === 'max-buffer-size-exceeded') this.#tooLong('an event');
        },
        maxBufferSize: this.#wire.maxBytes,
      });
    this.#listener.accepted?.(header);
  }

  text(part: string): void {
    if (this.#over) return;
    const text = this.#fresh ? withoutMark(part) : part;
    this.#fresh = false;
    if (this.#parser !== undefined) return this.#parser.feed(text);
    this.#text = this.#text === '' ? text : this.#text + text;
    if (this.#text.length <= this.#wire.maxBytes) return;
    if (this.#success) this.#tooLong('the answer');
    else this.#cut();
  }

  end(): void {
    if (this.#over) return this.#clock?.unsubscribe();
    this.#end();
    if (!this.#success) this.#refused();
    else if (this.#parser === undefined) this.#listener.whole(this.#text, this.#type);
    else this.#listener.ended();
  }

  failed(error: ConnectionClosed): void {
    if (this.#over) return this.#clock?.unsubscribe();
    this.#end();
    this.#listener.failed(error);
  }

  get #success(): boolean {
    return this.#status >= 200 && this.#status < 300;
  }

  #carry(): void {
    this.#abort = this.#wire.carry(this.#call, this);
  }

  #end(): void {
    this.#over = true;
    this.#clock?.unsubscribe();
  }

  #fail(message: string, cause?: unknown): void {
    this.stop();
    this.#listener.failed(new ConnectionClosed({ message, ...(cause === undefined ? undefined : { cause }) }));
  }

  #tooLong(what: string): void {
    this.#fail(`${what} is longer than ${this.#wire.maxBytes} characters`);
  }

  #event(event: EventSourceMessage): void {
    if (this.#over) return;
    if (event.data.length > this.#wire.maxBytes) this.#tooLong('an event');
    else this.#listener.event(event);
  }

  /** Followed to the same origin only, and with the same method: what goes along is for nobody else. */
  #redirected(status: number, header: Header): void {
    const to = resolved(header('location'), this.#call.url);
    const known = to?.origin === new URL(this.#call.url).origin;
    if (
      to !== undefined &&
      known &&
      (status === 307 || status === 308 || this.#call.method === 'GET') &&
      this.#hops < mostHops
    ) {
      this.#hops += 1;
      this.#abort?.();
      const { method, headers, body } = this.#call;
      this.#call = { method, url: to.href, headers, body };
      return this.#carry();
    }
    const where = to === undefined ? 'elsewhere' : quoted(`${to.origin}${to.pathname}`);
    const message = `the server redirects to ${where}, which is not followed (HTTP status ${status})`;
    this.#fail(message, new HttpRefusal({ message, status, body: '' }));
  }

  /** A refusal of which enough has come. */
  #cut(): void {
    this.stop();
    this.#refused();
  }

  #refused(): void {
    const [status, text, header] = [this.#status, this.#text, this.#header];
    const wwwAuthenticate = header?.('www-authenticate');
    const retryAfterMs = retryAfter(header?.('retry-after'));
    const said = text.trim();
    const message = `the server answered with HTTP status ${status}${said === '' ? '' : `: ${quoted(said)}`}`;
    const refusal = new HttpRefusal({
      message,
      status,
      body: excerpt(said),
      ...(wwwAuthenticate === undefined ? undefined : { wwwAuthenticate }),
      ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
    });
    this.#listener.refused(refusal, text);
  }
}

/** How long a stream may go on after its last message, in milliseconds. */
const drainMs = 500;

/** How many redirects within one origin are followed. */
const mostHops = 5;

/** A byte order mark is no part of the text. */
const withoutMark = (text: string): string => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);

/** `application/json`, of `Application/JSON; charset=utf-8`. */
const mediaType = (header: string | undefined): string => {
  if (header === undefined || header === 'application/json' || header === 'text/event-stream') return header ?? '';
  const end = header.indexOf(';');
  return (end === -1 ? header : header.slice(0, end)).trim().toLowerCase();
};

const resolved = (location: string | undefined, base: string): URL | undefined => {
  try {
    return location === undefined ? undefined : new URL(location, base);
  } catch {
    return undefined;
  }
};

/** `Retry-After`, in seconds or as a date, in milliseconds from now. */
const retryAfter = (header: string | undefined): number | undefined => {
  if (header === undefined) return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - asyncScheduler.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
};
