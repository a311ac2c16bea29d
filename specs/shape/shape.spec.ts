import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Misconfigured } from '../../lib/frame/errors.ts';
import { Schema } from '../../lib/protocol/schema.ts';
import { compile, noParameters, type Shape } from '../../lib/shape/shape.ts';

const raw = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 1 } },
  required: ['city'],
} as const;

/** The same shape, in every language. */
const languages: readonly (readonly [string, Shape])[] = [
  ['Effect Schema', Schema.Struct({ city: Schema.String, days: Schema.optional(Schema.Int.pipe(Schema.positive())) })],
  ['zod', z.object({ city: z.string(), days: z.int().positive().optional() })],
  [
    'valibot',
    toStandardJsonSchema(
      v.object({ city: v.string(), days: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))) }),
    ),
  ],
  ['arktype', type({ city: 'string', 'days?': 'number.integer >= 1' })],
  ['JSON Schema 2020-12', raw],
  ['JSON Schema draft-07', { $schema: 'http://json-schema.org/draft-07/schema#', ...raw }],
];

describe.each(languages)('a shape written as %s', (_, shape) => {
  const { decode, jsonSchema } = compile(shape, 'input', 'tool "forecast"');

  it('tells a JSON Schema with an object at its root (TOOL-07)', () => {
    expect(jsonSchema).toMatchObject({ type: 'object', required: ['city'], properties: { city: { type: 'string' } } });
    expect(Object.keys(jsonSchema['properties'] ?? {})).toEqual(['city', 'days']);
  });

  it('takes what fits, at once', () => {
    expect(decode({ city: 'Oslo', days: 3 })).toEqual({ ok: true, value: { city: 'Oslo', days: 3 } });
    expect(decode({ city: 'Oslo' })).toEqual({ ok: true, value: { city: 'Oslo' } });
  });

  it.each([
    [{ city: 5 }, 'city'],
    [{}, 'city'],
    [{ city: 'Oslo', days: 'x' }, 'days'],
    [{ city: 'Oslo', days: 0 }, 'days'],
    ['Oslo', ''],
    [null, ''],
  ])('says in one short line what is wrong with %j', async (value, field) => {
    const verdict = await decode(value);
    expect(verdict).toEqual({ ok: false, problem: expect.stringContaining(field) });
    expect(verdict).not.toEqual({ ok: false, problem: expect.stringContaining('\n') });
  });

  it('names every field that is wrong', async () => {
    const verdict = await decode({ city: 5, days: 'x' });
    expect(verdict).toMatchObject({ ok: false, problem: expect.stringMatching(/^city.*; days/) });
  });

  it('never quotes a large value back', async () => {
    const verdict = await decode({ city: ['x'.repeat(100_000)], days: 'y'.repeat(100_000) });
    expect(verdict.ok === false && verdict.problem.length).toBeLessThan(600);
  });

  it('checks an output as well', async () => {
    const output = compile(shape, 'output', 'tool "forecast"');
    expect(await output.decode({ city: 'Oslo', days: 3 })).toEqual({ ok: true, value: { city: 'Oslo', days: 3 } });
    expect(await output.decode({ days: 3 })).toMatchObject({ ok: false });
  });
});

describe('a raw JSON Schema', () => {
  it('goes out as the very object that was written, and is not touched (JS-12)', () => {
    const written = Object.freeze({
      ...raw,
      'x-vendor': { any: 1 },
      $defs: Object.freeze({ a: Object.freeze({ $anchor: 'a' }) }),
    });
    expect(compile(written, 'input', 'tool "t"').jsonSchema).toBe(written);
    expect(JSON.stringify(written)).toContain('x-vendor');
  });

  it('passes the same value on', () => {
    const value = { city: 'Oslo', extra: 1 };
    expect(compile(raw, 'input', 'tool "t"').decode(value)).toHaveProperty('value', value);
  });

  it('must say type: "object" as an input, and may be anything as an output (TOOL-09)', () => {
    expect(() => compile({ type: 'array' }, 'input', 'tool "t"')).toThrow(/^tool "t", input: .*type: "object"/);
    expect(() => compile({ properties: {} }, 'input', 'tool "t"')).toThrow(Misconfigured);
    expect(compile({ type: 'array' }, 'output', 'tool "t"').decode([])).toEqual({ ok: true, value: [] });
  });

  it('checks an output in the form that it has on the wire', () => {
    const { decode } = compile(
      { type: 'object', properties: { at: { type: 'string', format: 'date-time' } } },
      'output',
      'tool "t"',
    );
    expect(decode({ at: new Date(0), gone: undefined })).toEqual({
      ok: true,
      value: { at: '1970-01-01T00:00:00.000Z' },
    });
    expect(decode({ at: () => 1 })).toEqual({ ok: true, value: {} });
    expect(decode({ at: 1n })).toMatchObject({ ok: false, problem: expect.stringContaining('no JSON form') });
  });
});

it.each<[string, unknown]>([
  ['a function', () => 1],
  ['a string', 'string'],
  ['null', null],
  ['a list', []],
])('refuses %s, naming the tool', (_, shape) => {
  // @ts-expect-error what users of JavaScript may give, or of a second copy of Effect
  expect(() => compile(shape, 'input', 'tool "t"')).toThrow(/^tool "t", input: this is no schema/);
});

describe('no parameters (TOOL-08)', () => {
  it('is told as a closed object', () => {
    expect(noParameters.jsonSchema).toEqual({ type: 'object', additionalProperties: false });
  });

  it('takes nothing, and only that', () => {
    expect(noParameters.decode({})).toEqual({ ok: true, value: {} });
    expect(noParameters.decode(undefined)).toEqual({ ok: true, value: {} });
    expect(noParameters.decode({ a: 1 })).toEqual({ ok: false, problem: 'a: expected nothing, got 1' });
    expect(noParameters.decode([])).toEqual({ ok: false, problem: 'expected an object, got an array' });
  });
});
