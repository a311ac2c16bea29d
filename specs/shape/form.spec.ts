import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Misconfigured } from '../../lib/frame/errors.ts';
import { validator } from '../../lib/protocol/dated.ts';
import { RequestedSchema } from '../../lib/protocol/elicitation.ts';
import { Schema } from '../../lib/protocol/schema.ts';
import { filledIn } from '../../lib/shape/form-answer.ts';
import { form } from '../../lib/shape/form.ts';
import type { Shape } from '../../lib/shape/shape.ts';

const effect = (it: Schema.Schema.AnyNoContext): Shape => Schema.Struct({ it });
const zod = (it: z.ZodType): Shape => z.object({ it });
const valibot = (it: v.GenericSchema): Shape => toStandardJsonSchema(v.object({ it }));
const json = (it: unknown): Shape => ({ type: 'object', properties: { it }, required: ['it'] });

const colours = [
  { const: 'r', title: 'Red' },
  { const: 'g', title: 'Green' },
];
const Fruit = { Apple: 'apple', Pear: 'pear' } as const;

interface Row {
  readonly kind: string;
  /** What the client is told. */
  readonly field: object;
  readonly fits: unknown;
  readonly breaks: unknown;
  readonly shapes: Readonly<Record<string, Shape>>;
}

const rows: readonly Row[] = [
  {
    kind: 'text with bounds',
    field: { type: 'string', minLength: 2, maxLength: 5 },
    fits: 'abc',
    breaks: 'a',
    shapes: {
      Effect: effect(Schema.String.pipe(Schema.minLength(2), Schema.maxLength(5))),
      zod: zod(z.string().min(2).max(5)),
      valibot: valibot(v.pipe(v.string(), v.minLength(2), v.maxLength(5))),
      arktype: type({ it: '2 <= string <= 5' }),
      JSON: json({ type: 'string', minLength: 2, maxLength: 5 }),
    },
  },
  {
    kind: 'text with labels and a default',
    field: { type: 'string', title: 'Name', description: 'Yours', default: 'Ada' },
    fits: 'x',
    breaks: 5,
    shapes: {
      Effect: effect(Schema.String.annotations({ title: 'Name', description: 'Yours', default: 'Ada' })),
      zod: zod(z.string().meta({ title: 'Name', description: 'Yours', default: 'Ada' })),
      valibot: valibot(v.pipe(v.string(), v.title('Name'), v.description('Yours'), v.metadata({ default: 'Ada' }))),
      JSON: json({ type: 'string', title: 'Name', description: 'Yours', default: 'Ada' }),
    },
  },
  {
    kind: 'an email address',
    field: { type: 'string', format: 'email' },
    fits: 'ada@example.com',
    breaks: 5,
    shapes: {
      Effect: effect(Schema.String.annotations({ jsonSchema: { format: 'email' } })),
      zod: zod(z.email()),
      valibot: valibot(v.pipe(v.string(), v.email())),
      arktype: type({ it: 'string.email' }),
      JSON: json({ type: 'string', format: 'email' }),
    },
  },
  {
    kind: 'a URI',
    field: { type: 'string', format: 'uri' },
    fits: 'https://example.com/',
    breaks: 'x',
    shapes: {
      zod: zod(z.url()),
      valibot: valibot(v.pipe(v.string(), v.url())),
      arktype: type({ it: 'string.url' }),
      JSON: json({ type: 'string', format: 'uri' }),
    },
  },
  {
    kind: 'a date',
    field: { type: 'string', format: 'date' },
    fits: '2026-07-28',
    breaks: '28 July',
    shapes: {
      Effect: effect(Schema.String.pipe(Schema.pattern(/^\d{4}-\d\d-\d\d$/, { jsonSchema: { format: 'date' } }))),
      zod: zod(z.iso.date()),
      valibot: valibot(v.pipe(v.string(), v.isoDate())),
      JSON: json({ type: 'string', format: 'date' }),
    },
  },
  {
    kind: 'a date and time',
    field: { type: 'string', format: 'date-time' },
    fits: '2026-07-28T09:30:00Z',
    breaks: '2026',
    shapes: {
      zod: zod(z.iso.datetime()),
      valibot: valibot(v.pipe(v.string(), v.isoTimestamp())),
      JSON: json({ type: 'string', format: 'date-time' }),
    },
  },
  {
    kind: 'a number with bounds',
    field: { type: 'number', minimum: 0.5, maximum: 9.5 },
    fits: 1.5,
    breaks: 10,
    shapes: {
      Effect: effect(Schema.Number.pipe(Schema.between(0.5, 9.5))),
      zod: zod(z.number().min(0.5).max(9.5)),
      valibot: valibot(v.pipe(v.number(), v.minValue(0.5), v.maxValue(9.5))),
      arktype: type({ it: '0.5 <= number <= 9.5' }),
      JSON: json({ type: 'number', minimum: 0.5, maximum: 9.5 }),
    },
  },
  {
    kind: 'an integer',
    field: { type: 'integer' },
    fits: -3,
    breaks: 1.5,
    shapes: {
      Effect: effect(Schema.Int),
      branded: effect(Schema.Int.pipe(Schema.brand('Age'))),
      zod: zod(z.int()),
      valibot: valibot(v.pipe(v.number(), v.integer())),
      arktype: type({ it: 'number.integer' }),
      JSON: json({ allOf: [{ type: 'number' }, { type: 'integer' }] }),
    },
  },
  {
    kind: 'an integer with exclusive bounds',
    field: { type: 'integer', minimum: 1, maximum: 9 },
    fits: 1,
    breaks: 0,
    shapes: {
      Effect: effect(Schema.Int.pipe(Schema.positive(), Schema.lessThan(10))),
      zod: zod(z.int().gt(0).lt(10)),
      valibot: valibot(v.pipe(v.number(), v.integer(), v.gtValue(0), v.ltValue(10))),
      arktype: type({ it: '0 < number.integer < 10' }),
      JSON: json({ type: 'integer', exclusiveMinimum: 0, minimum: -5, maximum: 9.5 }),
    },
  },
  {
    kind: 'a number above a bound, which the decoder keeps',
    field: { type: 'number', minimum: 0 },
    fits: 0.1,
    breaks: 0,
    shapes: {
      Effect: effect(Schema.Positive),
      zod: zod(z.number().positive()),
      valibot: valibot(v.pipe(v.number(), v.gtValue(0))),
      arktype: type({ it: 'number > 0' }),
      JSON: json({ type: 'number', exclusiveMinimum: 0 }),
    },
  },
  {
    kind: 'a boolean',
    field: { type: 'boolean' },
    fits: true,
    breaks: 'true',
    shapes: {
      Effect: effect(Schema.Boolean),
      zod: zod(z.boolean()),
      valibot: valibot(v.boolean()),
      arktype: type({ it: 'boolean' }),
      JSON: json({ enum: [true, false] }),
    },
  },
  {
    kind: 'a yes',
    field: { type: 'boolean' },
    fits: true,
    breaks: false,
    shapes: {
      Effect: effect(Schema.Literal(true)),
      zod: zod(z.literal(true)),
      valibot: valibot(v.literal(true)),
      arktype: type({ it: 'true' }),
      JSON: json({ const: true }),
    },
  },
  {
    kind: 'one of several',
    field: { type: 'string', enum: ['S', 'M'] },
    fits: 'M',
    breaks: 'L',
    shapes: {
      Effect: effect(Schema.Literal('S', 'M')),
      named: effect(Schema.Literal('S', 'M').annotations({ identifier: 'Size' })),
      zod: zod(z.enum(['S', 'M'])),
      'zod with a reference': zod(z.enum(['S', 'M']).meta({ id: 'Size' })),
      valibot: valibot(v.picklist(['S', 'M'])),
      'valibot union': valibot(v.union([v.literal('S'), v.literal('M')])),
      JSON: json({ type: 'string', enum: ['S', 'M'] }),
      'JSON anyOf': json({ anyOf: [{ const: 'S' }, { enum: ['M'] }] }),
      'JSON allOf': json({ allOf: [{ enum: ['S', 'M', 'L'] }, { enum: ['XS', 'S', 'M'] }] }),
    },
  },
  {
    kind: 'one of several, in the order of arktype',
    field: { type: 'string', enum: ['M', 'S'] },
    fits: 'M',
    breaks: 'L',
    shapes: { arktype: type({ it: "'S' | 'M'" }) },
  },
  {
    kind: 'one value only',
    field: { type: 'string', enum: ['S'] },
    fits: 'S',
    breaks: 'M',
    shapes: {
      Effect: effect(Schema.Literal('S')),
      zod: zod(z.literal('S')),
      valibot: valibot(v.literal('S')),
      arktype: type({ it: "'S'" }),
      JSON: json({ const: 'S' }),
    },
  },
  {
    kind: 'one of several with titles',
    field: { type: 'string', oneOf: colours },
    fits: 'g',
    breaks: 'Green',
    shapes: {
      Effect: effect(
        Schema.Union(
          Schema.Literal('r').annotations({ title: 'Red' }),
          Schema.Literal('g').annotations({ title: 'Green' }),
        ),
      ),
      zod: zod(z.union([z.literal('r').meta({ title: 'Red' }), z.literal('g').meta({ title: 'Green' })])),
      valibot: valibot(v.union([v.pipe(v.literal('r'), v.title('Red')), v.pipe(v.literal('g'), v.title('Green'))])),
      JSON: json({ type: 'string', oneOf: colours }),
    },
  },
  {
    kind: 'one of several with titles, in the words of 2025-06-18 (ELI-08)',
    field: { type: 'string', enum: ['r', 'g'], enumNames: ['Red', 'Green'] },
    fits: 'g',
    breaks: 'Green',
    shapes: { JSON: json({ type: 'string', enum: ['r', 'g'], enumNames: ['Red', 'Green'] }) },
  },
  {
    kind: 'a TypeScript enum',
    field: {
      type: 'string',
      oneOf: [
        { const: 'apple', title: 'Apple' },
        { const: 'pear', title: 'Pear' },
      ],
    },
    fits: Fruit.Apple,
    breaks: 'Apple',
    shapes: { Effect: effect(Schema.Enums(Fruit)) },
  },
  {
    kind: 'any number of several',
    field: { type: 'array', items: { type: 'string', enum: ['a', 'b', 'c'] }, minItems: 1, maxItems: 2 },
    fits: ['a', 'c'],
    breaks: [],
    shapes: {
      Effect: effect(Schema.Array(Schema.Literal('a', 'b', 'c')).pipe(Schema.minItems(1), Schema.maxItems(2))),
      zod: zod(
        z
          .array(z.enum(['a', 'b', 'c']))
          .min(1)
          .max(2),
      ),
      valibot: valibot(v.pipe(v.array(v.picklist(['a', 'b', 'c'])), v.minLength(1), v.maxLength(2))),
      arktype: type({ it: "1 <= ('a' | 'b' | 'c')[] <= 2" }),
      JSON: json({
        type: 'array',
        items: { type: 'string', enum: ['a', 'b', 'c'] },
        minItems: 1,
        maxItems: 2,
        uniqueItems: true,
      }),
    },
  },
  {
    kind: 'any number of several with titles',
    field: { type: 'array', items: { anyOf: colours } },
    fits: ['r', 'g'],
    breaks: ['Red'],
    shapes: {
      Effect: effect(
        Schema.Array(
          Schema.Union(
            Schema.Literal('r').annotations({ title: 'Red' }),
            Schema.Literal('g').annotations({ title: 'Green' }),
          ),
        ),
      ),
      zod: zod(z.array(z.union([z.literal('r').meta({ title: 'Red' }), z.literal('g').meta({ title: 'Green' })]))),
      valibot: valibot(
        v.array(v.union([v.pipe(v.literal('r'), v.title('Red')), v.pipe(v.literal('g'), v.title('Green'))])),
      ),
      JSON: json({ type: 'array', items: { anyOf: colours } }),
      'JSON oneOf': json({ type: 'array', items: { oneOf: colours } }),
    },
  },
  {
    kind: 'text with a pattern, which the decoder keeps',
    field: { type: 'string' },
    fits: 'ab',
    breaks: 'ba',
    shapes: {
      Effect: effect(Schema.String.pipe(Schema.pattern(/^a/), Schema.pattern(/b$/))),
      zod: zod(z.string().regex(/^a/).regex(/b$/)),
      valibot: valibot(v.pipe(v.string(), v.regex(/^a.*b$/))),
      arktype: type({ it: '/^a.*b$/' }),
      JSON: json({ type: 'string', pattern: '^a' }),
    },
  },
  {
    kind: 'a format that forms do not have, which the decoder keeps',
    field: { type: 'string' },
    fits: '9b0c5d4e-4a6f-4a0b-9a39-0d5c1f2b3a4d',
    breaks: 'x',
    shapes: {
      Effect: effect(Schema.UUID.annotations({ title: 'Int' })),
      zod: zod(z.uuid()),
      arktype: type({ it: 'string.uuid' }),
      JSON: json({ type: 'string', format: 'uuid' }),
    },
  },
];

