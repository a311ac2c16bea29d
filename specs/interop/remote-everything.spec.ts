/** Our client drives the reference server `everything` over HTTP: Streamable HTTP at each revision, and HTTP+SSE. */
import { fileURLToPath } from 'node:url';
import { filter, firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import { fetchCarrier, open, type ConnectOptions, type OpenClient, type Target } from 'rxmcp';
import { remote, sse } from 'rxmcp/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lifelines } from './lifelines.ts';
import { started } from './started.ts';

const everything = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/server-everything/dist/index.js', import.meta.url),
);

interface Wiring {
  readonly name: string;
  readonly transport: 'streamableHttp' | 'sse';
  readonly reach: (origin: string) => Target;
  readonly options?: ConnectOptions;
  readonly spoken: string;
}

const wirings: readonly Wiring[] = [
  { name: 'found out', transport: 'streamableHttp', reach: (origin) => remote(`${origin}/mcp`), spoken: '2025-11-25' },
  ...(['2025-03-26', '2025-06-18', '2025-11-25'] as const).map((revision): Wiring => ({
    name: `at ${revision}`,
    transport: 'streamableHttp',
    reach: (origin) => remote(`${origin}/mcp`),
    options: { revisions: [revision] },
    spoken: revision,
  })),
  {
    name: 'by fetch',
    transport: 'streamableHttp',
    reach: (origin) => remote(`${origin}/mcp`, { carrier: fetchCarrier() }),
    spoken: '2025-11-25',
  },
  { name: 'over HTTP+SSE', transport: 'sse', reach: (origin) => sse(`${origin}/sse`), spoken: '2025-11-25' },
  {
    name: 'over HTTP+SSE, found out',
    transport: 'sse',
    reach: (origin) => remote(`${origin}/sse`),
    spoken: '2025-11-25',
  },
];

describe.each(wirings)(
  'our client and server-everything over the network, $name',
  ({ transport, reach, options, spoken }) => {
    const processes = lifelines();
    let server: Awaited<ReturnType<typeof started>>;
    let client: OpenClient;

    beforeAll(async () => {
      server = await started(everything, [transport], processes.env, /listening on port|running on port/);
      client = await open(reach(server.origin), options);
    });
    afterAll(async () => {
      await client.close();
      await server.stop();
    });

    it('opens in the revision', () => {
      expect(client.revision).toBe(spoken);
      expect(client.server).toMatchObject({ name: 'mcp-servers/everything' });
    });

    it('calls tools, and hears their progress', async () => {
      expect(await client.callTool('echo', { message: 'é\n🙂' })).toMatchObject({ content: [{ text: 'Echo: é\n🙂' }] });
      const events = await lastValueFrom(
        client.call('trigger-long-running-operation', { duration: 0.2, steps: 4 }).pipe(toArray()),
      );
      expect(events.map((event) => (event.kind === 'progress' ? event.progress : event.kind))).toEqual([
        1,
        2,
        3,
        4,
        'result',
      ]);
    });

    it('cancels, and goes on', async () => {
      await firstValueFrom(
        client
          .call('trigger-long-running-operation', { duration: 5, steps: 50 })
          .pipe(filter((event) => event.kind === 'progress')),
      );
      expect(await client.callTool('echo', { message: 'still here' })).toMatchObject({
        content: [{ text: 'Echo: still here' }],
      });
    });

    it('has many calls under way at once', async () => {
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) => client.callTool('echo', { message: String(index) })),
      );
      expect(answers.map(({ content }) => content)).toEqual(
        Array.from({ length: 100 }, (_, index) => [{ type: 'text', text: `Echo: ${index}` }]),
      );
    });

    it('hears what belongs to no call: changes of a resource that is watched', async () => {
      const updates = firstValueFrom(
        client.listen({ resourceSubscriptions: ['demo://resource/dynamic/text/1'] }).pipe(
          filter(({ method }) => method === 'notifications/resources/updated'),
          take(1),
        ),
      );
      await client.callTool('toggle-subscriber-updates', {});
      expect((await updates).params).toMatchObject({ uri: 'demo://resource/dynamic/text/1' });
      await client.callTool('toggle-subscriber-updates', {});
    });
  },
);
