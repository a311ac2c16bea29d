/**
 * The fields of a form: a small part of JSON Schema.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema
 */
import { isArray } from '../frame/frame.ts';
import { object, optional, type Span } from './object.ts';
import { Integer } from './json.ts';
import { Schema } from './schema.ts';

interface Labelled {
  readonly title?: string;
  readonly description?: string;
}

const labels = { title: optional(Schema.String), description: optional(Schema.String) } as const;
const since2511 = { since: '2025-11-25' } as const satisfies Span;

export interface StringField extends Labelled {
  readonly type: 'string';
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: 'date' | 'date-time' | 'email' | 'uri';
  readonly default?: string;
}

export const StringField = object<StringField>({
  type: Schema.Literal('string'),
  ...labels,
  minLength: optional(Integer),
  maxLength: optional(Integer),
  format: optional(Schema.Literal('date', 'date-time', 'email', 'uri')),
  default: optional(Schema.String, since2511),
});

export interface NumberField extends Labelled {
  readonly type: 'number' | 'integer';
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: number;
}

export const NumberField = object<NumberField>({
  type: Schema.Literal('number', 'integer'),
  ...labels,
  minimum: optional(Schema.Number),
  maximum: optional(Schema.Number),
  default: optional(Schema.Number, since2511),
});

export interface BooleanField extends Labelled {
  readonly type: 'boolean';
  readonly default?: boolean;
}

export const BooleanField = object<BooleanField>({
  type: Schema.Literal('boolean'),
  ...labels,
  default: optional(Schema.Boolean),
});

/** One of several values. */
export interface EnumField extends Labelled {
  readonly type: 'string';
  readonly enum: readonly string[];
  readonly default?: string;
}

/** The same without its default, which a field of 2025-06-18 does not have. */
const withoutDefault = (value: object): object =>
  'default' in value ? Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'default')) : value;

export const EnumField = object<EnumField>(
  { type: Schema.Literal('string'), ...labels, enum: Schema.Array(Schema.String), default: optional(Schema.String) },
  { ...since2511, standIn: withoutDefault },
);

/** A value and what the user reads for it. */
export interface Choice {
  readonly const: string;
  readonly title: string;
}

const Choice = object<Choice>({ const: Schema.String, title: Schema.String });

/** One of several values that have titles. */
export interface TitledEnumField extends Labelled {
  readonly type: 'string';
  readonly oneOf: readonly Choice[];
  readonly default?: string;
}

/** The same in the words of 2025-06-18 (BR-67). */
const withNames = (value: object): object => {
  const isChoice = Schema.is(Choice);
  const choices = 'oneOf' in value && isArray(value.oneOf) ? value.oneOf.filter((choice) => isChoice(choice)) : [];
  const kept = Object.entries(value).filter(([key]) => key !== 'default' && key !== 'oneOf');
  return {
    ...Object.fromEntries(kept),
    enum: choices.map((choice) => choice.const),
    enumNames: choices.map((choice) => choice.title),
  };
};

export const TitledEnumField = object<TitledEnumField>(
  { type: Schema.Literal('string'), ...labels, oneOf: Schema.Array(Choice), default: optional(Schema.String) },
  { ...since2511, standIn: withNames },
);

interface Several extends Labelled {
  readonly type: 'array';
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly default?: readonly string[];
}

const several = {
  type: Schema.Literal('array'),
  ...labels,
  minItems: optional(Integer),
  maxItems: optional(Integer),
  default: optional(Schema.Array(Schema.String)),
} as const;

/** Any number of several values. */
export interface MultiEnumField extends Several {
  readonly items: { readonly type: 'string'; readonly enum: readonly string[] };
}

// Older revisions cannot say "several of": the translator refuses (BR-67).
export const MultiEnumField = object<MultiEnumField>(
  {
    ...several,
    items: object<MultiEnumField['items']>({ type: Schema.Literal('string'), enum: Schema.Array(Schema.String) }),
  },
  since2511,
);

/** Any number of several values that have titles. */
export interface TitledMultiEnumField extends Several {
  readonly items: { readonly anyOf: readonly Choice[] };
}

export const TitledMultiEnumField = object<TitledMultiEnumField>(
  { ...several, items: object<TitledMultiEnumField['items']>({ anyOf: Schema.Array(Choice) }) },
  since2511,
);

/** The way of 2025-06-18 to give titles to values. */
export interface NamedEnumField extends Labelled {
  readonly type: 'string';
  readonly enum: readonly string[];
  readonly enumNames?: readonly string[];
  readonly default?: string;
}

export const NamedEnumField = object<NamedEnumField>({
  type: Schema.Literal('string'),
  ...labels,
  enum: Schema.Array(Schema.String),
  enumNames: optional(Schema.Array(Schema.String)),
  default: optional(Schema.String, since2511),
});

/** A field of a form: text, a number, yes or no, one of several, any of several. */
export type FormField =
  | StringField
  | NumberField
  | BooleanField
  | EnumField
  | TitledEnumField
  | MultiEnumField
  | TitledMultiEnumField
  | NamedEnumField;

export const FormField: Schema.Schema<FormField> = Schema.Union(
  StringField,
  NumberField,
  BooleanField,
  EnumField,
  TitledEnumField,
  MultiEnumField,
  TitledMultiEnumField,
  NamedEnumField,
);
