import { format } from '@cfworker/json-schema';
import { describe, expect, it, vi } from 'vitest';
import { Misconfigured } from '../../lib/frame/errors.ts';
import type { JsonObject } from '../../lib/frame/frame.ts';
import { jsonSchemaValidator } from '../../lib/shape/json-schema.ts';

const draft07 = 'http://json-schema.org/draft-07/schema#';

const fits = (schema: JsonObject, value: unknown) => jsonSchemaValidator(schema, 'x')(value) === undefined;
const problem = (schema: JsonObject, value: unknown) => jsonSchemaValidator(schema, 'x')(value);
const compiling = (schema: JsonObject) => () => jsonSchemaValidator(schema, 'tool "t", output');

describe('the dialect (JS-01 to JS-04)', () => {
  it.each([undefined, 'https://json-schema.org/draft/2020-12/schema', 'https://json-schema.org/draft/2020-12/schema#'])(
    '%s is 2020-12',
    ($schema) => {
      const schema = {
        ...($schema === undefined ? {} : { $schema }),
        type: 'array',
        prefixItems: [{ type: 'string' }],
        items: false,
      };
      expect(fits(schema, ['a'])).toBe(true);
      expect(fits(schema, [1])).toBe(false);
      expect(fits(schema, ['a', 1])).toBe(false);
    },
  );

  it.each([
    draft07,
    'http://json-schema.org/draft-07/schema',
    'https://json-schema.org/draft-07/schema',
    'https://json-schema.org/draft-07/schema#',
  ])('%s is draft-07', ($schema) => {
    const schema = { $schema, items: [{ type: 'string' }], additionalItems: false };
    expect(fits(schema, ['a'])).toBe(true);
    expect(fits(schema, ['a', 1])).toBe(false);
    // A keyword that draft-07 does not have.
    expect(fits({ $schema, prefixItems: [{ type: 'string' }] }, [1])).toBe(true);
  });

  it.each([
    'http://json-schema.org/draft-04/schema#',
    'https://json-schema.org/draft/2019-09/schema',
    'https://example.com/own',
    5,
    null,
  ])('%s is refused with an error that names it and what is supported', ($schema) => {
    expect(compiling({ $schema })).toThrow(Misconfigured);
    expect(compiling({ $schema })).toThrow(`the dialect ${$schema} is not supported`);
    expect(compiling({ $schema })).toThrow(/^tool "t", output: .*2020-12.*draft-07/);
  });
});

describe('draft-07', () => {
  it('knows definitions, dependencies, and that a $ref hides its siblings', () => {
    const schema = {
      $schema: draft07,
      type: 'object',
      definitions: { name: { type: 'string' } },
      properties: { name: { $ref: '#/definitions/name', maxLength: 1 } },
      dependencies: { name: ['age'], card: { required: ['address'] }, type: { $ref: '#/definitions/name' } },
    };
    expect(fits(schema, { name: 'long', age: 1 })).toBe(true);
    expect(problem(schema, { name: 'long' })).toBe('has "name" but does not have "age"');
    expect(problem(schema, { card: 1 })).toBe('address is missing');
    expect(fits(schema, { type: 1 })).toBe(false);
  });
});

