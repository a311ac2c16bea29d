/**
 * Checks values against a JSON Schema, one's own or that of a peer that nobody trusts. Nothing is ever fetched: a
 * reference leads to a place in the same document, or the schema is refused (JS-07, JS-10).
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#json-schema-usage
 */
import { dereference, validate, type OutputUnit, type Schema as CfworkerSchema } from '@cfworker/json-schema';
import { Misconfigured } from '../frame/errors.ts';
import type { JsonObject } from '../frame/frame.ts';
import { jsonProblem } from './json-problem.ts';
import { brief } from './problem.ts';
import { schemaDocument } from './schema-document.ts';
import { withoutPatterns } from './without-patterns.ts';

/** How many subschemas one validation may enter: about a second of work. */
const MOST_STEPS = 1_000_000;

/** A value of at most so many parts is told all of its problems, a larger one the first. */
const SMALL = 1000;

/**
 * Compiles a JSON Schema of 2020-12 (the default) or draft-07 into a function that says what is wrong with a value, or
 * undefined where it fits. That function never throws, whatever the value.
 *
 * Formats are asserted where they are known. Up to 8192 plain or 512 structured items are compared for `uniqueItems`;
 * a longer array does not fit. A `pattern` is run as it is written: one from a peer may be slow by design, and is not to
 * be run. Without patterns, what they alone could decide counts as fitting; see {@link withoutPatterns}. Formats are
 * asserted either way, for their expressions are known and take linear time; `url`, whose does not, is an annotation.
 *
 * @param where what the schema belongs to, for error messages
 * @param options `patterns`: whether `pattern` and `patternProperties` are run. Default true; false for a peer's schema
 * @throws {@link Misconfigured} naming the unsupported dialect, the reference that leads out of the document, the bound
 *   that is crossed (64 deep, 10,000 subschemas), or the keyword that is malformed
 * @example
 * const problem = jsonSchemaValidator({ type: 'object', required: ['city'] }, 'tool "forecast", output');
 * problem({}); // 'city is missing'
 */
export const jsonSchemaValidator = (
  schema: JsonObject,
  where: string,
  { patterns = true }: { readonly patterns?: boolean } = {},
): ((value: unknown) => string | undefined) => {
  const fail = (reason: string): never => {
    throw new Misconfigured({ message: `${where}: the JSON Schema cannot be used: ${reason}` });
  };
  let steps = 0;
  const tick = () => {
    if (++steps > MOST_STEPS) throw new RangeError('too many steps');
  };
  const { root, dialect, subschemas } = schemaDocument(schema, tick, fail, patterns);
  const lookup = resolved(root, fail);
  for (const [subschema, path] of subschemas) leadsSomewhere(subschema, path, lookup, fail);
  // Not before: a reference may lead into what is taken out.
  if (!patterns) withoutPatterns([...subschemas.keys()]);

  const errors = (value: unknown, onlyFirst: boolean): readonly OutputUnit[] => {
    steps = 0;
    return validate(value, root, dialect, lookup, onlyFirst).errors;
  };
  return (value) => {
    try {
      const found = errors(value, true);
      if (found.length === 0) return undefined;
      return jsonProblem(isSmall(value) ? errors(value, false) : found, value);
    } catch {
      return 'the value is nested too deeply, too complex to check, or no JSON';
    }
  };
};

type Lookup = Record<string, CfworkerSchema | boolean>;

const resolved = (root: JsonObject, fail: (reason: string) => never): Lookup => {
  try {
    return dereference(root);
  } catch (cause) {
    return fail(cause instanceof Error ? cause.message : 'its references do not resolve');
  }
};

const leadsSomewhere = (subschema: JsonObject, path: string, lookup: Lookup, fail: (reason: string) => never): void => {
  const { $ref, __absolute_ref__: absolute } = subschema;
  if (typeof $ref !== 'string' || (typeof absolute === 'string' && lookup[absolute] !== undefined)) return;
  fail(
    $ref.startsWith('#')
      ? `${path}/$ref ${brief($ref)} leads to no schema`
      : `${path}/$ref ${brief($ref)} leads out of the document, and nothing is fetched`,
  );
};

const isSmall = (value: unknown): boolean => {
  let parts = 0;
  const open: unknown[] = [value];
  while (open.length > 0 && parts <= SMALL) {
    const next = open.pop();
    parts++;
    if (typeof next !== 'object' || next === null) continue;
    const members: readonly unknown[] = Object.values(next);
    if (members.length > SMALL) return false;
    open.push(...members);
  }
  return parts <= SMALL;
};
