import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FormAnswer, RequestedSchema } from '../../lib/protocol/elicitation.ts';
import type { FormField } from '../../lib/protocol/form.ts';
import { choicesOf, defaultsOf, filledIn } from '../../lib/shape/form-answer.ts';
import { form } from '../../lib/shape/form.ts';
import { pathText } from '../../lib/shape/problem.ts';

const ofField = (field: FormField, required = true): RequestedSchema => ({
  type: 'object',
  properties: { it: field },
  ...(required ? { required: ['it'] } : {}),
});

/** A form as a peer wrote it, which may hold more than its type says. */
const received = (text: string): RequestedSchema => JSON.parse(text);

const choices = [
  { const: 'r', title: 'Red' },
  { const: 'g', title: 'Green' },
];
const several = { type: 'array', items: { type: 'string', enum: ['a', 'b', 'c'] } } as const;

type Row = readonly [
  kind: string,
  field: FormField,
  fits: readonly unknown[],
  breaks: readonly (readonly [unknown, string])[],
];

const table: readonly Row[] = [
  [
    'text',
    { type: 'string' },
    ['', 'x'],
    [
      [5, 'a string'],
      [null, 'a string'],
      [['x'], 'a string'],
      [{}, 'a string'],
    ],
  ],
  [
    'text with bounds, in characters',
    { type: 'string', minLength: 2, maxLength: 3 },
    ['ab', '😀😀', '😀😀😀'],
    [
      ['a', 'at least 2 characters'],
      ['😀', 'at least 2'],
      ['abcd', 'at most 3 characters'],
    ],
  ],
  [
    'email',
    { type: 'string', format: 'email' },
    ['ada@example.com', 'a.b+c@d.example'],
    [
      ['ada', 'an email address'],
      ['', 'an email address'],
      ['ada@', 'an email'],
    ],
  ],
  [
    'uri',
    { type: 'string', format: 'uri' },
    ['https://example.com/a?b#c', 'urn:a:b'],
    [
      ['example', 'a URI'],
      ['/a', 'a URI'],
    ],
  ],
  [
    'date',
    { type: 'string', format: 'date' },
    ['2028-02-29'],
    [
      ['2027-02-29', 'a date'],
      ['28/02/2027', 'a date'],
    ],
  ],
  [
    'date-time',
    { type: 'string', format: 'date-time' },
    ['2026-07-28T09:30:00Z', '2026-07-28T09:30:00.5+02:00'],
    [
      ['2026-07-28', 'a date and time'],
      ['2026-07-28T25:00:00Z', 'a date and time'],
      ['2026-07-28T09:30:00', 'a date and'],
    ],
  ],
  [
    'number',
    { type: 'number', minimum: 0, maximum: 1.5 },
    [0, 1.5, 0.1],
    [
      [-0.1, 'at least 0'],
      [1.6, 'at most 1.5'],
      ['1', 'a number'],
      [NaN, 'a number'],
      [Infinity, 'a number'],
    ],
  ],
  [
    'integer',
    { type: 'integer', minimum: 1 },
    [1, 2],
    [
      [1.5, 'an integer'],
      [0, 'at least 1'],
      [Infinity, 'an integer'],
    ],
  ],
  [
    'boolean',
    { type: 'boolean' },
    [true, false],
    [
      ['true', 'a boolean'],
      [1, 'a boolean'],
    ],
  ],
  [
    'enum',
    { type: 'string', enum: ['a', 'b'] },
    ['a', 'b'],
    [
      ['c', 'one of "a", "b"'],
      [['a'], 'one of'],
    ],
  ],
  ['titled enum', { type: 'string', oneOf: choices }, ['r', 'g'], [['Red', 'one of "r", "g"']]],
  [
    'legacy enum with enumNames',
    { type: 'string', enum: ['r', 'g'], enumNames: ['Red', 'Green'] },
    ['r'],
    [['Red', 'one of "r", "g"']],
  ],
  [
    'several',
    several,
    [[], ['a', 'c']],
    [
      ['a', 'an array'],
      [['a', 'd'], 'one of "a", "b", "c", got "d"'],
    ],
  ],
  [
    'several with bounds',
    { ...several, minItems: 1, maxItems: 2 },
    [['a'], ['a', 'b']],
    [
      [[], 'at least 1 values, got 0'],
      [['a', 'b', 'c'], 'at most 2 values, got 3'],
    ],
  ],
  ['titled several', { type: 'array', items: { anyOf: choices } }, [['r', 'g']], [[['Red'], 'one of "r", "g"']]],
];

