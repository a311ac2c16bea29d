/** One request of a client: an Observable of what happens, or a Promise of its result. */
import { Observable, type Observer, type Subscriber, type Subscription } from 'rxjs';
import { isAnswer, type Context, type Emission, type Exchange, type Request } from '../exchange/exchange.ts';
import { logMethod, progressMethod } from '../exchange/notice.ts';
import { anew } from '../exchange/identity.ts';
import { gathered, needsInput, type Answerer } from '../exchange/rounds.ts';
import { ConnectionClosed, during, InputRequired, type TimedOut } from '../frame/errors.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import type { Deadlines, Limits, Watched } from './deadline.ts';

/** How far the work is, in the server's words. */
export interface ProgressEvent {
  readonly kind: 'progress';
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/** A log line, in the server's words. */
export interface LogEvent {
  readonly kind: 'log';
  readonly level: string;
  readonly logger?: string;
  readonly data: unknown;
}

/** The answer; the last event of a call. */
export interface ResultEvent<R> {
  readonly kind: 'result';
  readonly result: R;
}

/** What a call emits: progress, and log lines where the transport tells whose they are, then the result. */
export type CallEvent<R> = ProgressEvent | LogEvent | ResultEvent<R>;

/** Completes a result where the protocol has a default, and throws `InvalidAnswer` where it is none. */
export type ResultCheck = (result: JsonObject) => JsonObject;

export interface Asking {
  readonly exchange: Exchange;
  readonly context: Context;
  readonly deadlines: Deadlines;
  readonly request: Request;
  readonly limits: Limits;
  readonly check: ResultCheck;
  /** The server's name, for errors. */
  readonly server: string | undefined;
  /** How questions are answered, and how often at most; for requests that may ask. */
  readonly rounds: { readonly answer: Answerer; readonly most: number } | undefined;
}

/** Asks on subscription; unsubscribing cancels. */
export const requestEvents = <R>(asking: Asking): Observable<CallEvent<R>> =>
  new Observable((subscriber) => new Asked(asking, new ToSubscriber<R>(subscriber)).start());

/** Asks at once. Aborting the signal cancels, and rejects with its reason. */
export const requestPromise = <R>(asking: Asking, signal?: AbortSignal): Promise<R> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(reasonOf(signal));
    const asked = new Asked(asking, new ToPromise<R>(resolve, reject));
    if (signal !== undefined) {
      const abort = (): void => {
        asked.unsubscribe();
        reject(reasonOf(signal));
      };
      signal.addEventListener('abort', abort, { once: true });
      asked.onEnd = () => signal.removeEventListener('abort', abort);
    }
    asked.start();
  });

/** What a signal was aborted with, as an error. */
export const reasonOf = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason));

/** Where what happens goes. */
interface Target {
  notice(method: string, params: JsonObject): void;
  result(result: JsonObject): void;
  error(error: unknown): void;
}

const progressEvent = ({ progress, total, message }: JsonObject): ProgressEvent => ({
  kind: 'progress',
  progress: Number(progress),
  ...(typeof total === 'number' ? { total } : undefined),
  ...(typeof message === 'string' ? { message } : undefined),
});

/** A log line, as a client sees it. */
export const logEvent = ({ level, logger, data }: JsonObject): LogEvent => ({
  kind: 'log',
  level: String(level),
  ...(typeof logger === 'string' ? { logger } : undefined),
  data,
});

class ToSubscriber<R> implements Target {
  readonly #subscriber: Subscriber<CallEvent<R>>;
  constructor(subscriber: Subscriber<CallEvent<R>>) {
    this.#subscriber = subscriber;
  }
  notice(method: string, params: JsonObject): void {
    if (method === progressMethod) this.#subscriber.next(progressEvent(params));
    else if (method === logMethod) this.#subscriber.next(logEvent(params));
  }
  result(result: JsonObject): void {
    this.#subscriber.next({ kind: 'result', result: result as R });
    this.#subscriber.complete();
  }
  error(error: unknown): void {
    this.#subscriber.error(error);
  }
}

class ToPromise<R> implements Target {
  readonly #resolve: (result: R) => void;
  readonly #reject: (error: unknown) => void;
  constructor(resolve: (result: R) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }
  notice(): void {
    return;
  }
  result(result: JsonObject): void {
    this.#resolve(result as R);
  }
  error(error: unknown): void {
    this.#reject(error);
  }
}

