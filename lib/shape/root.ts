/**
 * The root of an input schema must say `type: "object"` (TOOL-07), and clients check that by looking at nothing else.
 * Schema libraries put it elsewhere: behind a `$ref`, or in every member of a union.
 */
import { Misconfigured } from '../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';

/** The definition that a reference of the form `#/$defs/name` points to. */
const definition = (reference: unknown, root: JsonObject): JsonObject | undefined => {
  if (typeof reference !== 'string') return undefined;
  const [, keyword, name] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(reference) ?? [];
  if (keyword === undefined || name === undefined) return undefined;
  const definitions = root[keyword];
  if (!isObject(definitions)) return undefined;
  // Writers differ in whether they escape the names of definitions.
  const found = definitions[name] ?? definitions[unescaped(name)];
  return isObject(found) ? found : undefined;
};

const unescaped = (name: string): string => {
  try {
    return decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return name;
  }
};

/** Whether a schema accepts objects only. `seen` ends definitions that refer to themselves. */
const saysObject = (schema: unknown, root: JsonObject, seen: ReadonlySet<unknown>): boolean => {
  if (!isObject(schema) || seen.has(schema)) return false;
  if (schema['type'] === 'object') return true;
  const deeper = new Set(seen).add(schema);
  const says = (inner: unknown) => saysObject(inner, root, deeper);
  const { anyOf, oneOf, allOf, $ref } = schema;
  if ($ref !== undefined && says(definition($ref, root))) return true;
  if (isArray(allOf) && allOf.some(says)) return true;
  return [anyOf, oneOf].some((members) => isArray(members) && members.length > 0 && members.every(says));
};

/** A reference at the root gives way to what it points to; the definitions stay, for others refer to them. */
const inlined = (root: JsonObject): JsonObject => {
  let schema = root;
  const followed = new Set<unknown>();
  while (!followed.has(schema['$ref'])) {
    const { $ref, ...rest } = schema;
    const target = definition($ref, root);
    if (target === undefined) return schema;
    followed.add($ref);
    schema = { ...target, ...rest };
  }
  return schema;
};

/**
 * The same schema with `type: "object"` at its root.
 *
 * @throws {@link Misconfigured} where the schema accepts what is no object
 */
export const objectRoot = (root: JsonObject, where: string): JsonObject => {
  const schema = inlined(root);
  if (schema['type'] === 'object') return schema;
  if (schema['type'] === undefined && saysObject(schema, root, new Set())) return { type: 'object', ...schema };
  throw new Misconfigured({
    message: `${where}: the arguments of a tool are an object, but this schema is of something else`,
  });
};
