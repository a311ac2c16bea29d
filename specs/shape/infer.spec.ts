import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { Args, Output, Wire } from '../../lib/shape/infer.ts';
import type { JsonSchema, Shape } from '../../lib/shape/shape.ts';
import { Schema } from '../../lib/protocol/schema.ts';

/** The signature that users meet: the shape is inferred, and the handler with it. */
const tool = <const I extends Shape = {}, const O extends Shape = {}>(
  shapes: { readonly input?: I; readonly output?: O },
  handler: (args: Args<I>) => Output<O>,
): { readonly call: (args: Args<I>) => Wire<O> | undefined } => ({
  call: (args) => (void shapes, void handler, void args, undefined),
});

class Place extends Schema.Class<Place>('Place')({ name: Schema.String }) {}

it('reads both sides of an Effect Schema', () => {
  const shape = Schema.Struct({
    city: Schema.String,
    at: Schema.Date,
    days: Schema.optionalWith(Schema.NumberFromString, { default: () => 1 }),
  });
  expectTypeOf<Args<typeof shape>>().toEqualTypeOf<{
    readonly city: string;
    readonly at: Date;
    readonly days: number;
  }>();
  expectTypeOf<Output<typeof shape>>().toEqualTypeOf<{
    readonly city: string;
    readonly at: Date;
    readonly days: number;
  }>();
  expectTypeOf<Wire<typeof shape>>().toEqualTypeOf<{
    readonly city: string;
    readonly at: string;
    readonly days?: string | undefined;
  }>();
  expectTypeOf<Args<typeof Place>>().toEqualTypeOf<Place>();
  expectTypeOf<Wire<typeof Place>>().toEqualTypeOf<{ readonly name: string }>();
  tool({ input: shape, output: Place }, (args) => {
    expectTypeOf(args.at).toEqualTypeOf<Date>();
    return new Place({ name: args.city });
  });
});

it('reads both sides of a Standard Schema', () => {
  const ofZod = z.object({ city: z.string(), days: z.string().transform(Number).default(3) });
  expectTypeOf<Args<typeof ofZod>>().toEqualTypeOf<{ city: string; days: number }>();
  expectTypeOf<Output<typeof ofZod>>().toEqualTypeOf<{ city: string; days?: string | undefined }>();
  expectTypeOf<Wire<typeof ofZod>>().toEqualTypeOf<{ city: string; days: number }>();

  const ofArk = type({ city: 'string', 'days?': 'number' });
  expectTypeOf<Args<typeof ofArk>>().toEqualTypeOf<{ city: string; days?: number }>();

  const ofValibot = toStandardJsonSchema(v.object({ city: v.string(), days: v.optional(v.number(), 3) }));
  expectTypeOf<Args<typeof ofValibot>>().toEqualTypeOf<{ city: string; days: number }>();
  expectTypeOf<Output<typeof ofValibot>>().toEqualTypeOf<{ city: string; days?: number | undefined }>();

  tool({ input: ofZod, output: ofArk }, (args) => {
    expectTypeOf(args.days).toEqualTypeOf<number>();
    return { city: args.city };
  });
  tool({ input: ofArk }, (args) => {
    expectTypeOf(args.city).toEqualTypeOf<string>();
    return {};
  });
});

it('reads a JSON Schema that is written out', () => {
  tool(
    {
      input: {
        type: 'object',
        properties: {
          city: { type: 'string' },
          days: { type: 'integer', minimum: 1 },
          unit: { enum: ['c', 'f'] },
          kind: { const: 'now' },
          exact: { type: 'boolean' },
          none: { type: 'null' },
          near: { type: 'array', items: { type: 'object', properties: { km: { type: 'number' } }, required: ['km'] } },
          name: { type: ['string', 'null'] },
          at: { anyOf: [{ type: 'string' }, { type: 'number' }] },
          by: { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
          tags: { type: 'object', additionalProperties: { type: 'string' } },
          pair: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] },
          any: {},
          free: true,
          linked: { $ref: '#/$defs/x' },
        },
        required: ['city', 'unit', 'kind', 'near', 'name', 'at'],
      },
      output: { type: 'array', items: { type: 'number' } },
    },
    (args) => {
      expectTypeOf(args).toEqualTypeOf<{
        readonly city: string;
        readonly unit: 'c' | 'f';
        readonly kind: 'now';
        readonly near: readonly { readonly km: number }[];
        readonly name: string | null;
        readonly at: string | number;
        readonly days?: number;
        readonly exact?: boolean;
        readonly none?: null;
        readonly by?: string | readonly string[];
        readonly tags?: Readonly<Record<string, string>>;
        readonly pair?: readonly unknown[];
        readonly any?: unknown;
        readonly free?: unknown;
        readonly linked?: unknown;
      }>();
      return [1, 2];
    },
  );
  const asConst = {
    type: 'object',
    properties: { a: { type: 'number' } },
    required: ['a'],
    anyOf: [{ required: ['a'] }],
  } as const;
  expectTypeOf<Args<typeof asConst>>().toEqualTypeOf<{ readonly a: number }>();
  // @ts-expect-error the output is of another type
  tool({ output: asConst }, () => ({ a: 'x' }));
});

it('takes a JSON Schema that is not written out for some object', () => {
  expectTypeOf<Args<JsonSchema>>().toEqualTypeOf<Readonly<Record<string, unknown>>>();
  expectTypeOf<Wire<JsonSchema>>().toEqualTypeOf<Readonly<Record<string, unknown>>>();
  tool({}, (args) => {
    expectTypeOf(args).toEqualTypeOf<Readonly<Record<string, unknown>>>();
    return {};
  });
});