describe.each(table)('a field of a received form: %s (ELI-06, ELI-07, ELI-08)', (_, field, fits, breaks) => {
  it.each(fits.map((value) => [value]))('takes %j', (it) => {
    expect(filledIn(ofField(field), { it })).toEqual({ ok: true, content: { it } });
  });

  it.each(breaks)('refuses %j: expected %s (ELI-26)', (value, expected) => {
    expect(filledIn(ofField(field), { it: value })).toEqual({
      ok: false,
      problem: expect.stringMatching(/^it(\[\d\])?: expected /),
    });
    expect(filledIn(ofField(field), { it: value })).toMatchObject({ problem: expect.stringContaining(expected) });
  });

  it('may be left out only where it is not required', () => {
    expect(filledIn(ofField(field), {})).toEqual({ ok: false, problem: 'it is missing' });
    expect(filledIn(ofField(field, false), {})).toEqual({ ok: true, content: {} });
  });
});

describe('the choices of a field', () => {
  it('are one list, however the server wrote them (ELI-07, ELI-08)', () => {
    expect(choicesOf({ type: 'string', oneOf: choices })).toEqual(choices);
    expect(choicesOf({ type: 'array', items: { anyOf: choices } })).toEqual(choices);
    expect(choicesOf({ type: 'string', enum: ['r', 'g'], enumNames: ['Red', 'Green'] })).toEqual(choices);
    expect(choicesOf({ type: 'string', enum: ['r', 'g'], enumNames: ['Red'] })).toEqual([
      { const: 'r', title: 'Red' },
      { const: 'g', title: 'g' },
    ]);
    expect(choicesOf(several)?.map(({ title }) => title)).toEqual(['a', 'b', 'c']);
  });

  it('are none for other fields, nor in a list that is not of strings', () => {
    expect(choicesOf({ type: 'string' })).toBeUndefined();
    expect(choicesOf({ type: 'number' })).toBeUndefined();
    const odd = received(
      '{"type":"object","properties":{"it":{"type":"string","enum":["a",5]},"or":{"type":"string","enum":7}}}',
    );
    expect(Object.values(odd.properties).map(choicesOf)).toEqual([undefined, undefined]);
    expect(filledIn(odd, { it: 'b', or: 'c' })).toEqual({ ok: true, content: { it: 'b', or: 'c' } });
  });
});

describe('the defaults of a form (ELI-10)', () => {
  const schema: RequestedSchema = {
    type: 'object',
    properties: {
      name: { type: 'string', default: 'Ada' },
      age: { type: 'integer', default: 0 },
      news: { type: 'boolean', default: false },
      tags: { ...several, default: ['a'] },
      city: { type: 'string' },
    },
    required: ['name', 'age', 'news', 'tags'],
  };

  it('are what it begins with', () => {
    expect(defaultsOf(schema)).toEqual({ name: 'Ada', age: 0, news: false, tags: ['a'] });
  });

  it('stand in for what is missing, and give way to what is there', () => {
    expect(filledIn(schema, { name: '', city: 'Oslo' })).toEqual({
      ok: true,
      content: { name: '', age: 0, news: false, tags: ['a'], city: 'Oslo' },
    });
  });

  it('do not come back to a field that the user emptied', () => {
    const { required: _, ...open } = schema;
    expect(filledIn(open, { name: undefined })).toEqual({ ok: true, content: { age: 0, news: false, tags: ['a'] } });
    expect(filledIn(schema, { name: undefined })).toEqual({ ok: false, problem: 'name is missing' });
  });

  it('are left out where they do not fit their own field', () => {
    const odd = received(
      '{"type":"object","properties":{"a":{"type":"string","enum":["x"],"default":"y"},"b":{"type":"number","default":"1"},"c":{"type":"string","format":"email","default":"c"}},"required":["a"]}',
    );
    expect(defaultsOf(odd)).toEqual({});
    expect(filledIn(odd, {})).toEqual({ ok: false, problem: 'a is missing' });
  });
});

