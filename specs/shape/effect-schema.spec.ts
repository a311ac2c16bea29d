import { delay, fail, map, succeed } from 'effect/Effect';
import { describe, expect, it } from 'vitest';
import { Misconfigured } from '../../lib/frame/errors.ts';
import { ParseResult, Schema } from '../../lib/protocol/schema.ts';
import { effectDecoder, effectJsonSchema } from '../../lib/shape/effect-schema.ts';
import { compile, type Shape } from '../../lib/shape/shape.ts';

const input = (shape: Shape) => compile(shape, 'input', 'tool "t"').jsonSchema;

interface Tree {
  readonly value: number;
  readonly children: readonly Tree[];
}
const Tree: Schema.Schema<Tree> = Schema.Struct({
  value: Schema.Number,
  children: Schema.Array(Schema.suspend(() => Tree)),
}).annotations({ identifier: 'Tree' });

class Place extends Schema.Class<Place>('Place')({ name: Schema.String }) {}

describe('decoding and encoding', () => {
  const shape = Schema.Struct({
    at: Schema.Date,
    count: Schema.NumberFromString,
    unit: Schema.optionalWith(Schema.Literal('c', 'f'), { default: () => 'c' as const }),
  });

  it('gives a handler the type side, and the wire the encoded side', () => {
    const decoded = { at: new Date(0), count: 7, unit: 'c' };
    const encoded = { at: '1970-01-01T00:00:00.000Z', count: '7', unit: 'c' };
    expect(effectDecoder(shape, 'input')({ at: '1970-01-01T00:00:00.000Z', count: '7' })).toEqual({
      ok: true,
      value: decoded,
    });
    expect(effectDecoder(shape, 'output')(decoded)).toEqual({ ok: true, value: encoded });
  });

  it('tells the encoded side', () => {
    expect(input(shape)).toMatchObject({
      properties: { at: { type: 'string' }, count: { type: 'string' }, unit: { enum: ['c', 'f'] } },
      required: ['at', 'count'],
    });
  });

  it('leaves out members that nobody named, as it says that it does', () => {
    const one = Schema.Struct({ a: Schema.Number });
    expect(effectDecoder(one, 'input')({ a: 1, b: 2 })).toEqual({ ok: true, value: { a: 1 } });
    expect(input(one)).toEqual({ type: 'object', required: ['a'], properties: { a: { type: 'number' } } });
  });

  it('says so where it does refuse them', () => {
    const strict = Schema.Struct({ a: Schema.Number }).annotations({ parseOptions: { onExcessProperty: 'error' } });
    expect(effectDecoder(strict, 'input')({ a: 1, b: 2 })).toEqual({ ok: false, problem: 'b: is not expected' });
    expect(input(strict)).toHaveProperty('additionalProperties', false);
  });

  it('makes and takes instances of classes', () => {
    expect(effectDecoder(Place, 'input')({ name: 'x' })).toEqual({ ok: true, value: new Place({ name: 'x' }) });
    expect(effectDecoder(Place, 'output')(new Place({ name: 'x' }))).toEqual({ ok: true, value: { name: 'x' } });
    expect(effectDecoder(Place, 'output')({ name: 'x' })).toEqual({ ok: true, value: { name: 'x' } });
    expect(effectDecoder(Place, 'output')({ name: 5 })).toMatchObject({ ok: false });
  });

  it('is asynchronous only where the schema is', async () => {
    const slow = Schema.transformOrFail(Schema.String, Schema.Number, {
      decode: (text, _, ast) =>
        text === 'bad'
          ? delay(fail(new ParseResult.Type(ast, text, 'is bad')), 1)
          : delay(map(succeed(text), Number), 1),
      encode: (number) => ParseResult.succeed(String(number)),
    });
    const decode = effectDecoder(Schema.Struct({ n: slow }), 'input');
    const pending = decode({ n: '5' });
    expect(pending).toBeInstanceOf(Promise);
    expect(await pending).toEqual({ ok: true, value: { n: 5 } });
    expect(await decode({ n: 'bad' })).toEqual({ ok: false, problem: 'n: is bad' });
    expect(effectDecoder(Schema.Struct({ n: slow }), 'output')({ n: 5 })).toEqual({ ok: true, value: { n: '5' } });
  });
});

