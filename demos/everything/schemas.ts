/** Tools whose input is described in JSON Schema itself, which reaches clients as it was written. */
import { tool } from 'rxmcp';

/** Something of each part of the dialect: definitions with an anchor, composition, conditions, a closed object. */
const contact = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
} as const;

/** Over HTTP a client repeats the region in a header, where a router can see it without reading the body. */
const place = {
  type: 'object',
  properties: {
    region: { type: 'string', description: 'Where to', 'x-mcp-header': 'Region' },
    level: { type: ['integer', 'string'], description: 'How urgent it is' },
  },
  required: ['region'],
} as const;

export const schemas = [
  tool(
    'json_schema_2020_12_tool',
    { description: 'Takes a contact, described with the whole vocabulary of JSON Schema 2020-12.', input: contact },
    (args) => `Called with ${JSON.stringify(args)}`,
  ),
  tool(
    'test_x_mcp_header',
    { description: 'Takes an argument that also travels in a header.', input: place },
    ({ region, level }) => `Region ${region}, level ${level ?? 'not given'}`,
  ),
] as const;
