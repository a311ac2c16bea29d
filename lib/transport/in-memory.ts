/** A server in this very process. */
import { Observable } from 'rxjs';
import { serveChannel, type ServeOptions } from '../era/serve.ts';
import type { Channel, Served } from '../exchange/exchange.ts';
import { memoryPair, type MemoryOptions } from './memory.ts';

/** How it is served, and whether frames become text on the way. */
export type InMemoryOptions = MemoryOptions & ServeOptions;

/**
 * A channel to an exchange in this process, through the same doors as over a wire: every revision, no sockets. Each
 * subscription is a connection of its own.
 *
 * @param exchange - a server, or any other exchange
 * @param options - `serialise: true` sends text instead of objects; the rest is for the server's side
 * @example
 * await using inside = await open<typeof weather>(inMemory(weather));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
export const inMemory =
  (exchange: Served, options: InMemoryOptions = {}): Channel =>
  (outbound) =>
    new Observable((subscriber) => {
      const [near, far] = memoryPair(options);
      const serving = serveChannel(
        exchange,
        options,
      )(far).subscribe({ error: (error: unknown) => subscriber.error(error) });
      // While the connection lasts, lists that come and go are at hand.
      serving.add(exchange.held$?.subscribe({ error: () => undefined }));
      subscriber.add(near(outbound).subscribe(subscriber));
      subscriber.add(serving);
    });
