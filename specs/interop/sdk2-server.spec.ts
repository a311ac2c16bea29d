/** Our client drives a server of the official SDK 2.x, in both eras. */
import { fileURLToPath } from 'node:url';
import { concatMap, firstValueFrom, from, lastValueFrom, map, take, takeWhile, toArray, type Observable } from 'rxjs';
import { NoCommonRevision, open, type CallEvent, type ConnectOptions, type OpenClient } from 'rxmcp';
import { spawn } from 'rxmcp/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lifelines } from './lifelines.ts';
import { idOf, ofMethod, recorded, type Recorded } from './recorded.ts';

const fixture = fileURLToPath(new URL('fixtures/sdk2-server.mjs', import.meta.url));

const [modern, handshake] = ['2026-07-28', '2025-11-25'] as const;
const wirings: readonly {
  readonly name: string;
  readonly flags?: readonly string[];
  readonly options?: ConnectOptions;
  readonly spoken: string;
}[] = [
  { name: 'of both eras, found out', spoken: modern },
  { name: 'of both eras, by handshake', options: { revisions: [handshake] }, spoken: handshake },
  { name: 'of both eras, by the oldest handshake', options: { revisions: ['2024-11-05'] }, spoken: '2024-11-05' },
  { name: 'of the modern era only, found out', flags: ['--modern-only'], spoken: modern },
  { name: 'of the handshake only, found out', flags: ['--handshake-only'], spoken: handshake },
];

const steps = (events: readonly CallEvent<unknown>[]) =>
  events.map((event) =>
    event.kind === 'progress' ? `${event.progress} of ${event.total}: ${event.message}` : event.kind,
  );

/** Passes a live value on, having done something about its first one. */
const afterFirst =
  <T>(act: () => Promise<unknown>) =>
  (values$: Observable<T>): Observable<T> =>
    values$.pipe(concatMap((value, index) => (index === 0 ? from(act()).pipe(map(() => value)) : [value])));

