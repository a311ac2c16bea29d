/** A tool's result written out in full, where a plain value does not say enough. */
import type { JsonObject } from '../frame/frame.ts';
import type { ContentBlock } from '../protocol/content.ts';

/** Shared by all copies of this package in one process. */
const brand = Symbol.for('rxmcp/reply');

export interface FullResult {
  /** What the model is to read. Default: the structured content as text. */
  readonly content?: readonly ContentBlock[];
  /** The same for programs. */
  readonly structuredContent?: unknown;
  /** The tool failed, and the content says how. */
  readonly isError?: boolean;
  readonly _meta?: JsonObject;
}

export interface Reply {
  readonly [brand]: true;
  readonly result: FullResult;
}

/**
 * Answers a tool call with a whole result: content of its own beside the structured one, `_meta`, or `isError`.
 *
 * @example
 * reply({ content: [{ type: 'text', text: 'Oslo: 7 °C' }], structuredContent: { celsius: 7 } })
 */
export const reply = (result: FullResult): Reply => ({ [brand]: true, result });

export const isReply = (value: unknown): value is Reply =>
  typeof value === 'object' && value !== null && brand in value;
