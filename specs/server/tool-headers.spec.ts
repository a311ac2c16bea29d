import { lastValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  mergeServers,
  Misconfigured,
  Schema,
  server,
  tool,
  type Context,
  type Exchange,
  type JsonObject,
} from '../../lib/index.ts';
import { metaKeys, type Revision } from '../../lib/protocol/revisions.ts';

const said = (args: unknown): string => JSON.stringify(args);
const input = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    where: { type: 'object', properties: { level: { type: 'integer', 'x-mcp-header': 'Level' } } },
  },
  required: ['region'],
} as const;

const answer = (
  exchange: Exchange,
  args: JsonObject | undefined,
  headers?: Context['headers'],
  { revision = '2026-07-28', name = 'deploy' }: { readonly revision?: Revision; readonly name?: string } = {},
): Promise<unknown> => {
  const _meta = { [metaKeys.protocolVersion]: revision, [metaKeys.clientCapabilities]: {} };
  const params = { name, _meta, ...(args === undefined ? undefined : { arguments: args }) };
  return lastValueFrom(exchange({ method: 'tools/call', params }, headers === undefined ? {} : { headers })).catch(
    (error: unknown) => error,
  );
};

const setUp = () => {
  const handled: unknown[] = [];
  const info = { name: 'deployer', version: '1' };
  const deploy = tool('deploy', { input }, (args) => {
    handled.push(args);
    return said(args);
  });
  return {
    handled,
    exchange: server(
      info,
      deploy,
      tool('plain', {}, () => 'plain'),
    ),
  };
};

describe('a call over HTTP', () => {
  it('runs where its headers say what its arguments say (HTTP26-35, HTTP26-39)', async () => {
    const { exchange, handled } = setUp();
    const headers = { 'mcp-param-region': '=?base64?ZXU=?=', 'mcp-param-level': '3.0', 'mcp-param-unknown': 'x' };
    const args = { region: 'eu', where: { level: 3 } };
    expect(await answer(exchange, args, headers)).toMatchObject({ result: { content: [{ text: said(args) }] } });
    expect(handled).toEqual([args]);
  });

  it.each<[string, JsonObject, Context['headers'], string]>([
    ['lacks a header (HTTP26-58)', { region: 'eu' }, {}, 'mcp-param-region'],
    ['has another value (HTTP26-35)', { region: 'eu' }, { 'mcp-param-region': 'us' }, 'mcp-param-region'],
    ['has it in another case (HTTP26-34)', { region: 'eu' }, { 'mcp-param-region': 'EU' }, 'mcp-param-region'],
    ['is no base64 (HTTP26-37)', { region: 'eu' }, { 'mcp-param-region': '=?base64?ZXU?=' }, 'mcp-param-region'],
    [
      'is wrong further down (HTTP26-47)',
      { region: 'eu', where: { level: 3 } },
      { 'mcp-param-region': 'eu', 'mcp-param-level': '4' },
      'mcp-param-level',
    ],
  ])('that %s is refused, and no handler runs', async (_, args, headers, header) => {
    const { exchange, handled } = setUp();
    expect(await answer(exchange, args, headers)).toMatchObject({
      _tag: 'RpcError',
      code: -32020,
      message: expect.stringContaining(header) as string,
      data: { header },
    });
    expect(handled).toEqual([]);
  });

  it('is refused for its headers before its arguments are looked at (AMB-03)', async () => {
    const { exchange } = setUp();
    expect(await answer(exchange, { region: 5 }, {})).toMatchObject({ code: -32020 });
    // With headers that say the same it is the model that is told.
    expect(await answer(exchange, { region: 5 }, { 'mcp-param-region': '5' })).toMatchObject({
      result: { isError: true },
    });
  });

  it('needs no header for an argument that is not there (HTTP26-59)', async () => {
    const { exchange } = setUp();
    const isError = { result: { isError: true } };
    expect(await answer(exchange, undefined, {})).toMatchObject(isError);
    expect(await answer(exchange, { region: null }, {})).toMatchObject(isError);
    expect(await answer(exchange, { region: 'eu' }, { 'mcp-param-region': 'eu' })).not.toMatchObject(isError);
  });

  it('of a tool without annotations runs whatever the headers (HTTP26-63)', async () => {
    const { exchange } = setUp();
    const headers = { 'mcp-param-region': '\xff' };
    expect(await answer(exchange, {}, headers, { name: 'plain' })).toMatchObject({
      result: { content: [{ text: 'plain' }] },
    });
  });

  it.each<Revision>(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
    'of %s has no such headers, and needs none (HTTP26-58)',
    async (revision) => {
      const { exchange } = setUp();
      expect(await answer(exchange, { region: 'eu' }, {}, { revision })).toMatchObject({
        result: { content: [{ text: said({ region: 'eu' }) }] },
      });
    },
  );

  it('is held against the tool’s own schema behind a gateway, too', async () => {
    const { exchange, handled } = setUp();
    const gateway = mergeServers({ name: 'gateway', version: '1' }, { cloud: exchange });
    const name = 'cloud.deploy';
    expect(await answer(gateway, { region: 'eu' }, { 'mcp-param-region': 'us' }, { name })).toMatchObject({
      code: -32020,
    });
    expect(handled).toEqual([]);
    expect(await answer(gateway, { region: 'eu' }, { 'mcp-param-region': 'eu' }, { name })).toMatchObject({
      result: { content: [{ text: said({ region: 'eu' }) }] },
    });
  });

  it('that came over no HTTP has no headers, and needs none (HTTP26-51)', async () => {
    const { exchange, handled } = setUp();
    await answer(exchange, { region: 'eu' });
    expect(handled).toEqual([{ region: 'eu' }]);
  });
});

