/** A server at a URL, whichever revision it speaks and whichever of its transports. */
import {
  catchError,
  concat,
  defer,
  map,
  NEVER,
  Observable,
  Subject,
  tap,
  throwError,
  type MonoTypeOperatorFunction,
} from 'rxjs';
import { asksOf, choiceOf, dialChannel, type Connection, type DialOptions, type Endpoint } from '../../era/dial.ts';
import { discover, probe, type Choice } from '../../era/probe.ts';
import { reopening } from '../../era/reopen.ts';
import type { Notification } from '../../exchange/exchange.ts';
import { ConnectionClosed } from '../../frame/errors.ts';
import { refusalIn } from '../../frame/http-refusal.ts';
import { isUnproved } from '../../frame/login-failed.ts';
import type { ModernRevision } from '../../protocol/revisions.ts';
import type { Resource } from './authorizer.ts';
import type { Carrier } from './carrier.ts';
import { fetchCarrier } from './fetch-carrier.ts';
import { listening } from './listening.ts';
import { ModernDoor } from './modern-door.ts';
import { sessionChannel } from './session.ts';
import { sharedListen } from './shared-listen.ts';
import { sseChannel } from './sse.ts';
import { wireOf, type Wire, type WireOptions } from './wire.ts';

/** How a server is reached over HTTP, and the bounds. */
export type RemoteOptions = WireOptions;

/**
 * A server at a URL, to be connected to: Streamable HTTP of every revision, and HTTP+SSE of 2024-11-05. Which it is, is
 * found out by a modern request first, then by `initialize`, then by looking for a stream of events; and remembered.
 *
 * Since 2026-07-28 there is no connection: each call is a request of its own, and fails alone with {@link
 * ConnectionClosed} where its answer breaks; only one that is marked `idempotent` is made once more. Unsubscribing closes
 * it, which cancels. All subscriptions of a client share one open request; it is asked for again as `retry` says whenever
 * it ends. Before that there are sessions: streams
 * are taken up where they broke; a session that the server has forgotten is opened anew, and the refused request made
 * again in it.
 *
 * A refusal is a `ConnectionClosed` whose `cause` is an {@link HttpRefusal}: it has the `status`, `retryAfterMs` (which
 * `restart` obeys) and `wwwAuthenticate`. Redirects are followed within the origin only.
 *
 * @param url - `http:` or `https:`
 * @param options - see {@link RemoteOptions}; times are in milliseconds
 * @throws {@link Misconfigured} for any other URL, or one with credentials in it
 * @example
 * connect(remote('https://weather.example/mcp', { headers: { authorization: 'Bearer 123' } })).subscribe(({ revision }) =>
 *   console.log(revision),
 * );
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export const remote = (url: string | URL, options: RemoteOptions = {}): Endpoint =>
  remoteOver(url, options, fetchCarrier());

/** The same with another default for what carries requests. */
export const remoteOver = (
  url: string | URL,
  options: RemoteOptions,
  standard: Carrier,
  carrierFor?: Resource['carrierFor'],
): Endpoint => {
  const wire = wireOf(url, options, standard, carrierFor);
  /** How the server was reached the last time, where no modern request need be tried again (VER-30). */
  let known: 'session' | 'sse' | undefined;
  return {
    closed: () => wire.lastWords.said(),
    ...asksOf(wire),
    dial: (options) =>
      defer(() => {
        const choice = choiceOf(options);
        const { modern, legacy } = choice;
        const noted = (door: typeof known): MonoTypeOperatorFunction<Connection> => tap(() => (known = door));
        const oldest = (): Observable<Connection> =>
          dialChannel(sseChannel(wire), options, choice, 'legacy').pipe(noted('sse'));
        const session = (): Observable<Connection> =>
          dialSession(wire, options, choice).pipe(
            noted('session'),
            catchError((error: unknown) =>
              legacy.includes('2024-11-05') && isOldest(error, choice)
                ? oldest().pipe(catchError((late: unknown) => throwError(() => (isUnopened(late) ? error : late))))
                : throwError(() => error),
            ),
          );
        const afresh = (): Observable<Connection> =>
          modern.length === 0 ? session() : dialModern(wire, options, choice, session);
        if (known === undefined || legacy.length === 0) return afresh();
        let begun = false;
        return (known === 'sse' ? oldest() : session()).pipe(
          tap(() => (begun = true)),
          // The server may have been replaced by another (VER-31).
          catchError((error: unknown) => {
            if (begun || (error instanceof ConnectionClosed && !isUnknown(error))) return throwError(() => error);
            known = undefined;
            return afresh();
          }),
        );
      }),
  };
};

/** Stays open for as long as it is subscribed: there is nothing that could end. */
const dialModern = (
  wire: Wire,
  options: DialOptions,
  choice: Choice,
  legacy: () => Observable<Connection>,
): Observable<Connection> =>
  new Observable((subscriber) => {
    const stray = new Subject<Notification>();
    const door = new ModernDoor(wire, options);
    let failure = new ConnectionClosed({ message: 'the connection was closed' });
    const broken = (error: ConnectionClosed): void => {
      failure = error;
      subscriber.error(error);
    };
    const { exchange, end } = sharedListen(listening(door.exchange, wire.retry, broken));
    const modern = (asked: ModernRevision): Observable<Connection> => {
      door.revision = asked;
      const connection$ = discover(door.exchange, options, asked).pipe(
        map(({ revision, discovered }) => {
          door.revision = revision;
          return { revision, discovered, stray, exchange };
        }),
      );
      return concat(connection$, NEVER);
    };
    const doors = { modern, legacy, isModern: () => door.undiscoverable, isRefusal: isUnknown };
    const dialling = probe(choice, doors).subscribe(subscriber);
    return () => {
      door.close(failure);
      end();
      dialling.unsubscribe();
      stray.complete();
    };
  });

const dialSession = (wire: Wire, options: DialOptions, choice: Choice): Observable<Connection> =>
  reopening((lost) => dialChannel(sessionChannel(wire, lost), options, choice, 'legacy'));

/** Whether the server says by its status that it does not know what it was asked; other statuses mean anything. */
const isUnknown = (error: ConnectionClosed): boolean => {
  const status = refusalIn(error)?.status;
  return status !== undefined && (isMisunderstood(status) || status === 500 || status === 501);
};

/** Statuses of a request that is wrong in itself, and not one that may not be made, or not now. */
const isMisunderstood = (status: number): boolean =>
  status >= 400 && status < 500 && ![401, 403, 407, 408, 429].includes(status);

/** Whether `initialize` was refused as by a server of 2024-11-05: the last revision with sessions says how (SHTTP-59). */
const isOldest = (error: unknown, { legacy }: Choice): boolean => {
  const status = refusalIn(error)?.status;
  if (status === undefined) return false;
  return legacy.includes('2025-11-25') ? [400, 404, 405].includes(status) : isMisunderstood(status);
};

/** Whether there was no other transport either; where nobody could be logged in to it, that is what is to be known. */
const isUnopened = (error: unknown): boolean =>
  error instanceof ConnectionClosed && error.unopened === true && !isUnproved(error);
