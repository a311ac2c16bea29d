import {
  concat,
  defer,
  firstValueFrom,
  lastValueFrom,
  NEVER,
  of,
  Subject,
  throwError,
  toArray,
  type Observable,
} from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import {
  isAnswer,
  open,
  RpcError,
  server,
  tool,
  type Context,
  type Emission,
  type Exchange,
  type JsonObject,
  type Request,
} from '../../lib/index.ts';
import type { Endpoint } from '../../lib/era/dial.ts';
import { metaKeys, type Revision } from '../../lib/protocol/revisions.ts';
import { linked } from '../../lib/testing/index.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]();
});

interface Heard {
  readonly method: string;
  readonly params: JsonObject;
  readonly headers: Context['headers'];
}

/** What stands for HTTP: it carries a request as JSON, and of its context nothing but headers. */
const reached = async (behind: Exchange, revision: Revision = '2026-07-28') => {
  const heard: Heard[] = [];
  const warnings: string[] = [];
  const meta = { [metaKeys.protocolVersion]: revision, [metaKeys.clientCapabilities]: {} };
  const exchange: Exchange = (request, { headers = {} }) => {
    const params: JsonObject = { ...request.params, _meta: meta };
    const carried = JSON.parse(JSON.stringify({ method: request.method, params })) as Request & { params: JsonObject };
    return defer(() => {
      heard.push({ ...carried, headers });
      return behind(carried, { headers });
    });
  };
  const discovered = { supportedVersions: [revision], capabilities: { tools: {} } };
  const endpoint: Endpoint = {
    dial: () => concat(of({ revision, discovered, exchange, stray: NEVER }), NEVER),
  };
  const client = await open(endpoint, { onWarning: (message) => warnings.push(message) });
  opened.push(client);
  return { client, heard, warnings, of: (method: string) => heard.filter((one) => one.method === method) };
};

const annotated = (name: unknown, type = 'string'): JsonObject => ({ type, 'x-mcp-header': name });
const described = (name: string, properties: JsonObject = {}): JsonObject => ({
  name,
  inputSchema: { type: 'object', properties },
});
const listed = (tools: readonly JsonObject[], more: JsonObject = {}): Emission => ({
  result: { resultType: 'complete', ttlMs: 0, cacheScope: 'private', tools, ...more },
});
const done: Emission = { result: { resultType: 'complete', content: [] } };
const refused = (): Observable<never> => throwError(() => new RpcError({ code: -32020, message: 'headers' }));
const names = (tools: readonly { readonly name: string }[]): readonly string[] => tools.map(({ name }) => name);

/** A server whose tools are what they are told to be; calls need the headers that its newest list wants. */
const scripted = (lists: readonly (readonly JsonObject[])[]) => {
  let at = 0;
  const exchange: Exchange = ({ method, params }, context) => {
    const now = lists[Math.min(at, lists.length - 1)] ?? [];
    if (method === 'tools/list') return of(listed(now));
    const one = now.find(({ name }) => name === params?.['name']);
    const { properties = {} } = (one?.['inputSchema'] ?? {}) as { properties?: Record<string, JsonObject> };
    const wanted = Object.entries(properties).flatMap(([name, property]) =>
      typeof property['x-mcp-header'] === 'string' && (params?.['arguments'] as JsonObject)[name] !== undefined
        ? [`mcp-param-${property['x-mcp-header'].toLowerCase()}`]
        : [],
    );
    return wanted.every((name) => context.headers?.[name] !== undefined) ? of(done) : refused();
  };
  return { exchange, change: () => (at += 1) };
};

const real = server(
  { name: 'deployer', version: '1' },
  tool(
    'deploy',
    {
      input: {
        type: 'object',
        properties: {
          region: { type: 'string', 'x-mcp-header': 'Region' },
          level: { type: 'integer', 'x-mcp-header': 'Level' },
          note: { type: 'string' },
        },
      },
    },
    (args) => JSON.stringify(args),
  ),
  tool('plain', {}, () => 'plain'),
);

