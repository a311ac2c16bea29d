/**
 * Shapes written in a Standard Schema library. They check values through `~standard.validate`, and tell their JSON
 * Schema through the Standard JSON Schema interface.
 *
 * @see https://standardschema.dev/json-schema
 */
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import { Misconfigured } from '../frame/errors.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import { at, joined, pathText } from './problem.ts';
import type { Decoder, Verdict } from './verdict.ts';

/** Checks values with the library; a Promise only where its schema is asynchronous. */
export const standardDecoder = (schema: StandardSchemaV1): Decoder => {
  const standard = schema['~standard'];
  return (value) => {
    const result = standard.validate(value);
    return result instanceof Promise ? result.then(verdict) : verdict(result);
  };
};

const verdict = (result: StandardSchemaV1.Result<unknown>): Verdict =>
  result.issues === undefined
    ? { ok: true, value: result.value }
    : { ok: false, problem: joined(problems(result.issues)) };

function* problems(issues: readonly StandardSchemaV1.Issue[]): Generator<string> {
  for (const { path = [], message } of issues) {
    const keys = path.map((segment) => (typeof segment === 'object' ? segment.key : segment));
    // arktype names the path in the message itself.
    yield message.startsWith(`${pathText(keys)} `) ? at([], message) : at(keys, message);
  }
}

/**
 * The JSON Schema of one side of a Standard Schema, in 2020-12.
 *
 * @throws {@link Misconfigured} where the library cannot tell: an empty schema would tell a model that anything goes
 */
export const standardJsonSchema = (schema: StandardSchemaV1, side: 'input' | 'output', where: string): JsonObject => {
  const standard = schema['~standard'];
  if (!tellsJsonSchema(standard)) throw new Misconfigured({ message: `${where}: ${advice(standard.vendor)}` });
  const jsonSchema = converted(standard, side, where);
  if (!isObject(jsonSchema))
    throw new Misconfigured({ message: `${where}: ${standard.vendor} made no JSON Schema object of this schema` });
  return jsonSchema;
};

const tellsJsonSchema = (
  standard: StandardSchemaV1.Props,
): standard is StandardSchemaV1.Props & StandardJSONSchemaV1.Props => {
  const converter = 'jsonSchema' in standard ? standard.jsonSchema : undefined;
  return isObject(converter) && typeof converter['input'] === 'function' && typeof converter['output'] === 'function';
};

const converted = (standard: StandardJSONSchemaV1.Props, side: 'input' | 'output', where: string): unknown => {
  try {
    return standard.jsonSchema[side]({ target: 'draft-2020-12' });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Misconfigured({ message: `${where}: ${standard.vendor} has no JSON Schema for this: ${reason}` });
  }
};

const remedies: Readonly<Record<string, string>> = {
  zod: 'upgrade to zod 4.2 or newer',
  valibot: 'wrap it: toStandardJsonSchema(schema) from @valibot/to-json-schema',
  arktype: 'upgrade to arktype 2.1.28 or newer',
  effect: "use the Schema of this package: import { Schema } from 'rxmcp'",
};

const advice = (vendor: string): string =>
  `this ${vendor} schema cannot tell its JSON Schema, which peers need; ${
    (Object.hasOwn(remedies, vendor) ? remedies[vendor] : undefined) ??
    'use a library with Standard JSON Schema, or give a JSON Schema instead'
  }`;