const cells = rows.flatMap(({ shapes, ...row }) =>
  Object.entries(shapes).map(([language, shape]) => ({ ...row, language, shape })),
);

describe.each(cells)('$kind, written in $language', ({ field, fits, breaks, shape }) => {
  const { requestedSchema, decode } = form(shape, 'ask');

  it('is a field that clients know (ELI-05, ELI-06, ELI-07, ELI-09)', () => {
    const told: { description?: string } = { ...requestedSchema.properties['it'] };
    // Libraries describe their own rules ("an integer"): that may stay.
    if (!('description' in field)) delete told.description;
    expect(told).toEqual(field);
    expect(Object.keys(requestedSchema)).toEqual(['type', 'properties', 'required']);
  });

  it.each(['2026-07-28', '2025-11-25'] as const)('is valid at %s', (revision) => {
    expect(validator(RequestedSchema, revision)(requestedSchema)).toBeUndefined();
  });

  it('decodes an answer that fits, and names the field of one that does not (ELI-27)', async () => {
    expect(filledIn(requestedSchema, { it: fits })).toEqual({ ok: true, content: { it: fits } });
    expect(await decode({ it: fits })).toEqual({ ok: true, value: { it: fits } });
    expect(await decode({ it: breaks })).toEqual({ ok: false, problem: expect.stringMatching(/^it\b/) });
  });
});

