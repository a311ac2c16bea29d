/** What a handler knows of the request that it answers, besides its arguments. */
import type { Answering } from '../exchange/bridge.ts';
import type { Context, Request } from '../exchange/exchange.ts';
import type { Access } from '../exchange/guard.ts';
import { log, progress, type Notice } from '../exchange/notice.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import { declares } from '../protocol/capability.ts';
import { metaKeys } from '../protocol/revisions.ts';
import type { ClientCapabilities, Implementation } from '../protocol/peer.ts';
import type { LoggingLevel } from '../protocol/level.ts';
import type { AnswersTo, Asking, Remembered } from './asking.ts';
import type { Question } from './question.ts';

/** The peer that asks, in its own words; nothing of it may decide security. */
export interface Caller {
  /** The revision that it speaks. */
  readonly revision: string;
  readonly capabilities: ClientCapabilities;
  readonly info: Implementation | undefined;
}

/** W3C trace context as it came with the request. */
export interface Trace {
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly baggage?: string;
}

/** The form that W3C Trace Context gives it; anything else would only break who it is handed on to. */
const traceId = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

/** What a handler can have been declared by its caller, as a path. */
export type ClientCapability =
  'elicitation.form' | 'elicitation.url' | 'sampling' | 'sampling.tools' | 'sampling.context' | 'roots';

/** Where what a handler says in passing goes, and where it asks. */
interface Listener {
  notice(notice: Notice): void;
  /** @throws Misconfigured where this kind of handler cannot ask */
  asking(): Asking;
}

/** What a handler knows of the request that it answers, besides its arguments. */
export class Call {
  readonly #request: Request;
  readonly #listener: Listener;
  #abort: AbortController | undefined;
  #aborted = false;
  /** What the edge knows of the request. */
  readonly context: Context;

  constructor(request: Request, context: Context, listener: Listener) {
    this.#request = request;
    this.context = context;
    this.#listener = listener;
  }

  /** Aborted when the caller cancels, or its connection ends. Made when first looked at. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#aborted) this.#abort.abort();
    return this.#abort.signal;
  }

  /** The request's `_meta`, as the peer sent it. */
  get meta(): JsonObject {
    const meta = this.#request.params?.['_meta'];
    return isObject(meta) ? meta : {};
  }

  get client(): Caller {
    const { meta } = this;
    return {
      revision: String(meta[metaKeys.protocolVersion]),
      capabilities: meta[metaKeys.clientCapabilities] ?? {},
      info: meta[metaKeys.clientInfo] as Implementation | undefined,
    };
  }

  /** Trace context to hand on to whatever this handler calls (META-08). */
  get trace(): Trace {
    const { traceparent, tracestate, baggage } = this.meta;
    return {
      ...(typeof traceparent === 'string' && traceId.test(traceparent) ? { traceparent } : undefined),
      ...(typeof tracestate === 'string' ? { tracestate } : undefined),
      ...(typeof baggage === 'string' ? { baggage } : undefined),
    };
  }

  /** Who asks, as the edge has established it. */
  get principal(): string | undefined {
    return this.context.principal;
  }

  /** What they have proved: scopes, claims. Undefined where nobody asks for a proof. */
  get access(): Access | undefined {
    return this.context.access;
  }

  /** Whether the caller declared this: what {@link Call.ask} would need, for handlers that can do without. */
  can(capability: ClientCapability): boolean {
    return declares(this.client.capabilities, capability);
  }

  /**
   * Asks the caller, and gives the answer. Where there is none yet, this throws: the handler ends here, the caller is
   * asked, and the handler runs again from its beginning with the answer at hand, in every revision. So work that is not
   * to be done twice belongs into a {@link Call.step}, or behind the question; log lines before it are said twice.
   *
   * An answer is to the very question that was asked: one that reads differently in the next run is asked anew, so what
   * it is made of (a price, a time) belongs into a step too.
   *
   * Fails with -32021 where the caller did not declare what the question needs; see {@link Call.can}.
   */
  get ask(): <A>(key: string, question: Question<A>) => A {
    return (key, question) => this.#listener.asking().ask(key, question);
  }

  /** Asks several questions at once, each under its own key. */
  get askAll(): <const Q extends Readonly<Record<string, Question<unknown>>>>(questions: Q) => AnswersTo<Q> {
    return (questions) => this.#listener.asking().askAll(questions);
  }

  /**
   * Does a piece of work once for a request, however many rounds of questions that takes: its result travels in the
   * request's state, encrypted. What JSON makes of the result is what every run gets, the first one too.
   *
   * A caller that sends the same last answers twice runs what follows them twice: what must happen once for all needs a
   * guard of its own, a key that the payment is made under, say (MRTR-12).
   */
  get step(): <T>(key: string, work: () => Answering<T>) => Promise<Remembered<T>> {
    return (key, work) => this.#listener.asking().step(key, work);
  }

  /** Says how far the work is; the same as emitting `progress(…)`, for handlers that return a Promise. */
  progress(done: number, total?: number, message?: string): void {
    this.#listener.notice(progress(done, total, message));
  }

  /** Logs to the caller, if it asked for this level; the same as emitting `log(…)`. */
  log(level: LoggingLevel, data: unknown, logger?: string): void {
    this.#listener.notice(log(level, data, logger));
  }

  /** For the runtime: the caller is gone. */
  abort(): void {
    this.#aborted = true;
    this.#abort?.abort();
  }
}
