/** One feature at work on one request: a class, because it is made for every call. */
import { Observable, type Subscriber } from 'rxjs';
import { deliver, type Pick, type Sink } from '../exchange/bridge.ts';
import type { Context, Emission, Request } from '../exchange/exchange.ts';
import { logMethod, type Notice } from '../exchange/notice.ts';
import type { JsonObject } from '../frame/frame.ts';
import { loggingLevels } from '../protocol/level.ts';
import { metaKeys } from '../protocol/revisions.ts';
import { Call } from './call.ts';

/** What a feature does with a request; the same value serves all requests. */
export interface Work<A> {
  /** The handler, with what it is given. */
  readonly handle: (args: A, call: Call) => unknown;
  /** The handler's value as a result. */
  readonly finish: (value: unknown, args: A) => Fresh | PromiseLike<Fresh>;
  /** A failure as a result; undefined lets it travel as an error. */
  readonly fail?: (error: unknown) => Fresh | undefined;
  readonly pick?: Pick;
}

/** Does the work for one request. Unsubscribing aborts the call's signal and stops whatever the handler returned. */
export const run = <A>(work: Work<A>, args: A, sign: Sign, request: Request, context: Context): Observable<Emission> =>
  new Observable((subscriber) => new Run(work, args, sign, request, context, subscriber).start());

/** A result made for one call, which may still be written on: copying it would cost more than making it. */
export type Fresh = Record<string, unknown>;

/** Puts the server's name, and whatever else all its results say, on a result. */
export type Sign = (result: Fresh) => JsonObject;

class Run<A> implements Sink {
  readonly #work: Work<A>;
  readonly #args: A;
  readonly #sign: Sign;
  readonly #subscriber: Subscriber<Emission>;
  readonly #call: Call;
  #stop: (() => void) | undefined;
  #over = false;

  constructor(
    work: Work<A>,
    args: A,
    sign: Sign,
    request: Request,
    context: Context,
    subscriber: Subscriber<Emission>,
  ) {
    this.#work = work;
    this.#args = args;
    this.#sign = sign;
    this.#subscriber = subscriber;
    this.#call = new Call(request, context, this);
  }

  start(): this {
    try {
      this.#stop = deliver(this.#work.handle(this.#args, this.#call), this, this.#work.pick);
    } catch (error) {
      this.error(error);
    }
    return this;
  }

  notice(notice: Notice): void {
    if (this.#over || (notice.method === logMethod && !this.#hears(notice))) return;
    this.#subscriber.next(notice);
  }

  value(value: unknown): void {
    try {
      const result = this.#work.finish(value, this.#args);
      if ('then' in result && typeof result.then === 'function')
        (result as PromiseLike<Fresh>).then(
          (late) => this.#answer(late),
          (error: unknown) => this.error(error),
        );
      else this.#answer(result as Fresh);
    } catch (error) {
      this.error(error);
    }
  }

  error(error: unknown): void {
    const result = this.#work.fail?.(error);
    if (result !== undefined) return this.#answer(result);
    this.#over = true;
    this.#subscriber.error(error);
  }

  unsubscribe(): void {
    // An answer that was given has not been cancelled; a stream that was read only up to it is to be let go all the same.
    if (!this.#over) this.#call.abort();
    this.#over = true;
    this.#stop?.();
  }

  #answer(result: Fresh): void {
    this.#over = true;
    this.#subscriber.next({ result: this.#sign(result) });
    this.#subscriber.complete();
  }

  /** A peer hears the level that its request asked for and what is graver (LOG-07); one that asked for none, nothing. */
  #hears({ params }: Notice): boolean {
    const asked = this.#call.meta[metaKeys.logLevel];
    const least = loggingLevels.findIndex((level) => level === asked);
    return least >= 0 && loggingLevels.findIndex((level) => level === params['level']) >= least;
  }
}
