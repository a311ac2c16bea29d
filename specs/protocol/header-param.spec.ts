import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../lib/frame/frame.ts';
import { headerPlan, type Mirrored } from '../../lib/protocol/header-annotation.ts';
import { mismatch, paramHeaders } from '../../lib/protocol/header-param.ts';

const annotated = (name: unknown = 'Region', type: unknown = 'string'): JsonObject => ({ type, 'x-mcp-header': name });
const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({ type: 'object', properties, ...more });

describe('annotations', () => {
  it.each<[string, JsonObject, readonly Mirrored[]]>([
    ['nowhere', object({ region: { type: 'string' } }), []],
    ['nowhere, without properties', { type: 'object' }, []],
    ['on a property', object({ region: annotated() }), [{ header: 'mcp-param-region', path: ['region'] }]],
    [
      'on every permitted type (HTTP26-45)',
      object({ a: annotated('A'), b: annotated('B', 'integer'), c: annotated('C', 'boolean') }),
      [
        { header: 'mcp-param-a', path: ['a'] },
        { header: 'mcp-param-b', path: ['b'] },
        { header: 'mcp-param-c', path: ['c'] },
      ],
    ],
    [
      'in nested objects (HTTP26-47, AMB-19)',
      object({ where: object({ at: object({ region: annotated() }) }) }),
      [{ header: 'mcp-param-region', path: ['where', 'at', 'region'] }],
    ],
    [
      'with every character of a token (HTTP26-43)',
      object({ a: annotated("!#$%&'*+-.^_`|~09azAZ") }),
      [{ header: "mcp-param-!#$%&'*+-.^_`|~09azaz", path: ['a'] }],
    ],
    [
      'beside an enumeration',
      object({ region: { ...annotated(), enum: ['eu', 'us'] } }),
      [{ header: 'mcp-param-region', path: ['region'] }],
    ],
    [
      'only as data, or as the name of a property',
      object(
        {
          'x-mcp-header': { type: 'string' },
          a: { default: annotated(), examples: [annotated()], const: annotated() },
        },
        { 'x-other': { items: annotated() }, enum: [annotated()] },
      ),
      [],
    ],
    [
      'on a property that objects have already',
      object(JSON.parse('{"__proto__":{"type":"string","x-mcp-header":"Constructor"}}') as JsonObject),
      [{ header: 'mcp-param-constructor', path: ['__proto__'] }],
    ],
  ])('%s', (_, schema, plan) => expect(headerPlan(schema)).toEqual(plan));

  it.each([
    ['empty', ''],
    ['no string', 5],
    ['null', null],
    ['with a space', 'My Region'],
    ['with a colon', 'Region:Primary'],
    ['beyond ASCII', 'Région'],
    ['with a tab', 'Region\t1'],
    ['with the end of a line', 'Region\r\nX'],
    ['with a line end at its end', 'Region\n'],
  ])('whose name is %s cannot work (HTTP26-43)', (_, name) => {
    expect(headerPlan(object({ value: annotated(name) }))).toEqual({
      fault: expect.stringMatching(/^property "value": x-mcp-header must be the name of a header/) as string,
    });
  });

  it.each(['number', 'object', 'array', 'null', undefined, ['string'], ['string', 'null'], 'text'])(
    'on the type %j cannot work (HTTP26-45, AMB-18)',
    (type) => {
      expect(headerPlan(object({ value: { ...annotated('A'), type, enum: ['a'] } }))).toEqual({
        fault: 'property "value": x-mcp-header needs the type "string", "integer" or "boolean" beside it, and no other',
      });
    },
  );

  it.each([
    ['Region', 'Region'],
    ['MyField', 'myfield'],
  ])('of one name, %s and %s, cannot work (HTTP26-44)', (one, other) => {
    expect(headerPlan(object({ a: annotated(one), deep: object({ b: annotated(other) }) }))).toEqual({
      fault: expect.stringMatching(/^property "deep.b": .*that of property "a" already/) as string,
    });
  });

  const held = object({ region: annotated() });
  it.each<[string, JsonObject]>([
    ...['items', 'additionalItems', 'contains', 'unevaluatedItems', 'not', 'if', 'then', 'else'].map(
      (keyword): [string, JsonObject] => [keyword, { [keyword]: held }],
    ),
    ...['additionalProperties', 'unevaluatedProperties', 'propertyNames', 'contentSchema'].map(
      (keyword): [string, JsonObject] => [keyword, { [keyword]: annotated() }],
    ),
    ...['oneOf', 'anyOf', 'allOf', 'prefixItems', 'items'].map((keyword): [string, JsonObject] => [
      keyword,
      { [keyword]: [{}, true, held] },
    ]),
    ...['$defs', 'definitions', 'patternProperties', 'dependentSchemas', 'dependencies'].map(
      (keyword): [string, JsonObject] => [keyword, { [keyword]: { a: ['b'], Region: annotated() } }],
    ),
  ])('beneath %s cannot work, at the root or deeper (HTTP26-48)', (keyword, schema) => {
    const fault = (where: string) => ({
      fault: `${where}: beneath ${keyword} there is an x-mcp-header, which must be reached through "properties" alone`,
    });
    expect(headerPlan({ type: 'object', ...schema })).toEqual(fault('the root'));
    expect(headerPlan(object({ a: object({ b: schema }) }))).toEqual(fault('property "a.b"'));
    expect(headerPlan(object({ a: { allOf: [{ properties: { b: schema } }] } }))).toMatchObject({
      fault: expect.stringContaining('beneath allOf') as string,
    });
  });

  it('on the root cannot work (HTTP26-47)', () => {
    expect(headerPlan({ type: 'object', 'x-mcp-header': 'A' })).toMatchObject({ fault: expect.any(String) as string });
  });
});

