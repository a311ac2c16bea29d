/**
 * Sampling: a server asks the client's model.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/sampling
 */
import { AudioContent, ContentBlock, ImageContent, Role, TextContent } from './content.ts';
import { object, optional, required } from './object.ts';
import { Integer, JsonObject, Unit } from './json.ts';
import { LegacyRequestMeta } from './meta.ts';
import { Schema } from './schema.ts';
import { structuredContent } from './structured.ts';
import { task } from './tasks.ts';
import { Tool } from './tool.ts';

const meta = optional(JsonObject, { since: '2025-11-25' });

/** The model wants a tool called. */
export interface ToolUseContent {
  readonly type: 'tool_use';
  readonly id: string;
  readonly name: string;
  readonly input: JsonObject;
  readonly _meta?: JsonObject;
}

export const ToolUseContent = object<ToolUseContent>(
  { type: Schema.Literal('tool_use'), id: Schema.String, name: Schema.String, input: JsonObject, _meta: meta },
  { since: '2025-11-25' },
);

/** What became of such a call. */
export interface ToolResultContent {
  readonly type: 'tool_result';
  readonly toolUseId: string;
  readonly content: readonly ContentBlock[];
  readonly structuredContent?: unknown;
  readonly isError?: boolean;
  readonly _meta?: JsonObject;
}

export const ToolResultContent = object<ToolResultContent>(
  {
    type: Schema.Literal('tool_result'),
    toolUseId: Schema.String,
    content: Schema.Array(ContentBlock),
    structuredContent,
    isError: optional(Schema.Boolean),
    _meta: meta,
  },
  { since: '2025-11-25' },
);

export type SamplingContent = TextContent | ImageContent | AudioContent | ToolUseContent | ToolResultContent;

const blocks = [TextContent, ImageContent, AudioContent, ToolUseContent, ToolResultContent] as const;
export const SamplingContent: Schema.Schema<SamplingContent> = Schema.Union(...blocks);

// Only one block until 2025-06-18: a translator makes several messages of several blocks (BR-60).
const content = required<SamplingContent | readonly SamplingContent[]>(
  Schema.Union(...blocks, Schema.Array(SamplingContent)),
  {
    was: [{ until: '2025-06-18', as: SamplingContent }],
  },
);

/** One message of a conversation with a model. */
export interface SamplingMessage {
  readonly role: Role;
  readonly content: SamplingContent | readonly SamplingContent[];
  readonly _meta?: JsonObject;
}

export const SamplingMessage = object<SamplingMessage>({ role: Role, content, _meta: meta });

/** What matters in the choice of a model; each from 0 to 1. */
export interface ModelPreferences {
  /** Names, or parts of them, the best first. */
  readonly hints?: readonly { readonly name?: string }[];
  readonly costPriority?: number;
  readonly speedPriority?: number;
  readonly intelligencePriority?: number;
}

export const ModelPreferences = object<ModelPreferences>({
  hints: optional(Schema.Array(object<{ readonly name?: string }>({ name: optional(Schema.String) }))),
  costPriority: optional(Unit),
  speedPriority: optional(Unit),
  intelligencePriority: optional(Unit),
});

export interface ToolChoice {
  readonly mode?: 'auto' | 'required' | 'none';
}

export const ToolChoice = object<ToolChoice>({ mode: optional(Schema.Literal('auto', 'required', 'none')) });

/** What a model is asked, and how. */
export type CreateMessageParams = {
  readonly messages: readonly SamplingMessage[];
  readonly maxTokens: number;
  readonly systemPrompt?: string;
  readonly modelPreferences?: ModelPreferences;
  /** Only for clients that declare `sampling.context`. */
  readonly includeContext?: 'none' | 'thisServer' | 'allServers';
  readonly temperature?: number;
  readonly stopSequences?: readonly string[];
  /** Only for clients that declare `sampling.tools`. */
  readonly tools?: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  /** For the model's provider. */
  readonly metadata?: JsonObject;
};

export const CreateMessageParams = object<CreateMessageParams>(
  {
    messages: Schema.Array(SamplingMessage),
    maxTokens: Integer,
    systemPrompt: optional(Schema.String),
    modelPreferences: optional(ModelPreferences),
    includeContext: optional(Schema.Literal('none', 'thisServer', 'allServers')),
    temperature: optional(Schema.Number),
    stopSequences: optional(Schema.Array(Schema.String)),
    tools: optional(Schema.Array(Tool), { since: '2025-11-25' }),
    toolChoice: optional(ToolChoice, { since: '2025-11-25' }),
    metadata: optional(JsonObject),
  },
  { fields: { _meta: optional(LegacyRequestMeta, { until: '2025-11-25' }), task } },
);

/** What the model answered. */
export type CreateMessageResult = {
  readonly role: Role;
  readonly content: SamplingContent | readonly SamplingContent[];
  readonly model: string;
  /** `endTurn`, `stopSequence`, `maxTokens`, `toolUse`, or the provider's own word. */
  readonly stopReason?: string;
  readonly _meta?: JsonObject;
};

export const CreateMessageResult = object<CreateMessageResult>({
  role: Role,
  content,
  model: Schema.String,
  stopReason: optional(Schema.String),
  _meta: optional(JsonObject),
});

/**
 * The model that a server would rather have, out of those that there are: its hints count in their order, and each names
 * whatever holds it (SAMP-09, SAMP-10).
 *
 * @param preferences - of a `sampling/createMessage`
 * @param models - the names that there are
 * @returns one of the names; undefined where no hint fits any, and the priorities are all that there is to go by
 * @example
 * const answers: Answers = {
 *   sample: ({ modelPreferences }) => {
 *     const model = preferredModel(modelPreferences, ['opus-5', 'haiku-5']) ?? 'haiku-5';
 *     return { role: 'assistant', model, content: { type: 'text', text: 'Yes.' } };
 *   },
 * };
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/sampling#model-preferences
 */
export const preferredModel = (
  preferences: ModelPreferences | undefined,
  models: readonly string[],
): string | undefined => {
  for (const { name } of preferences?.hints ?? []) {
    const found = name === undefined ? undefined : models.find((model) => model.includes(name));
    if (found !== undefined) return found;
  }
  return undefined;
};