describe('a call over HTTP', () => {
  it('repeats the arguments that the tool names, and a server of ours finds them right (HTTP26-42, HTTP26-52)', async () => {
    const { client, of: asked } = await reached(real);
    await lastValueFrom(client.listTools());
    const args = { region: 'Zürich ', level: 42, note: 'x' };
    expect(await client.callTool('deploy', args)).toMatchObject({ content: [{ text: JSON.stringify(args) }] });
    await client.callTool('deploy', { region: '', level: null });
    await client.callTool('plain');
    expect(asked('tools/call').map(({ headers }) => headers)).toEqual([
      { 'mcp-param-region': '=?base64?WsO8cmljaCA=?=', 'mcp-param-level': '42' },
      { 'mcp-param-region': '' },
      {},
    ]);
  });

  it('of a tool that nobody has listed goes without, and once more with them when it is refused (HTTP26-60, HTTP26-61)', async () => {
    const { client, heard } = await reached(real);
    expect(await client.callTool('deploy', { region: 'eu' })).toMatchObject({ content: [{ text: '{"region":"eu"}' }] });
    expect(heard.map(({ method, headers }) => [method, headers])).toEqual([
      ['tools/call', {}],
      ['tools/list', {}],
      ['tools/call', { 'mcp-param-region': 'eu' }],
    ]);
    await client.callTool('deploy', { region: 'us' });
    expect(heard).toHaveLength(4);
  });

  it('follows the newest list, past what is kept of an older one (HTTP26-60, HTTP26-61)', async () => {
    const { exchange, change } = scripted([
      [described('t', { a: annotated('Old') })],
      [described('t', { a: annotated('New') })],
    ]);
    const kept: Exchange = (request, context) =>
      request.method === 'tools/list'
        ? of(listed([described('t', { a: annotated('Old') })], { ttlMs: 60_000 }))
        : exchange(request, context);
    let once = true;
    const { client, of: asked } = await reached((request, context) => {
      const first = request.method === 'tools/list' && once;
      if (first) once = false;
      return (first ? kept : exchange)(request, context);
    });
    await lastValueFrom(client.listTools());
    change();
    await lastValueFrom(client.listTools());
    expect(asked('tools/list')).toHaveLength(1);
    await client.callTool('t', { a: 'x' });
    expect(asked('tools/list')).toHaveLength(2);
    expect(asked('tools/call').map(({ headers }) => headers)).toEqual([
      { 'mcp-param-old': 'x' },
      { 'mcp-param-new': 'x' },
    ]);
  });

  it('is made once more at most, and not at all where the headers would be the same (HTTP26-61)', async () => {
    const stubborn = await reached(({ method }) =>
      method === 'tools/list' ? of(listed([described('t', { a: annotated('A') })])) : refused(),
    );
    await expect(stubborn.client.callTool('t', { a: 'x' })).rejects.toMatchObject({ code: -32020 });
    expect(stubborn.of('tools/call')).toHaveLength(2);
    await expect(stubborn.client.callTool('t', { a: 'x' })).rejects.toMatchObject({ code: -32020 });
    expect(stubborn.of('tools/call')).toHaveLength(3);
  });

  it('fails as it failed, where the list cannot be read', async () => {
    const { client } = await reached(({ method }) =>
      method === 'tools/list' ? throwError(() => new Error('no list')) : refused(),
    );
    await expect(client.callTool('t', { a: 'x' })).rejects.toMatchObject({ code: -32020 });
  });

  it('is not made again for any other error, nor once something has been heard of it', async () => {
    const begun = concat(of({ method: 'notifications/progress', params: { progress: 1 } }), refused());
    const other = throwError(() => new RpcError({ code: -32602, message: 'no' }));
    for (const [answer, code] of [[begun, -32020] as const, [other, -32602] as const]) {
      const { client, heard } = await reached(() => answer);
      await expect(client.callTool('t', {})).rejects.toMatchObject({ code });
      expect(heard).toHaveLength(1);
    }
  });

  it('shares the reading of the list with those that are refused at the same time', async () => {
    const list = new Subject<Emission>();
    const { exchange } = scripted([[described('t', { a: annotated('A') })]]);
    const { client, of: asked } = await reached((request, context) =>
      request.method === 'tools/list' ? list : exchange(request, context),
    );
    const calls = [1, 2, 3].map((a) => client.callTool('t', { a }));
    expect(asked('tools/list')).toHaveLength(1);
    list.next(listed([described('t', { a: annotated('A') })]));
    list.complete();
    await Promise.all(calls);
    expect(asked('tools/call').map(({ headers }) => headers?.['mcp-param-a'])).toEqual([
      ...[undefined, undefined, undefined],
      ...['1', '2', '3'],
    ]);
  });

  it('finds its tool on whatever page it is, on no more than a hundred (HTTP26-61)', async () => {
    const paged =
      (last: number): Exchange =>
      ({ method, params }, { headers }) => {
        if (method !== 'tools/list') return headers?.['mcp-param-a'] === undefined ? refused() : of(done);
        const page = Number(params?.['cursor'] ?? 0);
        return of(
          page === last
            ? listed([described('t', { a: annotated('A') })])
            : listed([], { nextCursor: String(page + 1) }),
        );
      };
    const near = await reached(paged(3));
    await near.client.callTool('t', { a: 'x' });
    expect(near.of('tools/list').map(({ params }) => params['cursor'])).toEqual([undefined, '1', '2', '3']);
    const endless = await reached(paged(Infinity));
    await expect(endless.client.callTool('t', { a: 'x' })).rejects.toMatchObject({ code: -32020 });
    expect(endless.of('tools/list')).toHaveLength(100);
  });

  it('that is cancelled while the list is read again is not made again', async () => {
    const answering = new Subject<Emission>();
    const { client, of: asked } = await reached(({ method }) => (method === 'tools/list' ? answering : refused()));
    const call = client.call('t', { a: 'x' }).subscribe();
    expect(answering.observed).toBe(true);
    call.unsubscribe();
    expect(answering.observed).toBe(false);
    expect(asked('tools/call')).toHaveLength(1);
  });
});

