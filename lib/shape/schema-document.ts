/**
 * A checked copy of a JSON Schema, made of nothing but the keywords that decide. It is what the validator works on: the
 * original is never written to, and nothing in it that the validator would stumble over is left.
 */
import { format } from '@cfworker/json-schema';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import { brief, cut } from './problem.ts';
import { dialectOf, keywords, type Dialect, type Holds } from './keywords.ts';

/** Bounds of a schema that somebody else wrote (JS-11). */
const DEEPEST = 64;
const MOST_SUBSCHEMAS = 10_000;

/** How many items are compared with each other: of plain values, and of objects, which may be large. */
const MOST_UNIQUE = 8192;
const MOST_UNIQUE_OBJECTS = 512;

export interface SchemaDocument {
  readonly root: JsonObject;
  readonly dialect: Dialect;
  /** Every subschema, with where it is. */
  readonly subschemas: ReadonlyMap<JsonObject, string>;
}

/**
 * @param tick is called whenever the validator enters a subschema; throwing there ends the validation
 * @param fail is called with what is wrong with the schema, and does not return
 * @param patterns whether regular expressions must compile: those that nobody runs need not
 */
export const schemaDocument = (
  schema: JsonObject,
  tick: () => void,
  fail: (reason: string) => never,
  patterns = true,
): SchemaDocument => {
  const dialect =
    dialectOf(schema['$schema']) ??
    fail(
      `the dialect ${cut(String(schema['$schema']), 120)} is not supported; supported are https://json-schema.org/draft/2020-12/schema and http://json-schema.org/draft-07/schema`,
    );
  const known = keywords[dialect];
  const subschemas = new Map<JsonObject, string>();
  const dynamic: Dynamic = { anchors: new Map(), references: new Map() };

  const copied = (value: unknown, path: string, depth: number): JsonObject | boolean => {
    if (typeof value === 'boolean') return value;
    if (!isObject(value)) return fail(`${path} must be a schema, got ${brief(value)}`);
    if (depth > DEEPEST) return fail(`it is nested deeper than ${DEEPEST} schemas`);
    if (subschemas.size >= MOST_SUBSCHEMAS) return fail(`it has more than ${MOST_SUBSCHEMAS} subschemas`);
    const copy: Record<string, unknown> = {};
    subschemas.set(copy, path);
    for (const [keyword, content] of Object.entries(value)) {
      const holds = known.get(keyword);
      if (holds === undefined || content === undefined) continue;
      copy[keyword] = held(holds, content, `${path}/${cut(keyword, 40)}`, depth);
    }
    // The validator has no bound of its own. It reads this keyword of a dialect that is not supported at every step.
    Object.defineProperty(copy, '$recursiveAnchor', { get: tick });
    return adapted(copy, dialect, path, dynamic);
  };

  const held = (holds: Holds, content: unknown, path: string, depth: number): unknown => {
    const wrong = () => fail(`${path} must be ${wanted[holds]}, got ${brief(content)}`);
    const list = (items: unknown): unknown =>
      isArray(items) ? items.map((item, index) => copied(item, `${path}/${index}`, depth + 1)) : wrong();
    const map = (each: (item: unknown, path: string) => unknown): unknown =>
      isObject(content)
        ? Object.fromEntries(Object.entries(content).map(([key, item]) => [key, each(item, `${path}/${cut(key, 40)}`)]))
        : wrong();
    switch (holds) {
      case 'schema':
        return copied(content, path, depth + 1);
      case 'schemas':
        return list(content);
      case 'schema or schemas':
        return isArray(content) ? list(content) : copied(content, path, depth + 1);
      case 'map of schemas':
        if (path.endsWith('/patternProperties') && isObject(content))
          for (const key of Object.keys(content)) compiles(key, path);
        return map((item, at) => copied(item, at, depth + 1));
      case 'map of strings':
        return map((item, at) => (areStrings(item) ? item : fail(`${at} must be a list of names`)));
      case 'map of schemas or strings':
        return map((item, at) => (areStrings(item) ? item : copied(item, at, depth + 1)));
      case 'pattern':
        return typeof content === 'string' ? compiles(content, path) : wrong();
      default:
        return fits[holds](content) ? content : wrong();
    }
  };

  const compiles = (pattern: string, path: string): string => {
    if (!patterns) return pattern;
    try {
      new RegExp(pattern, 'u');
      return pattern;
    } catch {
      return fail(`${path} is not a regular expression that compiles with the unicode flag: ${brief(pattern)}`);
    }
  };

  const root = copied(schema, '#', 1);
  for (const [reference, at] of dynamic.references) {
    const name = String(reference['$ref']).replace(/^.*#/, '');
    if ((dynamic.anchors.get(name) ?? 0) > 1)
      fail(`${at}/$dynamicRef to one of several $dynamicAnchor ${brief(name)} is not supported`);
    subschemas.set(reference, at);
  }
  return isObject(root) ? { root, dialect, subschemas } : fail('it is no object');
};

/** How often each name is a dynamic anchor, and the plain references that dynamic ones became. */
interface Dynamic {
  readonly anchors: Map<string, number>;
  readonly references: Map<JsonObject, string>;
}

/** Rewrites what the validator would get wrong into keywords that it gets right. */
const adapted = (copy: Record<string, unknown>, dialect: Dialect, path: string, dynamic: Dynamic): JsonObject => {
  const { $dynamicRef, $dynamicAnchor, dependencies, uniqueItems } = copy;
  const also: JsonObject[] = [];
  // Where only one dynamic anchor bears the name, a dynamic reference is a plain one.
  if (typeof $dynamicAnchor === 'string') {
    dynamic.anchors.set($dynamicAnchor, (dynamic.anchors.get($dynamicAnchor) ?? 0) + 1);
    copy['$anchor'] ??= $dynamicAnchor;
  }
  if ($dynamicRef !== undefined) {
    const reference = { $ref: $dynamicRef };
    dynamic.references.set(reference, path);
    also.push(reference);
  }
  // The validator looks for references in `dependencies` as if it were a schema itself.
  if (isObject(dependencies)) {
    const entries = Object.entries(dependencies);
    const [lists, schemas] = [
      entries.filter(([, item]) => areStrings(item)),
      entries.filter(([, item]) => !areStrings(item)),
    ];
    copy['dependentRequired'] ??= Object.fromEntries(lists);
    copy['dependentSchemas'] ??= Object.fromEntries(schemas);
    delete copy['dependencies'];
  }
  // The validator compares every item with every other: quadratic in what a peer sends.
  if (uniqueItems === true) {
    const plain = { maxItems: MOST_UNIQUE, items: { type: ['string', 'number', 'boolean', 'null'] } };
    // A double negation, for what it looks at must not count as evaluated.
    const few = { not: { not: { anyOf: [{ maxItems: MOST_UNIQUE_OBJECTS }, plain] } } };
    also.push({ if: few, then: { uniqueItems: true }, else: { maxItems: MOST_UNIQUE_OBJECTS } });
    delete copy['uniqueItems'];
  }
  // An unknown format is an annotation. `url` is not in the specification, and its expression takes exponential time.
  const known = typeof copy['format'] === 'string' && Object.hasOwn(format, copy['format']) && copy['format'] !== 'url';
  if (!known) delete copy['format'];
  if (also.length > 0) copy['allOf'] = [...(isArray(copy['allOf']) ? copy['allOf'] : []), ...also];
  // In draft-07 a reference hides its siblings, except for what others refer to.
  if (dialect === '7' && copy['$ref'] !== undefined) delete copy['$id'];
  return copy;
};

const areStrings = (value: unknown): value is readonly string[] =>
  isArray(value) && value.every((item) => typeof item === 'string');

const typeNames: ReadonlySet<unknown> = new Set(['null', 'boolean', 'object', 'array', 'number', 'integer', 'string']);

const fits: Readonly<
  Record<'strings' | 'types' | 'list' | 'anything' | 'number' | 'count' | 'text' | 'flag', (value: unknown) => boolean>
> = {
  strings: areStrings,
  types: (value) => (isArray(value) ? value.every((name) => typeNames.has(name)) : typeNames.has(value)),
  list: Array.isArray,
  anything: () => true,
  number: (value) => typeof value === 'number',
  count: (value) => typeof value === 'number' && value >= 0 && Number.isInteger(value),
  text: (value) => typeof value === 'string',
  flag: (value) => typeof value === 'boolean',
};

const wanted: Readonly<Record<Holds, string>> = {
  schema: 'a schema',
  schemas: 'a list of schemas',
  'schema or schemas': 'a schema, or a list of them',
  'map of schemas': 'an object of schemas',
  'map of strings': 'an object of lists of names',
  'map of schemas or strings': 'an object of schemas or lists of names',
  strings: 'a list of strings',
  types: 'the name of a type, or a list of them',
  list: 'a list',
  anything: 'anything',
  number: 'a number',
  count: 'a whole number from 0',
  text: 'a string',
  pattern: 'a regular expression',
  flag: 'true or false',
};
