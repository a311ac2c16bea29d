/**
 * Prompts: messages that a user may start from.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/prompts
 */
import { ContentBlock, Role } from './content.ts';
import { object, optional } from './object.ts';
import { againFields, type AgainParams } from './input.ts';
import { mapOf, type JsonObject } from './json.ts';
import { itemMeta, pageFields, requestFields, resultFields, type CacheableResult, type Result } from './meta.ts';
import { icons, title, type Icon } from './peer.ts';
import { Schema } from './schema.ts';

export interface PromptArgument {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly required?: boolean;
}

export const PromptArgument = object<PromptArgument>({
  name: Schema.String,
  title,
  description: optional(Schema.String),
  required: optional(Schema.Boolean),
});

/** A prompt, as it is listed to a user. */
export interface Prompt {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly arguments?: readonly PromptArgument[];
  readonly icons?: readonly Icon[];
  readonly _meta?: JsonObject;
}

export const Prompt = object<Prompt>({
  name: Schema.String,
  title,
  description: optional(Schema.String),
  arguments: optional(Schema.Array(PromptArgument)),
  icons,
  _meta: itemMeta,
});

/** One message of a prompt. */
export interface PromptMessage {
  readonly role: Role;
  readonly content: ContentBlock;
}

export const PromptMessage = object<PromptMessage>({ role: Role, content: ContentBlock });

export type ListPromptsResult = CacheableResult & {
  readonly prompts: readonly Prompt[];
  readonly nextCursor?: string;
};

export const ListPromptsResult = object<ListPromptsResult>({ ...pageFields, prompts: Schema.Array(Prompt) });

export type GetPromptParams = AgainParams & {
  readonly name: string;
  readonly arguments?: { readonly [name: string]: string };
};

export const GetPromptParams = object<GetPromptParams>({
  ...requestFields,
  ...againFields,
  name: Schema.String,
  arguments: optional(mapOf(Schema.String)),
});

/** A prompt filled in: messages for a model. */
export type GetPromptResult = Result & {
  readonly description?: string;
  readonly messages: readonly PromptMessage[];
};

export const GetPromptResult = object<GetPromptResult>({
  ...resultFields,
  description: optional(Schema.String),
  messages: Schema.Array(PromptMessage),
});