describe.each(wirings)('our client and a server of SDK 2, $name', ({ flags = [], options, spoken }) => {
  const processes = lifelines();
  let channel: Recorded;
  let client: OpenClient;

  beforeAll(async () => {
    channel = recorded(spawn(process.execPath, [fixture, ...flags], { env: processes.env }));
    client = await open(channel, options);
    await firstValueFrom(client.tools$);
  });
  afterAll(() => client.close());

  it('opens in the right era', () => {
    expect(client.revision).toBe(spoken);
    expect(client.server).toEqual({ name: 'sdk2-fixture', version: '2.0.0' });
    expect(client.instructions).toBe(`Serving the ${spoken === modern ? 'modern' : 'legacy'} era.`);
    expect(client.capabilities).toMatchObject({
      tools: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      completions: {},
    });
    const handshakes = ofMethod(channel.sent, 'initialize').length;
    expect(handshakes).toBe(spoken === modern ? 0 : 1);
  });

  it('says on every modern request who asks, in which revision and with which abilities; and on no other', async () => {
    await client.callTool('add', { a: 1, b: 2 }, { meta: { 'com.example/own': 1 } });
    const meta = ofMethod(channel.sent, 'tools/call').at(-1)?.params?.['_meta'];
    const own = { 'com.example/own': 1, progressToken: expect.any(Number) };
    const envelope = {
      'io.modelcontextprotocol/protocolVersion': modern,
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'rxmcp', version: expect.any(String) },
    };
    expect(meta).toEqual(spoken === modern ? { ...own, ...envelope } : own);
  });

  it('lists over pages, an empty cursor among them', async () => {
    const pages = await lastValueFrom(client.listPrompts().pipe(toArray()));
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
    expect(pages.flat().map(({ name }) => name)).toEqual(Array.from({ length: 25 }, (_, index) => `prompt-${index}`));
    expect(await firstValueFrom(client.prompts$)).toHaveLength(25);
    expect((await lastValueFrom(client.listTemplates())).map(({ uriTemplate }) => uriTemplate)).toEqual([
      'blob://{name}',
    ]);
  });

  it('calls tools, with structured content and without', async () => {
    expect(await client.callTool('add', { a: 40, b: 2 })).toMatchObject({
      content: [{ type: 'text', text: '42' }],
      structuredContent: { sum: 42 },
    });
    expect(await client.callTool('add', { a: 40 })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('b:') }],
    });
    expect(await client.callTool('fail', {})).toMatchObject({ isError: true, content: [{ text: 'out of luck' }] });
  });

  it('tells errors apart by their code and data', async () => {
    await expect(client.callTool('nope', {})).rejects.toMatchObject({ _tag: 'RpcError', code: -32602 });
    await expect(client.getPrompt('nope')).rejects.toMatchObject({
      _tag: 'RpcError',
      code: -32602,
      message: 'no nope here',
      data: { name: 'nope' },
    });
    await expect(client.readResource('no://where')).rejects.toMatchObject({
      _tag: 'RpcError',
      code: -32602,
      data: { uri: 'no://where' },
    });
  });

  it('streams progress in order, then the result', async () => {
    const events = await lastValueFrom(client.call('count', { to: 20, ms: 1 }).pipe(toArray()));
    expect(steps(events)).toEqual([
      ...Array.from({ length: 20 }, (_, index) => `${index + 1} of 20: step ${index + 1}`),
      'result',
    ]);
  });

  it('cancels: the far handler is aborted, and nothing more is said of the call', async () => {
    const before = (await client.callTool('stats', {})).structuredContent as { cancelled: number; started: number };
    const seen = await lastValueFrom(client.call('count', { to: 10_000, ms: 2 }).pipe(take(2), toArray()));
    expect(steps(seen)).toEqual(['1 of 10000: step 1', '2 of 10000: step 2']);
    const id = idOf(ofMethod(channel.sent, 'tools/call').at(-1));
    expect(ofMethod(channel.sent, 'notifications/cancelled').at(-1)?.params).toMatchObject({ requestId: id });
    const aborted = new AbortController();
    const call = client.callTool('count', { to: 10_000, ms: 2 }, { signal: aborted.signal });
    aborted.abort(new Error('changed my mind'));
    await expect(call).rejects.toThrow('changed my mind');
    expect((await client.callTool('stats', {})).structuredContent).toMatchObject({
      started: before.started + 2,
      cancelled: before.cancelled + 2,
    });
    expect(channel.received.filter((frame) => idOf(frame) === id)).toEqual([]);
  });

  it('hears the log at the level that a call asked for', async () => {
    const heard = firstValueFrom(client.logs$);
    await client.callTool('say', {}, { logLevel: 'info' });
    expect(await heard).toEqual({ kind: 'log', level: 'warning', logger: 'fixture', data: { loud: true } });
    expect(ofMethod(channel.received, 'notifications/message')).toHaveLength(1);
  });

  it('reads resources and completes the variables of their templates', async () => {
    expect(await client.readResource('note://one')).toMatchObject({
      contents: [{ uri: 'note://one', mimeType: 'text/plain', text: 'first' }],
    });
    expect(await client.readResource('blob://a%20b')).toMatchObject({ contents: [{ blob: btoa('a%20b') }] });
    expect(await client.complete({ type: 'ref/resource', uri: 'blob://{name}' }, 'name', 'be')).toMatchObject({
      values: ['beta'],
    });
  });

  it('sees lists change', async () => {
    const grow = () => client.callTool('grow', { name: 'grown' });
    const [tools, resources] = await Promise.all([
      lastValueFrom(
        client.tools$.pipe(
          map((list) => list.some(({ name }) => name === 'grown')),
          afterFirst(grow),
          takeWhile((there) => !there, true),
          toArray(),
        ),
      ),
      lastValueFrom(
        client.resources$.pipe(
          map((list) => list.some(({ uri }) => uri === 'note://grown')),
          takeWhile((there) => !there, true),
          toArray(),
        ),
      ),
    ]);
    expect(tools).toEqual([false, true]);
    expect(resources).toEqual([false, true]);
    expect(await client.callTool('grown', {})).toMatchObject({ content: [{ text: 'grown' }] });
  });

  it('sees a resource change for as long as somebody looks, however many do', async () => {
    const text$ = client
      .resource$('note://one')
      .pipe(map(({ contents: [content] }) => (content !== undefined && 'text' in content ? content.text : undefined)));
    const write = () => client.callTool('write', { said: 'second' });
    const [one, two] = await Promise.all([
      lastValueFrom(text$.pipe(afterFirst(write), take(2), toArray())),
      lastValueFrom(text$.pipe(take(2), toArray())),
    ]);
    expect(one).toEqual(['first', 'second']);
    expect(two).toEqual(['first', 'second']);
    const subscribed = spoken === modern ? 'subscriptions/listen' : 'resources/subscribe';
    const ended = spoken === modern ? 'notifications/cancelled' : 'resources/unsubscribe';
    const id = idOf(ofMethod(channel.sent, subscribed).at(-1));
    expect(ofMethod(channel.sent, ended).at(-1)?.params).toMatchObject(
      spoken === modern ? { requestId: id } : { uri: 'note://one' },
    );
    // Nobody looks any more: the change is no longer told of.
    await client.callTool('stats', {});
    const told = ofMethod(channel.received, 'notifications/resources/updated').length;
    await client.callTool('write', { said: 'first' });
    expect(ofMethod(channel.received, 'notifications/resources/updated')).toHaveLength(told);
  });
});

describe('our client and a server of SDK 2 that speaks no revision of ours', () => {
  const processes = lifelines();
  const server = () => spawn(process.execPath, [fixture, '--modern-only'], { env: processes.env });

  it('says which there are, and leaves no process', async () => {
    const failed = open(server(), { revisions: [handshake] });
    await expect(failed).rejects.toBeInstanceOf(NoCommonRevision);
    await expect(failed).rejects.toMatchObject({ supported: [modern], offered: [handshake] });
    await processes.gone();
  });
});
