/**
 * Shapes written as Effect Schemas: a decoder made once, and the JSON Schema of their encoded side.
 */
import { match, runPromise, type Effect } from 'effect/Effect';
import { isEither, type Either } from 'effect/Either';
import { Misconfigured } from '../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import { AST, JSONSchema, ParseResult, type Schema } from '../protocol/schema.ts';
import { effectProblem } from './effect-problem.ts';
import type { Decoder, Verdict } from './verdict.ts';

/**
 * Decodes what comes from the wire, or encodes what goes there. The first pass stops at the first problem and takes no
 * options: with options each call would copy them, at ten times the price. Only a value that fails is looked at again,
 * for all of its problems.
 */
export const effectDecoder = (schema: Schema.Schema.AnyNoContext, side: 'input' | 'output'): Decoder => {
  const input = side === 'input';
  const parse: (value: unknown) => Effect<unknown, ParseResult.ParseIssue> = input
    ? ParseResult.decodeUnknown(schema)
    : ParseResult.encodeUnknown(schema);
  const parseAll: (value: unknown) => Either<unknown, ParseResult.ParseIssue> = input
    ? ParseResult.decodeUnknownEither(schema, { errors: 'all' })
    : ParseResult.encodeUnknownEither(schema, { errors: 'all' });
  return (value) => {
    const result = parse(value);
    // An Either is an Effect that is done: only a schema with asynchronous parts gives anything else.
    if (!isEither(result)) return runPromise(match(result, { onSuccess: fits, onFailure: fails }));
    if (result._tag === 'Right') return { ok: true, value: result.right };
    const complete = parseAll(value);
    return complete._tag === 'Right' ? fits(complete.right) : fails(complete.left);
  };
};

const fits = (value: unknown): Verdict => ({ ok: true, value });

const fails = (issue: ParseResult.ParseIssue): Verdict => ({ ok: false, problem: effectProblem(issue) });

/**
 * The JSON Schema of the encoded side.
 *
 * `JSONSchema.make` writes draft-07; what goes out is 2020-12, without the `additionalProperties: false` that decoding
 * does not enforce. What users wrote in `jsonSchema` annotations stays as it is.
 *
 * @throws {@link Misconfigured} where a part has no JSON form: a bigint, a filter without annotation
 */
export const effectJsonSchema = (schema: Schema.Schema.AnyNoContext, where: string): JsonObject => {
  const strict = AST.getParseOptionsAnnotation(schema.ast);
  const closed = strict._tag === 'Some' && strict.value.onExcessProperty === 'error';
  const { $schema: _, ...made } = make(schema, where);
  return modern(made, make(schema, where), closed);
};

const make = (schema: Schema.Schema.AnyNoContext, where: string): JsonObject => {
  try {
    return { ...JSONSchema.make(schema) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replaceAll(/\s*\n\s*/g, ', ') : String(cause);
    throw new Misconfigured({ message: `${where}: this Effect Schema has no JSON Schema: ${reason}` });
  }
};

/** What `JSONSchema.make` names the schemas that say nothing, or little. */
const madeIds: ReadonlySet<string> = new Set(
  ['any', 'unknown', 'void', 'object', '{}'].map((name) => `/schemas/${name}`),
);

/**
 * Rewrites what `JSONSchema.make` wrote. `twin` is the same place in a second run of it: an object that is the same in
 * both runs was not made there, but by a user.
 */
const modern = (schema: unknown, twin: unknown, closed: boolean): JsonObject => {
  if (!isObject(schema) || !isObject(twin)) return {};
  if (schema === twin) return schema;
  const inner = (value: unknown, other: unknown): unknown => (isObject(value) ? modern(value, other, closed) : value);
  const list = (value: unknown, other: unknown): unknown =>
    isArray(value) && value !== other
      ? value.map((item, index) => inner(item, isArray(other) ? other[index] : undefined))
      : value;
  const map = (value: unknown, other: unknown): unknown =>
    isObject(value) && value !== other
      ? Object.fromEntries(
          Object.entries(value).map(([key, item]) => [key, inner(item, isObject(other) ? other[key] : undefined)]),
        )
      : value;

  const { $id, ...rest } = schema;
  const anonymous = typeof $id === 'string' && madeIds.has($id);
  // The keywords of unknown and any; two equal `$id`s in one document would be an error, besides.
  const out: Record<string, unknown> = anonymous ? rest : { ...schema };
  if (anonymous && out['title'] === $id.slice('/schemas/'.length)) delete out['title'];
  if ($id === '/schemas/{}') {
    delete out['anyOf'];
    return { type: 'object', ...out };
  }
  if (typeof out['title'] === 'string' && / \((Encoded|Type) side\)$/.test(out['title'])) delete out['title'];

  const { properties, required, items, additionalItems, patternProperties } = schema;
  const made = properties !== undefined && properties !== twin['properties'];
  if (made && out['additionalProperties'] === false && !closed) delete out['additionalProperties'];
  if (made && isArray(required) && required.length === 0) delete out['required'];
  if (made) out['properties'] = map(properties, twin['properties']);
  if (patternProperties !== undefined) out['patternProperties'] = map(patternProperties, twin['patternProperties']);
  if (made && isRecord(out)) {
    out['additionalProperties'] = isObject(out['patternProperties']) ? out['patternProperties'][''] : true;
    delete out['patternProperties'];
    delete out['properties'];
  }
  if (isArray(items) && items !== twin['items']) {
    delete out['items'];
    delete out['additionalItems'];
    out['prefixItems'] = list(items, twin['items']);
    if (additionalItems !== undefined) out['items'] = inner(additionalItems, twin['additionalItems']);
  } else if (items !== undefined) out['items'] = inner(items, twin['items']);
  if (schema['anyOf'] !== undefined) out['anyOf'] = list(schema['anyOf'], twin['anyOf']);
  if (schema['propertyNames'] !== undefined)
    out['propertyNames'] = inner(schema['propertyNames'], twin['propertyNames']);
  if (schema['$defs'] !== undefined) out['$defs'] = map(schema['$defs'], twin['$defs']);
  return out;
};

/** A record is written as an object without properties whose members all match the empty pattern. */
const isRecord = (schema: Readonly<Record<string, unknown>>): boolean => {
  const { properties, patternProperties, propertyNames } = schema;
  return (
    propertyNames === undefined &&
    isObject(properties) &&
    Object.keys(properties).length === 0 &&
    isObject(patternProperties) &&
    Object.keys(patternProperties).join() === ''
  );
};
