/**
 * Log lines for those whom a client stands in for. Over a shared channel a line names no request; where only one call can
 * be meant, it is the one that they belong to (BR-24). All others stay strays.
 */
import { Observable, Subject, type Subscriber } from 'rxjs';
import { listenMethod } from '../exchange/envelope.ts';
import type { Context, Emission, Exchange, Notification } from '../exchange/exchange.ts';
import { logMethod } from '../exchange/notice.ts';
import { isObject } from '../frame/frame.ts';
import { severity } from '../protocol/level.ts';
import { metaKeys } from '../protocol/revisions.ts';

/** An exchange whose server logs for a whole session, and not only for who wants to hear it. */
export interface Overheard extends Exchange {
  /** Whether anybody but this caller is being worked for. */
  readonly others?: (context: Context) => boolean;
}

/** One call that wants log lines. */
interface Listener {
  /** Where lines go; undefined for a call that this client makes for itself. */
  readonly subscriber?: Subscriber<Emission>;
  readonly least: number;
  /** Whether the lines may be about somebody else after all. */
  readonly doubtful: () => boolean;
}

export interface Hearing {
  /** The exchange, with the lines for its callers' calls in them. */
  readonly wrap: (exchange: Overheard) => Exchange;
  /** Takes what the server says that belongs to no request. */
  readonly tell: (notification: Notification) => void;
  readonly stray: Subject<Notification>;
}

export const hearing = (): Hearing => {
  const listeners = new Set<Listener>();
  const stray = new Subject<Notification>();
  return {
    stray,
    wrap: (exchange) => (request, context) => {
      const meta = request.params?.['_meta'];
      // Whoever listens to changes makes the server do nothing that it could log.
      if (!isObject(meta) || meta[metaKeys.logLevel] === undefined || request.method === listenMethod)
        return exchange(request, context);
      // Only a caller of somebody else's brings capabilities along.
      const proxied = meta[metaKeys.clientCapabilities] !== undefined;
      return new Observable((subscriber) => {
        const listener: Listener = {
          least: severity(meta[metaKeys.logLevel]),
          doubtful: () => exchange.others?.(context) ?? false,
          ...(proxied ? { subscriber } : undefined),
        };
        listeners.add(listener);
        subscriber.add(() => listeners.delete(listener));
        return exchange(request, context).subscribe(subscriber);
      });
    },
    tell: (notification) => {
      const [only] = listeners;
      if (notification.method !== logMethod || only?.subscriber === undefined || listeners.size > 1 || only.doubtful())
        return stray.next(notification);
      if (severity(notification.params?.['level']) >= only.least) only.subscriber.next(notification);
    },
  };
};
