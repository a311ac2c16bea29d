/** Our client drives a server of tmcp, which shares no code with the official SDKs, in both eras. */
import { fileURLToPath } from 'node:url';
import { concatMap, firstValueFrom, from, lastValueFrom, map, take, takeWhile, toArray } from 'rxjs';
import { NoCommonRevision, open, type Answers, type CallEvent, type ConnectOptions, type OpenClient } from 'rxmcp';
import { spawn } from 'rxmcp/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lifelines } from './lifelines.ts';
import { idOf, ofMethod, recorded, type Recorded } from './recorded.ts';

const fixture = fileURLToPath(new URL('fixtures/tmcp-server.mjs', import.meta.url));

const modern = '2026-07-28';
const wirings: readonly { readonly name: string; readonly options: ConnectOptions; readonly spoken: string }[] = [
  { name: 'found out', options: {}, spoken: modern },
  // Its handshake knows nothing newer than 2025-06-18, and says so.
  { name: 'by handshake', options: { revisions: ['2025-11-25', '2025-06-18'] }, spoken: '2025-06-18' },
  { name: 'by an older handshake', options: { revisions: ['2025-03-26'] }, spoken: '2025-03-26' },
  { name: 'by the oldest handshake', options: { revisions: ['2024-11-05'] }, spoken: '2024-11-05' },
];

const count = (to: number) => ({ to, ms: 2 });

const steps = (events: readonly CallEvent<unknown>[]) =>
  events.map((event) =>
    event.kind === 'progress' ? `${event.progress} of ${event.total}: ${event.message}` : event.kind,
  );

const textOf = ({ content: [block] }: Awaited<ReturnType<OpenClient['callTool']>>) =>
  block?.type === 'text' ? block.text : undefined;

