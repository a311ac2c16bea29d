/** Our client drives a server of the official SDK 2.x over HTTP, in both eras at one endpoint. */
import { fileURLToPath } from 'node:url';
import { filter, firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { open, type ConnectOptions, type OpenClient } from 'rxmcp';
import { remote } from 'rxmcp/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lifelines } from './lifelines.ts';
import { started } from './started.ts';

const fixture = fileURLToPath(new URL('fixtures/sdk2-endpoint.mjs', import.meta.url));
const wirings: readonly { readonly name: string; readonly options?: ConnectOptions; readonly spoken: string }[] = [
  { name: 'found out', spoken: '2026-07-28' },
  { name: 'at 2025-11-25', options: { revisions: ['2025-11-25'] }, spoken: '2025-11-25' },
];

describe.each(wirings)('our client and a server of SDK 2 over HTTP, $name', ({ options, spoken }) => {
  const processes = lifelines();
  let server: Awaited<ReturnType<typeof started>>;
  let client: OpenClient;

  beforeAll(async () => {
    server = await started(fixture, [], processes.env, /listening/);
    client = await open(remote(`${server.origin}/mcp`), options);
  });
  afterAll(async () => {
    await client.close();
    await server.stop();
  });

  it('opens in the right era', () => {
    expect(client.revision).toBe(spoken);
    expect(client.server).toMatchObject({ name: 'sdk2-http' });
  });

  it('calls tools, many at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => client.callTool('echo', { text: `é${index}` })),
    );
    expect(answers.map(({ content }) => content)).toEqual(
      Array.from({ length: 50 }, (_, index) => [{ type: 'text', text: `é${index}` }]),
    );
    await expect(client.callTool('nope', {})).rejects.toMatchObject({ _tag: 'RpcError', code: -32602 });
  });

  it('lists', async () => {
    const tools = await lastValueFrom(client.listTools());
    expect(tools.map(({ name }) => name)).toEqual(['echo', 'stats', 'count', 'say']);
  });

  it('hears progress before the result', async () => {
    const events = await lastValueFrom(client.call('count', { to: 5, ms: 1 }).pipe(toArray()));
    expect(events.map((event) => (event.kind === 'progress' ? event.progress : event.kind))).toEqual([
      1,
      2,
      3,
      4,
      5,
      'result',
    ]);
  });

  // In sessions, log lines and cancellation go other ways.
  if (spoken !== '2026-07-28') return;

  it('hears log lines of its own call', async () => {
    const events = await lastValueFrom(client.call('say', {}, { logLevel: 'info' }).pipe(toArray()));
    expect(events[0]).toEqual({ kind: 'log', level: 'warning', logger: 'fixture', data: { loud: true } });
  });

  it('cancels: the far handler is aborted (CAN-03)', async () => {
    await firstValueFrom(client.call('count', { to: 1000, ms: 5 }).pipe(filter(({ kind }) => kind === 'progress')));
    const { structuredContent } = await client.callTool('stats', {});
    expect(structuredContent).toMatchObject({ cancelled: 1 });
  });
});
