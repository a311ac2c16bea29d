/**
 * A session that outlives the server's memory of it: when the server does not know it any more, another is opened, once
 * for all who notice, and what was refused is asked there.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
 */
import {
  BehaviorSubject,
  filter,
  Observable,
  Subject,
  Subscription,
  switchMap,
  take,
  takeWhile,
  type Subscriber,
} from 'rxjs';
import { listenMethod } from '../exchange/envelope.ts';
import {
  isAnswer,
  type Context,
  type Emission,
  type Exchange,
  type Notification,
  type Request,
} from '../exchange/exchange.ts';
import { oneOf } from '../exchange/multiplex.ts';
import { ConnectionClosed } from '../frame/errors.ts';
import { refusalIn } from '../frame/http-refusal.ts';
import type { Connection } from './dial.ts';

/** One session of several that follow each other. */
interface Session {
  connection?: Connection;
  readonly subscription: Subscription;
  /** How many requests it is at work on. */
  busy: number;
  /** Whether it has answered anything: one that is forgotten before that is forgotten for ever. */
  proved: boolean;
}

/**
 * One connection over all the sessions that follow each other (SHTTP-50). A refused request is made again in the next
 * session, at most once; nothing else is, as it may have been carried out. Subscriptions are asked for anew, so that
 * another acknowledgement comes. What is under way in the old session stays there until it has ended.
 *
 * Fails where no session can be opened any more, where the next one speaks another revision, or where the server forgets
 * it before it has answered anything.
 *
 * @param dial - opens a session; calls `lost` when the server does not know it any more
 */
export const reopening = (
  dial: (lost: (why: ConnectionClosed) => void) => Observable<Connection>,
): Observable<Connection> =>
  new Observable((subscriber) => {
    const stray = new Subject<Notification>();
    const all = new Subscription();
    const current$ = new BehaviorSubject<Session | undefined>(undefined);
    let first: Connection | undefined;

    const opened = (session: Session, connection: Connection): void => {
      if (first !== undefined && connection.revision !== first.revision)
        return fail(changed(first.revision, connection.revision));
      session.connection = connection;
      session.subscription.add(
        connection.stray.subscribe({ next: (notification) => stray.next(notification), error: fail }),
      );
      if (first === undefined) subscriber.next({ ...(first = connection), stray, exchange });
      const before = current$.value;
      current$.next(session);
      if (before !== undefined) retire(before);
    };

    const open = (): void => {
      const session: Session = { subscription: new Subscription(), busy: 0, proved: first === undefined };
      // Those who look for the newest find that it is not there yet.
      current = session;
      const dialled = dial((why) => lost(session, why)).subscribe({
        next: (connection) => opened(session, connection),
        error: (error: unknown) => {
          if (session === current) fail(error);
        },
        complete: () => {
          if (session === current) subscriber.complete();
        },
      });
      session.subscription.add(dialled);
      all.add(session.subscription);
    };
    let current: Session;
    let failure: unknown;
    const fail = (error: unknown): void => {
      failure = error;
      subscriber.error(error);
    };

    const lost = (session: Session, why: ConnectionClosed): void => {
      if (session !== current) return;
      if (session.connection === undefined || !session.proved) fail(why);
      else open();
    };

    const retire = (session: Session): void => {
      if (session === current || session.busy > 0) return;
      all.remove(session.subscription);
      session.subscription.unsubscribe();
    };

    /** Asks the newest session, or the one that is being opened. */
    const newest = (
      asker: Subscriber<Emission>,
      ask: (session: Session, connection: Connection) => Subscription,
    ): Subscription => {
      const { connection } = current;
      if (connection !== undefined) return ask(current, connection);
      const waiting = new Subscription();
      const there$ = current$.pipe(
        filter((session) => session === current && session.connection !== undefined),
        take(1),
      );
      waiting.add(
        there$.subscribe({
          next: (session) => {
            if (session?.connection !== undefined) waiting.add(ask(session, session.connection));
          },
          error: (error: unknown) => asker.error(error),
        }),
      );
      return waiting;
    };

    const ask = (request: Request, context: Context, again: boolean): Observable<Emission> =>
      new Observable((asker) =>
        newest(asker, (session, connection) => {
          session.busy += 1;
          const asking = new Subscription(() => {
            session.busy -= 1;
            retire(session);
          });
          asking.add(
            connection.exchange(request, context).subscribe({
              next: (emission) => {
                session.proved = true;
                asker.next(emission);
              },
              error: (error: unknown) => {
                if (!again || refusalIn(error)?.unknownSession !== true) return asker.error(error);
                asking.unsubscribe();
                anew(request, context, asker);
              },
              complete: () => asker.complete(),
            }),
          );
          return asking;
        }),
      );

    /** In the next session, which is being opened by now; or the connection has failed. */
    const anew = (request: Request, context: Context, asker: Subscriber<Emission>): void =>
      asker.add(ask(request, context, false).subscribe(asker));

    const listen = (request: Request, context: Context): Observable<Emission> =>
      current$.pipe(
        filter((session) => session !== undefined),
        switchMap(({ connection }) => connection?.exchange(request, context) ?? []),
        takeWhile((emission) => !isAnswer(emission), true),
      );

    const exchange: Exchange = (request, context) =>
      request.method === listenMethod ? listen(request, context) : ask(request, context, true);

    open();
    return () => {
      all.unsubscribe();
      stray.complete();
      // Whoever waits for a session waits in vain.
      current$.error(
        failure instanceof ConnectionClosed
          ? oneOf(failure)
          : new ConnectionClosed({ message: 'the connection was closed', cause: failure }),
      );
    };
  });

const changed = (before: string, after: string): ConnectionClosed =>
  new ConnectionClosed({ message: `the server forgot the session, and now speaks ${after} instead of ${before}` });
