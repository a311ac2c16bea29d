/**
 * Listing and calling tools.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools
 */
import { ContentBlock } from './content.ts';
import { object, optional } from './object.ts';
import { againFields, type AgainParams } from './input.ts';
import { JsonObject } from './json.ts';
import { pageFields, requestFields, resultFields, type CacheableResult, type Result } from './meta.ts';
import { Schema } from './schema.ts';
import { structuredContent } from './structured.ts';
import { task } from './tasks.ts';
import { Tool } from './tool.ts';

export type ListToolsResult = CacheableResult & {
  readonly tools: readonly Tool[];
  readonly nextCursor?: string;
};

export const ListToolsResult = object<ListToolsResult>({ ...pageFields, tools: Schema.Array(Tool) });

export type CallToolParams = AgainParams & {
  readonly name: string;
  readonly arguments?: JsonObject;
};

export const CallToolParams = object<CallToolParams>(
  { ...requestFields, ...againFields, name: Schema.String, arguments: optional(JsonObject) },
  { fields: { task } },
);

/** What a tool answered. */
export type CallToolResult = Result & {
  /** What the model is to read. */
  readonly content: readonly ContentBlock[];
  /** The same for programs: any JSON, as the tool's output schema says. */
  readonly structuredContent?: unknown;
  /** The tool failed, and the content says how. */
  readonly isError?: boolean;
};

export const CallToolResult = object<CallToolResult>({
  ...resultFields,
  content: Schema.Array(ContentBlock),
  structuredContent,
  isError: optional(Schema.Boolean),
});
