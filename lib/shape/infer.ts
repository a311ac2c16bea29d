/**
 * What a shape means to the type checker. An Effect Schema and a Standard Schema carry their types; those of a JSON
 * Schema that is written out literally are read off it.
 *
 * Each type asks for one or two members of a schema by name, never for a whole interface of a schema library: comparing
 * those is what makes compilers run out of memory.
 */
import type { AST } from '../protocol/schema.ts';

/** An Effect Schema, by the least that tells it. */
interface Typed<Type, Encoded> {
  readonly ast: AST.AST;
  readonly Type: Type;
  readonly Encoded: Encoded;
}

/** A Standard Schema, by the least that tells it. */
interface Standard<Types> {
  readonly '~standard': { readonly types?: Types };
}

/** What a handler gets for an input of this shape. */
export type Args<I> =
  I extends Typed<infer Type, unknown>
    ? Type
    : I extends Standard<infer Types>
      ? Member<Types, 'output'>
      : FromJsonSchema<I>;

/** What a handler returns for an output of this shape. */
export type Output<O> =
  O extends Typed<infer Type, unknown>
    ? Type
    : O extends Standard<infer Types>
      ? Member<Types, 'input'>
      : FromJsonSchema<O>;

/** What a client sees as the structured content of this shape. */
export type Wire<O> =
  O extends Typed<unknown, infer Encoded>
    ? Encoded
    : O extends Standard<infer Types>
      ? Member<Types, 'output'>
      : FromJsonSchema<O>;

type Member<Types, Side extends 'input' | 'output'> =
  NonNullable<Types> extends Readonly<Record<Side, infer Value>> ? Value : unknown;

/** A JSON Schema that is not written out literally says only that there is an object. */
type FromJsonSchema<S> = string extends keyof S
  ? Readonly<Record<string, unknown>>
  : keyof S extends never
    ? Readonly<Record<string, unknown>>
    : FromLiteral<S>;

/**
 * The type that a literal JSON Schema describes. Constants, enumerations, `type`, `properties`, `required`,
 * `additionalProperties`, `items`, `anyOf` and `oneOf` are understood; what is not is `unknown`, never something narrower.
 */
export type FromLiteral<S> = S extends { readonly const: infer Value }
  ? Value
  : S extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : S extends { readonly type: infer Name }
      ? OfType<S, Name> & Alternatives<S>
      : Alternatives<S>;

type Alternatives<S> = S extends { readonly anyOf: readonly (infer Member)[] }
  ? FromLiteral<Member>
  : S extends { readonly oneOf: readonly (infer Member)[] }
    ? FromLiteral<Member>
    : unknown;

type OfType<S, Name> = Name extends readonly (infer Each)[]
  ? OfType<S, Each>
  : Name extends 'string'
    ? string
    : Name extends 'number' | 'integer'
      ? number
      : Name extends 'boolean'
        ? boolean
        : Name extends 'null'
          ? null
          : Name extends 'array'
            ? ItemsOf<S>
            : Name extends 'object'
              ? MembersOf<S>
              : unknown;

type ItemsOf<S> = S extends { readonly prefixItems: unknown }
  ? readonly unknown[]
  : S extends { readonly items: infer Item }
    ? readonly FromLiteral<Item>[]
    : readonly unknown[];

type MembersOf<S> = S extends { readonly properties: infer Properties }
  ? Flat<
      {
        readonly [Name in keyof Properties as Name extends RequiredOf<S> ? Name : never]: FromLiteral<Properties[Name]>;
      } & {
        readonly [Name in keyof Properties as Name extends RequiredOf<S> ? never : Name]?: FromLiteral<
          Properties[Name]
        >;
      }
    >
  : S extends { readonly additionalProperties: infer Value }
    ? Readonly<Record<string, Value extends false ? never : FromLiteral<Value>>>
    : Readonly<Record<string, unknown>>;

type RequiredOf<S> = S extends { readonly required: readonly (infer Name)[] } ? Name : never;

type Flat<T> = { readonly [Name in keyof T]: T[Name] };

/** What a client gives for an input of this shape. */
export type Sent<I> =
  I extends Typed<unknown, infer Encoded>
    ? Encoded
    : I extends Standard<infer Types>
      ? Member<Types, 'input'>
      : FromJsonSchema<I>;
