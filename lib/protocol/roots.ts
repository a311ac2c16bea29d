/**
 * Roots: the directories that a server may work in.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/roots
 */
import { object, optional } from './object.ts';
import { JsonObject } from './json.ts';
import { itemMeta, LegacyRequestMeta } from './meta.ts';
import { Schema } from './schema.ts';

/** A directory or file that a server may work in. */
export interface Root {
  /** A `file:` URI. */
  readonly uri: string;
  readonly name?: string;
  readonly _meta?: JsonObject;
}

export const Root = object<Root>({ uri: Schema.String, name: optional(Schema.String), _meta: itemMeta });

export type ListRootsParams = { readonly _meta?: JsonObject };
export const ListRootsParams = object<ListRootsParams>({
  _meta: optional(JsonObject, { was: [{ until: '2025-11-25', as: LegacyRequestMeta }] }),
});

export type ListRootsResult = { readonly roots: readonly Root[] };
export const ListRootsResult = object<ListRootsResult>(
  { roots: Schema.Array(Root) },
  { fields: { _meta: optional(JsonObject, { until: '2025-11-25' }) } },
);

/** What is wrong with a root's URI; undefined where nothing is: it names a place, and no way around (ROOT-04, ROOT-06). */
export const rootProblem = (uri: unknown): string | undefined => {
  if (typeof uri !== 'string' || !uri.startsWith('file://') || !URL.canParse(uri)) return 'must be a file:// URI';
  return /(?:^|[/\\])(?:\.|%2e){2}(?:[/\\]|%2f|%5c|$)/i.test(uri) ? 'must not lead upwards' : undefined;
};
