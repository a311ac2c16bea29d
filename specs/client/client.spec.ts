import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { ConnectionClosed, open, RpcError, server, tool, type JsonObject } from '../../lib/index.ts';
import { cutAfter, late, linked, puppet, twice } from '../../lib/testing/index.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]();
});

type Said = Readonly<Record<string, unknown>>;

/** A client of a modern server that is played by hand. */
const client = async (answer: (asked: Said) => unknown, capabilities: JsonObject = { tools: {} }) => {
  const far = puppet((asked) =>
    asked['method'] === 'server/discover'
      ? { jsonrpc: '2.0', id: asked['id'], result: { supportedVersions: ['2026-07-28'], capabilities } }
      : answer(asked),
  );
  const connected = await open(far.channel);
  opened.push(connected);
  return { far, client: connected };
};
const result = ({ id }: Said, value: unknown): unknown => ({ jsonrpc: '2.0', id, result: value });
const nameOf = ({ params }: Said): unknown => (params as JsonObject)['name'];

describe('an answer', () => {
  const wrong: readonly (readonly [string, (asked: Said) => unknown])[] = [
    ['with an array for its result (RPC-09)', (asked) => result(asked, [])],
    ['with null for its result', (asked) => result(asked, null)],
    [
      'with a result and an error (RPC-08)',
      ({ id }) => ({ jsonrpc: '2.0', id, result: {}, error: { code: 1, message: 'x' } }),
    ],
    ['whose error is no object (RPC-10)', ({ id }) => ({ jsonrpc: '2.0', id, error: 'no' })],
    ['whose error has no code', ({ id }) => ({ jsonrpc: '2.0', id, error: { message: 'x' } })],
    ['of another JSON-RPC', ({ id }) => ({ jsonrpc: '1.0', id, result: {} })],
    ['without content (TOOL-15)', (asked) => result(asked, {})],
    ['with content of no known type', (asked) => result(asked, { content: [{ type: 'smell' }] })],
    ['with a result type that nobody knows (RPC-22)', (asked) => result(asked, { resultType: 'maybe', content: [] })],
  ];

  it.each(wrong)('%s fails its own call, and no other', async (_, answer) => {
    const { client: c, far } = await client((asked) => (nameOf(asked) === 'bad' ? answer(asked) : undefined));
    const neighbour = c.callTool('slow', {});
    await expect(c.callTool('bad', {})).rejects.toMatchObject({ _tag: 'InvalidAnswer', method: 'tools/call' });
    const asked = far.sent.find((frame) => nameOf(frame as Said) === 'slow') as Said;
    far.say(result(asked, { content: [{ type: 'text', text: 'unharmed' }] }));
    await expect(neighbour).resolves.toMatchObject({ content: [{ text: 'unharmed' }] });
  });

  it('without a result type is complete; fields that nobody knows stay (RPC-21, VER-35, AMB-16)', async () => {
    const { client: c } = await client((asked) => result(asked, { content: [], extra: { a: 1 } }));
    expect(await c.callTool('x', {})).toEqual({ resultType: 'complete', content: [], extra: { a: 1 } });
  });

  it('that asks for input is an error that says so, not a hang (RPC-23)', async () => {
    const needs = { resultType: 'input_required', inputRequests: { where: { method: 'roots/list' } } };
    const { client: c } = await client((asked) => result(asked, needs));
    await expect(c.callTool('x', {})).rejects.toMatchObject({ _tag: 'NotSupported', capability: 'roots' });
    await expect(lastValueFrom(c.request('tools/list', {}))).rejects.toMatchObject({ _tag: 'InvalidAnswer' });
    const nothing = await client((asked) => result(asked, { resultType: 'input_required' }));
    await expect(nothing.client.callTool('x', {})).rejects.toMatchObject({ _tag: 'InvalidAnswer' });
  });

  it('for nobody, or said twice, is nobody’s (CAN-12)', async () => {
    const { client: c, far } = await client((asked) => [
      result(asked, { content: [] }),
      result(asked, { content: [{ type: 'text', text: 'twice' }] }),
    ]);
    for (const id of [99, '1', null, 1.5, {}]) far.say({ jsonrpc: '2.0', id, result: {} });
    for (const noise of [null, 5, 'text', [], [[]], {}, { jsonrpc: '2.0' }]) far.say(noise);
    expect(await c.callTool('x', {})).toMatchObject({ content: [] });
  });

  it('that comes in one batch with its progress comes after it (the official SDK loses it)', async () => {
    const progress = (id: unknown, done: number) => ({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: id, progress: done },
    });
    const { client: c } = await client((asked) => [
      [progress(asked['id'], 1), progress(asked['id'], 2), result(asked, { content: [] })],
    ]);
    const kinds = await lastValueFrom(c.call('x', {}).pipe(toArray()));
    expect(kinds.map(({ kind }) => kind)).toEqual(['progress', 'progress', 'result']);
  });
});

