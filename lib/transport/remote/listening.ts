/**
 * Subscriptions over HTTP: each is a stream of its own, which proxies cut, and servers end when they are replaced. It is
 * asked for again then, as there is no connection whose end would tell everybody.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
import { asyncScheduler, Observable, Subscription, type Subscriber } from 'rxjs';
import { listenMethod } from '../../exchange/envelope.ts';
import { isAnswer, type Context, type Emission, type Exchange, type Request } from '../../exchange/exchange.ts';
import { ConnectionClosed } from '../../frame/errors.ts';
import { patienceFor, Waits, type Schedule } from '../schedule.ts';

/**
 * Asks again for a subscription that was acknowledged and then broke, or that the server ended after it had lasted; what
 * follows begins with another acknowledgement (SUB-15). Everything else passes.
 *
 * @param broken - told when a subscription could not be had again as often as the schedule allows
 */
export const listening =
  (exchange: Exchange, schedule: Schedule, broken: (error: ConnectionClosed) => void): Exchange =>
  (request, context) =>
    request.method === listenMethod
      ? new Observable((subscriber) => new Listening(exchange, schedule, broken, request, context, subscriber).begin())
      : exchange(request, context);

class Listening {
  readonly #ask: () => Observable<Emission>;
  readonly #broken: (error: ConnectionClosed) => void;
  readonly #subscriber: Subscriber<Emission>;
  readonly #waits: Waits;
  readonly #all = new Subscription();
  #acknowledged = false;

  constructor(
    exchange: Exchange,
    schedule: Schedule,
    broken: (error: ConnectionClosed) => void,
    request: Request,
    context: Context,
    subscriber: Subscriber<Emission>,
  ) {
    this.#ask = () => exchange(request, context);
    this.#broken = broken;
    this.#subscriber = subscriber;
    this.#waits = new Waits({ attempts: 5, ...schedule });
  }

  begin(): Subscription {
    this.#listen();
    return this.#all;
  }

  #listen(): void {
    const listening = this.#ask().subscribe({
      next: (emission) => {
        // One that ends as soon as it is asked for has nothing to tell.
        if (isAnswer(emission) && this.#waits.stable) return this.#again();
        this.#acknowledged = true;
        this.#waits.begun();
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

  #again(error?: ConnectionClosed): void {
    this.#waits.ended();
    if (error !== undefined && this.#waits.failed()) {
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