describe('a proxied call', () => {
  it('gets headers of its own, and leaves behind those that it came with (HTTP26-42)', async () => {
    const { client, heard } = await reached(real);
    const context = { headers: { authorization: 'Bearer secret', 'mcp-param-region': 'forged', 'mcp-param-x': 'y' } };
    await lastValueFrom(client.exchange({ method: 'tools/list' }, context));
    const params = { name: 'deploy', arguments: { region: 'eu' } };
    const emission = await lastValueFrom(client.exchange({ method: 'tools/call', params }, context));
    expect(isAnswer(emission) && emission.result).toMatchObject({ content: [{ text: '{"region":"eu"}' }] });
    expect(heard.map(({ headers }) => headers)).toEqual([{}, { 'mcp-param-region': 'eu' }]);
  });

  const meta = { [metaKeys.protocolVersion]: '2026-07-28', [metaKeys.clientCapabilities]: {} };
  const params = { name: 'deploy', arguments: { region: 'us' }, _meta: meta };

  it.each<[string, Readonly<Record<string, string>>]>([
    ['says something else than its argument', { 'mcp-param-region': 'eu' }],
    ['is missing', {}],
    ['repeats what is not there', { 'mcp-param-region': 'us', 'mcp-param-level': '1' }],
  ])(
    'one of whose headers %s goes no further: whoever stood before us read those (HTTP26-35, HTTP26-58)',
    async (_, headers) => {
      for (const isListed of [true, false]) {
        const { client, of: asked } = await reached(real);
        if (isListed) await lastValueFrom(client.listTools());
        const call$ = client.exchange({ method: 'tools/call', params }, { headers });
        await expect(lastValueFrom(call$)).rejects.toMatchObject({
          code: -32020,
          data: { header: expect.stringMatching(/^mcp-param-/) as unknown },
        });
        // A tool that nobody has listed is known once the server has refused it.
        expect(asked('tools/call')).toHaveLength(isListed ? 0 : 1);
      }
    },
  );

  it('whose headers agree with it goes on, as does one of an older revision, which has none (HTTP26-35)', async () => {
    const older = { ...params, _meta: { ...meta, [metaKeys.protocolVersion]: '2025-11-25' } };
    for (const [asked, headers] of [
      [params, { 'mcp-param-region': 'us' }],
      [older, {}],
    ] as const) {
      const { client, heard } = await reached(real);
      await lastValueFrom(client.listTools());
      await lastValueFrom(client.exchange({ method: 'tools/call', params: asked }, { headers }));
      expect(heard.at(-1)?.headers).toEqual({ 'mcp-param-region': 'us' });
    }
  });
});

