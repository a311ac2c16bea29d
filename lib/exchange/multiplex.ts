/**
 * The asking end of a channel: an exchange whose requests share one link. It gives each request an id never used
 * before, makes that id its progress token, routes what comes back, and says `cancelled` when it is unsubscribed.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/progress
 */
import { Observable, type Subscriber } from 'rxjs';
import { ConnectionClosed, RpcError } from '../frame/errors.ts';
import {
  isObject,
  type ErrorObject,
  type Frame,
  type JsonObject,
  type NotificationFrame,
  type RequestId,
  type ResponseFrame,
} from '../frame/frame.ts';
import { metaKeys } from '../protocol/revisions.ts';
import type { Emission, Exchange, Notification, Request } from './exchange.ts';
import { cancelledMethod, listenMethod } from './envelope.ts';
import { progressMethod } from './notice.ts';

/** Makes the `_meta` of an outgoing request: the era's own keys, and the progress token where one is wanted. */
export type Stamp = (meta: JsonObject | undefined, id: number) => JsonObject | undefined;

/** A progress token's presence says that progress is wanted; on a link its value is the request's id. */
export const stampToken: Stamp = (meta, id) =>
  meta?.['progressToken'] === undefined ? meta : Object.assign({}, meta, { progressToken: id });

export class Multiplexer {
  readonly #pending = new Map<RequestId, Pending>();
  readonly #send: (frame: Frame) => void;
  /** Set once the era is known. */
  stamp: Stamp = stampToken;
  #next = 0;
  #closed: ConnectionClosed | undefined;

  constructor(send: (frame: Frame) => void) {
    this.#send = send;
  }

  /** How many requests await their answer. */
  get size(): number {
    return this.#pending.size;
  }

  /** How many of these methods await their answer. */
  count(methods: ReadonlySet<string>): number {
    let count = 0;
    for (const { method } of this.#pending.values()) if (methods.has(method)) count += 1;
    return count;
  }

  /** Asks over the link. Fails with {@link ConnectionClosed} once the link is gone. */
  readonly exchange: Exchange = (request) => new Observable((subscriber) => this.#ask(request, subscriber));

  /** Takes a response; answers that come too late, or that nobody asked for, are dropped (CAN-12). */
  response(frame: ResponseFrame): void {
    const pending = frame.id === undefined ? undefined : this.#pending.get(frame.id);
    if (pending === undefined) return;
    this.#pending.delete(pending.id);
    if ('error' in frame) return pending.subscriber.error(received(frame.error));
    pending.subscriber.next({ result: frame.result });
    pending.subscriber.complete();
  }

  /** Takes a notification if it belongs to a request in flight, by progress token or subscription id. */
  notification(frame: NotificationFrame): boolean {
    const { method, params } = frame;
    if (params === undefined) return false;
    if (method === progressMethod) {
      this.#progress(params);
      return true;
    }
    if (method === cancelledMethod) return this.#farewell(params['requestId'] as RequestId);
    const meta = params['_meta'];
    if (!isObject(meta)) return false;
    const { [metaKeys.subscriptionId]: subscription, ...rest } = meta;
    if (subscription === undefined) return false;
    this.#pending.get(subscription as RequestId)?.subscriber.next(strip(method, params, rest));
    return true;
  }

  /** A server may cancel nothing but a subscription, and may say so before, after or instead of its result (AMB-01). */
  #farewell(id: RequestId): boolean {
    const pending = this.#pending.get(id);
    if (pending?.method !== listenMethod) return false;
    this.#pending.delete(id);
    pending.subscriber.next({ result: {} });
    pending.subscriber.complete();
    return true;
  }

  /** Fails one request; its answer came, but is none. */
  fail(id: RequestId, reason: (method: string) => Error): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.subscriber.error(reason(pending.method));
  }

  /** Ends whatever still waits: the link is gone. */
  close(reason: ConnectionClosed): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { method, subscriber } of waiting)
      // A subscription has no answer to miss: it is over when the conversation is, which itself tells how that ended.
      if (method === listenMethod) subscriber.complete();
      else subscriber.error(oneOf(reason));
  }

  #ask({ method, params }: Request, subscriber: Subscriber<Emission>): (() => void) | undefined {
    if (this.#closed !== undefined) return void subscriber.error(oneOf(this.#closed));
    const id = (this.#next += 1);
    const given = params?.['_meta'];
    const meta = this.stamp(isObject(given) ? given : undefined, id);
    this.#pending.set(id, { id, method, subscriber, highest: -Infinity });
    if (meta === given)
      this.#send(params === undefined ? { jsonrpc: '2.0', id, method } : { jsonrpc: '2.0', id, method, params });
    else this.#send({ jsonrpc: '2.0', id, method, params: Object.assign({}, params, { _meta: meta }) });
    return () => {
      if (!this.#pending.delete(id) || this.#closed !== undefined) return;
      if (!openings.has(method)) this.#send({ jsonrpc: '2.0', method: cancelledMethod, params: { requestId: id } });
    };
  }

  #progress(params: JsonObject): void {
    const pending = this.#pending.get(params['progressToken'] as RequestId);
    const done = params['progress'];
    // A peer's progress that does not rise tells nothing; passing it on would break the rule in its name (PRG-04).
    if (pending === undefined || typeof done !== 'number' || !(done > pending.highest)) return;
    pending.highest = done;
    pending.subscriber.next(progressOf(done, params));
  }
}

/** Progress without its token, and without what nobody has defined. */
export const progressOf = (progress: number, { total, message, _meta }: JsonObject): Notification => {
  const said: Record<string, unknown> = { progress };
  if (total !== undefined) said['total'] = total;
  if (message !== undefined) said['message'] = message;
  if (_meta !== undefined) said['_meta'] = _meta;
  return { method: progressMethod, params: said };
};

/** One for each call, as each notes on it what it was doing. */
export const oneOf = ({ message, cause, unopened }: ConnectionClosed): ConnectionClosed =>
  new ConnectionClosed({
    message,
    ...(cause === undefined ? undefined : { cause }),
    ...(unopened === undefined ? undefined : { unopened }),
  });

/** Only what an error may hold: whatever else a peer puts there would end up on the error object itself. */
export const received = ({ code, message, data }: ErrorObject): RpcError =>
  new RpcError(data === undefined ? { code, message } : { code, message, data });

/** What opens a conversation is never cancelled (LIFE-14); a late answer to it is dropped like any other. */
const openings: ReadonlySet<string> = new Set(['initialize', 'server/discover']);

interface Pending {
  readonly id: number;
  readonly method: string;
  readonly subscriber: Subscriber<Emission>;
  highest: number;
}

/** A notification of a subscription, with what else its `_meta` says. */
export const strip = (method: string, params: JsonObject, meta: JsonObject): Notification => {
  const { _meta: _, ...rest } = params;
  return Object.keys(meta).length === 0 ? { method, params: rest } : { method, params: { ...rest, _meta: meta } };
};
