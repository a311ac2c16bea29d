import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { demand, extend, methods, NotSupported, Schema, server, tool, type MethodTable, type Row } from 'rxmcp';
import { linked } from 'rxmcp/testing';
import { ask, recording } from './ask.ts';

/** What a server must have declared before it may be asked (matrix 3). */
const gated: Readonly<Record<string, string>> = {
  'tools/list': 'tools',
  'tools/call': 'tools',
  'prompts/list': 'prompts',
  'prompts/get': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resources',
  'resources/read': 'resources',
  'resources/subscribe': 'resources.subscribe',
  'resources/unsubscribe': 'resources.subscribe',
  'completion/complete': 'completions',
  'logging/setLevel': 'logging',
  'tasks/get': 'tasks',
  'tasks/result': 'tasks',
  'tasks/list': 'tasks.list',
  'tasks/cancel': 'tasks.cancel',
};

/** A path as the capabilities that hold it: `a.b` is `{ a: { b: {} } }`. */
const declared = (path: string, leaf: unknown = {}): Readonly<Record<string, unknown>> =>
  path.split('.').reduceRight<unknown>((inner, step) => ({ [step]: inner }), leaf) as Readonly<Record<string, unknown>>;

const requests = Object.entries<Row>(methods).filter(([, { kind }]) => kind === 'request');

describe.each(Object.entries(gated))('%s, which needs %s', (method, capability) => {
  it('is refused where that is not declared: by name, and nothing is asked (CAP-08)', () => {
    const everythingElse = Object.fromEntries(
      Object.values(gated)
        .filter((other) => other.split('.')[0] !== capability.split('.')[0])
        .flatMap((other) => Object.entries(declared(other))),
    );
    const lacking = [{}, everythingElse, declared(capability, false)];
    if (capability.includes('.')) lacking.push(declared(capability.split('.')[0] ?? ''));
    for (const capabilities of lacking) {
      const { exchange, asked } = recording();
      const { seen } = ask(demand(capabilities)(exchange), method, { name: 'x' });
      expect(seen).toEqual([expect.any(NotSupported)]);
      expect(seen).toMatchObject([{ method, capability }]);
      expect((seen[0] as NotSupported).message).toBe(
        `${method}: the server has not declared the capability ${capability}`,
      );
      expect(asked).toEqual([]);
    }
  });

  it('is asked where it is, as it was', () => {
    for (const leaf of [{}, true, { more: 1 }]) {
      const { exchange, asked, contexts } = recording(() => of({ result: { reached: true } }));
      const context = { principal: 'ada' };
      const params = { name: 'x', _meta: { progressToken: 1 } };
      expect(ask(demand(declared(capability, leaf))(exchange), method, params, context).seen).toEqual([
        { result: { reached: true } },
        'complete',
      ]);
      expect(asked).toEqual([{ method, params }]);
      expect(contexts[0]).toBe(context);
    }
  });
});

describe('what needs no capability', () => {
  it('is all of the protocol that is not above', () => {
    const needing = requests.filter(([, { serverCapability }]) => serverCapability !== undefined);
    expect(Object.fromEntries(needing.map(([method, { serverCapability }]) => [method, serverCapability]))).toEqual(
      gated,
    );
  });

  it.each([
    ...requests.map(([method]) => method).filter((method) => !Object.hasOwn(gated, method)),
    ...['no/such', 'constructor', '__proto__', 'toString'],
  ])('is asked of a server that has declared nothing: %s', (method) => {
    const { exchange, asked } = recording();
    expect(ask(demand({})(exchange), method).seen).toEqual([{ result: {} }, 'complete']);
    expect(asked).toEqual([{ method }]);
  });
});

describe('demand', () => {
  it('knows the methods of the table that it is given, and no others', () => {
    const row = { kind: 'request', from: 'client', params: Schema.Unknown as never } as const;
    const table: MethodTable = extend(methods, {
      'example/run': { ...row, serverCapability: 'extensions.run' },
    });
    const { exchange, asked } = recording();
    expect(ask(demand({ extensions: {} }, table)(exchange), 'example/run').seen).toMatchObject([
      { capability: 'extensions.run' },
    ]);
    ask(demand({ extensions: { run: {} } }, table)(exchange), 'example/run');
    ask(demand({})(exchange), 'example/run');
    expect(asked).toHaveLength(2);
  });

  it.each(['2024-11-05', '2025-11-25', '2026-07-28'] as const)(
    'is what a client stands behind: nothing goes over the wire (CAP-08) at %s',
    async (revision) => {
      await using link = await linked(
        server(
          { name: 's', version: '1' },
          tool('t', {}, () => 'ok'),
        ),
        { revision },
      );
      const before = link.wire.overheard.length;
      const refused = await Promise.allSettled([link.client.getPrompt('p'), link.client.readResource('a:b')]);
      expect(refused).toMatchObject([
        { reason: { _tag: 'NotSupported', capability: 'prompts' } },
        { reason: { _tag: 'NotSupported', capability: 'resources' } },
      ]);
      expect(link.wire.overheard).toHaveLength(before);
      expect((await link.client.callTool('t', {})).content).toMatchObject([{ text: 'ok' }]);
    },
  );
});
