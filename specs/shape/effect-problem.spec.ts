import { describe, expect, it } from 'vitest';
import { Schema } from '../../lib/protocol/schema.ts';
import { effectDecoder } from '../../lib/shape/effect-schema.ts';

const problem = (shape: Schema.Schema.AnyNoContext, value: unknown) => effectDecoder(shape, 'input')(value);
const says = (text: string) => ({ ok: false, problem: text });

const Forms = Schema.Union(
  Schema.Struct({ kind: Schema.Literal('a'), x: Schema.Number }),
  Schema.Struct({ kind: Schema.Literal('b'), y: Schema.Number }),
);

describe('what is wrong, in a line', () => {
  it.each<[string, Schema.Schema.AnyNoContext, unknown, string]>([
    ['a missing member', Schema.Struct({ city: Schema.String }), {}, 'city is missing'],
    ['the wrong type', Schema.Struct({ city: Schema.String }), { city: 5 }, 'city: expected a string, got 5'],
    ['the wrong root', Schema.Struct({ city: Schema.String }), [], 'expected an object, got an array'],
    ['no object at all', Schema.Struct({ city: Schema.String }), 'x', 'expected an object, got "x"'],
    [
      'an optional member',
      Schema.Struct({ n: Schema.optional(Schema.Number) }),
      { n: 'x' },
      'n: expected a number, got "x"',
    ],
    [
      'something nullable',
      Schema.Struct({ n: Schema.NullOr(Schema.Number) }),
      { n: 'x' },
      'n: expected a number or null, got "x"',
    ],
    ['one of several', Schema.Struct({ u: Schema.Literal('c', 'f') }), { u: 'k' }, 'u: expected "c" or "f", got "k"'],
    [
      'a deep place',
      Schema.Struct({ a: Schema.Array(Schema.Struct({ b: Schema.Boolean })) }),
      { a: [{ b: true }, { b: 1 }] },
      'a[1].b: expected a boolean, got 1',
    ],
    ['a refinement', Schema.Struct({ n: Schema.Int }), { n: 1.5 }, 'n: expected an integer, got 1.5'],
    [
      'a bound',
      Schema.Struct({ n: Schema.Number.pipe(Schema.between(1, 5)) }),
      { n: 9 },
      'n: expected a number between 1 and 5, got 9',
    ],
    [
      'a transformation',
      Schema.Struct({ n: Schema.NumberFromString }),
      { n: 'abc' },
      'n: expected a number, got "abc"',
    ],
    ['a date', Schema.Struct({ d: Schema.Date }), { d: 'soon' }, 'd: expected a valid Date, got "soon"'],
    ['the branch that is meant', Forms, { kind: 'b', y: 'q' }, 'y: expected a number, got "q"'],
    ['no branch', Forms, { kind: 'c' }, 'kind: expected "a" or "b", got "c"'],
  ])('tells of %s', (_, shape, value, text) => {
    expect(problem(shape, value)).toEqual(says(text));
  });

  it('uses the messages that users wrote', () => {
    const named = Schema.Struct({ a: Schema.String.annotations({ message: () => 'give me a name' }) });
    expect(problem(named, { a: 1 })).toEqual(says('a: give me a name'));
    const long = Schema.Struct({ a: Schema.String.pipe(Schema.minLength(3, { message: () => 'too short!' })) });
    expect(problem(long, { a: 'x' })).toEqual(says('a: too short!'));
    const even = Schema.Struct({ a: Schema.Number.pipe(Schema.filter((n) => n % 2 === 0 || 'must be even')) });
    expect(problem(even, { a: 1 })).toEqual(says('a: must be even'));
  });

  it('does not take a description for the model as the rule', () => {
    const described = Schema.Struct({ a: Schema.String.annotations({ description: 'The city to look for' }) });
    expect(problem(described, { a: 1 })).toEqual(says('a: expected a string, got 1'));
  });

  it('stops after five', () => {
    const shape = Schema.Array(Schema.Number);
    expect(problem(shape, Array(100_000).fill('x'))).toEqual(
      says([0, 1, 2, 3, 4].map((i) => `[${i}]: expected a number, got "x"`).join('; ') + '; and more'),
    );
  });
});
