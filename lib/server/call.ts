/** What a handler knows of the request that it answers, besides its arguments. */
import type { Context, Request } from '../exchange/exchange.ts';
import { log, progress, type Notice } from '../exchange/notice.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import { metaKeys } from '../protocol/revisions.ts';
import type { ClientCapabilities, Implementation } from '../protocol/peer.ts';
import type { LoggingLevel } from '../protocol/level.ts';

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

/** Where what a handler says in passing goes. */
interface Listener {
  notice(notice: Notice): void;
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