describe.each(wirings)('our client and a server of tmcp, $name', ({ options, spoken }) => {
  const processes = lifelines();
  let channel: Recorded;
  let client: OpenClient;

  beforeAll(async () => {
    channel = recorded(spawn(process.execPath, [fixture], { env: processes.env }));
    client = await open(channel, options);
    // Looking at the list is what makes a client check results against it.
    await firstValueFrom(client.tools$);
  });
  afterAll(() => client.close());

  it('opens, and hears what the server says of itself', () => {
    expect(client.revision).toBe(spoken);
    expect(client.server).toMatchObject({ name: 'tmcp-fixture', version: '3.0.0' });
    expect(client.instructions).toBe('Count on it.');
    expect(client.capabilities).toMatchObject({
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      completions: {},
      logging: {},
    });
    expect(ofMethod(channel.sent, 'initialize')).toHaveLength(spoken === modern ? 0 : 1);
  });

  it('lists everything, over pages', async () => {
    const pages = await lastValueFrom(client.listTools().pipe(toArray()));
    expect(pages.map(({ length }) => length)).toEqual([5, 5, 3]);
    expect(pages.flat().map(({ name }) => name)).toContain('write');
    expect(await firstValueFrom(client.resources$)).toMatchObject([
      { name: 'one', uri: 'note://one', mimeType: 'text/plain' },
      { name: 'listed', uri: 'blob:///listed' },
    ]);
    expect(await firstValueFrom(client.templates$)).toMatchObject([{ name: 'blob', uriTemplate: 'blob:///{name}' }]);
    expect(await firstValueFrom(client.prompts$)).toMatchObject([
      {
        name: 'greet',
        arguments: [
          { name: 'team', required: true, description: 'Whose' },
          { name: 'name', required: false },
        ],
      },
    ]);
  });

  it('calls tools, with structured content and without', async () => {
    expect(textOf(await client.callTool('echo', { message: 'é\n🙂' }))).toBe('é\n🙂');
    const { structuredContent, content } = await client.callTool('add', { a: 40, b: 2 });
    expect(structuredContent).toEqual({ sum: 42 });
    expect(content).toEqual([{ type: 'text', text: '{"sum":42}' }]);
    expect(await client.callTool('mix', {})).toMatchObject({
      content: [
        { type: 'text', text: 'and' },
        { type: 'image', data: 'iVBORw0KGgo=', mimeType: 'image/png' },
        { type: 'audio', data: 'UklGRg==', mimeType: 'audio/wav' },
        { type: 'resource', resource: { uri: 'note://one', text: 'inside' } },
        { type: 'resource_link', name: 'one', uri: 'note://one' },
      ],
    });
  });

  it('tells what failed, and how', async () => {
    expect(await client.callTool('fail', {})).toMatchObject({ isError: true, content: [{ text: 'out of luck' }] });
    expect(await client.callTool('add', { a: 40 })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('expected number') }],
    });
    // An unknown tool is none of its protocol errors (against TOOL-16), and what a tool throws is one.
    expect(await client.callTool('nope', {})).toMatchObject({
      isError: true,
      content: [{ text: 'Tool nope not found' }],
    });
    const failures = [
      [client.callTool('throw', {}), -32603, /out of order/],
      [client.getPrompt('nope'), -32602, /nope not found/],
      [client.getPrompt('greet', {}), -32602, /team/],
      [client.readResource('no://where'), -32602, /no:\/\/where not found/],
    ] as const;
    for (const [failed, code, message] of failures) {
      await expect(failed).rejects.toMatchObject({ _tag: 'RpcError', code });
      await expect(failed).rejects.toThrow(message);
    }
  });

  it('takes no answer for a completion that is none: of what it does not know, the server says null', async () => {
    await expect(client.complete({ type: 'ref/prompt', name: 'nope' }, 'team', '')).rejects.toMatchObject({
      _tag: 'InvalidAnswer',
      method: 'completion/complete',
    });
    expect(textOf(await client.callTool('echo', { message: 'still here' }))).toBe('still here');
  });

  it('streams progress in order, then the result', async () => {
    const events = await lastValueFrom(client.call('count', count(20)).pipe(toArray()));
    expect(steps(events)).toEqual([
      ...Array.from({ length: 20 }, (_, index) => `${index + 1} of 20: step ${index + 1}`),
      'result',
    ]);
  });

  it('hears nothing of a call that it has cancelled, though the server goes on and answers', async () => {
    const seen = await lastValueFrom(client.call('count', count(10)).pipe(take(2), toArray()));
    expect(steps(seen)).toEqual(['1 of 10: step 1', '2 of 10: step 2']);
    const cancelled = idOf(ofMethod(channel.sent, 'tools/call').at(-1));
    expect(ofMethod(channel.sent, 'notifications/cancelled').at(-1)?.params).toMatchObject({ requestId: cancelled });
    // Begun later and longer: when it ends, the cancelled one has. After a handshake they even take turns.
    expect(steps(await lastValueFrom(client.call('count', count(20)).pipe(toArray())))).toHaveLength(21);
    expect(channel.received.filter((frame) => idOf(frame) === cancelled)).toHaveLength(1);
  });

  it('keeps calls at the same time apart', async () => {
    const runs = await Promise.all(
      [3, 5, 7].map((to) => lastValueFrom(client.call('count', count(to)).pipe(toArray()))),
    );
    expect(runs.map((events) => steps(events).at(-2))).toEqual(['3 of 3: step 3', '5 of 5: step 5', '7 of 7: step 7']);
  });

  it('hears the log at the level that a call asked for', async () => {
    const heard = firstValueFrom(client.logs$);
    await client.callTool('say', {}, { logLevel: 'info' });
    expect(await heard).toEqual({ kind: 'log', level: 'warning', logger: 'fixture', data: { loud: true } });
    expect(ofMethod(channel.received, 'notifications/message')).toHaveLength(1);
  });

  it('reads resources, gets prompts, and completes the arguments of both', async () => {
    expect(await client.readResource('note://one')).toMatchObject({
      contents: [{ uri: 'note://one', mimeType: 'text/plain', text: 'first' }],
    });
    expect(await client.readResource('blob:///a%20b')).toMatchObject({ contents: [{ blob: btoa('a b') }] });
    expect(await client.getPrompt('greet', { team: 'red' })).toMatchObject({
      messages: [{ role: 'user', content: { type: 'text', text: 'Hello all of red' } }],
    });
    const greet = { type: 'ref/prompt', name: 'greet' } as const;
    expect((await client.complete(greet, 'team', 'r')).values).toEqual(['red']);
    // What is known of the other arguments exists since 2025-06-18.
    expect((await client.complete(greet, 'name', 'A', { team: 'red' })).values).toEqual(
      spoken >= '2025-06-18' ? ['Ada', 'Alan'] : [],
    );
    expect((await client.complete({ type: 'ref/resource', uri: 'blob:///{name}' }, 'name', 'b')).values).toEqual([
      'beta',
    ]);
  });

  it('sees a resource change, and its list of tools', async () => {
    const text$ = client
      .resource$('note://one')
      .pipe(map(({ contents: [content] }) => (content !== undefined && 'text' in content ? content.text : undefined)));
    const seen = text$.pipe(
      concatMap((text, index) =>
        index === 0 ? from(client.callTool('write', { said: 'second' })).pipe(map(() => text)) : [text],
      ),
      take(2),
      toArray(),
    );
    expect(await lastValueFrom(seen)).toEqual(['first', 'second']);
    const grown = client.tools$.pipe(
      map((tools) => tools.some(({ name }) => name === 'grown')),
      concatMap((there, index) =>
        index === 0 ? from(client.callTool('grow', { name: 'grown' })).pipe(map(() => there)) : [there],
      ),
      takeWhile((there) => !there, true),
      toArray(),
    );
    expect(await lastValueFrom(grown)).toEqual([false, true]);
    expect(textOf(await client.callTool('grown', {}))).toBe('grown');
    const watched = spoken === modern ? 'subscriptions/listen' : 'resources/subscribe';
    expect(ofMethod(channel.sent, watched).length).toBeGreaterThan(0);
  });

  it('is told what it would have to be able to do', async () => {
    for (const name of ['ask', 'sample'])
      await expect(client.callTool(name, {})).rejects.toMatchObject(
        spoken === modern
          ? { _tag: 'RpcError', code: -32021, data: { requiredCapabilities: expect.any(Object) } }
          : { _tag: 'RpcError', code: -32601 },
      );
  });
});