describe('a whole form', () => {
  it('says which fields are required, and nothing else', () => {
    const shape = { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'T', additionalProperties: false };
    expect(form({ ...shape, type: 'object', properties: { a: { type: 'string' } } }, 'ask').requestedSchema).toEqual({
      type: 'object',
      properties: { a: { type: 'string' } },
    });
    expect(
      form(z.strictObject({ a: z.string(), b: z.string().optional(), c: z.boolean().default(true) }), 'ask')
        .requestedSchema,
    ).toEqual({
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' }, c: { type: 'boolean', default: true } },
      required: ['a'],
    });
  });

  it('may have no fields: a question of yes or no', () => {
    expect(form(Schema.Struct({}), 'ask').requestedSchema).toEqual({ type: 'object', properties: {} });
  });

  it.each<[string, Shape]>([
    ['zod', z.object({ a: z.string() }).and(z.object({ b: z.int() }))],
    [
      'valibot',
      toStandardJsonSchema(
        v.intersect([v.object({ a: v.string() }), v.object({ b: v.pipe(v.number(), v.integer()) })]),
      ),
    ],
    ['Effect', Schema.extend(Schema.Struct({ a: Schema.String }), Schema.Struct({ b: Schema.Int }))],
    [
      'JSON',
      {
        type: 'object',
        allOf: [{ $ref: '#/definitions/A' }, { properties: { b: { type: 'number' } } }],
        properties: { b: { type: 'integer' } },
        required: ['b'],
        definitions: { A: { properties: { a: { type: 'string' } }, required: ['a'] } },
      },
    ],
  ])('may be made of parts: %s', (_, shape) => {
    const { requestedSchema } = form(shape, 'ask');
    expect(requestedSchema).toMatchObject({
      properties: { a: { type: 'string' }, b: { type: 'integer' } },
      required: ['a', 'b'],
    });
  });

  it('gives the decoded value: transformations, defaults', () => {
    const { decode, requestedSchema } = form(
      Schema.Struct({
        age: Schema.NumberFromString,
        note: Schema.optionalWith(Schema.String, { default: () => 'none' }),
      }),
      'ask',
    );
    expect(requestedSchema.properties['age']).toMatchObject({ type: 'string' });
    expect(decode({ age: '42' })).toEqual({ ok: true, value: { age: 42, note: 'none' } });
  });

  it('leaves what was written as it was, frozen or not', () => {
    const written = Object.freeze({
      type: 'object',
      properties: Object.freeze({ a: Object.freeze({ const: 'x', title: 'X' }) }),
    });
    expect(form(written, 'ask').requestedSchema.properties).toEqual({ a: { type: 'string', title: 'X', enum: ['x'] } });
    expect(written).toEqual({ type: 'object', properties: { a: { const: 'x', title: 'X' } } });
  });

  it('finds references however their names are escaped', () => {
    const properties = {
      a: { $ref: '#/$defs/x~1y' },
      b: { $ref: '#/$defs/p%20q', title: 'B' },
      c: { $ref: '#/properties/a' },
    };
    const shape = {
      type: 'object',
      properties,
      $defs: { 'x/y': { type: 'string' }, 'p q': { type: 'boolean', title: 'Q' } },
    };
    expect(form(shape, 'ask').requestedSchema.properties).toEqual({
      a: { type: 'string' },
      b: { type: 'boolean', title: 'B' },
      c: { type: 'string' },
    });
  });

  it('keeps names that are special to JavaScript', () => {
    const shape = JSON.parse(
      '{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"number"}},"required":["__proto__"]}',
    );
    const { requestedSchema, decode } = form(shape, 'ask');
    expect(JSON.stringify(requestedSchema)).toBe(JSON.stringify(shape));
    expect(Object.getPrototypeOf(requestedSchema.properties)).toBe(Object.prototype);
    expect(decode({})).toEqual({ ok: false, problem: '__proto__ is missing' });
  });
});