describe('what a hostile form can do', () => {
  it('does not include running its patterns (AMB-34)', () => {
    const slow = received(
      '{"type":"object","properties":{"it":{"type":"string","pattern":"^(a+)+$","format":"email"}}}',
    );
    expect(
      filledIn(received('{"type":"object","properties":{"it":{"type":"string","pattern":"^(a+)+$"}}}'), {
        it: `${'a'.repeat(50)}!`,
      }).ok,
    ).toBe(true);
    expect(filledIn(slow, { it: 'ada@example.com' }).ok).toBe(true);
    expect(
      filledIn(received('{"type":"object","properties":{"it":{"type":"string","pattern":"("}}}'), { it: 'x' }).ok,
    ).toBe(true);
  });

  it('does not include reaching a prototype', () => {
    const schema = received(
      '{"type":"object","properties":{"__proto__":{"type":"string","default":"p"},"constructor":{"type":"string"},"toString":{"type":"integer","default":3}},"required":["constructor"]}',
    );
    expect(filledIn(schema, {})).toEqual({ ok: false, problem: 'constructor is missing' });
    const filled = filledIn(schema, { constructor: 'c' });
    expect(filled.ok && JSON.stringify(filled.content)).toBe('{"__proto__":"p","constructor":"c","toString":3}');
    expect(filled.ok && Object.getPrototypeOf(filled.content)).toBe(Object.prototype);
    expect(Object.getPrototypeOf(defaultsOf(schema))).toBe(Object.prototype);
    expect(filledIn(ofField({ type: 'string' }, false), JSON.parse('{"__proto__":"x","valueOf":"y"}'))).toEqual({
      ok: false,
      problem: '__proto__: is no field of the form; valueOf: is no field of the form',
    });
  });

  it('does not include asking for what no field takes', () => {
    expect(filledIn({ type: 'object', properties: {}, required: ['ghost', 'toString'] }, {})).toEqual({
      ok: false,
      problem:
        'ghost: is required, but the form has no such field; toString: is required, but the form has no such field',
    });
  });

  it('does not include long messages', () => {
    const values = Array.from({ length: 5000 }, (_, index) => `${'v'.repeat(100)}${index}`);
    const filled = filledIn(ofField({ type: 'string', enum: values }), { it: 'x'.repeat(100_000) });
    expect(filled.ok === false && filled.problem.length).toBeLessThan(300);
  });

  it('does not include work that grows faster than it', () => {
    const values = Array.from({ length: 100_000 }, (_, index) => `value ${index}`);
    const schema = ofField({ type: 'array', items: { type: 'string', enum: values }, default: values.toReversed() });
    expect(filledIn(schema, {}).ok).toBe(true);
  });
});

it('unknown fields are refused by name, every problem is named', () => {
  const schema = {
    type: 'object',
    properties: { a: { type: 'string' }, b: { type: 'number' } },
    required: ['a'],
  } as const;
  expect(filledIn(schema, { b: 'x', 'c d': 1 })).toEqual({
    ok: false,
    problem: '["c d"]: is no field of the form; a is missing; b: expected a number, got "x"',
  });
});

interface Sample {
  readonly field: FormField;
  readonly good: FormAnswer;
  readonly bad: unknown;
}

const texts = (min: number, max: number) =>
  fc.array(fc.constantFrom('a', 'é', '😀', '"'), { minLength: min, maxLength: max }).map((parts) => parts.join(''));
const values = fc.uniqueArray(fc.string({ maxLength: 6 }), { minLength: 2, maxLength: 5 });
const range = fc.tuple(fc.integer({ min: -50, max: 50 }), fc.nat({ max: 20 }));

