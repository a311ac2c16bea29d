/**
 * Calls that a client makes for others at a legacy server. A question that comes in their midst is the caller's to answer:
 * the call here is parked, the caller is told what is needed, and goes on with it when it comes back with the answer
 * (BR-26). Parked calls are few, belong to who made them, and do not wait for ever.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
import { asyncScheduler, Observable, throwError, type Subscriber, type Subscription } from 'rxjs';
import { isAnswer, type Context, type Emission, type Request } from '../../exchange/exchange.ts';
import { identityOf } from '../../exchange/identity.ts';
import { codes, ConnectionClosed, invalidParams, RpcError } from '../../frame/errors.ts';
import { isObject, type JsonObject } from '../../frame/frame.ts';
import { declares, needsOf } from '../../protocol/capability.ts';
import { metaKeys } from '../../protocol/revisions.ts';

export interface ParkingOptions {
  /** How many calls may be parked; the oldest gives way. Default 100. */
  readonly calls?: number;
  /** How long, in milliseconds, a call stays parked. Default 900000. */
  readonly ms?: number;
}

export interface Parking {
  /** Makes a call, or goes on with a parked one. */
  readonly call: (request: Request, context: Context, ask: () => Observable<Emission>) => Observable<Emission>;
  /** Takes a question to the call that it comes from; undefined where there is none whose caller can answer it. */
  readonly question: (question: Request) => Observable<JsonObject> | undefined;
}

/** Notices kept for a caller who is away; of more, the oldest are lost. */
const mostNotices = 100;

export const parking = ({ calls = 100, ms = 900_000 }: ParkingOptions = {}): Parking => {
  const underway = new Set<Call>();
  const parked = new Map<string, Call>();
  const lot: Lot = {
    park: (call) => {
      parked.delete(call.handle);
      const [oldest] = parked.values();
      if (parked.size >= calls) oldest?.abandon('too many calls wait for an answer');
      parked.set(call.handle, call);
      return asyncScheduler.schedule(() => call.abandon('nobody has answered'), ms);
    },
    gone: (call) => {
      underway.delete(call);
      parked.delete(call.handle);
    },
  };
  return {
    call: (request, context, ask) => {
      const { requestState, inputResponses } = request.params ?? {};
      if (requestState === undefined)
        return new Observable((subscriber) => {
          const call = new Call(request, context, lot);
          underway.add(call);
          return call.start(ask(), subscriber);
        });
      const call = parked.get(String(requestState));
      return call?.identity === identityOf(request, context) && !call.attended
        ? new Observable((subscriber) => call.resume(subscriber, isObject(inputResponses) ? inputResponses : {}))
        : throwError(() => invalidParams('requestState is not valid for this request, or has expired'));
    },
    question: (question) => {
      const all = [...underway];
      // The server does not say which call it asks for. Among several people there is no telling whose it is.
      if (new Set(all.map(({ principal }) => principal)).size > 1) return undefined;
      const call = all.findLast((one) => one.canAnswer(question));
      return call === undefined ? undefined : new Observable((subscriber) => call.ask(question, subscriber));
    },
  };
};

interface Lot {
  /** Returns what lets the time run no longer. */
  readonly park: (call: Call) => Subscription;
  readonly gone: (call: Call) => void;
}

interface Open {
  readonly question: Request;
  readonly subscriber: Subscriber<JsonObject>;
}

type End = { readonly error: unknown } | { readonly answer: Emission };

class Call {
  readonly handle = crypto.randomUUID();
  readonly identity: string;
  readonly principal: string | undefined;
  readonly #capabilities: JsonObject;
  readonly #lot: Lot;
  readonly #open = new Map<string, Open>();
  readonly #held: Emission[] = [];
  #asked = 0;
  #upstream: Subscription | undefined;
  #caller: Subscriber<Emission> | undefined;
  #clock: Subscription | undefined;
  #end: End | undefined;

  constructor(request: Request, context: Context, lot: Lot) {
    this.identity = identityOf(request, context);
    this.principal = context.principal;
    const meta = request.params?.['_meta'];
    const declared = isObject(meta) ? meta[metaKeys.clientCapabilities] : undefined;
    this.#capabilities = isObject(declared) ? declared : {};
    this.#lot = lot;
  }

  /** Whether its caller is there. */
  get attended(): boolean {
    return this.#caller !== undefined;
  }

  canAnswer(question: Request): boolean {
    return this.#end === undefined && needsOf(question).every((path) => declares(this.#capabilities, path));
  }

  start(source: Observable<Emission>, caller: Subscriber<Emission>): () => void {
    this.#caller = caller;
    this.#upstream = source.subscribe({
      next: (emission) => {
        if (isAnswer(emission)) this.#over({ answer: emission });
        else this.#say(emission);
      },
      error: (error: unknown) => this.#over({ error }),
      complete: () => this.#over({ error: new ConnectionClosed({ message: 'the server ended without an answer' }) }),
    });
    return () => this.#left(caller);
  }

  ask(question: Request, subscriber: Subscriber<JsonObject>): () => void {
    this.#asked += 1;
    const key = `question-${this.#asked}`;
    this.#open.set(key, { question, subscriber });
    this.#leave();
    return () => this.#open.delete(key);
  }

  resume(caller: Subscriber<Emission>, responses: JsonObject): (() => void) | undefined {
    this.#clock?.unsubscribe();
    this.#caller = caller;
    for (const emission of this.#held.splice(0)) caller.next(emission);
    if (this.#end !== undefined) return void this.#over(this.#end);
    for (const [key, { subscriber }] of [...this.#open]) {
      const response = Object.hasOwn(responses, key) ? responses[key] : undefined;
      if (!isObject(response)) continue;
      this.#open.delete(key);
      subscriber.next(response);
      subscriber.complete();
    }
    // What is still open is asked once more (MRTR-15).
    if (this.#open.size > 0) this.#leave();
    return () => this.#left(caller);
  }

  /** Ends the call at the server, and whatever it waits for. */
  abandon(why: string): void {
    this.#over({ error: new RpcError({ code: codes.internalError, message: why }) });
    this.#gone();
  }

  /** The caller is told what is needed, and goes. */
  #leave(): void {
    const caller = this.#caller;
    if (caller === undefined) return;
    this.#caller = undefined;
    this.#clock = this.#lot.park(this);
    const inputRequests = Object.fromEntries([...this.#open].map(([key, { question }]) => [key, question]));
    caller.next({ result: { resultType: 'input_required', inputRequests, requestState: this.handle } });
    caller.complete();
  }

  /** A caller who leaves without having been asked has cancelled. */
  #left(caller: Subscriber<Emission>): void {
    if (this.#caller === caller) this.#over({ error: new ConnectionClosed({ message: 'the caller has cancelled' }) });
  }

  #say(emission: Emission): void {
    if (this.#caller !== undefined) return this.#caller.next(emission);
    this.#held.push(emission);
    if (this.#held.length > mostNotices) this.#held.shift();
  }

  #over(end: End): void {
    this.#end = end;
    const cancelled = new RpcError({ code: codes.internalError, message: 'the call that this is about has ended' });
    for (const { subscriber } of [...this.#open.values()]) subscriber.error(cancelled);
    this.#open.clear();
    this.#upstream?.unsubscribe();
    const caller = this.#caller;
    // Who is away is told when they come back, as long as the time runs.
    if (caller === undefined) return;
    this.#caller = undefined;
    this.#gone();
    if ('error' in end) return caller.error(end.error);
    caller.next(end.answer);
    caller.complete();
  }

  #gone(): void {
    this.#clock?.unsubscribe();
    this.#lot.gone(this);
  }
}