describe('references', () => {
  it.each<[string, JsonObject]>([
    ['a pointer', { $defs: { n: { type: 'number' } }, properties: { a: { $ref: '#/$defs/n' } } }],
    [
      'a pointer with escapes',
      { $defs: { 'a/b c': { type: 'number' } }, properties: { a: { $ref: '#/$defs/a~1b%20c' } } },
    ],
    ['an anchor', { $defs: { n: { $anchor: 'num', type: 'number' } }, properties: { a: { $ref: '#num' } } }],
    [
      'an id in the same document',
      {
        $id: 'https://example.com/root.json',
        $defs: { n: { $id: 'n.json', type: 'number' } },
        properties: { a: { $ref: 'n.json' } },
      },
    ],
    [
      'the whole document by its id',
      {
        $id: 'https://example.com/root.json',
        $defs: { n: { type: 'number' } },
        properties: { a: { $ref: 'https://example.com/root.json#/$defs/n' } },
      },
    ],
    [
      'a dynamic anchor that stands alone',
      { $defs: { n: { $dynamicAnchor: 'num', type: 'number' } }, properties: { a: { $dynamicRef: '#num' } } },
    ],
    [
      'a definition of draft-07',
      { definitions: { n: { type: 'number' } }, properties: { a: { $ref: '#/definitions/n' } } },
    ],
  ])('lead to %s', (_, schema) => {
    expect(fits(schema, { a: 1 })).toBe(true);
    expect(problem(schema, { a: 'x' })).toBe('a: expected a number, got "x"');
  });

  it('may be recursive', () => {
    const tree = { type: 'object', properties: { child: { $ref: '#' } }, additionalProperties: false };
    expect(fits(tree, { child: { child: {} } })).toBe(true);
    expect(problem(tree, { child: { child: { x: 1 } } })).toBe('child.child.x: is not expected');
  });

  it.each(['https://example.com/schema.json', 'http://169.254.169.254/', 'other.json', 'file:///etc/passwd'])(
    'to %s are refused by name, and nothing is fetched (JS-07, JS-10)',
    ($ref) => {
      const fetching = vi.spyOn(globalThis, 'fetch');
      expect(compiling({ properties: { a: { $ref } } })).toThrow(Misconfigured);
      expect(compiling({ properties: { a: { $ref } } })).toThrow(`"${$ref}" leads out of the document`);
      expect(compiling({ allOf: [{ $dynamicRef: $ref }] })).toThrow('leads out of the document');
      expect(fetching).not.toHaveBeenCalled();
      fetching.mockRestore();
    },
  );

  it('to nowhere are refused', () => {
    expect(compiling({ $ref: '#/$defs/none' })).toThrow('#/$ref "#/$defs/none" leads to no schema');
    expect(compiling({ $ref: '#none' })).toThrow('leads to no schema');
  });

  it('that are dynamic with several targets are refused, never taken for permissive', () => {
    const node = (type: string) => ({ $dynamicAnchor: 'node', type });
    expect(
      compiling({ $defs: { a: node('string'), b: { $id: 'b', $defs: { c: node('number') } } }, $dynamicRef: '#node' }),
    ).toThrow(/dynamicRef to one of several/);
  });
});

describe('what a validator often gets wrong', () => {
  it.each<[string, JsonObject, readonly unknown[], readonly unknown[]]>([
    [
      'unevaluatedProperties',
      { allOf: [{ properties: { a: {} } }], unevaluatedProperties: false },
      [{ a: 1 }],
      [{ b: 1 }],
    ],
    ['unevaluatedItems', { prefixItems: [{}], unevaluatedItems: false }, [[1]], [[1, 2]]],
    ['unevaluatedItems next to uniqueItems', { uniqueItems: true, unevaluatedItems: false }, [[]], [[1]]],
    [
      'uniqueItems',
      { uniqueItems: true },
      [[1, '1', { a: 1 }, { a: 2 }]],
      [
        [1, 2, 1],
        [{ a: 1 }, { a: 1 }],
      ],
    ],
    [
      'if, then and else',
      { if: { type: 'string' }, then: { minLength: 2 }, else: { type: 'number' } },
      ['ab', 1],
      ['a', true],
    ],
    [
      'contains with bounds',
      { contains: { type: 'number' }, minContains: 1, maxContains: 2 },
      [[1, 'a']],
      [['a'], [1, 2, 3]],
    ],
    ['dependentRequired', { dependentRequired: { a: ['b'] } }, [{}, { a: 1, b: 1 }], [{ a: 1 }]],
    ['dependentSchemas', { dependentSchemas: { a: { minProperties: 2 } } }, [{ b: 1 }], [{ a: 1 }]],
    ['propertyNames', { propertyNames: { maxLength: 1 } }, [{ a: 1 }], [{ ab: 1 }]],
    ['integers that are written as fractions', { type: 'integer' }, [1.0, 1e10], [1.5]],
    ['multiples of decimals', { multipleOf: 0.01 }, [4.35, 0.07], [4.355]],
    ['lengths in characters, not in code units', { maxLength: 1 }, ['😀'], ['ab']],
    ['patterns beyond ASCII', { pattern: '^\\p{L}+$' }, ['é'], ['1']],
    [
      'names of Object.prototype',
      { properties: { constructor: { type: 'string' } }, required: ['toString'] },
      [{ toString: 1 }],
      [{}],
    ],
    ['formats that it does not know', { format: 'constructor' }, ['x'], []],
    ['formats that it knows', { format: 'date-time' }, ['2026-07-28T00:00:00Z'], ['yesterday']],
    ['booleans for schemas', { properties: { a: true, b: false } }, [{ a: 1 }], [{ b: 1 }]],
    ['keywords in data', { const: { type: 5 } }, [{ type: 5 }], [{}]],
    [
      'annotations and unknown keywords',
      { title: 5, default: { $ref: 'x' }, examples: [{ $id: 1 }], 'x-own': { type: 7 }, id: 'x' },
      [1],
      [],
    ],
  ])('it gets %s right', (_, schema, good, bad) => {
    for (const value of good) expect(problem(schema, value)).toBeUndefined();
    for (const value of bad) expect(problem(schema, value)).toBeTypeOf('string');
  });

  it('takes __proto__ for a name like any other', () => {
    const schema: JsonObject = JSON.parse(
      '{"properties": {"__proto__": {"type": "number"}}, "additionalProperties": false}',
    );
    expect(fits(schema, JSON.parse('{"__proto__": 1}'))).toBe(true);
    expect(fits(schema, JSON.parse('{"__proto__": "x"}'))).toBe(false);
  });

  it('does not write to the schema, and shares nothing between two', () => {
    const shared = Object.freeze({ $ref: '#/$defs/a' });
    const one = Object.freeze({ $defs: { a: { type: 'string' } }, properties: { x: shared } });
    const other = Object.freeze({
      $id: 'https://example.com/other',
      $defs: { a: { type: 'number' } },
      properties: { x: shared },
    });
    expect(fits(one, { x: 'a' })).toBe(true);
    expect(fits(other, { x: 1 })).toBe(true);
    expect(fits(one, { x: 1 })).toBe(false);
  });
});