describe('structured content', () => {
  it('is held against its schema without the patterns in it, which the server may have made slow (JS-11)', async () => {
    const outputSchema = {
      type: 'object',
      required: ['a'],
      properties: { a: { type: 'string', pattern: '^(a+)+$' } },
    };
    const given = { right: { a: `${'a'.repeat(40)}!` }, wrong: { a: 5 } };
    const { client: c } = await client((asked) =>
      asked['method'] === 'tools/list'
        ? result(asked, {
            tools: Object.keys(given).map((name) => ({ name, inputSchema: { type: 'object' }, outputSchema })),
          })
        : result(asked, { content: [], structuredContent: nameOf(asked) === 'right' ? given.right : given.wrong }),
    );
    await firstValueFrom(c.tools$);
    const started = performance.now();
    expect(await c.callTool('right', {})).toMatchObject({ structuredContent: given.right });
    expect(performance.now() - started).toBeLessThan(1_000);
    await expect(c.callTool('wrong', {})).rejects.toMatchObject({ _tag: 'InvalidAnswer' });
  });
});

describe('lists', () => {
  const paged = (pages: readonly (readonly [unknown, unknown])[]) =>
    client((asked) => {
      const cursor = (asked['params'] as JsonObject)['cursor'];
      const [, nextCursor] = pages.find(([at]) => at === cursor) ?? [];
      return result(asked, {
        tools: [{ name: `after ${String(cursor)}`, inputSchema: { type: 'object' } }],
        ...(nextCursor === undefined ? undefined : { nextCursor }),
      });
    });

  it('go on after an empty cursor, and end where there is none (PAG-04, BR-74)', async () => {
    const { client: c } = await paged([
      [undefined, ''],
      ['', 'z'],
      ['z', undefined],
    ]);
    const pages = await lastValueFrom(c.listTools().pipe(toArray()));
    expect(pages.flat().map(({ name }) => name)).toEqual(['after undefined', 'after ', 'after z']);
    expect(await firstValueFrom(c.tools$)).toHaveLength(3);
  });

  it('stop asking when nobody wants more', async () => {
    const { client: c, far } = await paged([
      [undefined, 'a'],
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'd'],
    ]);
    await firstValueFrom(c.listTools());
    const { length } = far.sent;
    // One page more may have been asked for, and called off.
    expect(length).toBeLessThanOrEqual(4);
    await c.callTool('x', {}).catch(() => undefined);
    expect(far.sent).toHaveLength(length + 1);
  });

  it('take tools of any name, as they are (NAME-02, NAME-08)', async () => {
    const tools = ['with space', 'ÄÖ', 'a', 'A', ''].map((name) => ({
      name,
      inputSchema: { type: 'object' },
      extra: 1,
    }));
    const { client: c } = await client((asked) => result(asked, { tools }));
    expect(await firstValueFrom(c.tools$)).toEqual(tools);
  });

  it('of a server that has none are empty, without a question (CAP-08)', async () => {
    const { client: c, far } = await client(() => undefined, {});
    expect(await firstValueFrom(c.tools$)).toEqual([]);
    expect(await firstValueFrom(c.resources$)).toEqual([]);
    expect(far.sent).toHaveLength(1);
  });

  it('are listened to once for all who look, and before they are fetched', async () => {
    const { client: c, far } = await client(
      (asked) => {
        if (asked['method'] === 'tools/list') return result(asked, { tools: [] });
        if (asked['method'] !== 'subscriptions/listen') return undefined;
        const _meta = { 'io.modelcontextprotocol/subscriptionId': asked['id'] };
        return {
          jsonrpc: '2.0',
          method: 'notifications/subscriptions/acknowledged',
          params: { notifications: { toolsListChanged: true }, _meta },
        };
      },
      { tools: { listChanged: true } },
    );
    const one = c.tools$.subscribe();
    const two = c.tools$.subscribe();
    const said = (): unknown[] => far.sent.slice(1).map((frame) => (frame as Said)['method']);
    expect(said()).toEqual(['subscriptions/listen', 'tools/list']);
    one.unsubscribe();
    expect(said()).toHaveLength(2);
    two.unsubscribe();
    expect(said()).toEqual(['subscriptions/listen', 'tools/list', 'notifications/cancelled']);
  });
});

