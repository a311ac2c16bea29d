/**
 * The envelope of one inbound request: it stamps what handlers never see (id, progress token, subscription id) on what
 * goes out, and keeps back what the peer did not ask for.
 */
import {
  isObject,
  type JsonObject,
  type NotificationFrame,
  type RequestFrame,
  type ResultFrame,
} from '../frame/frame.ts';
import { metaKeys } from '../protocol/revisions.ts';
import type { Notification } from './exchange.ts';
import { logMethod, progressMethod } from './notice.ts';

export const listenMethod = 'subscriptions/listen';
export const acknowledgedMethod = 'notifications/subscriptions/acknowledged';
export const cancelledMethod = 'notifications/cancelled';

export class Envelope {
  readonly #request: RequestFrame;
  readonly #meta: JsonObject | undefined;
  #highest = -Infinity;

  readonly #logs: boolean;

  /** @param logs - whether log lines go out: by default where this very request names a level (LOG-06) */
  constructor(request: RequestFrame, logs?: boolean) {
    this.#request = request;
    const meta = request.params?.['_meta'];
    this.#meta = isObject(meta) ? meta : undefined;
    this.#logs = logs ?? this.#meta?.[metaKeys.logLevel] !== undefined;
  }

  /** The notification as it goes out; undefined where the peer did not ask for it, or it says nothing new. */
  notification({ method, params }: Notification): NotificationFrame | undefined {
    if (method === progressMethod) return this.#progress(params);
    if (method === logMethod && !this.#logs) return undefined;
    if (this.#request.method !== listenMethod || method === logMethod)
      return params === undefined ? { jsonrpc: '2.0', method } : { jsonrpc: '2.0', method, params };
    return { jsonrpc: '2.0', method, params: { ...params, _meta: this.#subscription(params?.['_meta']) } };
  }

  /** What precedes the result of a subscription that ends from this side, where streams share a channel (AMB-01). */
  farewell(): NotificationFrame | undefined {
    const { id, method } = this.#request;
    if (method !== listenMethod) return undefined;
    return { jsonrpc: '2.0', method: cancelledMethod, params: { requestId: id, _meta: this.#subscription(undefined) } };
  }

  result(result: JsonObject): ResultFrame {
    const { id, method } = this.#request;
    if (method !== listenMethod) return { jsonrpc: '2.0', id, result };
    return { jsonrpc: '2.0', id, result: { ...result, _meta: this.#subscription(result['_meta']) } };
  }

  /** Progress must rise (PRG-04), which a handler that runs again after a question does not do by itself. */
  #progress(params: JsonObject | undefined): NotificationFrame | undefined {
    const progressToken = this.#meta?.['progressToken'];
    const done = params?.['progress'];
    if (progressToken === undefined || typeof done !== 'number' || !(done > this.#highest)) return undefined;
    this.#highest = done;
    return { jsonrpc: '2.0', method: progressMethod, params: { progressToken, ...params } };
  }

  #subscription(meta: unknown): JsonObject {
    return { [metaKeys.subscriptionId]: this.#request.id, ...(isObject(meta) ? meta : undefined) };
  }
}
