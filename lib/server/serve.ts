/** Runs a server on whatever connects. */
import { mergeMap, Observable } from 'rxjs';
import type { Channel, Served } from '../exchange/exchange.ts';
import { serveChannel, type Listener, type ServeOptions, type ServeEvent } from '../era/serve.ts';

/**
 * Serves an exchange to everybody who connects, in every revision: a server runs while this is subscribed.
 *
 * Emits what happens, for logs; completes when the transport ends, as stdio does with its input. Unsubscribing stops
 * it: work in flight is torn down, subscriptions are ended, connections closed. A peer that breaks ends its own
 * connection only. Fails where the transport cannot listen at all.
 *
 * @param exchange - a server, a connected client's exchange, or either under middleware
 * @param transport - `http({ port })`, or what emits a channel for each connection: `stdio()`, `webSockets({ port })`
 * @param options - the revisions served and the bounds of each connection; see {@link ServeOptions}
 * @example
 * const running = serve(weather, stdio()).subscribe((event) => console.error(event));
 * setTimeout(() => running.unsubscribe(), 60_000);
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning
 */
export const serve = (
  exchange: Served,
  transport: Observable<Channel> | Listener,
  options: ServeOptions = {},
): Observable<ServeEvent> =>
  new Observable((subscriber) => {
    subscriber.add(
      exchange.held$?.subscribe({
        // Requests for a list that has failed fail as well; the server goes on.
        error: (error: unknown) => subscriber.next({ type: 'failure', method: 'lists', error }),
      }),
    );
    const events$ = isListener(transport)
      ? transport.listen(exchange, options)
      : transport.pipe(mergeMap(serveChannel(exchange, options)));
    subscriber.add(events$.subscribe(subscriber));
  });

/** One that is both takes the exchange, as only then its guard is asked. */
const isListener = (transport: Observable<Channel> | Listener): transport is Listener => 'listen' in transport;
