/**
 * One schema for all revisions. An object is described once, in the shape of the newest revision; every field that was
 * not always so says since when, until when, where it was optional and what type it had. From that one description
 * derive the schema of any revision ({@link at}), what validates it and what must be left out for it.
 */
import { AST, Schema } from './schema.ts';
import { latestRevision, within, type Revision } from './revisions.ts';
import { JsonObject } from './json.ts';

/** A stretch of revisions, both ends included; an open end is left out. */
export interface Span {
  readonly since?: Revision;
  readonly until?: Revision;
}

/** Anything that has a syntax tree: every schema. */
export interface Shape {
  readonly ast: AST.AST;
}

/** What a field was, and when. */
export interface Dates extends Span {
  /** Where it may be left out although the newest revision requires it, or the other way about. */
  readonly optional?: Span;
  /** The types that it had instead; the first that covers a revision counts. */
  readonly was?: readonly (Span & { readonly as: Shape })[];
  /** Goes through to revisions that do not know it, because their peers put up with it, or even look at it. */
  readonly passes?: true;
  /** Is left out as a whole where everything in it is left out. */
  readonly vanishes?: true;
}

/** A field of an object. */
export interface Field<T, Optional extends boolean> {
  readonly schema: Schema.Schema<T>;
  readonly optional: Optional;
  readonly dates: Dates;
}

/** The fields that describe `A`: a bare schema for a field that always was, and always was required. */
export type Fields<A> = {
  readonly [K in keyof A as string extends K ? never : K]-?: Record<never, never> extends Pick<A, K>
    ? Field<Required<A>[K], true>
    : Field<A[K], false> | Schema.Schema<A[K]>;
};

/** A field that no type vouches for, because the newest revision does not have it. */
type AnyField = { readonly schema: Shape; readonly optional: boolean; readonly dates: Dates };

/** What is known of one field over all revisions. */
export interface FieldHistory {
  readonly ast: AST.AST;
  readonly optional: boolean;
  readonly dates: Dates;
}

/** What is known of one object over all revisions. */
export interface History extends Span {
  readonly fields: ReadonlyMap<string, FieldHistory>;
  /** What stands in for such an object, as a member of a union, where the revision does not have it. */
  readonly standIn?: (value: object) => unknown;
}

/** A field that must be there. */
export const required = <T>(schema: Schema.Schema<T>, dates: Dates = {}): Field<T, false> => ({
  schema,
  optional: false,
  dates,
});

/** A field that may be left out. */
export const optional = <T>(schema: Schema.Schema<T>, dates: Dates = {}): Field<T, true> => ({
  schema,
  optional: true,
  dates,
});

const histories = new WeakMap<AST.AST, History>();

/** The history of an object schema; undefined for all else. */
export const historyOf = (ast: AST.AST): History | undefined => histories.get(ast);

const literal = (fields: ReadonlyMap<string, FieldHistory>, revision: Revision): AST.AST => {
  const signatures = [...fields]
    .filter(([, { dates }]) => within(revision, dates.since, dates.until))
    .map(
      ([name, field]) => new AST.PropertySignature(name, typeAt(field, revision), isOptionalAt(field, revision), true),
    );
  // To Effect an empty struct is anything but null; to JSON it is an object that nobody describes further.
  return signatures.length === 0 ? JsonObject.ast : new AST.TypeLiteral(signatures, []);
};

/** Whether a field may be left out at a revision. */
export const isOptionalAt = ({ optional: now, dates }: FieldHistory, revision: Revision): boolean =>
  dates.optional !== undefined && within(revision, dates.optional.since, dates.optional.until) ? !now : now;

/** The type that a field had instead of its newest one, if it had. */
export const formerType = ({ dates }: FieldHistory, revision: Revision): AST.AST | undefined =>
  dates.was?.find(({ since, until }) => within(revision, since, until))?.as.ast;

const typeAt = (field: FieldHistory, revision: Revision): AST.AST =>
  astAt(formerType(field, revision) ?? field.ast, revision);

/**
 * Describes an object in the shape of the newest revision.
 *
 * @param fields what the newest revision has, with its dates
 * @param past fields that the newest revision has no more, a span if the object as a whole was not always there, and
 * what stands in for it in a union where it is missing
 */
export const object = <A extends object>(
  fields: Fields<A>,
  past: Span & {
    readonly fields?: Readonly<Record<string, AnyField>>;
    readonly standIn?: (value: object) => unknown;
  } = {},
): Schema.Schema<A> => {
  const all = new Map<string, FieldHistory>();
  for (const [name, field] of Object.entries<AnyField | Shape>({ ...fields, ...past.fields }))
    all.set(
      name,
      'schema' in field
        ? { ast: field.schema.ast, optional: field.optional, dates: field.dates }
        : { ast: field.ast, optional: false, dates: {} },
    );
  const ast = literal(all, latestRevision);
  const own = ast === JsonObject.ast ? AST.annotations(ast, {}) : ast;
  histories.set(own, { ...past, fields: all });
  return Schema.make<A>(own);
};

/** Remembers what was made for a syntax tree and a revision. */
export const perRevision = <T>(make: (ast: AST.AST, revision: Revision) => T) => {
  const kept = new WeakMap<AST.AST, Map<Revision, { readonly value: T }>>();
  return (ast: AST.AST, revision: Revision): T => {
    const made = kept.get(ast) ?? new Map<Revision, { readonly value: T }>();
    kept.set(ast, made);
    const before = made.get(revision);
    if (before !== undefined) return before.value;
    const value = make(ast, revision);
    made.set(revision, { value });
    return value;
  };
};

const isAt = (ast: AST.AST, revision: Revision): boolean => {
  const history = historyOf(ast);
  return history === undefined || within(revision, history.since, history.until);
};

/** The syntax tree of a revision: the very same one wherever nothing differs. */
export const astAt = perRevision((ast, revision): AST.AST => {
  const history = historyOf(ast);
  if (history !== undefined) return literal(history.fields, revision);
  if (AST.isUnion(ast))
    return AST.Union.make(ast.types.filter((type) => isAt(type, revision)).map((type) => astAt(type, revision)));
  if (AST.isTupleType(ast))
    return new AST.TupleType(
      ast.elements,
      ast.rest.map(({ type }) => new AST.Type(astAt(type, revision))),
      ast.isReadonly,
    );
  if (AST.isTypeLiteral(ast))
    return new AST.TypeLiteral(
      ast.propertySignatures,
      ast.indexSignatures.map(
        ({ parameter, type, isReadonly }) => new AST.IndexSignature(parameter, astAt(type, revision), isReadonly),
      ),
    );
  return ast;
});

/** The schema that an object had at a revision. */
export const at = (shape: Shape, revision: Revision): Schema.Schema<unknown> =>
  Schema.make<unknown>(astAt(shape.ast, revision));
