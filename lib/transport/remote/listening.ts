/**
 * Subscriptions over HTTP: each is a stream of its own, which proxies cut, and servers end when they are replaced. It is
 * asked for again then, as there is no connection whose end would tell everybody. (A channel is one: there a
 * subscription that the server ends is over, as `exchange/multiplex` has it.)
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
import { asyncScheduler, Observable, Subscription, type Subscriber } from 'rxjs';
import { listenMethod } from '../../exchange/envelope.ts';
import { isAnswer, type Context, type Emission, type Exchange, type Request } from '../../exchange/exchange.ts';
import { ConnectionClosed } from '../../frame/errors.ts';
import { isUnproved } from '../../frame/login-failed.ts';
import { patienceFor, Waits, type Schedule } from '../schedule.ts';

/**
 * An exchange whose subscriptions outlive their streams.
 *
 * @param lost - told of a subscription whenever nothing is listened to any more, until another acknowledgement
 */
export type Listen = (request: Request, context: Context, lost?: () => void) => Observable<Emission>;

/**
 * Asks again, on a schedule, for a subscription that was acknowledged and then broke, or that the server ended; what
 * follows begins with another acknowledgement (SUB-15). Everything else passes.
 *
 * An end in good order, however soon, is no failure: a server may be replaced twice, or hold no stream for long, and is
 * asked again ever less often. Only what is not even acknowledged is in vain.
 *
 * @param broken - told when a subscription was asked for in vain more often than the schedule allows
 */
export const listening =
  (exchange: Exchange, schedule: Schedule, broken: (error: ConnectionClosed) => void): Listen =>
  (request, context, lost = () => undefined) =>
    request.method === listenMethod
      ? new Observable((subscriber) => {
          const ask = (): Observable<Emission> => exchange(request, context);
          return new Listening(ask, schedule, broken, lost, subscriber).begin();
        })
      : exchange(request, context);

class Listening {
  readonly #ask: () => Observable<Emission>;
  readonly #lost: () => void;
  readonly #broken: (error: ConnectionClosed) => void;
  readonly #subscriber: Subscriber<Emission>;
  readonly #waits: Waits;
  readonly #all = new Subscription();
  /** Whether it has ever been acknowledged, and whether it has been since it was last asked for. */
  #acknowledged = false;
  #heard = false;

  constructor(
    ask: () => Observable<Emission>,
    schedule: Schedule,
    broken: (error: ConnectionClosed) => void,
    lost: () => void,
    subscriber: Subscriber<Emission>,
  ) {
    this.#ask = ask;
    this.#broken = broken;
    this.#lost = lost;
    this.#subscriber = subscriber;
    this.#waits = new Waits({ attempts: 5, ...schedule });
  }

  begin(): Subscription {
    this.#listen();
    return this.#all;
  }

  #listen(): void {
    this.#heard = false;
    const listening = this.#ask().subscribe({
      next: (emission) => {
        if (!isAnswer(emission)) {
          this.#acknowledged = this.#heard = true;
          this.#waits.begun();
        } else if (this.#acknowledged) return this.#again(this.#heard ? undefined : unacknowledged());
        this.#subscriber.next(emission);
      },
      error: (error: unknown) => {
        if (this.#acknowledged && error instanceof ConnectionClosed) this.#again(error);
        else this.#subscriber.error(error);
      },
      complete: () => {
        if (!this.#wanted) this.#subscriber.complete();
      },
    });
    this.#all.add(listening);
  }

  /** Whether another attempt is under way. */
  #wanted = false;

  /** @param error - where it was asked for in vain */
  #again(error?: ConnectionClosed): void {
    this.#lost();
    this.#waits.ended();
    if (error !== undefined && (this.#waits.failed() || isUnproved(error))) {
      this.#subscriber.error(error);
      return this.#broken(error);
    }
    this.#wanted = true;
    const listen = (): void => {
      this.#wanted = false;
      this.#listen();
    };
    this.#all.add(asyncScheduler.schedule(listen, this.#waits.next(patienceFor(error))));
  }
}

const unacknowledged = (): ConnectionClosed =>
  new ConnectionClosed({ message: 'the server ends the subscription before it acknowledges it' });
