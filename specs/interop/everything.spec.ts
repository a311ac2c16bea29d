/** Our client drives the reference server `everything`: found out by the probe, and at each revision that it speaks. */
import {
  concatMap,
  filter,
  firstValueFrom,
  from,
  lastValueFrom,
  map,
  reduce,
  take,
  takeWhile,
  toArray,
  type Observable,
} from 'rxjs';
import { open, type CallEvent, type OpenClient } from 'rxmcp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lifelines } from './lifelines.ts';
import { legacyWirings } from './wirings.ts';
import { official } from './official.ts';
import { idOf, ofMethod, recorded, type Recorded } from './recorded.ts';

const whole = <T>(pages$: Observable<readonly T[]>): Promise<readonly T[]> =>
  lastValueFrom(pages$.pipe(reduce((items: readonly T[], page) => [...items, ...page], [])));

const steps = (events: readonly CallEvent<unknown>[]) =>
  events.map((event) => (event.kind === 'progress' ? `${event.progress} of ${event.total}` : event.kind));

const textUri = (id: number) => `demo://resource/dynamic/text/${id}`;

describe.each(legacyWirings)('our client and server-everything, $name', ({ options, spoken }) => {
  const processes = lifelines();
  let channel: Recorded;
  let client: OpenClient;

  beforeAll(async () => {
    channel = recorded(official('everything', [], processes.env));
    client = await open(channel, options);
  });
  afterAll(() => client.close());

  it('opens in the revision, and hears what the server says of itself', () => {
    expect(client.revision).toBe(spoken);
    expect(client.server).toMatchObject({ name: 'mcp-servers/everything', version: '2.0.0' });
    expect(client.instructions).toContain('Everything Server');
    expect(client.capabilities).toMatchObject({
      tools: { listChanged: true },
      resources: { subscribe: true },
      logging: {},
    });
    const opening = channel.sent
      .map((frame) => ('method' in frame ? frame.method : 'an answer'))
      .slice(0, options.revisions === undefined ? 3 : 2);
    expect(opening).toEqual([
      ...(options.revisions === undefined ? ['server/discover'] : []),
      'initialize',
      'notifications/initialized',
    ]);
    expect(ofMethod(channel.sent, 'initialize')[0]?.params).toMatchObject({
      protocolVersion: spoken,
      capabilities: {},
    });
  });

  it('lists everything', async () => {
    expect((await whole(client.listTools())).map(({ name }) => name)).toContain('trigger-long-running-operation');
    expect((await whole(client.listPrompts())).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['simple-prompt', 'args-prompt', 'completable-prompt', 'resource-prompt']),
    );
    expect((await whole(client.listResources())).map(({ uri }) => uri)).toContain(
      'demo://resource/static/document/features.md',
    );
    expect((await whole(client.listTemplates())).map(({ uriTemplate }) => uriTemplate)).toEqual([
      'demo://resource/dynamic/text/{resourceId}',
      'demo://resource/dynamic/blob/{resourceId}',
    ]);
  });

  it('keeps the list of tools fresh: some of them come after the handshake', async () => {
    const tools = await firstValueFrom(
      client.tools$.pipe(filter((list) => list.some(({ name }) => name === 'simulate-research-query'))),
    );
    expect(tools.map(({ name }) => name)).toContain('echo');
  });

  it('calls tools', async () => {
    expect(await client.callTool('echo', { message: 'é\n🙂' })).toMatchObject({
      content: [{ type: 'text', text: 'Echo: é\n🙂' }],
    });
    expect(await client.callTool('get-sum', { a: 2, b: 40 })).toMatchObject({
      content: [{ text: 'The sum of 2 and 40 is 42.' }],
    });
    const { content } = await client.callTool('get-tiny-image', {});
    expect(content.map(({ type }) => type)).toEqual(['text', 'image', 'text']);
    const links = await client.callTool('get-resource-links', { count: 3 });
    expect(links.content.map(({ type }) => type)).toEqual(['text', 'resource_link', 'resource_link', 'resource_link']);
    expect(await client.callTool('get-resource-reference', { resourceType: 'Blob', resourceId: 3 })).toMatchObject({
      content: [
        { type: 'text' },
        { type: 'resource', resource: { uri: 'demo://resource/dynamic/blob/3' } },
        { type: 'text' },
      ],
    });
    // Its environment is what we mean to hand on, and nothing more.
    const shown = await client.callTool('get-env', {});
    expect(JSON.stringify(shown.content)).toContain('RXMCP_LIFELINE');
    expect(JSON.stringify(shown.content)).not.toContain('VITEST');
  });

  it('holds structured content against the schema that the tool was listed with', async () => {
    const listed = client.tools$.subscribe({ error: () => undefined });
    const tool = (await firstValueFrom(client.tools$)).find(({ name }) => name === 'get-structured-content');
    expect(tool?.outputSchema).toMatchObject({ type: 'object', required: ['temperature', 'conditions', 'humidity'] });
    const { structuredContent } = await client.callTool('get-structured-content', { location: 'Chicago' });
    expect(structuredContent).toEqual({ temperature: 36, conditions: 'Light rain / drizzle', humidity: 82 });
    listed.unsubscribe();
  });

  it('tells a tool that failed from one that did not', async () => {
    const failed = await client.callTool('get-structured-content', { location: 'Atlantis' });
    expect(failed).toMatchObject({ isError: true, content: [{ type: 'text' }] });
    // SDK 1.x against the rule (TOOL-16: an unknown tool is a protocol error): `{"result":{"content":[{"type":"text",
    // "text":"MCP error -32602: Tool nope not found"}],"isError":true},"jsonrpc":"2.0","id":…}`. Passed on as it came.
    expect(await client.callTool('nope', {})).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('not found') }],
    });
  });

  it('streams all progress of a long-running tool in order, then its result', async () => {
    const events = await lastValueFrom(
      client.call('trigger-long-running-operation', { duration: 0.1, steps: 5 }).pipe(toArray()),
    );
    expect(steps(events)).toEqual(['1 of 5', '2 of 5', '3 of 5', '4 of 5', '5 of 5', 'result']);
  });

  it('cancels a long-running tool, and hears no more of it', async () => {
    const seen = await lastValueFrom(
      client.call('trigger-long-running-operation', { duration: 0.2, steps: 4 }).pipe(take(2), toArray()),
    );
    expect(steps(seen)).toEqual(['1 of 4', '2 of 4']);
    const cancelled = idOf(ofMethod(channel.sent, 'tools/call').at(-1));
    expect(ofMethod(channel.sent, 'notifications/cancelled').at(-1)?.params).toMatchObject({ requestId: cancelled });
    // Begun later and as long: when it ends, the cancelled one would have.
    expect(
      steps(
        await lastValueFrom(client.call('trigger-long-running-operation', { duration: 0.2, steps: 1 }).pipe(toArray())),
      ),
    ).toEqual(['1 of 1', 'result']);
    expect(channel.received.filter((frame) => idOf(frame) === cancelled)).toEqual([]);
  });

  it('reads resources, fixed and by template, text and blob', async () => {
    const uri = 'demo://resource/static/document/features.md';
    expect(await client.readResource(uri)).toMatchObject({
      contents: [{ uri, mimeType: 'text/markdown', text: expect.stringContaining('# Everything Server') }],
    });
    expect(await client.readResource(textUri(7))).toMatchObject({
      contents: [{ uri: textUri(7), text: expect.stringContaining('Resource 7') }],
    });
    const blob = await client.readResource('demo://resource/dynamic/blob/7');
    const [content] = blob.contents;
    expect(content !== undefined && 'blob' in content ? atob(content.blob) : '').toContain('Resource 7');
    // SDK 1.x says -32602 where its revisions say -32002 (RES-07); we tell it as 2026-07-28 does, whichever came.
    await expect(client.readResource('demo://nowhere')).rejects.toMatchObject({ _tag: 'RpcError', code: -32602 });
  });

  it('reads a resource again when the server says that it has changed, and unsubscribes when nobody looks', async () => {
    const uri = textUri(1);
    const toggled = 'toggle-subscriber-updates';
    const seen = lastValueFrom(
      client.resource$(uri).pipe(
        concatMap((read, index) => (index === 0 ? from(client.callTool(toggled, {})).pipe(map(() => read)) : [read])),
        take(2),
        toArray(),
      ),
    );
    expect((await seen).map(({ contents }) => contents[0]?.uri)).toEqual([uri, uri]);
    await client.callTool(toggled, {});
    expect(ofMethod(channel.received, 'notifications/resources/updated')).toHaveLength(1);
    for (const method of ['resources/subscribe', 'resources/unsubscribe'])
      expect(ofMethod(channel.sent, method).map(({ params }) => params?.['uri'])).toEqual([uri]);
  });

  it('sees a resource that a tool has added', async () => {
    const name = 'note.gz';
    const uri = `demo://resource/session/${name}`;
    const seen = lastValueFrom(
      client.resources$.pipe(
        map((list) => list.some((resource) => resource.uri === uri)),
        concatMap((there, index) =>
          index === 0
            ? from(client.callTool('gzip-file-as-resource', { name, data: 'data:text/plain,hello' })).pipe(
                map(() => there),
              )
            : [there],
        ),
        takeWhile((there) => !there, true),
        toArray(),
      ),
    );
    expect(await seen).toEqual([false, true]);
    expect(await client.readResource(uri)).toMatchObject({ contents: [{ uri, mimeType: 'application/gzip' }] });
  });

  it('gets prompts, and completes their arguments in context', async () => {
    expect(await client.getPrompt('args-prompt', { city: 'Oslo', state: 'Norway' })).toMatchObject({
      messages: [{ role: 'user', content: { type: 'text', text: "What's weather in Oslo, Norway?" } }],
    });
    expect(await client.getPrompt('resource-prompt', { resourceType: 'Text', resourceId: '2' })).toMatchObject({
      messages: [{ content: { type: 'text' } }, { content: { type: 'resource', resource: { uri: textUri(2) } } }],
    });
    await expect(client.getPrompt('args-prompt', {})).rejects.toMatchObject({ _tag: 'RpcError', code: -32602 });
    await expect(client.getPrompt('nope')).rejects.toMatchObject({ _tag: 'RpcError', code: -32602 });
    const ref = { type: 'ref/prompt', name: 'completable-prompt' } as const;
    expect((await client.complete(ref, 'department', 'S')).values).toEqual(['Sales', 'Support']);
    // What is known of the other arguments exists since 2025-06-18.
    const inContext = await client.complete(ref, 'name', '', { department: 'Sales' });
    expect(inContext.values).toEqual(spoken >= '2025-06-18' ? ['David', 'Eve', 'Frank'] : []);
    expect(
      (
        await client.complete(
          { type: 'ref/resource', uri: 'demo://resource/dynamic/text/{resourceId}' },
          'resourceId',
          '12',
        )
      ).values,
    ).toEqual(['12']);
  });

  it('sets the log level that a call wants, once, and hears the log', async () => {
    const line = firstValueFrom(client.logs$.pipe(filter(({ data }) => String(data).startsWith('Received Subscribe'))));
    await client.callTool('echo', { message: 'x' }, { logLevel: 'debug' });
    await client.callTool('echo', { message: 'x' }, { logLevel: 'error' });
    expect(ofMethod(channel.sent, 'logging/setLevel').map(({ params }) => params)).toEqual([{ level: 'debug' }]);
    await firstValueFrom(client.resource$(textUri(2)));
    expect(await line).toEqual({ kind: 'log', level: 'info', data: expect.stringContaining(textUri(2)) });
  });
});
