/**
 * The serving end of a channel: one inner subscription per request, torn down by a cancelled frame or by the channel's
 * end; exactly one response per request, or none once it is cancelled.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/cancellation
 */
import type { Observer, Subscription } from 'rxjs';
import { codes, invalidRequest, quoted, RpcError } from '../frame/errors.ts';
import type { RequestFrame, RequestId, ResponseFrame, NotificationFrame } from '../frame/frame.ts';
import { Envelope, listenMethod } from './envelope.ts';
import { isAnswer, type Context, type Emission, type Exchange } from './exchange.ts';
import { errorFrame, wireError } from './settle.ts';

type Send = (frame: ResponseFrame | NotificationFrame) => void;

export interface RequestOptions {
  /** Where this request's frames go; the channel's own way out by default. A batch collects its responses here. */
  readonly send?: Send;
  /** Whether log lines go out; see {@link Envelope}. */
  readonly logs?: boolean;
  /** Called when this request has ended: answered, refused or cancelled. */
  readonly ended?: () => void;
}

export interface DemultiplexOptions {
  /** Takes what goes out, in order. */
  readonly send: Send;
  /** How many requests of this peer may be in flight; one more is answered with an error. Default 512. */
  readonly limit?: number;
  /** Hears of failures that no peer is told the details of. */
  readonly onFailure?: (error: unknown, method: string) => void;
  /** Called whenever the last request that is no subscription has ended. */
  readonly onIdle?: () => void;
}

export class Demultiplexer {
  readonly #inflight = new Map<RequestId, Inflight>();
  readonly options: DemultiplexOptions;
  readonly #limit: number;

  constructor(options: DemultiplexOptions) {
    this.options = options;
    this.#limit = options.limit ?? 512;
  }

  /** Requests in flight, long-lived subscriptions not counted. */
  get busy(): number {
    let count = 0;
    for (const one of this.#inflight.values()) if (one.request.method !== listenMethod) count += 1;
    return count;
  }

  get size(): number {
    return this.#inflight.size;
  }

  has(id: RequestId): boolean {
    return this.#inflight.has(id);
  }

  /** Asks the exchange. Its emissions go out through `send`, under this request's envelope. */
  request(request: RequestFrame, exchange: Exchange, context: Context, options: RequestOptions = {}): void {
    const { id } = request;
    const { send = this.options.send } = options;
    if (this.#inflight.has(id)) {
      // With the id, this error would answer the first request.
      send(errorFrame(undefined, invalidRequest(`id ${quoted(id)} is already in flight`)));
      options.ended?.();
    } else if (this.#inflight.size >= this.#limit) {
      send(
        errorFrame(
          id,
          new RpcError({ code: codes.internalError, message: `too many requests in flight (limit ${this.#limit})` }),
        ),
      );
      options.ended?.();
    } else {
      const inflight = new Inflight(request, options, send, this);
      this.#inflight.set(id, inflight);
      try {
        inflight.hold(exchange(request, context).subscribe(inflight));
      } catch (error) {
        inflight.error(error);
      }
    }
  }

  /** Unsubscribes a request; nothing more is sent for it. Unknown and finished ids are ignored (CAN-11). */
  cancel(id: RequestId): void {
    const inflight = this.#inflight.get(id);
    if (inflight !== undefined) inflight.cancel();
  }

  /** Ends all subscriptions in good order: each gets its result (SUB-13). */
  conclude(): void {
    for (const inflight of [...this.#inflight.values()])
      if (inflight.request.method === listenMethod) inflight.next({ result: { resultType: 'complete' } });
  }

  /** Ends everything in flight with this error. */
  abandon(reason: RpcError): void {
    for (const inflight of [...this.#inflight.values()]) inflight.error(reason);
  }

  /** Unsubscribes everything that is in flight. */
  close(): void {
    for (const inflight of [...this.#inflight.values()]) inflight.cancel();
  }

  /** For {@link Inflight}: its id is free from here on, also for what the response provokes at once. */
  forget(id: RequestId): void {
    this.#inflight.delete(id);
  }

  ended(): void {
    if (this.options.onIdle !== undefined && this.busy === 0) this.options.onIdle();
  }
}

/** One request in flight: a class, because it is made for every call. */
class Inflight implements Observer<Emission> {
  readonly request: RequestFrame;
  readonly #send: Send;
  readonly #owner: Demultiplexer;
  readonly #envelope: Envelope;
  readonly #over: (() => void) | undefined;
  #subscription: Subscription | undefined;
  #ended = false;

  constructor(request: RequestFrame, { logs, ended }: RequestOptions, send: Send, owner: Demultiplexer) {
    this.request = request;
    this.#envelope = new Envelope(request, logs);
    this.#over = ended;
    this.#send = send;
    this.#owner = owner;
  }

  hold(subscription: Subscription): void {
    this.#subscription = subscription;
    if (this.#ended) this.#release();
  }

  next(emission: Emission): void {
    if (this.#ended) return;
    if (isAnswer(emission)) {
      const farewell = this.#envelope.farewell();
      if (farewell !== undefined) this.#send(farewell);
      return this.#end(this.#envelope.result(emission.result));
    }
    const frame = this.#envelope.notification(emission);
    if (frame !== undefined) this.#send(frame);
  }

  error(error: unknown): void {
    if (this.#ended) return;
    if (!(error instanceof RpcError)) this.#owner.options.onFailure?.(error, this.request.method);
    this.#end(errorFrame(this.request.id, wireError(error, this.request.method)));
  }

  complete(): void {
    if (this.#ended) return;
    this.error(new RpcError({ code: codes.internalError, message: `${this.request.method} ended without a result` }));
  }

  cancel(): void {
    if (!this.#ended) this.#end(undefined);
  }

  #end(response: ResponseFrame | undefined): void {
    this.#ended = true;
    this.#owner.forget(this.request.id);
    try {
      if (response !== undefined) this.#send(response);
      this.#release();
    } finally {
      this.#over?.();
      this.#owner.ended();
    }
  }

  /** A teardown that throws is its handler's own affair: neither neighbours nor what follows may suffer. */
  #release(): void {
    try {
      this.#subscription?.unsubscribe();
    } catch (failure) {
      this.#owner.options.onFailure?.(failure, this.request.method);
    }
  }
}