describe('a field that may be null', () => {
  it.each<[string, Shape]>([
    ['Effect', Schema.Struct({ it: Schema.NullOr(Schema.Literal('a', 'b')), also: Schema.NullOr(Schema.Int) })],
    ['zod', z.object({ it: z.enum(['a', 'b']).nullable(), also: z.int().nullable() })],
    [
      'valibot',
      toStandardJsonSchema(
        v.object({ it: v.nullable(v.picklist(['a', 'b'])), also: v.nullable(v.pipe(v.number(), v.integer())) }),
      ),
    ],
    ['arktype', type({ it: "'a' | 'b' | null", also: 'number.integer | null' })],
    [
      'JSON',
      {
        type: 'object',
        properties: { it: { enum: ['a', null, 'b'] }, also: { type: ['null', 'integer'] } },
        required: ['it', 'also'],
      },
    ],
  ])('is one that may be left empty, and then decodes as null: %s', async (_, shape) => {
    const { requestedSchema, decode } = form(shape, 'ask');
    expect(requestedSchema.properties).toMatchObject({
      it: { type: 'string', enum: ['a', 'b'] },
      also: { type: 'integer' },
    });
    expect(requestedSchema).not.toHaveProperty('required');
    expect(await decode({})).toEqual({ ok: true, value: { it: null, also: null } });
    expect(await decode({ it: 'b', also: 3 })).toEqual({ ok: true, value: { it: 'b', also: 3 } });
    expect(await decode({ it: 'c' })).toEqual({ ok: false, problem: expect.stringMatching(/^it\b/) });
    expect((await decode(5)).ok).toBe(false);
  });

  it('keeps what is said of it inside of the union', () => {
    const inner = { type: 'string', enum: ['a', 'b'], title: 'T', description: 'D', default: 'b' };
    for (const it of [{ anyOf: [inner, { type: 'null' }] }, { oneOf: [{ const: null }, { allOf: [inner] }] }])
      expect(form(json(it), 'ask').requestedSchema.properties).toEqual({ it: inner });
    expect(form(json({ oneOf: [{ const: 'a', title: 'A' }] }), 'ask').requestedSchema.properties).toEqual({
      it: { type: 'string', oneOf: [{ const: 'a', title: 'A' }] },
    });
  });

  it('stays required where its type forbids the null', () => {
    for (const it of [
      { type: 'string', enum: ['a', null] },
      { type: 'string', anyOf: [{ const: 'a' }, { type: 'null' }] },
    ])
      expect(form(json(it), 'ask').requestedSchema).toMatchObject({ required: ['it'] });
  });

  it('stays absent where it may be absent as well', () => {
    const { requestedSchema, decode } = form(z.object({ it: z.string().nullish().default(null) }).partial(), 'ask');
    expect(requestedSchema).toEqual({ type: 'object', properties: { it: { type: 'string' } } });
    expect(decode({})).toMatchObject({ ok: true });
    expect(form(Schema.Struct({ it: Schema.optional(Schema.NullOr(Schema.String)) }), 'ask').decode({})).toEqual({
      ok: true,
      value: {},
    });
  });
});