const samples: fc.Arbitrary<Sample> = fc.oneof(
  fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 4 })).chain(([minLength, more]) =>
    fc.record({
      field: fc.constant({ type: 'string', minLength, maxLength: minLength + more } as const),
      good: texts(minLength, minLength + more),
      bad: fc.oneof(texts(minLength + more + 1, minLength + more + 5), fc.integer(), fc.constant(null)),
    }),
  ),
  range.chain(([minimum, more]) =>
    fc.record({
      field: fc.constantFrom('number', 'integer').map((type) => ({ type, minimum, maximum: minimum + more }) as const),
      good: fc.integer({ min: minimum, max: minimum + more }),
      bad: fc.oneof(fc.constantFrom(minimum - 1, minimum + more + 1), fc.string(), fc.boolean()),
    }),
  ),
  fc.record({
    field: fc.constant({ type: 'boolean' } as const),
    good: fc.boolean(),
    bad: fc.oneof(fc.string(), fc.integer()),
  }),
  values.chain((all) =>
    fc.record({
      field: fc.constantFrom<FormField>(
        { type: 'string', enum: all },
        { type: 'string', oneOf: all.map((value) => ({ const: value, title: `${value}?` })) },
        { type: 'string', enum: all, enumNames: all.map((value) => `${value}?`) },
      ),
      good: fc.constantFrom(...all),
      bad: fc.constantFrom<unknown>(`${all.join('')} and more`, 7, all),
    }),
  ),
  values.chain((all) =>
    fc.record({
      field: fc.constantFrom<FormField>(
        { type: 'array', items: { type: 'string', enum: all }, minItems: 1 },
        { type: 'array', items: { anyOf: all.map((value) => ({ const: value, title: `${value}?` })) }, minItems: 1 },
      ),
      good: fc.subarray(all, { minLength: 1 }),
      bad: fc.constantFrom<unknown>([], [`${all.join('')} and more`], all[0]),
    }),
  ),
  fc.record({
    field: fc.constant({ type: 'string', format: 'email' } as const),
    good: fc.emailAddress(),
    bad: fc.constantFrom('', 'nobody', '@', 'a@b@c d'),
  }),
);

const names = fc.constantFrom(
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'a b',
  'ü',
  'type',
  'required',
  '$ref',
  '0',
  'a/b~c',
);
const forms = fc
  .uniqueArray(fc.tuple(names, samples), { selector: ([name]) => name, minLength: 1, maxLength: 6 })
  .chain((fields) => fc.record({ fields: fc.constant(fields), which: fc.nat({ max: fields.length - 1 }) }));

const schemaOf = (fields: readonly (readonly [string, Sample])[]): RequestedSchema => ({
  type: 'object',
  properties: Object.fromEntries(fields.map(([name, { field }]) => [name, field])),
  required: fields.map(([name]) => name),
});

describe('any form', () => {
  it('takes what fits; with one field broken, both sides refuse and name it (ELI-26, ELI-27)', () => {
    fc.assert(
      fc.property(forms, ({ fields, which }) => {
        const schema = schemaOf(fields);
        const content = Object.fromEntries(fields.map(([name, { good }]) => [name, good]));
        const { decode } = form({ ...schema }, 'form');
        expect(filledIn(schema, content)).toEqual({ ok: true, content });
        expect(decode(content)).toEqual({ ok: true, value: content });

        const [name, { bad }] = fields[which] ?? fields[0]!;
        const broken = Object.fromEntries([...Object.entries(content), [name, bad]]);
        const refused = { ok: false, problem: expect.stringContaining(pathText([name])) };
        expect(filledIn(schema, broken)).toEqual(refused);
        expect(decode(broken)).toEqual(refused);
      }),
      { numRuns: 200 },
    );
  });

  it('begins with defaults that may be sent as they are (ELI-10)', () => {
    fc.assert(
      fc.property(forms, ({ fields }) => {
        const content = Object.fromEntries(fields.map(([name, { good }]) => [name, good]));
        const schema: RequestedSchema = JSON.parse(JSON.stringify(schemaOf(fields)));
        const preset = JSON.stringify({
          ...schema,
          properties: Object.fromEntries(
            Object.entries(schema.properties).map(([name, field]) => [name, { ...field, default: content[name] }]),
          ),
        });
        expect(defaultsOf(received(preset))).toEqual(content);
        expect(filledIn(received(preset), {})).toEqual({ ok: true, content });
      }),
      { numRuns: 100 },
    );
  });
});
