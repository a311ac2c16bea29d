/**
 * The leaves of every schema. A leaf says, beside its type, which values it admits and how an error message names them.
 */
import { isArray, isObject, type JsonObject as JsonObjectType } from '../frame/frame.ts';
import type { AST } from './schema.ts';
import { Schema } from './schema.ts';

export type JsonObject = JsonObjectType;

/** How a leaf is checked and spoken of. */
export interface Leaf {
  readonly admits: (value: unknown) => boolean;
  /** Completes the sentence "x must be …". */
  readonly name: string;
}

const leaves = new WeakMap<AST.AST, Leaf>();

/** How a declared leaf is checked; undefined for all else. */
export const leafOf = (ast: AST.AST): Leaf | undefined => leaves.get(ast);

const leaf = <A>(name: string, admits: (value: unknown) => value is A, jsonSchema: object): Schema.Schema<A> => {
  const schema = Schema.declare(admits, { jsonSchema });
  leaves.set(schema.ast, { admits, name });
  return schema;
};

/** An object that nobody describes further. */
export const JsonObject: Schema.Schema<JsonObject> = leaf('an object', isObject, { type: 'object' });

const isNumber = (value: unknown): value is number => typeof value === 'number';

export const Integer = leaf('an integer', (value): value is number => Number.isSafeInteger(value), { type: 'integer' });

/** A count of milliseconds, for instance. */
export const Natural = leaf(
  'an integer of at least 0',
  (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0,
  {
    type: 'integer',
    minimum: 0,
  },
);

/** A weight from 0 to 1, both included. */
export const Unit = leaf(
  'a number from 0 to 1',
  (value): value is number => isNumber(value) && value >= 0 && value <= 1,
  {
    type: 'number',
    minimum: 0,
    maximum: 1,
  },
);

/**
 * Any number, where the official JSON schema says "integer": its generator writes that for a plain `number` of the
 * TypeScript source, which is the authority, and which a number field answered with 3.5 needs.
 */
export const AnswerNumber = leaf('a number', isNumber, { type: 'integer' });

const isString = (value: unknown): value is string => typeof value === 'string';

/** A list of strings of a limited length. */
export const strings = (most: number): Schema.Schema<readonly string[]> =>
  leaf(
    `a list of at most ${most} strings`,
    (value): value is readonly string[] => isArray(value) && value.length <= most && value.every(isString),
    { type: 'array', items: { type: 'string' }, maxItems: most },
  );

/** Correlates a notification with what asked for it. */
export const Identifier = leaf(
  'a string or an integer',
  (value): value is string | number => isString(value) || Number.isSafeInteger(value),
  { type: ['string', 'integer'] },
);
/** A map from names to values of one type. */
export const mapOf = <A>(value: Schema.Schema<A>): Schema.Schema<{ readonly [key: string]: A }> =>
  Schema.Record({ key: Schema.String, value });