describe('what a form cannot ask for is refused where it was written (ELI-05)', () => {
  const flat = /the field "it": it is an object, and a form is flat/;
  const list = /the field "it": it is a list without choices/;
  const kinds = /the field "it": it may be of several kinds/;
  it.each<[string, Shape, RegExp]>([
    ['nested object, Effect', effect(Schema.Struct({ a: Schema.String })), flat],
    ['nested object, zod', zod(z.object({ a: z.string() })), flat],
    ['nested object, JSON', json({ type: 'object', properties: {} }), flat],
    ['record', zod(z.record(z.string(), z.string())), flat],
    ['object behind a reference', { type: 'object', properties: { it: { $ref: '#' } } }, flat],
    ['free list, Effect', effect(Schema.Array(Schema.String)), list],
    ['free list, zod', zod(z.array(z.string())), list],
    ['free list, arktype', type({ it: 'string[]' }), list],
    ['list of anything', json({ type: 'array' }), list],
    ['list of numbers', zod(z.array(z.literal([1, 2]))), /"it": it offers values that are no strings/],
    ['tuple', zod(z.tuple([z.string()])), /"it": a form has no keyword prefixItems/],
    ['union, Effect', effect(Schema.Union(Schema.String, Schema.Number)), kinds],
    ['union, zod', zod(z.union([z.string(), z.boolean()])), kinds],
    ['union, arktype', type({ it: 'string | number' }), kinds],
    ['union, type list', json({ type: ['string', 'number'] }), kinds],
    ['union of texts', json({ anyOf: [{ type: 'string', maxLength: 2 }, { const: 'else' }] }), kinds],
    ['choice and text', json({ anyOf: [{ const: 1 }, { type: 'string' }] }), kinds],
    ['choices twice', json({ anyOf: [{ const: 'a' }], oneOf: [{ const: 'a' }] }), kinds],
    ['numbers to choose from', zod(z.literal([1, 2])), /"it": it offers values that are no strings/],
    ['mixed choices', json({ enum: ['a', 1] }), /"it": it offers values that are no strings/],
    ['no choices', json({ enum: [] }), /"it": it offers no choice/],
    ['only null', effect(Schema.Null), /"it": it is always null/],
    ['anything', effect(Schema.Unknown), /"it": it says no type/],
    ['nothing', json(false), /"it": no value would fit/],
    ['not', json({ type: 'string', not: { const: 'x' } }), /"it": a form has no keyword not/],
    ['if', json({ type: 'string', if: {}, then: {} }), /"it": a form has no keyword if/],
    ['contradiction', json({ allOf: [{ type: 'string' }, { type: 'number' }] }), /"it": two of its parts contradict/],
    [
      'circle',
      { type: 'object', properties: { it: { $ref: '#/$defs/a' } }, $defs: { a: { $ref: '#/$defs/a' } } },
      /"it": its reference "#\/\$defs\/a" leads back to itself/,
    ],
    [
      'union within itself',
      {
        type: 'object',
        properties: { it: { $ref: '#/$defs/a' } },
        $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }, { type: 'null' }] } },
      },
      /"it": it is a union within itself/,
    ],
    [
      'anchor',
      { type: 'object', properties: { it: { $ref: '#a' } }, $defs: { a: { $anchor: 'a', type: 'string' } } },
      /"it": its reference "#a" leads to nothing that is known/,
    ],
    ['default of another type', json({ type: 'string', default: 5 }), /"it": its default, 5, is of another type/],
    [
      'default that is no choice',
      json({ enum: ['a'], default: 'b' }),
      /"it": its default does not fit: expected one of "a", got "b"/,
    ],
    [
      'default out of bounds',
      json({ type: 'integer', minimum: 1, default: 0 }),
      /"it": its default does not fit: expected at least 1/,
    ],
    ['stray requirement', { type: 'object', properties: {}, required: ['it'] }, /a form cannot require "it"/],
    ['other fields', Schema.Record({ key: Schema.String, value: Schema.String }), /it has no additionalProperties/],
    ['patterned names', { type: 'object', patternProperties: { a: {} } }, /a form has no keyword patternProperties/],
    [
      'rules between fields',
      { ...json({ type: 'string' }), dependentRequired: { it: ['it'] } },
      /has no keyword dependentRequired/,
    ],
    [
      'union of forms',
      z.discriminatedUnion('it', [z.object({ it: z.literal('a') }), z.object({ it: z.literal('b') })]),
      /a form is one object/,
    ],
    ['text alone', Schema.String, /^ask/],
  ])('%s', (_, shape, message) => {
    expect(() => form(shape, 'ask')).toThrow(Misconfigured);
    expect(() => form(shape, 'ask')).toThrow(message);
    expect(() => form(shape, 'ask')).toThrow(/^ask[:,]/);
  });
});