describe('structured content', () => {
  const outputSchema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
  const listing = { tools: [{ name: 't', inputSchema: { type: 'object' }, outputSchema }] };
  const answering = async (answer: JsonObject) => {
    const { client: c } = await client((asked) => result(asked, asked['method'] === 'tools/list' ? listing : answer));
    await firstValueFrom(c.tools$);
    return c.callTool('t', {});
  };

  it('is held against the schema that the tool was listed with (TOOL-13)', async () => {
    await expect(answering({ content: [], structuredContent: { n: 1 } })).resolves.toBeDefined();
    await expect(answering({ content: [], structuredContent: { n: 'one' } })).rejects.toMatchObject({
      _tag: 'InvalidAnswer',
      message: expect.stringContaining('n') as string,
    });
    await expect(answering({ content: [] })).rejects.toMatchObject({ _tag: 'InvalidAnswer' });
    await expect(answering({ content: [], isError: true })).resolves.toMatchObject({ isError: true });
  });

  it('of any JSON type comes through, null too (TOOL-11)', async () => {
    for (const structuredContent of [null, 0, false, '', [1], { a: null }]) {
      const { client: c } = await client((asked) => result(asked, { content: [], structuredContent }));
      expect(await c.callTool('t', {})).toMatchObject({ structuredContent });
    }
  });
});

describe('a link', () => {
  const echo = server(
    { name: 's', version: '1' },
    tool('echo', { input: { type: 'object' } }, (args) => JSON.stringify(args)),
  );

  it('that breaks fails what waits with ConnectionClosed, and the client with it', async () => {
    const link = await linked(echo, { through: cutAfter(2) });
    await expect(link.client.callTool('echo', {}))
      .resolves.toBeDefined()
      .catch(() => undefined);
    await expect(link.client.callTool('echo', {})).rejects.toBeInstanceOf(ConnectionClosed);
    await expect(link.client.closed).rejects.toBeInstanceOf(ConnectionClosed);
    expect(link.wire.open).toBe(0);
  });

  it.each([
    ['late', late(5)],
    ['twice', twice],
  ] as const)('that delivers %s loses nothing', async (_, through) => {
    await using link = await linked(echo, { through, serialise: true });
    const answers = await Promise.all([1, 2, 3].map((n) => link.client.callTool('echo', { n })));
    expect(answers.map(({ content }) => content[0])).toEqual(
      [1, 2, 3].map((n) => ({ type: 'text', text: `{"n":${n}}` })),
    );
  });

  it('to a server that serves another is a proxy, and nothing is lost on the way', async () => {
    await using near = await linked(
      server(
        { name: 'inner', version: '1' },
        tool('fails', {}, () => {
          throw new RpcError({ code: 77, message: 'inner' });
        }),
      ),
      { revision: '2024-11-05' },
    );
    await using far = await linked(near.client.exchange, { revision: '2026-07-28' });
    expect(far.client.server).toEqual({ name: 'inner', version: '1' });
    await expect(far.client.callTool('fails', {})).rejects.toMatchObject({ code: 77, message: 'inner' });
    await expect(far.client.callTool('nobody', {})).rejects.toMatchObject({ code: -32602 });
    await near.client.close();
    await expect(far.client.callTool('fails', {})).rejects.toMatchObject({ code: -32603 });
  });
});
