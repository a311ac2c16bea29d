/** One feature at work on one request: a class, because it is made for every call. */
import { Observable, type Subscriber } from 'rxjs';
import { deliver, type Pick, type Sink } from '../exchange/bridge.ts';
import type { Context, Emission, Request } from '../exchange/exchange.ts';
import { logMethod, type Notice } from '../exchange/notice.ts';
import { Misconfigured, quoted, RpcError } from '../frame/errors.ts';
import type { JsonObject } from '../frame/frame.ts';
import { urlElicitationRequired } from '../protocol/elicitation.ts';
import { severity } from '../protocol/level.ts';
import { metaKeys } from '../protocol/revisions.ts';
import { Asking } from './asking.ts';
import { Call } from './call.ts';
import { nothingKept, type Kept, type Seal } from './state.ts';

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

/** What all handlers of a server work with. */
export interface Bench {
  readonly sign: Sign;
  /** Keeps what a request that asks must know when it comes again. */
  readonly seal: Seal;
  /** Hears of failures; what peers hear of them says less. */
  readonly failed: (error: unknown, request: Request) => void;
}

/** Whether the handler may ask its caller (MRTR-02). */
export type Manners = 'asks' | 'silent';

/** Does the work for one request. Unsubscribing aborts the call's signal and stops whatever the handler returned. */
export const run = <A>(
  work: Work<A>,
  args: A,
  bench: Bench,
  request: Request,
  context: Context,
  manners: Manners = 'asks',
): Observable<Emission> =>
  new Observable((subscriber) => new Run(work, args, bench, request, context, manners, subscriber).start());

/** A result made for one call, which may still be written on: copying it would cost more than making it. */
export type Fresh = Record<string, unknown>;

/** Puts the server's name, and whatever else all its results say, on a result. */
export type Sign = (result: Fresh) => JsonObject;

class Run<A> implements Sink {
  readonly #work: Work<A>;
  readonly #args: A;
  readonly #bench: Bench;
  readonly #request: Request;
  readonly #manners: Manners;
  readonly #subscriber: Subscriber<Emission>;
  readonly #call: Call;
  #kept = nothingKept;
  #asking: Asking | undefined;
  #stop: (() => void) | undefined;
  #over = false;

  constructor(
    work: Work<A>,
    args: A,
    bench: Bench,
    request: Request,
    context: Context,
    manners: Manners,
    subscriber: Subscriber<Emission>,
  ) {
    this.#work = work;
    this.#args = args;
    this.#bench = bench;
    this.#request = request;
    this.#manners = manners;
    this.#subscriber = subscriber;
    this.#call = new Call(request, context, this);
  }

  start(): this {
    const state = this.#request.params?.['requestState'];
    if (state === undefined || this.#manners === 'silent') this.#handle();
    else
      this.#bench.seal.open(String(state), this.#request, this.#call.context).then(
        (kept) => this.#again(kept),
        (error: unknown) => this.#broken(error),
      );
    return this;
  }

  notice(notice: Notice): void {
    if (this.#over || (notice.method === logMethod && !this.#hears(notice))) return;
    this.#subscriber.next(notice);
  }

  asking(): Asking {
    if (this.#over) throw new Misconfigured({ message: `${this.#request.method} has ended: nobody is there to ask` });
    if (this.#manners === 'silent')
      throw new Misconfigured({
        message: `${this.#request.method}: only tools, prompts and reads may ask their caller`,
      });
    return (this.#asking ??= new Asking(
      this.#kept,
      this.#request.params?.['inputResponses'],
      this.#call.client.capabilities,
      (notice) => this.notice(notice),
      (key) => this.#bench.failed(changed(key), this.#request),
    ));
  }

  value(value: unknown): void {
    if (this.#asks()) return;
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
    // A question that waits wins over whatever its handler made of being stopped.
    if (!this.#asks()) this.#fail(error);
  }

  unsubscribe(): void {
    // An answer that was given has not been cancelled; a stream that was read only up to it is to be let go all the same.
    if (!this.#over) this.#call.abort();
    this.#over = true;
    this.#stop?.();
    this.#asking?.stop();
  }

  #again(kept: Kept): void {
    if (this.#over) return;
    this.#kept = kept;
    this.#handle();
  }

  #handle(): void {
    try {
      this.#stop = deliver(this.#work.handle(this.#args, this.#call), this, this.#work.pick);
      // What it said on the way here may have led to its end.
      if (this.#over) this.#stop?.();
    } catch (error) {
      this.error(error);
    }
  }

  /** Ends this run with the questions that it has asked, if it has. */
  #asks(): boolean {
    if (this.#asking === undefined || this.#over) return false;
    if (this.#asking.conflict !== undefined) {
      this.#fail(this.#asking.conflict);
      return true;
    }
    if (this.#asking.pending === undefined) return false;
    void this.#needs(this.#asking);
    return true;
  }

  /** Answers with the questions, once no step is under way any more: what one is doing must not be done again. */
  async #needs(asking: Asking): Promise<void> {
    try {
      await asking.settled();
      if (this.#over) return;
      const inputRequests = asking.pending;
      const requestState = await this.#bench.seal.close(asking.kept, this.#request, this.#call.context);
      this.#answer({ resultType: 'input_required', inputRequests, requestState });
    } catch (error) {
      this.#broken(error);
    }
  }

  /** Not the handler's failure, so none of its words for one either. */
  #broken(error: unknown): void {
    if (this.#over) return;
    // State that is refused is its sender's mistake, and no news for the operator.
    if (!(error instanceof RpcError)) this.#bench.failed(error, this.#request);
    this.#over = true;
    this.#subscriber.error(error);
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    if (
      error instanceof RpcError &&
      error.code === urlElicitationRequired &&
      this.#call.client.revision !== '2025-11-25'
    )
      return this.#broken(
        new Misconfigured({ message: 'error -32042 is for 2025-11-25 only (ELI-20): ask with elicitUrl instead' }),
      );
    if (!(error instanceof RpcError)) this.#bench.failed(error, this.#request);
    const result = this.#work.fail?.(error);
    if (result !== undefined) return this.#answer(result);
    this.#over = true;
    this.#subscriber.error(error);
  }

  #answer(result: Fresh): void {
    if (this.#over) return;
    this.#over = true;
    this.#subscriber.next({ result: this.#bench.sign(result) });
    this.#subscriber.complete();
  }

  /** A peer hears the level that its request asked for and what is graver (LOG-07); one that asked for none, nothing. */
  #hears({ params }: Notice): boolean {
    const asked = this.#call.meta[metaKeys.logLevel];
    const least = severity(asked);
    return least >= 0 && severity(params['level']) >= least;
  }
}

const changed = (key: string): Misconfigured =>
  new Misconfigured({
    message: `the question ${quoted(key)} was answered, and reads differently now that the handler runs again: it is asked once more. Put what it is made of into a step`,
  });
