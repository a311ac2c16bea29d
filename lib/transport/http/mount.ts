/** An endpoint inside somebody else's HTTP server: there from its first request until it is closed. */
import { filter, firstValueFrom, interval, merge, Subscription, timer } from 'rxjs';
import type { ServeEvent, ServeOptions } from '../../era/serve.ts';
import type { Served } from '../../exchange/exchange.ts';
import type { Closing } from './desk.ts';
import { documents, type Documents } from './documents.ts';
import { httpEndpoint, type EndpointOptions, type HttpEndpoint } from './endpoint.ts';
import { atLongest } from './longest.ts';
import { assertSole } from './porter.ts';

/** How an endpoint is served by a framework of one's own. */
export interface MountOptions extends EndpointOptions, ServeOptions {
  /** Hears what happens, for logs. */
  readonly onEvent?: ((event: ServeEvent) => void) | undefined;
  /** The address or name that the server is bound to, by which clients may call it besides loopback. */
  readonly host?: string | undefined;
}

export interface Mount {
  readonly endpoint: HttpEndpoint;
  /** What anybody may read besides; undefined: nothing. */
  readonly documents: Documents | undefined;
  /**
   * Ends subscriptions in good order, waits for what is under way up to `drainMs`, and answers the rest with an error.
   * Requests that come later are refused with 503.
   */
  close(): Promise<void>;
}

/** How often it is looked whether what is under way has ended, in milliseconds. */
const lookMs = 10;

/** Resolves once nothing is under way, or after so many milliseconds. */
export const drained = async (endpoint: Pick<Closing, 'busy'>, ms: number): Promise<void> => {
  if (endpoint.busy === 0) return;
  const idle = interval(lookMs).pipe(filter(() => endpoint.busy === 0));
  await firstValueFrom(merge(idle, timer(atLongest(ms))), { defaultValue: undefined });
};

/**
 * Makes an endpoint that holds what the exchange wants held.
 *
 * @param principal - whatever else says who asks
 * @throws {@link Misconfigured} where the exchange has a guard, which says so itself
 */
export const mount = (exchange: Served, options: MountOptions, principal?: unknown): Mount => {
  assertSole(exchange.guard, principal);
  const { onEvent, host, drainMs = 1000 } = options;
  const tell = (event: ServeEvent): void => onEvent?.(event);
  const holding = new Subscription();
  const where = host === undefined ? undefined : { bound: () => host };
  const endpoint = httpEndpoint(exchange, options, { tell, ...where });
  holding.add(
    exchange.held$?.subscribe({ error: (error: unknown) => tell({ type: 'failure', method: 'lists', error }) }),
  );
  return {
    endpoint,
    documents: exchange.guard === undefined ? undefined : documents(exchange.guard, { ...options, ...where }),
    close: async () => {
      endpoint.conclude();
      await drained(endpoint, drainMs);
      endpoint.close();
      holding.unsubscribe();
    },
  };
};
