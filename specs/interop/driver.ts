/** What an official client can do, whichever it is: the suites of our servers are written against this. */
import type { Observable } from 'rxjs';

export interface DrivenCall {
  readonly onprogress?: (progress: {
    readonly progress: number;
    readonly total?: number | undefined;
    readonly message?: string | undefined;
  }) => void;
  readonly signal?: AbortSignal;
  /** The least severe log lines that the caller wants. */
  readonly level?: 'debug' | 'info' | 'warning' | 'error';
}

export interface ToolAnswer {
  readonly content: readonly unknown[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean | undefined;
}

export interface ResourceContent {
  readonly uri: string;
  readonly mimeType?: string | undefined;
  readonly text?: string;
  readonly blob?: string;
}

export interface LogLine {
  readonly level: string;
  readonly logger?: string | undefined;
  readonly data: unknown;
}

export type Reference =
  { readonly type: 'ref/prompt'; readonly name: string } | { readonly type: 'ref/resource'; readonly uri: string };

/** One connection of an official client, named after what the protocol calls things. */
export interface Driver {
  readonly revision: string | undefined;
  readonly server: { readonly name: string; readonly version: string } | undefined;
  readonly instructions: string | undefined;
  readonly capabilities: object | undefined;
  tools(): Promise<readonly { readonly name: string; readonly outputSchema?: unknown }[]>;
  prompts(): Promise<readonly { readonly name: string }[]>;
  resources(): Promise<readonly { readonly uri: string }[]>;
  templates(): Promise<readonly { readonly uriTemplate: string }[]>;
  call(name: string, args: Record<string, unknown>, options?: DrivenCall): Promise<ToolAnswer>;
  read(uri: string): Promise<readonly ResourceContent[]>;
  prompt(name: string, args: Record<string, string>): Promise<readonly unknown[]>;
  complete(
    ref: Reference,
    argument: string,
    typed: string,
    resolved?: Record<string, string>,
  ): Promise<readonly string[]>;
  /** Begins to hear of changes of a resource; resolves with how to stop it. */
  watch(uri: string): Promise<() => Promise<unknown>>;
  /** Begins to hear of changes of lists, where that has to be asked for. */
  watchLists(): Promise<unknown>;
  /** URIs of resources that have changed. */
  readonly updated$: Observable<string>;
  /** `tools`, `prompts` or `resources`: the list that has changed. */
  readonly listed$: Observable<string>;
  readonly log$: Observable<LogLine>;
  /** All that the server has said, as it was said. */
  readonly heard: readonly unknown[];
  /** What the client could make no sense of. */
  readonly errors: readonly string[];
  /** Undefined where the revision has none. */
  readonly ping: (() => Promise<unknown>) | undefined;
  close(): Promise<void>;
}

/** What the client answers when the server asks; a client that is given it declares all of it, any other nothing. */
export interface Answered {
  readonly form: (form: {
    readonly message: string;
    readonly fields: Readonly<Record<string, unknown>>;
  }) => Record<string, string | number | boolean | string[]>;
  readonly sample: (messages: readonly unknown[]) => string;
  readonly roots: readonly string[];
}

export type Connect = (
  command: string,
  args: readonly string[],
  env: Record<string, string>,
  answered?: Answered,
) => Promise<Driver>;

/** Connects to a server that listens. */
export type ConnectTo = (url: string, answered?: Answered) => Promise<Driver>;