describe('a list of tools over HTTP', () => {
  const invalid = {
    empty: { value: annotated('') },
    number: { value: annotated('A', 'number') },
    twice: { a: annotated('Region'), b: annotated('region') },
    beneath: { list: { type: 'array', items: annotated('A') } },
  };
  const page = [
    described('good', { region: annotated('Region') }),
    ...Object.entries(invalid).map(([name, properties]) => described(name, properties)),
    described('plain'),
  ];

  it('comes without tools that cannot work, and says which and why, once (HTTP26-49, HTTP26-50)', async () => {
    const { client, warnings } = await reached(() => of(listed(page)));
    expect(names(await lastValueFrom(client.listTools()))).toEqual(['good', 'plain']);
    expect(warnings).toEqual([
      expect.stringMatching(/^tool "empty" is left out: property "value": x-mcp-header must be the name/),
      expect.stringMatching(/^tool "number" is left out: property "value": x-mcp-header needs the type/),
      expect.stringMatching(/^tool "twice" is left out: property "b": x-mcp-header "region" is that of property "a"/),
      expect.stringMatching(/^tool "beneath" is left out: property "list": beneath items/),
    ]);
    await lastValueFrom(client.listTools());
    expect(warnings).toHaveLength(4);
  });

  it('keeps its other members, its pages and its lifetime (HTTP26-49)', async () => {
    const { client, of: asked } = await reached(({ params }) =>
      of(
        params?.['cursor'] === undefined
          ? listed(page.slice(1, 3), { nextCursor: 'more', ttlMs: 60_000 })
          : listed(page, { ttlMs: 60_000, other: 1 }),
      ),
    );
    const pages = () => lastValueFrom(client.listTools().pipe(toArray()));
    expect((await pages()).map(names)).toEqual([[], ['good', 'plain']]);
    expect((await pages()).map(names)).toEqual([[], ['good', 'plain']]);
    expect(asked('tools/list')).toHaveLength(2);
    expect(
      await lastValueFrom(client.exchange({ method: 'tools/list', params: { cursor: 'more' } }, {})),
    ).toMatchObject({
      result: { ttlMs: 60_000, other: 1 },
    });
  });

  it('is the same where it is watched, and where it is passed on (HTTP26-49)', async () => {
    const { client } = await reached(({ method }) => (method === 'tools/list' ? of(listed(page)) : NEVER));
    const emission = await lastValueFrom(client.exchange({ method: 'tools/list' }, {}));
    expect(isAnswer(emission) && names(emission.result['tools'] as never)).toEqual(['good', 'plain']);
  });

  it('teaches nothing of a tool that has become invalid (HTTP26-49, HTTP26-60)', async () => {
    let properties: JsonObject = { a: annotated('A') };
    const { client, of: asked } = await reached(({ method }) =>
      of(method === 'tools/list' ? listed([described('t', properties)]) : done),
    );
    for (const next of [properties, { a: annotated('') }, { a: { type: 'string' } }]) {
      properties = next;
      await lastValueFrom(client.listTools());
      await client.callTool('t', { a: 'x' });
    }
    expect(asked('tools/call').map(({ headers }) => headers)).toEqual([{ 'mcp-param-a': 'x' }, {}, {}]);
  });

  it('that is not one is said to be none, as ever', async () => {
    const { client } = await reached(() => of({ result: { resultType: 'complete', tools: [null, { name: 5 }] } }));
    await expect(firstValueFrom(client.listTools())).rejects.toMatchObject({ _tag: 'InvalidAnswer' });
  });
});

describe('where there are no headers', () => {
  it('of an older revision, nothing is left out and nothing repeated (HTTP26-49, HTTP26-51)', async () => {
    const {
      client,
      of: asked,
      warnings,
    } = await reached(
      ({ method }) => of(method === 'tools/list' ? listed([described('t', { a: annotated('', 'string') })]) : done),
      '2025-11-25',
    );
    expect(names(await lastValueFrom(client.listTools()))).toEqual(['t']);
    await client.callTool('t', { a: 'x' });
    expect(asked('tools/call')[0]?.headers).toEqual({});
    expect(warnings).toEqual([]);
  });

  it('on a channel, annotations are ignored (HTTP26-51)', async () => {
    const warnings: string[] = [];
    const served: Exchange = (request, context) =>
      request.method === 'tools/list' ? of(listed([described('t', { a: annotated('') })])) : real(request, context);
    await using link = await linked(served, { client: { onWarning: (message) => warnings.push(message) } });
    expect(names(await lastValueFrom(link.client.listTools()))).toEqual(['t']);
    expect(await link.client.callTool('deploy', { region: 'eu' })).toMatchObject({
      content: [{ text: '{"region":"eu"}' }],
    });
    expect(warnings).toEqual([]);
  });
});
