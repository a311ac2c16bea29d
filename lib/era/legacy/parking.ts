/**
 * Calls that a client makes for others at a legacy server. A question that comes in their midst is the caller's to answer:
 * the call here is parked, the caller is told what is needed, and goes on with it when it comes back with the answer
 * (BR-26). Parked calls are few, belong to who made them, and do not wait for ever.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
import { Observable, takeUntil, throwError, timer, type Subscriber, type Subscription } from 'rxjs';
import { isAnswer, type Context, type Emission, type Request } from '../../exchange/exchange.ts';
import { callerOf, identityOf } from '../../exchange/identity.ts';
import { inputRequired, waiting } from '../../exchange/rounds.ts';
import { codes, ConnectionClosed, invalidParams, quoted, RpcError } from '../../frame/errors.ts';
import { isObject, type JsonObject, type RequestId } from '../../frame/frame.ts';
import { declares, needsOf } from '../../protocol/capability.ts';
import { validator } from '../../protocol/dated.ts';
import { methods, type MethodTable } from '../../protocol/methods.ts';
import { latestRevision, metaKeys } from '../../protocol/revisions.ts';

export interface ParkingOptions {
  /** How many calls may be parked; the oldest gives way. Default 100. */
  readonly calls?: number;
  /** How long, in milliseconds, a call stays parked. Default 900000. */
  readonly ms?: number;
}

/** Hears under which id a request goes to the server. */
export type Sent = (id: RequestId) => void;

/** Makes the request; to be told, through `sent`, when it goes to the server itself. */
export type Ask = (sent: Sent) => Observable<Emission>;

export interface Parking {
  /** Makes a call for somebody else, or goes on with a parked one. */
  readonly call: (request: Request, context: Context, ask: Ask) => Observable<Emission>;
  /**
   * Takes a question to the call that it comes from; undefined where that is nobody else's. Refused where it may be
   * anybody's, or nobody declared to be able to answer it.
   *
   * @param concerning - the request that it is about, where that is known
   */
  readonly question: (question: Request, concerning?: RequestId) => Observable<JsonObject> | undefined;
  /** Whether anybody but this caller is being worked for. */
  readonly others: (context: Context) => boolean;
}

/** Notices kept for a caller who is away; of more, the oldest are lost. */
const mostNotices = 100;

/**
 * @param over$ - emits once the connection to the server has ended: then no time runs for anybody any more
 * @param busy - how many calls that may ask the server is at work on
 */
export const parking = (
  over$: Observable<unknown>,
  busy: () => number,
  { calls = 100, ms = 900_000 }: ParkingOptions = {},
): Parking => {
  /** What the server works on, and under which id. */
  const underway = new Map<Call, RequestId>();
  const parked = new Map<string, Call>();
  /** Whether this client has calls of its own under way. */
  const own = (): boolean => busy() > underway.size;
  const lot: Lot = {
    park: (call) => {
      const [oldest] = parked.values();
      if (parked.size >= calls) oldest?.abandon('too many calls wait for an answer');
      parked.set(call.handle, call);
      return timer(ms)
        .pipe(takeUntil(over$))
        .subscribe({ next: () => call.abandon('nobody has answered'), error: () => undefined });
    },
    leave: (call) => parked.delete(call.handle),
    over: (call) => underway.delete(call),
    busy: () => underway.size > 0,
  };
  return {
    call: (request, context, ask) => {
      const { requestState, inputResponses } = request.params ?? {};
      return new Observable((subscriber) => {
        if (requestState === undefined) {
          const call = new Call(request, context, lot);
          return call.start(
            ask((id) => underway.set(call, id)),
            subscriber,
          );
        }
        const call = parked.get(String(requestState));
        if (call?.identity === identityOf(request, context))
          return call.resume(subscriber, isObject(inputResponses) ? inputResponses : {});
        return void subscriber.error(invalidParams('requestState is not valid for this request, or has expired'));
      });
    },
    question: (question, concerning) => {
      const calls = [...underway.keys()];
      const all = concerning === undefined ? calls : calls.filter((call) => underway.get(call) === concerning);
      if (all.length === 0) return undefined;
      // Where the server does not say which call it asks for, there is no telling among several people whose it is.
      if (concerning === undefined && (own() || new Set(all.map(({ caller }) => caller)).size > 1))
        return throwError(() =>
          invalidParams(
            `${question.method} does not say which call it belongs to, and several people have one under way`,
          ),
        );
      const call = all.findLast((one) => one.missing(question) === undefined);
      if (call !== undefined) return new Observable((subscriber) => call.ask(question, subscriber));
      const missing = all.at(-1)?.missing(question);
      return throwError(
        () =>
          new RpcError({
            code: codes.methodNotFound,
            message: `${question.method} needs the capability ${missing}, which the client behind this one did not declare`,
          }),
      );
    },
    others: (context) => own() || [...underway.keys()].some((call) => call.caller !== callerOf(context)),
  };
};

