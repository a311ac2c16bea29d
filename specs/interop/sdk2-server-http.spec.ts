/** Our client drives a server of the official SDK 2.x over HTTP, in both eras, with sessions and without. */
import { concatMap, from, lastValueFrom, map, take, takeWhile, toArray, type Observable } from 'rxjs';
import { NoCommonRevision, open, type CallEvent, type OpenClient, type Revision } from 'rxmcp';
import { remote } from 'rxmcp/node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { elsewhere, type Elsewhere } from './elsewhere.ts';
import { lifelines } from './lifelines.ts';

const fixture = 'specs/interop/fixtures/sdk2-http.mjs';
const [modern, handshake] = ['2026-07-28', '2025-11-25'] as const;

const wirings: readonly {
  readonly name: string;
  readonly flags: readonly string[];
  readonly revisions?: readonly Revision[];
  readonly spoken: Revision;
  /** Whether the server can say something of its own accord. */
  readonly live: boolean;
}[] = [
  { name: 'with sessions, found out', flags: [], spoken: modern, live: true },
  { name: 'with sessions, by handshake', flags: [], revisions: [handshake], spoken: handshake, live: true },
  {
    name: 'with sessions, by an older handshake',
    flags: [],
    revisions: ['2025-06-18'],
    spoken: '2025-06-18',
    live: true,
  },
  { name: 'without, by handshake', flags: ['--stateless'], revisions: [handshake], spoken: handshake, live: false },
  { name: 'of the modern era only', flags: ['--modern-only'], spoken: modern, live: true },
];

const steps = (events: readonly CallEvent<unknown>[]) =>
  events.map((event) => (event.kind === 'progress' ? `${event.progress} of ${event.total}` : event.kind));

/** Passes a live value on, having done something about its first one. */
const afterFirst =
  <T>(act: () => Promise<unknown>) =>
  (values$: Observable<T>): Observable<T> =>
    values$.pipe(concatMap((value, index) => (index === 0 ? from(act()).pipe(map(() => value)) : [value])));

describe.each(wirings)('our client and a server of SDK 2 over HTTP, $name', ({ flags, revisions, spoken, live }) => {
  const processes = lifelines();
  let server: Elsewhere;
  let client: OpenClient;

  const text = async (name: string, args = {}): Promise<string | undefined> => {
    const { content } = await client.callTool(name, args);
    return content[0]?.type === 'text' ? content[0].text : undefined;
  };

  beforeAll(async () => {
    server = await elsewhere([fixture, ...flags], processes.env);
    client = await open(remote(`http://127.0.0.1:${server.port}/mcp`), {
      ...(revisions === undefined ? undefined : { revisions }),
      answers: { form: () => ({ action: 'accept', content: { name: 'Ada' } }) },
    });
  });
  afterAll(async () => {
    await client.close();
    await server.stop();
  });

  it('opens in the right era', () => {
    expect(client.revision).toBe(spoken);
    expect(client.server).toMatchObject({ name: 'sdk2-http-fixture' });
  });

  it('calls tools, and tells errors apart', async () => {
    expect(await client.callTool('add', { a: 40, b: 2 })).toMatchObject({ structuredContent: { sum: 42 } });
    expect(await client.callTool('fail', {})).toMatchObject({ isError: true, content: [{ text: 'out of luck' }] });
    expect((await text('long'))?.length).toBe(600_000);
    await expect(client.callTool('nope', {})).rejects.toMatchObject({ _tag: 'RpcError', code: -32602 });
    await expect(client.readResource('no://where')).rejects.toMatchObject({ _tag: 'RpcError', code: -32602 });
    expect((await client.getPrompt('hello')).messages).toHaveLength(1);
  });

  it('streams progress in order, then the result, of many calls at a time', async () => {
    const runs = await Promise.all(
      [20, 10, 5].map((to) => lastValueFrom(client.call('count', { to, ms: 1 }).pipe(toArray()))),
    );
    for (const [index, to] of [20, 10, 5].entries())
      expect(steps(runs[index] ?? [])).toEqual([
        ...Array.from({ length: to }, (_, step) => `${step + 1} of ${to}`),
        'result',
      ]);
  });

  it('cancels: the far handler is aborted', async () => {
    const cancelled = async () => (JSON.parse((await text('stats')) ?? '') as { readonly cancelled: number }).cancelled;
    const before = await cancelled();
    const seen = await lastValueFrom(client.call('count', { to: 10_000, ms: 2 }).pipe(take(2), toArray()));
    expect(steps(seen)).toEqual(['1 of 10000', '2 of 10000']);
    await vi.waitFor(async () => expect(await cancelled()).toBe(before + 1));
  });

  if (live)
    it('answers what it is asked in the middle of a call', async () => {
      expect(await text('greet')).toBe('Hello Ada');
    });

  if (live)
    it('sees a resource and a list change', async () => {
      const text$ = client
        .resource$('note://one')
        .pipe(
          map(({ contents: [content] }) => (content !== undefined && 'text' in content ? content.text : undefined)),
        );
      const write = () => client.callTool('write', { said: 'second' });
      expect(await lastValueFrom(text$.pipe(afterFirst(write), take(2), toArray()))).toEqual(['first', 'second']);
      const grown$ = client.tools$.pipe(map((list) => list.some(({ name }) => name === 'grown')));
      const grow = () => client.callTool('grow', { name: 'grown' });
      const seen = await lastValueFrom(
        grown$.pipe(
          afterFirst(grow),
          takeWhile((there) => !there, true),
          toArray(),
        ),
      );
      expect(seen).toEqual([false, true]);
      expect(await text('grown')).toBe('grown');
    });
});

describe('our client and a server of SDK 2 over HTTP that speaks no revision of ours', () => {
  const processes = lifelines();

  it('says which there are', async () => {
    const server = await elsewhere([fixture, '--modern-only'], processes.env);
    const failed = open(remote(`http://127.0.0.1:${server.port}/mcp`), { revisions: [handshake] });
    await expect(failed).rejects.toBeInstanceOf(NoCommonRevision);
    await expect(failed).rejects.toMatchObject({ supported: [modern], offered: [handshake] });
    await server.stop();
  });
});