describe.each([{ spoken: modern }, { spoken: '2025-06-18' }] as const)(
  'our client, asked by a server of tmcp, at $spoken',
  ({ spoken }) => {
    const processes = lifelines();
    const forms: string[] = [];
    let channel: Recorded;
    let client: OpenClient;

    const answers: Answers = {
      form: ({ message }) => {
        forms.push(message);
        if (message.includes('refuse')) return { action: 'decline' };
        return { action: 'accept', content: message.startsWith('Who') ? { name: 'Ada' } : { age: 36 } };
      },
      sample: ({ messages: [first] }) => ({
        role: 'assistant',
        model: 'ours',
        content: { type: 'text', text: JSON.stringify(first?.content) },
      }),
      roots: [{ uri: 'file:///home/ada' }],
    };

    beforeAll(async () => {
      channel = recorded(spawn(process.execPath, [fixture], { env: processes.env }));
      client = await open(channel, { revisions: [spoken], answers });
    });
    afterAll(() => client.close());

    it('answers in the middle of a call, as often as it takes', async () => {
      expect(textOf(await client.callTool('ask', {}))).toBe('Hello Ada');
      expect(textOf(await client.callTool('ask-twice', {}))).toBe('Ada is 36');
      expect(forms).toEqual(['Who are you?', 'Who are you?', 'How old, Ada?']);
      expect(textOf(await client.callTool('sample', {}))).toBe('ours: {"type":"text","text":"ping"}');
    });

    it('says no, which the server hears', async () => {
      expect(textOf(await client.callTool('ask', { message: 'Do you refuse?' }))).toBe('decline');
    });

    it('asks again with the answers, and gives back what it was given, where that is how it is done', async () => {
      const before = ofMethod(channel.sent, 'tools/call').length;
      await client.callTool('ask-twice', {});
      const asked = ofMethod(channel.sent, 'tools/call').slice(before);
      const [, second, third] = asked.map(({ params }) => params);
      expect(asked).toHaveLength(spoken === modern ? 3 : 1);
      if (spoken !== modern) return;
      expect(second).toMatchObject({ inputResponses: { 1: { action: 'accept', content: { name: 'Ada' } } } });
      expect(second).not.toHaveProperty('requestState');
      expect(third).toMatchObject({
        inputResponses: { 2: { action: 'accept', content: { age: 36 } } },
        requestState: expect.stringContaining('Ada'),
      });
    });

    it('shows its roots after a handshake, where alone the server can ask for them', async () => {
      const look = client.callTool('look', {});
      if (spoken === modern) await expect(look).rejects.toMatchObject({ _tag: 'RpcError', code: -32603 });
      else expect(textOf(await look)).toBe('file:///home/ada');
    });
  },
);

describe('our client and a server of tmcp that speaks no revision of ours', () => {
  const processes = lifelines();

  it('says which it speaks, and leaves no process', async () => {
    const failed = open(spawn(process.execPath, [fixture], { env: processes.env }), { revisions: ['2025-11-25'] });
    await expect(failed).rejects.toBeInstanceOf(NoCommonRevision);
    await expect(failed).rejects.toMatchObject({ supported: ['2025-06-18'], offered: ['2025-11-25'] });
    await processes.gone();
  });
});
