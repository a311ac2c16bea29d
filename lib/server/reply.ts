/** A tool's result written out in full, where a plain value does not say enough. */
import type { JsonObject } from '../frame/frame.ts';
import type { ContentBlock } from '../protocol/content.ts';

/** Shared by all copies of this package in one process. */
const brand = Symbol.for('rxmcp/reply');

/** The parts of a tool's result; see {@link reply}. */
export interface FullResult {
  /** What the model is to read. Default: the structured content as text. */
  readonly content?: readonly ContentBlock[];
  /** The same for programs. */
  readonly structuredContent?: unknown;
  /** The tool failed, and the content says how. */
  readonly isError?: boolean;
  readonly _meta?: JsonObject;
}

/** A result written out in full, as {@link reply} makes it. */
export interface Reply {
  readonly [brand]: true;
  readonly result: FullResult;
}

/**
 * Answers a tool call with a whole result: content of its own beside the structured one, `_meta`, or `isError`.
 *
 * Structured content is held against the tool's output schema all the same, unless the result says that it failed.
 *
 * @param result - its parts; content that is left out becomes the structured content as text where there is an output
 * schema, and nothing elsewhere
 * @example
 * tool('forecast', { output: Schema.Struct({ celsius: Schema.Number }) }, () =>
 *   reply({ content: [{ type: 'text', text: 'Oslo: 7 °C' }], structuredContent: { celsius: 7 } }),
 * );
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools#tool-result
 */
export const reply = (result: FullResult): Reply => ({ [brand]: true, result });

export const isReply = (value: unknown): value is Reply =>
  typeof value === 'object' && value !== null && brand in value;
