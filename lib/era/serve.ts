/**
 * Serves an exchange on one channel, to peers of every revision at once: each frame goes through the door of its era.
 */
import { NEVER, Observable } from 'rxjs';
import type { Channel, Context, Exchange, Served } from '../exchange/exchange.ts';
import type { RequestFrame } from '../frame/frame.ts';
import { openLink, opened, type Link } from '../exchange/link.ts';
import { methods, type MethodTable } from '../protocol/methods.ts';
import { isLegacy, isModern, revisions as allRevisions, type Revision } from '../protocol/revisions.ts';
import { isModernRequest } from './classify.ts';
import { receiveBatch } from './legacy/batch.ts';
import { legacySession, type Wayside } from './legacy/session.ts';
import { gate } from './modern/gate.ts';

/** What a server lets in: revisions, methods, and how much at a time. */
export interface ServeOptions {
  /** The revisions that are served. Default: all. */
  readonly revisions?: readonly Revision[];
  /** The methods that are known. Default: the protocol's own. */
  readonly table?: MethodTable;
  /** How many requests of one peer may be in flight; one more is answered with an error. Default 512. */
  readonly inflight?: number;
  /** How many resources a legacy peer may subscribe to; one more is answered with an error. Default 1000. */
  readonly subscriptions?: number;
  /**
   * How long, in milliseconds, requests in flight may go on after the peer has closed its side. Default 1000, as clients
   * wait about two seconds for a server that they have let go. What has not ended by then is answered with an error.
   */
  readonly drainMs?: number;
}

/** What a running server tells its host of. Nothing in it is for a peer. */
export type ServeEvent =
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected'; readonly error?: unknown }
  | { readonly type: 'failure'; readonly method: string; readonly error: unknown }
  | { readonly type: 'malformed'; readonly reason: string; readonly excerpt: string };

/** A transport that takes what answers, whole: one whose requests are exchanges of their own, or that can ask who knocks. */
export interface Listener {
  /** Serves while subscribed, and lets in whom the guard of what is served lets in; emits what happens. Fails where it cannot listen. */
  listen(exchange: Served, options: ServeOptions): Observable<ServeEvent>;
}

/**
 * Serves an exchange on one channel, to peers of every revision; `serve` does so for each channel of a transport.
 *
 * Emits what happens on the channel; completes when it has closed and what was in flight has ended. It never fails: a
 * broken peer ends its own channel, and nobody else's. Unsubscribing tears down what is in flight and closes the
 * channel.
 *
 * @param exchange - what answers
 * @param options - the revisions served, and the bounds of the connection
 * @param known - what is known of whoever is at the other end, asked for each request; by default, no more than that they
 * are one
 * @example
 * const [near, far] = memoryPair();
 * const serving = serveChannel(weather)(far).subscribe(({ type }) => console.log(type));
 * const over = await open(near);
 * await over.close();
 * serving.unsubscribe();
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning
 */
export const serveChannel = (
  exchange: Exchange,
  options: ServeOptions = {},
  known?: () => Context,
): ((channel: Channel) => Observable<ServeEvent>) => {
  const { revisions = allRevisions, table = methods, inflight, subscriptions, drainMs = 1000 } = options;
  const modern = gate({ revisions: revisions.filter(isModern), table })(exchange);
  const legacy = revisions.filter(isLegacy);
  const speaksModern = revisions.some(isModern);
  // A server of one era answers the other's requests as such a server always has: that is how its peers tell.
  const isOfModernEra = (frame: RequestFrame): boolean =>
    legacy.length === 0 || (speaksModern && isModernRequest(frame));

  return (channel) =>
    new Observable((subscriber) => {
      const way: Wayside = {
        ask: (request, context) => link?.multiplexer.exchange(request, context) ?? NEVER,
        unsolicited: (notification) => link?.send({ jsonrpc: '2.0', ...notification }),
      };
      const session = legacySession(exchange, way, {
        revisions: legacy,
        table,
        ...(subscriptions === undefined ? undefined : { subscriptions }),
      });
      let link: Link | undefined;
      const own: Context = { connection: {} };
      const contextNow = known ?? (() => own);
      subscriber.next({ type: 'connected' });
      const running = openLink(channel, {
        ...(inflight === undefined ? undefined : { limit: inflight }),
        drainMs,
        request: (frame, over) => {
          link = over;
          const { demultiplexer } = over;
          const context = contextNow();
          if (isOfModernEra(frame)) demultiplexer.request(frame, modern, context);
          else demultiplexer.request(frame, session.exchange, context, { logs: true });
        },
        notification: (frame) => session.notification(opened(frame)),
        batch: (items, over) => receiveBatch(items, session, over, contextNow()),
        malformed: (reason, excerpt) => subscriber.next({ type: 'malformed', reason, excerpt }),
        onFailure: (error, method) => subscriber.next({ type: 'failure', method, error }),
      }).subscribe({
        next: (over) => (link = over),
        error: (error: unknown) => {
          subscriber.next({ type: 'disconnected', error });
          subscriber.complete();
        },
        complete: () => {
          subscriber.next({ type: 'disconnected' });
          subscriber.complete();
        },
      });
      return () => {
        session.close();
        running.unsubscribe();
      };
    });
};
