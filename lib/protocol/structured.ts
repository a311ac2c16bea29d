/**
 * What a tool answers to programs.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools#structured-content
 */
import { optional } from './object.ts';
import { JsonObject } from './json.ts';
import { Schema } from './schema.ts';

/** Any JSON now, an object before, and dropped for those peers where it is none: the text block says the same. */
export const structuredContent = optional(Schema.Unknown, {
  since: '2025-06-18',
  was: [{ until: '2025-11-25', as: JsonObject }],
});
