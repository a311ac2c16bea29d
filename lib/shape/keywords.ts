/**
 * The keywords of JSON Schema that decide whether a value fits, and what each must hold. Annotations (`title`,
 * `default`, `examples`…) and unknown keywords decide nothing, and are not here.
 *
 * @see https://json-schema.org/draft/2020-12/json-schema-validation
 */
export type Holds =
  | 'schema'
  | 'schemas'
  | 'schema or schemas'
  | 'map of schemas'
  | 'map of strings'
  | 'map of schemas or strings'
  | 'strings'
  | 'types'
  | 'list'
  | 'anything'
  | 'number'
  | 'count'
  | 'text'
  | 'pattern'
  | 'flag';

/** The supported dialects. A schema that names none is 2020-12 (JS-01). */
export type Dialect = '2020-12' | '7';

const common: Readonly<Record<string, Holds>> = {
  $id: 'text',
  $ref: 'text',
  $defs: 'map of schemas',
  definitions: 'map of schemas',
  type: 'types',
  const: 'anything',
  enum: 'list',
  required: 'strings',
  not: 'schema',
  anyOf: 'schemas',
  allOf: 'schemas',
  oneOf: 'schemas',
  if: 'schema',
  then: 'schema',
  else: 'schema',
  format: 'text',
  properties: 'map of schemas',
  patternProperties: 'map of schemas',
  additionalProperties: 'schema',
  minProperties: 'count',
  maxProperties: 'count',
  propertyNames: 'schema',
  // Gone from 2020-12, but no revision before 2025-11-25 names a dialect: both are understood there (JS-13).
  dependencies: 'map of schemas or strings',
  items: 'schema or schemas',
  additionalItems: 'schema',
  contains: 'schema',
  minItems: 'count',
  maxItems: 'count',
  uniqueItems: 'flag',
  minimum: 'number',
  maximum: 'number',
  exclusiveMinimum: 'number',
  exclusiveMaximum: 'number',
  multipleOf: 'number',
  minLength: 'count',
  maxLength: 'count',
  pattern: 'pattern',
};

const since2020: Readonly<Record<string, Holds>> = {
  $anchor: 'text',
  $dynamicRef: 'text',
  $dynamicAnchor: 'text',
  dependentRequired: 'map of strings',
  dependentSchemas: 'map of schemas',
  prefixItems: 'schemas',
  minContains: 'count',
  maxContains: 'count',
  unevaluatedItems: 'schema',
  unevaluatedProperties: 'schema',
};

export const keywords: Readonly<Record<Dialect, ReadonlyMap<string, Holds>>> = {
  '2020-12': new Map(Object.entries({ ...common, ...since2020 })),
  '7': new Map(Object.entries(common)),
};

const dialects: ReadonlyMap<unknown, Dialect> = new Map([
  [undefined, '2020-12'],
  ['https://json-schema.org/draft/2020-12/schema', '2020-12'],
  ['http://json-schema.org/draft-07/schema', '7'],
  ['https://json-schema.org/draft-07/schema', '7'],
]);

/** The dialect that a `$schema` names, with or without its empty fragment; undefined for those not supported. */
export const dialectOf = ($schema: unknown): Dialect | undefined =>
  dialects.get(typeof $schema === 'string' ? $schema.replace(/#$/, '') : $schema);