describe('an annotation', () => {
  const header = 'x-mcp-header';
  it.each([
    ['a JSON Schema', { type: 'object', properties: { region: { type: 'string', [header]: 'Region' } } }],
    [
      'an Effect Schema, which says its type again',
      Schema.Struct({ region: Schema.String.annotations({ jsonSchema: { type: 'string', [header]: 'Region' } }) }),
    ],
    [
      'an optional one',
      Schema.Struct({
        region: Schema.optional(Schema.String.annotations({ jsonSchema: { type: 'string', [header]: 'Region' } })),
      }),
    ],
    ['zod', z.object({ region: z.string().meta({ [header]: 'Region' }) })],
    [
      'zod, optional',
      z.object({
        region: z
          .string()
          .meta({ [header]: 'Region' })
          .optional(),
      }),
    ],
  ])('in %s is listed, and checked (HTTP26-41)', async (_, schema) => {
    const deploy = tool('deploy', { input: schema }, said);
    expect(deploy.definition.inputSchema).toMatchObject({
      properties: { region: { type: 'string', [header]: 'Region' } },
    });
    const exchange = server({ name: 'deployer', version: '1' }, deploy);
    expect(await answer(exchange, { region: 'eu' }, {})).toMatchObject({ code: -32020 });
    expect(await answer(exchange, { region: 'eu' }, { 'mcp-param-region': 'eu' })).toMatchObject({
      result: { content: [{ text: said({ region: 'eu' }) }] },
    });
  });

  it('on an integer of Effect says so, for its own type would be lost (HTTP26-45)', () => {
    const level = (type: object) =>
      Schema.Struct({ level: Schema.Int.annotations({ jsonSchema: { ...type, [header]: 'L' } }) });
    expect(tool('t', { input: level({ type: 'integer' }) }, said).mirrored).toHaveLength(1);
    expect(() => tool('t', { input: level({}) }, said)).toThrow(/property "level": x-mcp-header needs the type/);
  });

  it.each([
    ['no name of a header (HTTP26-43)', { region: { type: 'string', [header]: '' } }, /"region".*name of a header/],
    ['a type that may not be (HTTP26-45)', { size: { type: 'number', [header]: 'Size' } }, /"size".*needs the type/],
    [
      'the name of another (HTTP26-44)',
      { a: { type: 'string', [header]: 'A' }, b: { type: 'string', [header]: 'a' } },
      /"b".*that of property "a" already/,
    ],
    ['no way to it (HTTP26-48)', { list: { items: { type: 'string', [header]: 'A' } } }, /"list": beneath items/],
  ])('with %s is refused where it is written', (_, properties, message) => {
    const make = () => tool('deploy', { input: { type: 'object', properties } }, said);
    expect(make).toThrow(Misconfigured);
    expect(make).toThrow(/^tool "deploy", input: /);
    expect(make).toThrow(message);
  });
});
