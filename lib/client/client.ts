/** What a connected client can do, and how its types follow from the server's. */
import type { Observable } from 'rxjs';
import type { Exchange, Notification } from '../exchange/exchange.ts';
import type { JsonObject } from '../frame/frame.ts';
import type { Completion, CompletionReference } from '../protocol/completion.ts';
import type { Resource } from '../protocol/content.ts';
import type { InputResponses } from '../protocol/input.ts';
import type { LoggingLevel } from '../protocol/level.ts';
import type { ParamsOf, RequestMethod, ResultOf } from '../protocol/methods.ts';
import type { Implementation, ServerCapabilities } from '../protocol/peer.ts';
import type { GetPromptResult, Prompt } from '../protocol/prompts.ts';
import type { ReadResourceResult, ResourceTemplate } from '../protocol/resources.ts';
import type { Revision } from '../protocol/revisions.ts';
import type { SubscriptionFilter } from '../protocol/subscription.ts';
import type { Tool } from '../protocol/tool.ts';
import type { CallToolResult } from '../protocol/tools.ts';
import type { Limits } from './deadline.ts';
import type { CallEvent, LogEvent } from './request.ts';

/** How one call differs from the others: its time limits, what it hears of, what it carries. */
export interface CallOptions extends Limits {
  /** The least severe log lines to hear of, on `logs$` where a channel carries many calls. Default: none. */
  readonly logLevel?: LoggingLevel;
  /**
   * How many rounds of questions of the server this call may go through. Default 10; 0 leaves them to the caller: the
   * call then fails with {@link InputRequired}, which holds the questions.
   */
  readonly rounds?: number;
  /** What the questions of an earlier attempt are answered with, and the state that came with them, as it was. */
  readonly again?: { readonly inputResponses?: InputResponses; readonly requestState?: string };
  /**
   * Whether doing it twice does no more than doing it once: over HTTP, since 2026-07-28, it is then made again, once, where
   * its answer breaks. Default: yes for lists and reads; what a tool's annotations say (`readOnlyHint`, `idempotentHint`),
   * once it has been listed; for all else no.
   */
  readonly idempotent?: boolean;
  /** Asks the server even where an answer is kept that is still good. Default false. */
  readonly fresh?: boolean;
  /** Travels in `_meta`: trace context, or keys under a prefix of your own. */
  readonly meta?: JsonObject;
}

/** The same for a call that is awaited, which a signal can cancel. */
export interface PromiseOptions extends CallOptions {
  /** Aborting it cancels the call. */
  readonly signal?: AbortSignal;
}

/** The tools of a server whose type is known; any tool, of any other. */
export type ToolName<Tools> = unknown extends Tools ? string : keyof Tools & string;
export type ToolArgs<Tools, N> = unknown extends Tools
  ? JsonObject
  : N extends keyof Tools
    ? Tools[N] extends (args: infer A) => unknown
      ? A
      : JsonObject
    : JsonObject;
/** Arguments, which may be left out where none is required, and options. */
export type Given<A, O> = Record<never, never> extends A ? [args?: A, options?: O] : [args: A, options?: O];
export type ToolResult<Tools, N> = CallToolResult & {
  readonly structuredContent?: unknown extends Tools
    ? unknown
    : N extends keyof Tools
      ? Tools[N] extends (args: never) => infer W
        ? W
        : unknown
      : unknown;
};

/** Whether a conversation is going on. */
export type ConnectionState = 'connected' | 'reconnecting' | 'closed';

/**
 * A connected client: every request of the protocol, as a stream or a Promise, and lists that stay fresh.
 *
 * Streams ask on subscription, each time anew; unsubscribing cancels. All of them fail with {@link RpcError} for what
 * the server said, {@link TimedOut}, {@link ConnectionClosed}, {@link NotSupported} (nothing was sent) or {@link
 * InvalidAnswer}; Promises reject with the same.
 */
export interface Client<Tools = unknown> {
  readonly revision: Revision;
  /** What the server calls itself, if it does. */
  readonly server: Implementation | undefined;
  readonly capabilities: ServerCapabilities;
  /** What a model should know about using the server. */
  readonly instructions: string | undefined;
  /** The server as an exchange: to be served again, composed, or asked what this interface does not cover. */
  readonly exchange: Exchange;
  /** `connected` at once, `closed` when the connection has ended, however that was; then it completes. */
  readonly state$: Observable<ConnectionState>;

  /** Calls a tool on subscription: progress, then the result. Unsubscribing cancels the call. */
  call<N extends ToolName<Tools>>(
    name: N,
    ...given: Given<ToolArgs<Tools, N>, CallOptions>
  ): Observable<CallEvent<ToolResult<Tools, N>>>;
  /** Calls a tool at once. A tool that failed resolves with `isError`; a protocol error rejects. */
  callTool<N extends ToolName<Tools>>(
    name: N,
    ...given: Given<ToolArgs<Tools, N>, PromiseOptions>
  ): Promise<ToolResult<Tools, N>>;
  /** Any request of the protocol, as a stream. */
  request<M extends RequestMethod>(
    method: M,
    params: ParamsOf<M> & object,
    options?: CallOptions,
  ): Observable<CallEvent<ResultOf<M>>>;
  readResource(uri: string, options?: PromiseOptions): Promise<ReadResourceResult>;
  getPrompt(name: string, args?: Readonly<Record<string, string>>, options?: PromiseOptions): Promise<GetPromptResult>;
  /** Suggests values for an argument of a prompt or a variable of a resource template. */
  complete(
    ref: CompletionReference,
    argument: string,
    typed: string,
    resolved?: Readonly<Record<string, string>>,
    options?: PromiseOptions,
  ): Promise<Completion>;

  /** All pages of a list, one after the other, as their items. */
  listTools(options?: CallOptions): Observable<readonly Tool[]>;
  listPrompts(options?: CallOptions): Observable<readonly Prompt[]>;
  listResources(options?: CallOptions): Observable<readonly Resource[]>;
  listTemplates(options?: CallOptions): Observable<readonly ResourceTemplate[]>;

  /** The whole list, now and again whenever it changes; shared, with the latest replayed. Empty where there is none. */
  readonly tools$: Observable<readonly Tool[]>;
  readonly prompts$: Observable<readonly Prompt[]>;
  readonly resources$: Observable<readonly Resource[]>;
  readonly templates$: Observable<readonly ResourceTemplate[]>;
  /** A resource's content, now and again whenever it changes; shared by all who look at the same URI. */
  resource$(uri: string): Observable<ReadResourceResult>;
  /** Log lines that do not say which call they belong to: over stdio, sockets and memory that is all of them. */
  readonly logs$: Observable<LogEvent>;
  /** What the server tells of, beginning with its acknowledgement; for as long as it is subscribed. */
  listen(wanted: SubscriptionFilter): Observable<Notification>;
}
