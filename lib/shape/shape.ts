/**
 * A shape is what a user writes as the `input` or `output` of a tool, in the schema language that they like. It is
 * compiled once, where the tool is made, into what goes on the wire (a JSON Schema) and what checks values.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools#tool
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { Misconfigured } from '../frame/errors.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import { isSchema, type Schema } from '../protocol/schema.ts';
import { effectDecoder, effectJsonSchema } from './effect-schema.ts';
import { jsonForm } from './json-form.ts';
import { jsonSchemaValidator } from './json-schema.ts';
import { problemAt } from './problem.ts';
import { objectRoot } from './root.ts';
import { standardDecoder, standardJsonSchema } from './standard-schema.ts';
import type { Decoder, Verdict } from './verdict.ts';

export type { Verdict } from './verdict.ts';

/** A JSON Schema as written: 2020-12, or draft-07 where `$schema` says so. */
export type JsonSchema = JsonObject;

/** An Effect Schema, a schema of any Standard Schema library (zod, valibot, arktype…), or a JSON Schema. */
export type Shape = Schema.Schema.AnyNoContext | StandardSchemaV1 | JsonSchema;

/** Which way values go: `input` from the wire to the handler, `output` from the handler to the wire. */
export type Side = 'input' | 'output';

export interface CompiledShape {
  /** What a peer is told. A JSON Schema given as a shape is this very object (JS-12). */
  readonly jsonSchema: JsonObject;
  /**
   * Checks one value and brings it to the other side. A value that does not fit is a verdict, never a throw; what user
   * code inside of a schema (a transformation, a refinement) throws is not caught.
   */
  readonly decode: (value: unknown) => Verdict | Promise<Verdict>;
}

/**
 * Compiles a shape.
 *
 * @param side the input of a tool must describe an object (TOOL-07); its output may be anything
 * @param where what the shape belongs to, for error messages: `tool "forecast"`
 * @throws {@link Misconfigured} where the shape has no JSON Schema, one that cannot work, or an input that is no object
 * @example
 * const input = compile(Schema.Struct({ city: Schema.String }), 'input', 'tool "forecast"');
 * input.decode({ city: 5 }); // { ok: false, problem: 'city: expected a string, got 5' }
 */
export const compile = (shape: Shape, side: Side, where: string): CompiledShape => {
  const at = `${where}, ${side}`;
  if (isSchema(shape)) {
    const jsonSchema = effectJsonSchema(shape, at);
    return {
      jsonSchema: side === 'input' ? objectRoot(jsonSchema, at) : jsonSchema,
      decode: effectDecoder(shape, side),
    };
  }
  if (isStandard(shape)) {
    const jsonSchema = standardJsonSchema(shape, side, at);
    return { jsonSchema: side === 'input' ? objectRoot(jsonSchema, at) : jsonSchema, decode: standardDecoder(shape) };
  }
  if (!isObject(shape))
    throw new Misconfigured({
      message: `${at}: this is no schema. Give an Effect Schema (import { Schema } from 'rxmcp'), a Standard Schema, or a JSON Schema object`,
    });
  if (side === 'input' && shape['type'] !== 'object')
    throw new Misconfigured({ message: `${at}: the JSON Schema of an input must say type: "object" at its root` });
  return { jsonSchema: shape, decode: rawDecoder(shape, side, at) };
};

// A Standard Schema may be a function (arktype) or an object (zod, valibot).
const isStandard = (shape: unknown): shape is StandardSchemaV1 =>
  ((typeof shape === 'object' && shape !== null) || typeof shape === 'function') && '~standard' in shape;

/** What comes from the wire is JSON already; what a handler returns is checked as the JSON that it will become. */
const rawDecoder = (schema: JsonSchema, side: Side, at: string): Decoder => {
  const validate = jsonSchemaValidator(schema, at);
  const checked = (value: unknown): Verdict => {
    const problem = validate(value);
    return problem === undefined ? { ok: true, value } : { ok: false, problem };
  };
  if (side === 'input') return checked;
  return (value) => {
    const form = jsonForm(value);
    return form.ok ? checked(form.value) : form;
  };
};

const nothing: Verdict = { ok: true, value: Object.freeze({}) };

/** The input of a tool without parameters (TOOL-08): takes `{}` or no arguments at all. */
export const noParameters: CompiledShape = {
  jsonSchema: Object.freeze({ type: 'object', additionalProperties: false }),
  decode: (value) => {
    if (value === undefined) return nothing;
    if (!isObject(value)) return { ok: false, problem: problemAt([], 'an object', value) };
    const [extra] = Object.keys(value);
    return extra === undefined ? nothing : { ok: false, problem: problemAt([extra], 'nothing', value[extra]) };
  },
};
