import { expect, it } from 'vitest';
import type { JsonObject } from '../../lib/frame/frame.ts';
import { jsonSchemaValidator } from '../../lib/shape/json-schema.ts';

const object = (properties: JsonObject, required: readonly string[] = []): JsonObject => ({
  type: 'object',
  properties,
  required,
});

it.each<[string, JsonObject, unknown, string]>([
  ['a missing member', object({}, ['city']), {}, 'city is missing'],
  [
    'a deep missing member',
    object({ a: { items: object({}, ['b']) } }),
    { a: [{}, {}] },
    'a[0].b is missing; a[1].b is missing',
  ],
  ['a type', object({ city: { type: 'string' } }), { city: 5 }, 'city: expected a string, got 5'],
  ['several types', { type: ['integer', 'null'] }, 'x', 'expected an integer or null, got "x"'],
  ['a constant', object({ k: { const: 'a' } }), { k: 'b' }, 'k: expected "a", got "b"'],
  ['an enumeration', object({ k: { enum: ['a', 'b'] } }), { k: 'c' }, 'k: expected one of "a", "b", got "c"'],
  ['a bound', object({ n: { minimum: 1, exclusiveMaximum: 5 } }), { n: 5 }, 'n: expected less than 5, got 5'],
  ['a multiple', { multipleOf: 0.5 }, 1.2, 'expected a multiple of 0.5, got 1.2'],
  ['a length', { minLength: 3 }, 'a', 'string is too short (1 < 3)'],
  ['what is not allowed', { ...object({ a: {} }), additionalProperties: false }, { b: 1 }, 'b: is not expected'],
  ['a negation', object({ a: { not: { type: 'string' } } }), { a: 'x' }, 'a: is of a kind that is not allowed'],
  ['a name', { propertyNames: { pattern: '^a' } }, { b: 1 }, 'the name "b" is not allowed'],
  [
    'an item that is missing',
    { contains: { type: 'number' } },
    ['x', 'y'],
    'has no item of the kind that it must contain',
  ],
  ['odd names', object({ 'a/b ~c%': { type: 'string' } }), { 'a/b ~c%': 1 }, '["a/b ~c%"]: expected a string, got 1'],
  ['a name with a quote', object({}, ['a"b']), {}, '["a\\"b"] is missing'],
  [
    'alternatives of plain types',
    object({ a: { anyOf: [{ type: 'string' }, { type: 'null' }] } }),
    { a: 5 },
    'a: expected a string or null, got 5',
  ],
  ['alternatives of constants', { oneOf: [{ const: 'a' }, { const: 'b' }] }, 'c', 'expected "a" or "b", got "c"'],
  [
    'the alternative that got furthest',
    { anyOf: [{ type: 'string' }, object({ a: object({ b: { type: 'number' } }) })] },
    { a: { b: 'x' } },
    'a.b: expected a number, got "x"',
  ],
  ['the alternative that was meant', { anyOf: [object({}, ['a']), { type: 'string' }] }, {}, 'a is missing'],
  [
    'alternatives that all lack something',
    { anyOf: [object({}, ['a']), object({}, ['b'])] },
    {},
    'fits none of the alternatives',
  ],
  [
    'alternatives of which several fit',
    { oneOf: [{ type: 'number' }, { minimum: 1 }] },
    5,
    'fits 2 of the alternatives, of which it must fit one',
  ],
  [
    'what follows alternatives',
    object({ a: { anyOf: [{ type: 'string' }] }, b: { type: 'string' } }),
    { a: 1, b: 1 },
    'a: expected a string, got 1; b: expected a string, got 1',
  ],
  [
    'a reference',
    { $defs: { n: { type: 'number' } }, ...object({ a: { $ref: '#/$defs/n' } }) },
    { a: 'x' },
    'a: expected a number, got "x"',
  ],
  ['a condition', { if: { type: 'string' }, then: { minLength: 2 } }, 'a', 'string is too short (1 < 2)'],
])('tells of %s', (_, schema, value, text) => {
  expect(jsonSchemaValidator(schema, 'x')(value)).toBe(text);
});

it('quotes little of a large enumeration or value', () => {
  const text = jsonSchemaValidator(
    { enum: Array.from({ length: 1000 }, (_, i) => `value ${i}`) },
    'x',
  )('y'.repeat(10_000));
  expect(text?.length).toBeLessThan(250);
});
