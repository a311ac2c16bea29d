/** Our client drives the reference server `everything` over Streamable HTTP and over the transport before it. */
import {
  concatMap,
  firstValueFrom,
  filter,
  from,
  lastValueFrom,
  map,
  reduce,
  take,
  toArray,
  type Observable,
} from 'rxjs';
import { fetchCarrier, open, type Answers, type CallEvent, type OpenClient, type Target } from 'rxmcp';
import { remote, sse } from 'rxmcp/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elsewhere, type Elsewhere } from './elsewhere.ts';
import { lifelines } from './lifelines.ts';
import { legacyWirings, type Wiring } from './wirings.ts';

const program = 'node_modules/@modelcontextprotocol/server-everything/dist/index.js';

const whole = <T>(pages$: Observable<readonly T[]>): Promise<readonly T[]> =>
  lastValueFrom(pages$.pipe(reduce((items: readonly T[], page) => [...items, ...page], [])));

const steps = (events: readonly CallEvent<unknown>[]) =>
  events.map((event) => (event.kind === 'progress' ? `${event.progress} of ${event.total}` : event.kind));

const textUri = (id: number) => `demo://resource/dynamic/text/${id}`;

interface Way extends Wiring {
  readonly transport: 'streamableHttp' | 'sse';
  readonly reach: (port: number) => Target;
}

const overHttp = (port: number): Target => remote(`http://127.0.0.1:${port}/mcp`);
const found = { name: 'found out', options: {}, spoken: '2025-11-25' } as const;
const ways: readonly Way[] = [
  ...legacyWirings.map((wiring): Way => ({ ...wiring, transport: 'streamableHttp', reach: overHttp })),
  {
    ...found,
    name: 'found out, by fetch',
    transport: 'streamableHttp',
    reach: (port) => remote(`http://127.0.0.1:${port}/mcp`, { carrier: fetchCarrier() }),
  },
  { ...found, transport: 'sse', reach: (port) => sse(`http://127.0.0.1:${port}/sse`) },
  { ...found, name: 'found out by a URL', transport: 'sse', reach: (port) => remote(`http://127.0.0.1:${port}/sse`) },
];

const answers: Answers = {
  form: () => ({ action: 'accept', content: { name: 'Ada' } }),
  sample: () => ({ role: 'assistant', model: 'ours', content: { type: 'text', text: 'pong' } }),
  roots: [{ uri: 'file:///home/ada' }],
};

describe.each(ways)(
  'our client and server-everything over $transport, $name',
  ({ transport, reach, options, spoken }) => {
    const processes = lifelines();
    let server: Elsewhere;
    let client: OpenClient;

    beforeAll(async () => {
      server = await elsewhere([program, transport], processes.env);
      client = await open(reach(server.port), { ...options, answers });
    });
    afterAll(async () => {
      await client.close();
      await server.stop();
    });

    it('opens in the revision, and hears what the server says of itself', () => {
      expect(client.revision).toBe(spoken);
      expect(client.server).toMatchObject({ name: 'mcp-servers/everything' });
      expect(client.capabilities).toMatchObject({ tools: { listChanged: true }, resources: { subscribe: true } });
    });

    it('lists everything', async () => {
      expect((await whole(client.listTools())).map(({ name }) => name)).toContain('trigger-long-running-operation');
      expect((await whole(client.listPrompts())).map(({ name }) => name)).toContain('args-prompt');
      expect((await whole(client.listResources())).map(({ uri }) => uri)).toContain(
        'demo://resource/static/document/features.md',
      );
      expect(await whole(client.listTemplates())).toHaveLength(2);
    });

    it('calls tools, many at a time', async () => {
      const said = Array.from({ length: 20 }, (_, index) => `é\n🙂 ${index}`);
      const echoed = await Promise.all(said.map((message) => client.callTool('echo', { message })));
      expect(echoed.map(({ content: [block] }) => block)).toEqual(
        said.map((message) => ({ type: 'text', text: `Echo: ${message}` })),
      );
      const failed = await client.callTool('get-structured-content', { location: 'Atlantis' });
      expect(failed).toMatchObject({ isError: true });
    });

    it('streams all progress of a long-running tool in order, then its result', async () => {
      const events = await lastValueFrom(
        client.call('trigger-long-running-operation', { duration: 0.1, steps: 5 }).pipe(toArray()),
      );
      expect(steps(events)).toEqual(['1 of 5', '2 of 5', '3 of 5', '4 of 5', '5 of 5', 'result']);
    });

    it('cancels a long-running tool, and goes on', async () => {
      const seen = await lastValueFrom(
        client.call('trigger-long-running-operation', { duration: 0.2, steps: 4 }).pipe(take(2), toArray()),
      );
      expect(steps(seen)).toEqual(['1 of 4', '2 of 4']);
      expect(await client.callTool('echo', { message: 'on' })).toMatchObject({ content: [{ text: 'Echo: on' }] });
    });

    it('answers what the server asks in the middle of a call', async () => {
      const sampled = await client.callTool('trigger-sampling-request', { prompt: 'ping' });
      expect(JSON.stringify(sampled.content)).toContain('pong');
    });

    it('reads resources, and one again when the server says that it has changed', async () => {
      expect(await client.readResource(textUri(7))).toMatchObject({
        contents: [{ uri: textUri(7), text: expect.stringContaining('Resource 7') }],
      });
      await expect(client.readResource('demo://nowhere')).rejects.toMatchObject({ _tag: 'RpcError', code: -32602 });
      const toggle = () => client.callTool('toggle-subscriber-updates', {});
      const seen = await lastValueFrom(
        client.resource$(textUri(1)).pipe(
          concatMap((read, index) => (index === 0 ? from(toggle()).pipe(map(() => read)) : [read])),
          take(2),
          toArray(),
        ),
      );
      expect(seen.map(({ contents }) => contents[0]?.uri)).toEqual([textUri(1), textUri(1)]);
      await toggle();
    });

    it('keeps the list of tools fresh: some of them come after the handshake', async () => {
      const tools = await firstValueFrom(
        client.tools$.pipe(filter((list) => list.some(({ name }) => name === 'simulate-research-query'))),
      );
      expect(tools.map(({ name }) => name)).toContain('echo');
    });

    it('gets prompts, and completes their arguments', async () => {
      expect(await client.getPrompt('args-prompt', { city: 'Oslo', state: 'Norway' })).toMatchObject({
        messages: [{ content: { text: "What's weather in Oslo, Norway?" } }],
      });
      const ref = { type: 'ref/prompt', name: 'completable-prompt' } as const;
      expect((await client.complete(ref, 'department', 'S')).values).toEqual(['Sales', 'Support']);
    });

    it('hears the log at the level that a call wants', async () => {
      const line = firstValueFrom(
        client.logs$.pipe(filter(({ data }) => String(data).startsWith('Received Subscribe'))),
      );
      await client.callTool('echo', { message: 'x' }, { logLevel: 'debug' });
      await firstValueFrom(client.resource$(textUri(2)));
      expect(await line).toMatchObject({ level: 'info', data: expect.stringContaining(textUri(2)) });
    });
  },
);