/** One request under way: a class, because it is made for every call. */
class Asked implements Observer<Emission>, Watched {
  readonly #asking: Asking;
  readonly #target: Target;
  #subscription: Subscription | undefined;
  #over = false;
  #round = 0;
  /** A server that runs again begins its progress anew; who watches sees it rise only. */
  #highest = -Infinity;
  onEnd: (() => void) | undefined;
  entry: Watched['entry'];

  constructor(asking: Asking, target: Target) {
    this.#asking = asking;
    this.#target = target;
  }

  get method(): string {
    return this.#asking.request.method;
  }

  start(): this {
    const { exchange, context, deadlines, limits, request } = this.#asking;
    deadlines.watch(this, limits);
    const subscription = exchange(request, context).subscribe(this);
    if (this.#over) subscription.unsubscribe();
    else if (this.#round === 0) this.#subscription = subscription;
    return this;
  }

  next(emission: Emission): void {
    if (this.#over) return;
    if (!isAnswer(emission)) {
      this.#asking.deadlines.heard(this);
      if (emission.params !== undefined && this.#rises(emission.method, emission.params))
        this.#target.notice(emission.method, emission.params);
      return;
    }
    if (this.#asking.rounds !== undefined && needsInput(emission.result)) {
      this.#asking.deadlines.heard(this);
      return this.#again(emission.result, this.#asking.rounds);
    }
    let result: JsonObject;
    try {
      result = this.#asking.check(emission.result);
    } catch (error) {
      return this.error(error);
    }
    this.#end();
    this.#target.result(result);
  }

  error(error: unknown): void {
    if (this.#over) return;
    this.#end();
    this.#target.error(this.#noted(error));
  }

  complete(): void {
    // The stream of a round that asked has ended as it should; the call goes on.
    if (this.#round === 0) this.#ended();
  }

  #ended(): void {
    if (!this.#over) this.error(new ConnectionClosed({ message: `${this.method} ended without an answer` }));
  }

  expired(error: TimedOut): void {
    if (this.#over) return;
    this.unsubscribe();
    this.#target.error(this.#noted(error));
  }

  #noted(error: unknown): unknown {
    const { request, server } = this.#asking;
    const name = request.params?.['name'] ?? request.params?.['uri'];
    return during(error, {
      method: request.method,
      ...(typeof name === 'string' ? { name } : undefined),
      ...(server === undefined ? undefined : { server }),
    });
  }

  /** Cancels. */
  unsubscribe(): void {
    if (this.#over) return;
    this.#end();
    this.#subscription?.unsubscribe();
  }

  #rises(method: string, { progress }: JsonObject): boolean {
    if (method !== progressMethod || typeof progress !== 'number') return true;
    if (progress <= this.#highest) return false;
    this.#highest = progress;
    return true;
  }

  /** Answers what is asked and makes the request again, under a new id, with nothing else changed (MRTR-22). */
  #again(result: JsonObject, { answer, most }: NonNullable<Asking['rounds']>): void {
    const { exchange, context, request, deadlines } = this.#asking;
    this.#round += 1;
    const round = this.#round;
    if (round > most) return this.error(inputRequired(request.method, result, most));
    let answers: Observable<JsonObject>;
    try {
      answers = gathered(request.method, result, answer);
    } catch (error) {
      return this.error(error);
    }
    const hold = (subscription: Subscription): void => {
      if (this.#over) subscription.unsubscribe();
      else if (this.#round === round) this.#subscription = subscription;
    };
    const resume = deadlines.pause(this);
    const asked = (given: JsonObject): void => {
      resume();
      const { method, params } = anew(request);
      const again = { method, params: { ...params, ...given } };
      asking = true;
      hold(
        exchange(again, context).subscribe({
          next: (emission) => this.next(emission),
          error: (error: unknown) => this.error(error),
          complete: () => {
            if (this.#round === round) this.#ended();
          },
        }),
      );
    };
    let asking = false;
    const answering = answers.subscribe({ next: asked, error: (error: unknown) => this.error(error) });
    if (!asking) hold(answering);
  }

  #end(): void {
    this.#over = true;
    this.#asking.deadlines.done(this);
    this.onEnd?.();
  }
}

const inputRequired = (method: string, { inputRequests, requestState }: JsonObject, most: number): InputRequired =>
  new InputRequired({
    method,
    message:
      most === 0
        ? `${method} needs input before it can be answered`
        : `${method} still needs input after ${most} rounds of questions`,
    ...(isObject(inputRequests) ? { inputRequests } : undefined),
    ...(typeof requestState === 'string' ? { requestState } : undefined),
  });
