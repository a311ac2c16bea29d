/** A small HTTP server that this machine alone can reach. */
import { createServer, type RequestListener } from 'node:http';
import { catchError, Observable, of, switchMap, throwError } from 'rxjs';
import { LoginFailed } from '../frame/login-failed.ts';

/** What this machine is called in a URL. */
export type LoopbackHost = '127.0.0.1' | 'localhost' | '::1';

/**
 * Serves while subscribed, on the first of these ports that is free, and emits which it is. Unsubscribing closes the server
 * and all connections at once.
 *
 * @param ports - 0 is any free one
 */
export const servedAt = (
  host: LoopbackHost,
  ports: readonly number[],
  listener: RequestListener,
): Observable<number> => {
  const [port = 0, ...others] = ports;
  return (host === 'localhost' ? twice(port, listener) : once(host, port, listener)).pipe(
    catchError((cause: unknown) => {
      if (isTaken(cause) && others.length > 0) return servedAt(host, others, listener);
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `no place to come back to could be opened at ${host}: ${why}`;
      return throwError(() => new LoginFailed({ stage: 'authorization', message, cause }));
    }),
  );
};

/** Under both addresses that browsers take `localhost` for, lest somebody else be found under the other one. */
const twice = (port: number, listener: RequestListener): Observable<number> =>
  once('127.0.0.1', port, listener).pipe(
    switchMap((bound) =>
      once('::1', bound, listener).pipe(
        // A machine may well have no IPv6.
        catchError((error: unknown) => (isTaken(error) ? throwError(() => error) : of(bound))),
      ),
    ),
  );

/** A person comes back with one small request; whoever sends anything else is in nobody's way for long. */
const bounds = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 5_000,
};

const mostConnections = 32;

const once = (address: string, port: number, listener: RequestListener): Observable<number> =>
  new Observable((subscriber) => {
    const server = createServer(bounds, listener);
    server.maxConnections = mostConnections;
    server.on('error', (error) => {
      if (!server.listening) subscriber.error(error);
    });
    server.on('listening', () => {
      const bound = server.address();
      if (bound !== null && typeof bound === 'object') subscriber.next(bound.port);
    });
    server.listen({ port, host: address, exclusive: true });
    return () => {
      server.close();
      server.closeAllConnections();
    };
  });

const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES');
