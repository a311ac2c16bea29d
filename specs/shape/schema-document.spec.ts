import { expect, it } from 'vitest';
import { schemaDocument } from '../../lib/shape/schema-document.ts';

const fail = (reason: string): never => {
  throw new Error(reason);
};

it('keeps the keywords that decide, and no other', () => {
  const { root } = schemaDocument(
    {
      title: 't',
      description: 'd',
      type: 'object',
      properties: { a: { type: 'string', default: 1 } },
      'x-own': {},
      id: 'x',
    },
    () => undefined,
    fail,
  );
  expect(root).toEqual({ type: 'object', properties: { a: { type: 'string' } } });
});

it('knows where each subschema is', () => {
  const { subschemas } = schemaDocument({ anyOf: [{ items: {} }], $defs: { a: {} } }, () => undefined, fail);
  expect([...subschemas.values()]).toEqual(['#', '#/anyOf/0', '#/anyOf/0/items', '#/$defs/a']);
});
