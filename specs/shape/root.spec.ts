import { describe, expect, it } from 'vitest';
import { Misconfigured } from '../../lib/frame/errors.ts';
import { objectRoot } from '../../lib/shape/root.ts';

const object = { type: 'object', properties: { a: {} } };

describe('the root of an input', () => {
  it('stays the same object where it says object', () => {
    expect(objectRoot(object, 'x')).toBe(object);
  });

  it('takes the place of a reference, and keeps the definitions', () => {
    const $defs = { A: object };
    expect(objectRoot({ $ref: '#/$defs/A', $defs }, 'x')).toEqual({ ...object, $defs });
    expect(objectRoot({ $ref: '#/definitions/A', definitions: $defs, title: 'T' }, 'x')).toMatchObject({
      type: 'object',
      title: 'T',
    });
    expect(objectRoot({ $ref: '#/$defs/B', $defs: { ...$defs, B: { $ref: '#/$defs/A' } } }, 'x')).toMatchObject(object);
    expect(objectRoot({ $ref: '#/$defs/a%20b', $defs: { 'a b': object } }, 'x')).toMatchObject(object);
  });

  it('gets its type from members that all have it', () => {
    expect(objectRoot({ anyOf: [object, object] }, 'x')).toEqual({ type: 'object', anyOf: [object, object] });
    expect(objectRoot({ oneOf: [{ allOf: [{}, object] }] }, 'x')).toHaveProperty('type', 'object');
    expect(objectRoot({ anyOf: [{ $ref: '#/$defs/A' }], $defs: { A: object } }, 'x')).toHaveProperty('type', 'object');
  });

  it.each([
    [{}],
    [{ type: 'string' }],
    [{ type: ['object', 'null'] }],
    [{ anyOf: [] }],
    [{ anyOf: [object, {}] }],
    [{ anyOf: [object, true] }],
    [{ $ref: '#/$defs/none' }],
    [{ $ref: '#/$defs/A', $defs: { A: { $ref: '#/$defs/A' } } }],
    [{ $ref: '#/$defs/A', $defs: { A: { $ref: '#/$defs/B' }, B: { $ref: '#/$defs/A' } } }],
    [{ anyOf: [{ $ref: '#/$defs/A' }], $defs: { A: { anyOf: [{ $ref: '#/$defs/A' }] } } }],
    [{ $ref: 'https://example.com/s' }],
  ])('is refused where it may be something else: %j', (schema) => {
    expect(() => objectRoot(schema, 'tool "t"')).toThrow(Misconfigured);
    expect(() => objectRoot(schema, 'tool "t"')).toThrow(/^tool "t": /);
  });
});
