/**
 * Log lines for those whom a client stands in for. Over a shared channel a line names no request; where only one call
 * wants lines, it is the one that they belong to (BR-24). All others stay strays.
 */
import { Observable, Subject, type Subscriber } from 'rxjs';
import type { Emission, Exchange, Notification } from '../exchange/exchange.ts';
import { logMethod } from '../exchange/notice.ts';
import { isObject } from '../frame/frame.ts';
import { loggingLevels } from '../protocol/level.ts';
import { metaKeys } from '../protocol/revisions.ts';

interface Listener {
  readonly subscriber: Subscriber<Emission>;
  readonly least: number;
}

export interface Hearing {
  /** The exchange, with the lines for its callers' calls in them. */
  readonly wrap: (exchange: Exchange) => Exchange;
  /** Takes what the server says that belongs to no request. */
  readonly tell: (notification: Notification) => void;
  readonly stray: Subject<Notification>;
}

const rank = (level: unknown): number => loggingLevels.findIndex((known) => known === level);

export const hearing = (): Hearing => {
  const listeners = new Set<Listener>();
  const stray = new Subject<Notification>();
  return {
    stray,
    wrap: (exchange) => (request, context) => {
      const meta = request.params?.['_meta'];
      // Only a caller of somebody else's brings capabilities along.
      if (!isObject(meta) || meta[metaKeys.clientCapabilities] === undefined || meta[metaKeys.logLevel] === undefined)
        return exchange(request, context);
      return new Observable((subscriber) => {
        const listener: Listener = { subscriber, least: rank(meta[metaKeys.logLevel]) };
        listeners.add(listener);
        const subscription = exchange(request, context).subscribe(subscriber);
        return () => {
          listeners.delete(listener);
          subscription.unsubscribe();
        };
      });
    },
    tell: (notification) => {
      const [only] = listeners;
      if (notification.method !== logMethod || only === undefined || listeners.size > 1)
        return stray.next(notification);
      if (rank(notification.params?.['level']) >= only.least) only.subscriber.next(notification);
    },
  };
};
