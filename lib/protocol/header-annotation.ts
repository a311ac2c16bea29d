/**
 * Which arguments of a tool are repeated in HTTP headers: `x-mcp-header` in its input schema, read once for each tool.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#custom-headers-from-tool-parameters
 */
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import { quoted } from '../frame/errors.ts';

/** One argument that a header repeats. */
export interface Mirrored {
  /** In lower case: `mcp-param-region`. */
  readonly header: string;
  /** The names of the properties that lead to it. */
  readonly path: readonly string[];
}

const annotation = 'x-mcp-header';
/** RFC 9110, section 5.6.2. */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Keywords that hold schemas, `properties` aside. All else is data, which may say anything. */
const holders: ReadonlyMap<string, 'schemas' | 'map'> = new Map([
  ...[
    ...['items', 'prefixItems', 'additionalItems', 'unevaluatedItems', 'contains'],
    ...['additionalProperties', 'unevaluatedProperties', 'propertyNames', 'contentSchema'],
    ...['oneOf', 'anyOf', 'allOf', 'not', 'if', 'then', 'else'],
  ].map((keyword) => [keyword, 'schemas'] as const),
  ...['patternProperties', 'dependentSchemas', 'dependencies', '$defs', 'definitions'].map(
    (keyword) => [keyword, 'map'] as const,
  ),
]);

/** What is wrong with a schema; travels up from where it is found. */
class Fault extends Error {}

/**
 * The arguments that headers repeat, or what is wrong with an annotation (HTTP26-43 to 48).
 *
 * @param schema - a tool's input schema, its own or a peer's
 * @example
 * headerPlan({ type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } });
 * // [{ header: 'mcp-param-region', path: ['region'] }]
 */
export const headerPlan = (schema: JsonObject): readonly Mirrored[] | { readonly fault: string } => {
  const plan = new Map<string, Mirrored>();
  try {
    if (schema[annotation] !== undefined) throw new Fault(`${annotation} belongs on a property, not on the root`);
    read(schema, [], plan);
    return [...plan.values()];
  } catch (error) {
    if (error instanceof Fault) return { fault: error.message };
    throw error;
  }
};

/** Reads what is static; whatever else holds schemas must not hold an annotation. */
const read = (schema: JsonObject, path: readonly string[], plan: Map<string, Mirrored>): void => {
  for (const [keyword, held] of Object.entries(schema)) {
    if (keyword !== 'properties') forbid(keyword, held, `${nameOf(path)}: beneath ${keyword}`);
    else if (isObject(held))
      for (const [name, property] of Object.entries(held)) {
        if (!isObject(property)) continue;
        const here = [...path, name];
        if (property[annotation] !== undefined) note(property, here, plan);
        read(property, here, plan);
      }
  }
};

/** @throws Fault where an annotation is found, however deep */
const forbid = (keyword: string, held: unknown, where: string): void => {
  const holds = keyword === 'properties' ? 'map' : holders.get(keyword);
  if (holds === undefined) return;
  const schemas = holds === 'map' && isObject(held) ? Object.values(held) : isArray(held) ? held : [held];
  for (const schema of schemas) {
    if (!isObject(schema)) continue;
    if (schema[annotation] !== undefined)
      throw new Fault(`${where} there is an ${annotation}, which must be reached through "properties" alone`);
    for (const [inner, content] of Object.entries(schema)) forbid(inner, content, where);
  }
};

const note = (property: JsonObject, path: readonly string[], plan: Map<string, Mirrored>): void => {
  const { [annotation]: name, type } = property;
  const wrong = (what: string): never => {
    throw new Fault(`${nameOf(path)}: ${annotation} ${what}`);
  };
  if (typeof name !== 'string' || !token.test(name))
    return wrong(`must be the name of a header, of letters, digits and !#$%&'*+-.^_\`|~`);
  if (type !== 'string' && type !== 'integer' && type !== 'boolean')
    return wrong('needs the type "string", "integer" or "boolean" beside it, and no other');
  const header = `mcp-param-${name.toLowerCase()}`;
  const before = plan.get(header);
  if (before !== undefined) return wrong(`${quoted(name)} is that of ${nameOf(before.path)} already, in whatever case`);
  plan.set(header, { header, path });
};

const nameOf = (path: readonly string[]): string =>
  path.length === 0 ? 'the root' : `property ${quoted(path.join('.'))}`;