const plan: readonly Mirrored[] = [
  { header: 'mcp-param-region', path: ['region'] },
  { header: 'mcp-param-zone', path: ['where', 'zone'] },
];

describe('headers made of arguments', () => {
  it.each<[string, unknown, Record<string, string>]>([
    [
      'take the value at the very path (HTTP26-52)',
      { region: 'eu', where: { zone: 'b' }, zone: 'c' },
      { region: 'eu', zone: 'b' },
    ],
    ['leave out what is absent or null (HTTP26-52)', { region: null, where: {} }, {}],
    ['leave out what has no way to it', { where: null }, {}],
    ['leave out all where there are no arguments', undefined, {}],
    ['keep the empty string (HTTP26-57)', { region: '' }, { region: '' }],
    ['say integers in decimal (HTTP26-53)', { region: 42, where: { zone: -7 } }, { region: '42', zone: '-7' }],
    ['say booleans in words (HTTP26-53)', { region: true, where: { zone: false } }, { region: 'true', zone: 'false' }],
    ['encode what is not plain (HTTP26-54)', { region: ' eu' }, { region: '=?base64?IGV1?=' }],
    [
      'keep to integers that all can tell apart (HTTP26-46)',
      { region: 2 ** 53, where: { zone: 2 ** 53 - 1 } },
      { zone: '9007199254740991' },
    ],
    ['leave out what no header can say', { region: ['eu'], where: { zone: { a: 1 } } }, {}],
    ['leave out numbers that JSON has not', { region: NaN, where: { zone: Infinity } }, {}],
    ['do not find what every object has', Object.create({ region: 'eu' }), {}],
  ])('%s', (_, args, expected) => {
    const headers = Object.entries(expected).map(([name, value]) => [`mcp-param-${name}`, value]);
    expect(paramHeaders(plan, args)).toEqual(Object.fromEntries(headers));
  });
});

describe('headers held against arguments', () => {
  const found = (value: unknown, header: string | undefined) =>
    mismatch(plan, { region: value }, { 'mcp-param-region': header, 'mcp-param-other': 'x' });

  it.each<[unknown, string | undefined]>([
    ['Hello', '=?base64?SGVsbG8=?='],
    ['SGVsbG8=', 'SGVsbG8='],
    ['=?base64?SGVsbG8=', '=?base64?SGVsbG8='],
    ['eu', ' eu\t'],
    ['', ''],
    [42, '42'],
    [42, '42.0'],
    [42, ' 42.000 '],
    [-0, '0'],
    [4.2, '4.2'],
    [true, 'true'],
    [null, undefined],
    [undefined, undefined],
    [['eu'], undefined],
    ['\ud83d', '=?base64?77+9?='],
  ])('%j is what %j says (HTTP26-38, HTTP26-39, HTTP26-40, HTTP26-59)', (value, header) => {
    expect(found(value, header)).toBeUndefined();
  });

  it.each<[unknown, string | undefined, string]>([
    ['eu', undefined, 'is missing'],
    ['', undefined, 'is missing'],
    [false, undefined, 'is missing'],
    [0, undefined, 'is missing'],
    ['eu', 'us', 'does not match'],
    ['eu', 'EU', 'does not match'],
    ['eu', '', 'does not match'],
    ['42', '42.0', 'does not match'],
    [42, '42.5', 'does not match'],
    [42, '0x2a', 'does not match'],
    [0, '', 'does not match'],
    [9007199254740991, '9007199254740991.4', 'does not match'],
    [0, '1e-400', 'does not match'],
    [true, 'TRUE', 'does not match'],
    [true, '1', 'does not match'],
    ['Hello', '=?base64?SGVsbG8?=', 'invalid base64'],
    ['Hello', '=?base64?SGVs!!!bG8=?=', 'invalid base64'],
    ['café', 'caf\xe9', 'characters'],
    [2 ** 53, '9007199254740992', '2^53-1'],
    [null, 'eu', 'the argument that it repeats is not'],
    [undefined, '', 'the argument that it repeats is not'],
  ])(
    '%j is not what %j says: the header %s (HTTP26-34, HTTP26-35, HTTP26-37, HTTP26-46, HTTP26-58)',
    (value, header, why) => {
      const { header: name, message } = found(value, header) ?? {};
      expect(name).toBe('mcp-param-region');
      expect(message).toContain(why);
      expect(message).toContain('(argument "region")');
      if (typeof value === 'string' && value !== '') expect(message).not.toContain(value);
    },
  );

  it('say the same where they were made of them, and only there (HTTP26-35)', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.constant(null),
      fc.constantFrom('', ' ', 'true', '0', '=?base64??='),
    );
    const args = fc.record({ region: value, where: fc.record({ zone: value }) }, { requiredKeys: [] });
    fc.assert(
      fc.property(args, args, (one, other) => {
        const headers = paramHeaders(plan, one);
        expect(mismatch(plan, one, headers)).toBeUndefined();
        const same = JSON.stringify(headers) === JSON.stringify(paramHeaders(plan, other));
        expect(mismatch(plan, other, headers) === undefined).toBe(same);
      }),
      { numRuns: 500 },
    );
  });
});
