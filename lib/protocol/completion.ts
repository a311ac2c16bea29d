/**
 * Completion: what an argument of a prompt, or a variable of a resource template, may be.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion
 */
import { object, optional, required } from './object.ts';
import { Integer, mapOf, strings } from './json.ts';
import { requestFields, resultFields, type RequestParams, type Result } from './meta.ts';
import { title } from './peer.ts';
import { Schema } from './schema.ts';

export interface PromptReference {
  readonly type: 'ref/prompt';
  readonly name: string;
  readonly title?: string;
}

export interface ResourceTemplateReference {
  readonly type: 'ref/resource';
  /** A URI or the template itself. */
  readonly uri: string;
}

/** What the argument belongs to. */
export type CompletionReference = PromptReference | ResourceTemplateReference;

export const PromptReference = object<PromptReference>({
  type: Schema.Literal('ref/prompt'),
  name: Schema.String,
  title,
});
export const ResourceTemplateReference = object<ResourceTemplateReference>({
  type: Schema.Literal('ref/resource'),
  uri: Schema.String,
});
export const CompletionReference: Schema.Schema<CompletionReference> = Schema.Union(
  PromptReference,
  ResourceTemplateReference,
);

/** The argument, as far as it is typed. */
export interface CompletionArgument {
  readonly name: string;
  readonly value: string;
}

/** What the other arguments already are. */
export interface CompletionContext {
  readonly arguments?: { readonly [name: string]: string };
}

export type CompleteParams = RequestParams & {
  readonly ref: CompletionReference;
  readonly argument: CompletionArgument;
  readonly context?: CompletionContext;
};

export const CompleteParams = object<CompleteParams>({
  ...requestFields,
  ref: CompletionReference,
  argument: object<CompletionArgument>({ name: Schema.String, value: Schema.String }),
  context: optional(object<CompletionContext>({ arguments: optional(mapOf(Schema.String)) }), { since: '2025-06-18' }),
});

export interface Completion {
  /** The best first, a hundred at most. */
  readonly values: readonly string[];
  /** How many there are in all. */
  readonly total?: number;
  readonly hasMore?: boolean;
}

export type CompleteResult = Result & { readonly completion: Completion };

export const CompleteResult = object<CompleteResult>({
  ...resultFields,
  completion: object<Completion>({
    values: required(strings(100), { was: [{ until: '2025-11-25', as: Schema.Array(Schema.String) }] }),
    total: optional(Integer),
    hasMore: optional(Schema.Boolean),
  }),
});
