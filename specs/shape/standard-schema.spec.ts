import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Misconfigured } from '../../lib/frame/errors.ts';
import { compile, type Shape } from '../../lib/shape/shape.ts';

const input = (shape: Shape) => compile(shape, 'input', 'tool "t"');
const output = (shape: Shape) => compile(shape, 'output', 'tool "t"');

describe('decoding', () => {
  it('transforms in the direction of the library, on either side', () => {
    const shape = z.object({ n: z.string().transform(Number).pipe(z.number()), unit: z.string().default('c') });
    expect(input(shape).decode({ n: '5' })).toEqual({ ok: true, value: { n: 5, unit: 'c' } });
    expect(output(shape).decode({ n: '5' })).toEqual({ ok: true, value: { n: 5, unit: 'c' } });
  });

  it('is asynchronous only where the schema is', async () => {
    const shape = z.object({ a: z.string().refine(async (text) => text === 'x') });
    const pending = input(shape).decode({ a: 'x' });
    expect(pending).toBeInstanceOf(Promise);
    expect(await pending).toEqual({ ok: true, value: { a: 'x' } });
    expect(await input(shape).decode({ a: 'y' })).toEqual({ ok: false, problem: 'a: Invalid input' });
  });

  it.each<[string, Shape, string]>([
    [
      'zod',
      z.object({ list: z.array(z.object({ n: z.number() })) }),
      'list[0].n: Invalid input: expected number, received string',
    ],
    [
      'valibot',
      toStandardJsonSchema(v.object({ list: v.array(v.object({ n: v.number() })) })),
      'list[0].n: Invalid type: Expected number but received "x"',
    ],
    [
      'arktype, which names the path itself',
      type({ list: type({ n: 'number' }).array() }),
      'list[0].n must be a number (was a string)',
    ],
  ])('names the place with %s', (_, shape, problem) => {
    expect(input(shape).decode({ list: [{ n: 'x' }] })).toEqual({ ok: false, problem });
  });
});

describe('the JSON Schema', () => {
  const shape = z.object({ n: z.string().default('1').transform(Number).pipe(z.number()) });

  it('is that of the side of the wire: what comes in for an input, what goes out for an output', () => {
    expect(input(shape).jsonSchema).toMatchObject({ properties: { n: { type: 'string' } } });
    expect(output(shape).jsonSchema).toMatchObject({ properties: { n: { type: 'number' } } });
  });

  it('has an object at the root of an input (TOOL-07)', () => {
    const union = z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]);
    expect(input(union).jsonSchema).toMatchObject({ type: 'object', anyOf: [{}, {}] });
    expect(input(type({ a: 'string' }).or({ b: 'number' })).jsonSchema).toMatchObject({
      type: 'object',
      anyOf: [{}, {}],
    });
    expect(input(z.object({ a: z.string() }).meta({ id: 'Named' })).jsonSchema).toMatchObject({
      type: 'object',
      properties: { a: { type: 'string' } },
    });
    expect(() => input(z.union([z.object({}), z.string()]))).toThrow(/^tool "t", input: the arguments of a tool/);
    expect(() => input(z.any())).toThrow(Misconfigured);
  });

  it('is never silently empty: a library that cannot tell is refused, with advice', () => {
    expect(() => input(v.object({ a: v.string() }))).toThrow(
      /^tool "t", input: this valibot schema cannot .*toStandardJsonSchema/,
    );
    const own: StandardSchemaV1 = { '~standard': { version: 1, vendor: 'own', validate: (value) => ({ value }) } };
    expect(() => input(own)).toThrow(/own schema cannot tell its JSON Schema.*give a JSON Schema instead/);
    const effect: StandardSchemaV1 = { '~standard': { ...own['~standard'], vendor: 'effect' } };
    expect(() => input(effect)).toThrow(/import \{ Schema \} from 'rxmcp'/);
  });

  it('is refused where the schema has none, with the reason of the library', () => {
    expect(() => input(z.object({ at: z.date() }))).toThrow(
      /^tool "t", input: zod has no JSON Schema for this: .*Date/,
    );
  });
});