describe('a secret is not asked for by form (ELI-23, ELI-24)', () => {
  const asking =
    (name: string, field: object = { type: 'string' }) =>
    () =>
      form({ type: 'object', properties: { [name]: field } }, 'ask');

  it.each([
    ...[
      'password',
      'Password',
      'newPassword',
      'confirm_password',
      'password2',
      'user-password',
      'passphrase',
      'secret',
    ],
    ...['clientSecret', 'apiKey', 'api_key', 'API_KEY', 'apikey', 'openaiApiKey', 'userAPIKey', 'accessToken'],
    ...['access_token', 'privateKey', 'creditCard', 'credit_card_number', 'cardNumber', 'cvv', 'CVC'],
  ])('%s', (name) => {
    expect(asking(name)).toThrow(Misconfigured);
    expect(asking(name)).toThrow(new RegExp(`"${name}".*secret.*URL mode`));
  });

  it('nor as a number, nor under another name', () => {
    expect(asking('cvv', { type: 'integer' })).toThrow(/URL mode/);
    expect(asking('pw', { type: 'string', format: 'password' })).toThrow(/URL mode/);
  });

  it.each([
    ...['secretary', 'passwordHint', 'passwordPolicy', 'maxTokens', 'token', 'tokenCount', 'apiKeyName', 'pin', 'key'],
    ...['libraryCardNumber', 'compass', 'creditCardExpiryReminder', 'cvvless', 'secretSanta', 'name'],
  ])('but %s is none', (name) => {
    expect(asking(name)).not.toThrow();
  });

  it.each<[string, object]>([
    ['resetPassword', { type: 'boolean' }],
    ['creditCard', { type: 'string', enum: ['private', 'company'] }],
    ['apiKey', { type: 'array', items: { type: 'string', enum: ['a'] } }],
    ['lastPassword', { type: 'string', format: 'date' }],
  ])('nor is %s, where nothing secret would be typed', (name, field) => {
    expect(asking(name, field)).not.toThrow();
  });
});