describe('a schema that somebody else wrote (JS-11)', () => {
  const nested = (depth: number): JsonObject => {
    let schema: JsonObject = { type: 'string' };
    for (let level = 1; level < depth; level++) schema = { items: schema };
    return schema;
  };

  it('may be 64 deep and no deeper', () => {
    expect(compiling(nested(64))).not.toThrow();
    expect(compiling(nested(65))).toThrow('it is nested deeper than 64 schemas');
    expect(compiling(nested(100_000))).toThrow('it is nested deeper than 64 schemas');
  });

  it('may have 10,000 subschemas and no more', () => {
    const wide = (count: number) => ({
      properties: Object.fromEntries(Array.from({ length: count - 1 }, (_, i) => [`p${i}`, {}])),
    });
    expect(compiling(wide(10_000))).not.toThrow();
    expect(compiling(wide(10_001))).toThrow('it has more than 10000 subschemas');
  });

  it('may refer to itself without end, and validation ends', () => {
    expect(problem({ $ref: '#' }, 1)).toMatch(/too complex/);
    expect(problem({ anyOf: [{ $ref: '#' }, { $ref: '#' }] }, 1)).toMatch(/too complex/);
  });

  it('may double its work with each definition, and validation ends', () => {
    const $defs: Record<string, unknown> = { d60: { type: 'string' } };
    for (let level = 0; level < 60; level++)
      $defs[`d${level}`] = { oneOf: [{ $ref: `#/$defs/d${level + 1}` }, { $ref: `#/$defs/d${level + 1}` }] };
    expect(problem({ $ref: '#/$defs/d0', $defs }, 'x')).toMatch(/too complex/);
  });

  it('may have patterns that take ages: without them, it answers at once', () => {
    const evil = '^(a+)+$';
    const value = `${'a'.repeat(40)}!`;
    const schema = {
      type: 'object',
      required: ['pattern'],
      properties: { pattern: { type: 'string', pattern: evil } },
      patternProperties: { [evil]: { pattern: evil } },
      propertyNames: { pattern: evil },
    };
    const started = performance.now();
    const check = jsonSchemaValidator(schema, 'x', { patterns: false });
    expect(check({ pattern: value, [value]: value })).toBeUndefined();
    // A property of that name is no keyword.
    expect(check({})).toBe('pattern is missing');
    expect(check({ pattern: 5 })).toMatch(/^pattern: expected a string/);
    expect(performance.now() - started).toBeLessThan(500);
  });

  it.each<[string, JsonObject, unknown]>([
    ['not', { not: { pattern: 'b' } }, 'a'],
    ['if', { if: { pattern: 'b' }, then: false }, 'a'],
    ['oneOf', { oneOf: [{ pattern: 'a' }, { pattern: 'b' }] }, 'a'],
    ['maxContains', { contains: { pattern: 'b' }, maxContains: 1 }, ['b', 'a']],
    ['additionalProperties', { patternProperties: { '^x': true }, additionalProperties: false }, { x: 1 }],
    ['unevaluatedProperties', { patternProperties: { '^x': true }, unevaluatedProperties: false }, { x: 1 }],
    [
      'a reference into them',
      { patternProperties: { '^x': { type: 'number' } }, properties: { a: { $ref: '#/patternProperties/%5Ex' } } },
      { a: 1 },
    ],
    ['what the unicode flag forbids', { pattern: '[\\w-.]' }, 'a'],
  ])('refuses nothing that fits it when it is checked without patterns: %s', (_, schema, value) => {
    expect(jsonSchemaValidator(schema, 'x', { patterns: false })(value)).toBeUndefined();
  });

  it('is as strict without patterns as with them where it has none', () => {
    const schema = { oneOf: [{ type: 'number' }, { minimum: 1 }], not: { const: 3 } };
    const check = jsonSchemaValidator(schema, 'x', { patterns: false });
    expect([check(0), check(2), check(3)].map((flaw) => flaw === undefined)).toEqual([true, false, false]);
  });

  it.each(
    Object.keys(format).flatMap((name) =>
      ['a', 'a.', '1', '/', '//a', '%aa', '{a', '{a,', 'a@', '"', ':', '::', '1:', '~0/', '-', 'P1D'].map(
        (part): [string, string] => [name, part],
      ),
    ),
  )('may ask for the format %s of %j without end', (name, part) => {
    const started = performance.now();
    for (const start of ['', 'a:', 'a://', '#', '"'])
      jsonSchemaValidator({ format: name }, 'x', { patterns: false })(`${start}${part.repeat(50_000)}\n`);
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('may ask for a format whose expression takes exponential time: it is not asserted', () => {
    expect(problem({ format: 'url' }, `http://${'a'.repeat(50)}!`)).toBeUndefined();
  });

  it.each<[JsonObject, string]>([
    [{ type: 'strin' }, '#/type must be the name of a type'],
    [{ properties: null }, '#/properties must be an object of schemas, got null'],
    [{ properties: { a: 5 } }, '#/properties/a must be a schema, got 5'],
    [{ required: 'a' }, '#/required must be a list of strings'],
    [{ anyOf: {} }, '#/anyOf must be a list of schemas'],
    [{ enum: 'a' }, '#/enum must be a list'],
    [{ minLength: -1 }, '#/minLength must be a whole number'],
    [{ maximum: '5' }, '#/maximum must be a number'],
    [{ $ref: 5 }, '#/$ref must be a string'],
    [{ items: { pattern: '(' } }, '#/items/pattern is not a regular expression'],
    [{ pattern: '[\\w-.]' }, 'that compiles with the unicode flag'],
    [{ patternProperties: { '(': {} } }, '#/patternProperties is not a regular expression'],
    [{ dependentRequired: { a: 'b' } }, '#/dependentRequired/a must be a list of names'],
    [{ $defs: { a: { $id: 'https://a' }, b: { $id: 'https://a' } } }, 'Duplicate schema URI'],
    [{ $id: 'https://[', $ref: '#' }, 'the JSON Schema cannot be used'],
  ])('may be malformed: %j is refused when it is compiled', (schema, message) => {
    expect(compiling(schema)).toThrow(Misconfigured);
    expect(compiling(schema)).toThrow(message);
  });
});

describe('a value that somebody else sent', () => {
  it('may be nested without end', () => {
    let deep: JsonObject = {};
    for (let level = 0; level < 100_000; level++) deep = { child: deep };
    expect(problem({ properties: { child: { $ref: '#' } } }, deep)).toMatch(/nested too deeply/);
  });

  it('may be long: what is compared with what is bounded', () => {
    const unique = jsonSchemaValidator({ uniqueItems: true }, 'x');
    expect(unique(Array.from({ length: 8192 }, (_, i) => i))).toBeUndefined();
    expect(unique(Array.from({ length: 500_000 }, (_, i) => i))).toMatch(/too many items/);
    expect(unique(Array.from({ length: 512 }, (_, i) => ({ i })))).toBeUndefined();
    expect(unique(Array.from({ length: 513 }, (_, i) => ({ i })))).toMatch(/too many items/);
  });

  it('may be wrong in a hundred thousand places, and is told of one', () => {
    const text = problem({ items: { type: 'string' } }, Array(100_000).fill(1));
    expect(text).toBe('[0]: expected a string, got 1');
  });

  it('may be no JSON', () => {
    for (const value of [undefined, () => 1, 1n, { a: undefined }])
      expect(problem({ properties: { a: {} } }, value)).toMatch(/no JSON/);
  });

  it('may have names that are no text', () => {
    expect(problem({ additionalProperties: { type: 'string' } }, { '\ud800': 1 })).toBeTypeOf('string');
  });
});