describe('the JSON Schema', () => {
  it('has no dialect of draft-07 in it: no $schema, no ids of Effect, tuples as prefixItems', () => {
    const schema = effectJsonSchema(
      Schema.Struct({
        a: Schema.Unknown,
        b: Schema.Any,
        pair: Schema.Tuple(Schema.String, Schema.Number),
        rest: Schema.Tuple([Schema.String], Schema.Number),
      }),
      'tool "t"',
    );
    expect(schema).toEqual({
      type: 'object',
      required: ['a', 'b', 'pair', 'rest'],
      properties: {
        a: {},
        b: {},
        pair: { type: 'array', minItems: 2, prefixItems: [{ type: 'string' }, { type: 'number' }], items: false },
        rest: { type: 'array', minItems: 1, prefixItems: [{ type: 'string' }], items: { type: 'number' } },
      },
    });
  });

  it('closes no object, however deep', () => {
    const schema = effectJsonSchema(
      Schema.Struct({ a: Schema.Array(Schema.Struct({ b: Schema.NullOr(Schema.Struct({ c: Tree })) })) }),
      'tool "t"',
    );
    expect(JSON.stringify(schema)).not.toContain('additionalProperties');
    expect(schema).toHaveProperty('$defs.Tree.type', 'object');
  });

  it('keeps what users wrote in annotations', () => {
    const closed = { type: 'object', required: [], properties: {}, additionalProperties: false };
    const annotated = Schema.String.annotations({ jsonSchema: closed });
    const schema = effectJsonSchema(
      Schema.Struct({ a: annotated, b: annotated.annotations({ description: 'd' }), c: Schema.Array(annotated) }),
      'tool "t"',
    );
    expect(schema['properties']).toEqual({ a: closed, b: closed, c: { type: 'array', items: closed } });
  });

  it('does not look into examples and defaults', () => {
    const example = { type: 'object', required: [], properties: {}, additionalProperties: false, $id: '/schemas/any' };
    const schema = effectJsonSchema(
      Schema.Struct({
        a: Schema.Struct({ type: Schema.String }).annotations({ examples: [{ ...example }], default: { ...example } }),
      }),
      'tool "t"',
    );
    expect(schema['properties']).toMatchObject({ a: { examples: [example], default: example } });
  });

  it('keeps what a record says of its members', () => {
    expect(input(Schema.Record({ key: Schema.String, value: Schema.Number }))).toEqual({
      type: 'object',
      additionalProperties: { type: 'number' },
    });
  });

  it('has an object at the root of an input (TOOL-07)', () => {
    expect(input(Schema.Struct({}))).toEqual({ type: 'object' });
    expect(input(Place)).toMatchObject({ type: 'object', properties: { name: { type: 'string' } } });
    expect(input(Tree)).toMatchObject({
      type: 'object',
      properties: { children: { items: { $ref: '#/$defs/Tree' } } },
      $defs: { Tree: { type: 'object' } },
    });
    expect(input(Schema.Union(Tree, Schema.Struct({ a: Schema.String })))).toMatchObject({
      type: 'object',
      anyOf: [{ $ref: '#/$defs/Tree' }, { type: 'object' }],
    });
  });

  it.each<[string, Shape]>([
    ['a string', Schema.String],
    ['a union with an array in it', Schema.Union(Schema.Struct({}), Schema.Array(Schema.String))],
    ['unknown', Schema.Unknown],
  ])('refuses %s as an input', (_, shape) => {
    expect(() => input(shape)).toThrow(/^tool "t", input: the arguments of a tool are an object/);
    expect(() => compile(shape, 'output', 'tool "t"')).not.toThrow();
  });

  it.each<[string, Shape]>([
    ['a bigint', Schema.Struct({ a: Schema.BigIntFromSelf })],
    ['a filter that does not say what it means', Schema.Struct({ a: Schema.String }).pipe(Schema.filter(() => true))],
  ])('refuses %s, naming the tool', (_, shape) => {
    expect(() => input(shape)).toThrow(Misconfigured);
    expect(() => input(shape)).toThrow(/^tool "t", input: this Effect Schema has no JSON Schema/);
  });
});
