/**
 * One request of 2026-07-28: the POST is the exchange. What comes first decides how it is answered: a result is one JSON
 * object, a notification, or silence that lasts, a stream of events. A peer that hangs up has cancelled.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
import type { Observer, Subscription } from 'rxjs';
import { codes, RpcError } from '../../frame/errors.ts';
import type { RequestFrame } from '../../frame/frame.ts';
import { Envelope, listenMethod } from '../../exchange/envelope.ts';
import { isAnswer, type Context, type Emission, type Exchange } from '../../exchange/exchange.ts';
import { isOver, type Access } from '../../exchange/guard.ts';
import { errorFrame, wireError } from '../../exchange/settle.ts';
import { bodyOf, statusOf } from './answer.ts';
import type { Crowd, Member } from './crowd.ts';
import { EventStream, eventStreamHeaders, plainEvent, type EventSource } from './event-stream.ts';
import type { HttpHandling, HttpHeaders, HttpReply } from './message.ts';

/** What all posts of an endpoint have in common. */
export interface Posts {
  readonly json: HttpHeaders;
  readonly events: EventSource;
  readonly onFailure: (error: unknown, method: string) => void;
  /** Those that are under way. */
  readonly open: Crowd<Underway>;
}

/** Streams of this revision cannot be resumed, so events have no ids (HTTP26-19). */
export const modernEvents = (maxBytes: number | undefined): EventSource => ({
  eventHeaders: eventStreamHeaders,
  maxBytes,
  preface: () => '',
  event: plainEvent,
  cut: () => undefined,
});

/** A request whose answer is not complete. */
export interface Underway extends Member {
  /** A subscription, which would stay as long as its peer. */
  readonly listens: boolean;
  /** Called at every tick of the keep-alive clock. */
  tick(): void;
  /** Ends a subscription in good order. */
  conclude(): void;
  /** Answers with an error what has not been answered by now. */
  abandon(error: RpcError): void;
}

export class ModernPost implements Observer<Emission>, HttpHandling, Underway {
  at = -1;
  readonly #request: RequestFrame;
  readonly #reply: HttpReply;
  readonly #posts: Posts;
  readonly #envelope: Envelope;
  #events: EventStream | undefined;
  #subscription: Subscription | undefined;
  #over = false;
  #access: Access | undefined;
  /** Whether a tick has passed: only what takes long begins a stream for nothing but a sign of life. */
  #ticked = false;

  constructor(request: RequestFrame, reply: HttpReply, posts: Posts) {
    this.#request = request;
    this.#reply = reply;
    this.#posts = posts;
    this.#envelope = new Envelope(request);
  }

  get listens(): boolean {
    return this.#request.method === listenMethod;
  }

  start(exchange: Exchange, context: Context): this {
    this.#posts.open.add(this);
    this.#access = context.access;
    try {
      this.#subscription = exchange(this.#request, context).subscribe(this);
      if (this.#over) this.#release();
    } catch (error) {
      this.error(error);
    }
    return this;
  }

  next(emission: Emission): void {
    if (this.#over) return;
    if (isAnswer(emission)) {
      const frame = this.#envelope.result(emission.result);
      // A subscription is a stream from its first word to its last (SUB-05).
      if (this.#events === undefined && !this.listens) return this.#answer(200, bodyOf(frame));
      const events = this.#stream();
      events.push(frame);
      return this.#end(events);
    }
    const frame = this.#envelope.notification(emission);
    if (frame !== undefined) this.#stream().push(frame);
  }

  error(error: unknown): void {
    if (this.#over) return;
    const { id, method } = this.#request;
    if (!(error instanceof RpcError)) this.#posts.onFailure(error, method);
    const told = wireError(error, method);
    const frame = errorFrame(id, told);
    if (this.#events === undefined) return this.#answer(statusOf(told.code), bodyOf(frame));
    this.#events.push(frame);
    this.#end(this.#events);
  }

  complete(): void {
    if (this.#over) return;
    const { method } = this.#request;
    this.error(new RpcError({ code: codes.internalError, message: `${method} ended without a result` }));
  }

  closed(): void {
    if (this.#over) return;
    this.#events?.abandon();
    this.#done();
  }

  drained(): void {
    this.#events?.drained();
  }

  tick(): void {
    // Whoever listens to more than that has to prove again who they are: they ask once more.
    if (this.#access !== undefined && this.listens && isOver(this.#access)) return this.conclude();
    if (this.#ticked) this.#stream().keepAlive();
    this.#ticked = true;
  }

  conclude(): void {
    if (this.listens) this.next({ result: { resultType: 'complete' } });
  }

  abandon(error: RpcError): void {
    this.error(error);
  }

  #stream(): EventStream {
    return (this.#events ??= new EventStream(this.#reply, this.#posts.events));
  }

  #answer(status: number, body: string): void {
    // Before it goes out, as whoever gets it may look at what is left.
    this.#done();
    this.#reply.send(status, this.#posts.json, body);
  }

  #end(events: EventStream): void {
    this.#done();
    events.end();
  }

  #done(): void {
    this.#over = true;
    this.#posts.open.remove(this);
    this.#release();
  }

  /** A teardown that throws is its handler's own affair: what follows must not suffer. */
  #release(): void {
    try {
      this.#subscription?.unsubscribe();
    } catch (failure) {
      this.#posts.onFailure(failure, this.#request.method);
    }
  }
}
