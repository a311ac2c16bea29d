/**
 * A protocol is a table, and a table is a value, handed to whoever needs it. What a revision does not have is absent from
 * its rows. An extension adds rows by making a new table.
 */
import type { Shape, Span } from './object.ts';
import { within, type Revision } from './revisions.ts';
import type { SubscriptionFilter } from './subscription.ts';

export type Side = 'client' | 'server';

/** One method or notification, and all that the runtime needs to know of it. */
export interface Row extends Span {
  readonly kind: 'request' | 'notification';
  /** Who sends it; with spans where the two do not do so in the same revisions. */
  readonly from: Side | 'both' | Readonly<Record<Side, Span>>;
  readonly params: Shape;
  /** Whether, and when, the params may be left out altogether. */
  readonly bare?: Span;
  /** The answer when it is complete; requests only. */
  readonly result?: Shape;
  /** What the server must declare, as a path: `resources.subscribe`. */
  readonly serverCapability?: string;
  /** What the client must declare, as a path. */
  readonly clientCapability?: string;
  /** Lives on, since 2026-07-28, as an input request inside a result. */
  readonly embedded?: true;
  /** The answer says for how long it holds. */
  readonly cacheable?: true;
  /** May answer that it needs input first. */
  readonly asks?: true;
  /** The parameter that the HTTP header `Mcp-Name` repeats. */
  readonly nameIn?: string;
  /** Whoever sends it may ask for progress notices. */
  readonly progress?: true;
  /** Its answer comes only when the stream ends. */
  readonly longLived?: true;
  /**
   * What may be merged while the peer does not read: all but the newest of a `token`, or all that are the same in
   * `method` and params.
   */
  readonly conflate?: 'token' | 'method';
  /** What a `subscriptions/listen` filter calls it. */
  readonly notice?: keyof SubscriptionFilter;
}

/** A protocol as a value: its methods and notifications, by name. */
export interface MethodTable {
  readonly [method: string]: Row;
}

const spanOf = (row: Row, from: Side): Span | undefined => {
  if (typeof row.from !== 'string') return row.from[from];
  return row.from === 'both' || row.from === from ? {} : undefined;
};

const rowsIn = new WeakMap<MethodTable, Map<string, ReadonlyMap<string, Row>>>();

/** The rows that a peer in a role may send at a revision, by method; remembered. */
export const rowsAt = (table: MethodTable, revision: Revision, from: Side): ReadonlyMap<string, Row> => {
  const made = rowsIn.get(table) ?? new Map<string, ReadonlyMap<string, Row>>();
  rowsIn.set(table, made);
  const key = `${revision} ${from}`;
  const before = made.get(key);
  if (before !== undefined) return before;
  const rows = new Map(
    Object.entries(table).filter(([, row]) => {
      const span = spanOf(row, from);
      return span !== undefined && within(revision, span.since, span.until) && within(revision, row.since, row.until);
    }),
  );
  made.set(key, rows);
  return rows;
};

/**
 * A new table with more rows; a row of the same name takes the place of the old one.
 *
 * @param table - what to begin with, `methods` as a rule; it stays as it is
 * @param rows - what an extension adds
 * @example
 * const table = extend(methods, {
 *   'com.example/echo': {
 *     kind: 'request',
 *     from: 'client',
 *     params: Schema.Struct({ text: Schema.String }),
 *     result: Schema.Struct({ text: Schema.String }),
 *   },
 * });
 * serve(weather, stdio(), { table }).subscribe();
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning#extension-negotiation
 */
export const extend = <T extends MethodTable, const R extends MethodTable>(
  table: T,
  rows: R,
): Omit<T, keyof R> & R => ({
  ...table,
  ...rows,
});
