/**
 * A tool, as it is listed to a model.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools#data-types
 */
import { object, optional, required } from './object.ts';
import { JsonObject, mapOf } from './json.ts';
import { itemMeta } from './meta.ts';
import { icons, title, type Icon } from './peer.ts';
import { Schema } from './schema.ts';

/** Hints, not promises: how a tool behaves. */
export interface ToolAnnotations {
  readonly title?: string;
  readonly readOnlyHint?: boolean;
  /** May destroy something; taken for true where it is not said. */
  readonly destructiveHint?: boolean;
  /** Doing it twice is as good as once. */
  readonly idempotentHint?: boolean;
  /** Reaches beyond a closed domain; taken for true where it is not said. */
  readonly openWorldHint?: boolean;
}

export const ToolAnnotations = object<ToolAnnotations>({
  title: optional(Schema.String),
  readOnlyHint: optional(Schema.Boolean),
  destructiveHint: optional(Schema.Boolean),
  idempotentHint: optional(Schema.Boolean),
  openWorldHint: optional(Schema.Boolean),
});

/** The JSON Schema of a tool's arguments: an object, described by any keyword. */
export interface InputSchema extends JsonObject {
  readonly type: 'object';
  readonly $schema?: string;
}

/** The JSON Schema of a tool's structured content. */
export interface OutputSchema extends JsonObject {
  readonly $schema?: string;
}

const $schema = optional(Schema.String);
const InputSchema = object<InputSchema>({ type: Schema.Literal('object'), $schema });
const OutputSchema = object<OutputSchema>({ $schema });

const described = {
  type: Schema.Literal('object'),
  properties: optional(mapOf(JsonObject)),
  required: optional(Schema.Array(Schema.String)),
} as const;

interface Described {
  readonly type: 'object';
  readonly properties?: { readonly [name: string]: JsonObject };
  readonly required?: readonly string[];
}

const formerly = [
  { until: '2025-06-18', as: object<Described>(described) },
  { until: '2025-11-25', as: object<Described & { readonly $schema?: string }>({ ...described, $schema }) },
] as const;

/** Something that a model may have done. */
export interface Tool {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: InputSchema;
  readonly outputSchema?: OutputSchema;
  readonly annotations?: ToolAnnotations;
  readonly icons?: readonly Icon[];
  readonly _meta?: JsonObject;
}

/** Whether a tool can be called as a task; 2025-11-25 only. */
export interface ToolExecution {
  readonly taskSupport?: 'forbidden' | 'optional' | 'required';
}

export const ToolExecution = object<ToolExecution>({
  taskSupport: optional(Schema.Literal('forbidden', 'optional', 'required')),
});

export const Tool = object<Tool>(
  {
    name: Schema.String,
    title,
    description: optional(Schema.String),
    inputSchema: required(InputSchema, { was: formerly }),
    outputSchema: optional(OutputSchema, { since: '2025-06-18', was: formerly }),
    annotations: optional(ToolAnnotations, { since: '2025-03-26' }),
    icons,
    _meta: itemMeta,
  },
  { fields: { execution: optional(ToolExecution, { since: '2025-11-25', until: '2025-11-25' }) } },
);