interface Lot {
  /** Keeps a call for who comes back to it. Returns what lets the time run no longer. */
  readonly park: (call: Call) => Subscription;
  /** Keeps it no longer. */
  readonly leave: (call: Call) => void;
  /** The server works on it no longer. */
  readonly over: (call: Call) => void;
  /** Whether the server works on any. */
  readonly busy: () => boolean;
}

interface Open {
  readonly question: Request;
  readonly subscriber: Subscriber<JsonObject>;
}

type End = { readonly error: unknown } | { readonly answer: Emission };

class Call {
  readonly handle = crypto.randomUUID();
  readonly identity: string;
  readonly caller: string | object | undefined;
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
    this.caller = callerOf(context);
    const meta = request.params?.['_meta'];
    const declared = isObject(meta) ? meta[metaKeys.clientCapabilities] : undefined;
    this.#capabilities = isObject(declared) ? declared : {};
    this.#lot = lot;
  }

  /** What its caller would have to declare to be asked this; undefined where nothing is missing. */
  missing(question: Request): string | undefined {
    return needsOf(question).find((path) => !declares(this.#capabilities, path));
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
    const problem = this.#problem(responses);
    // It stays parked: who is told what was wrong may come back with something better.
    if (problem !== undefined) return void caller.error(invalidParams(problem));
    this.#unpark();
    this.#caller = caller;
    for (const emission of this.#held.splice(0)) caller.next(emission);
    const given = [...this.#open].flatMap(([key, { subscriber }]) => {
      const response = Object.hasOwn(responses, key) ? responses[key] : undefined;
      return isObject(response) ? [{ key, subscriber, response }] : [];
    });
    // All at once: the first may provoke another question, which is not to be asked along with those that are answered.
    for (const { key } of given) this.#open.delete(key);
    for (const { subscriber, response } of given) {
      subscriber.next(response);
      subscriber.complete();
    }
    if (this.#end !== undefined) return void this.#tell(caller, this.#end);
    // What is still open is asked once more (MRTR-15).
    if (this.#open.size > 0) this.#leave();
    return () => this.#left(caller);
  }

  #problem(responses: JsonObject): string | undefined {
    for (const [key, { question }] of this.#open) {
      const response = Object.hasOwn(responses, key) ? responses[key] : undefined;
      const flaw = isObject(response) ? answerProblem(question, response) : undefined;
      if (flaw !== undefined) return `inputResponses[${quoted(key)}]: ${flaw}`;
    }
    return undefined;
  }

  /** Ends the call at the server, and whatever it waits for. Nobody will hear how it ended. */
  abandon(why: string): void {
    this.#unpark();
    this.#over({ error: new RpcError({ code: codes.internalError, message: why }) });
    this.#refuse();
  }

  /** The caller is told what is needed, and goes. */
  #leave(): void {
    const caller = this.#caller;
    if (caller === undefined) return;
    this.#caller = undefined;
    const clock = this.#lot.park(this);
    this.#clock = clock;
    const inputRequests = Object.fromEntries([...this.#open].map(([key, { question }]) => [key, question]));
    const asking = inputRequired(inputRequests, this.handle);
    const dropped = (): void => {
      if (this.#clock === clock) this.abandon('the caller has left');
    };
    caller.next({ result: waiting(asking, dropped) });
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

  /** The work at the server has ended. Who is away is told when they come back, as long as the time runs. */
  #over(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#lot.over(this);
    // First the call, then what it asked: a handler that has been stopped makes nothing of the refusal.
    this.#upstream?.unsubscribe();
    const caller = this.#caller;
    this.#caller = undefined;
    // A question that has outlived this call may be another's: whoever answers it has been asked it here.
    if (caller === undefined && 'answer' in end && this.#lot.busy()) return;
    this.#refuse();
    if (caller !== undefined) answered(caller, end);
  }

  #tell(caller: Subscriber<Emission>, end: End): void {
    this.#caller = undefined;
    this.#refuse();
    answered(caller, end);
  }

  /** Nobody will answer what is still open. */
  #refuse(): void {
    const ended = new RpcError({ code: codes.internalError, message: 'the call that this is about has ended' });
    for (const { subscriber } of [...this.#open.values()]) subscriber.error(ended);
    this.#open.clear();
  }

  #unpark(): void {
    this.#clock?.unsubscribe();
    this.#clock = undefined;
    this.#lot.leave(this);
  }
}

const rows: MethodTable = methods;

/** What makes this no answer to that question; undefined where nothing does. */
const answerProblem = ({ method }: Request, response: unknown): string | undefined => {
  const result = rows[method]?.result;
  return result === undefined ? undefined : validator(result, latestRevision)(response);
};

const answered = (caller: Subscriber<Emission>, end: End): void => {
  if ('error' in end) return caller.error(end.error);
  caller.next(end.answer);
  caller.complete();
};
