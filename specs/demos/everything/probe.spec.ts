/** The probe against servers of ours and of others, as scripts run it: lines, exit codes, and nothing left behind. */
import { describe, expect, it } from 'vitest';
import { listening } from './listening.ts';
import { prompts, resources, tools } from './offered.ts';
import { node, probed, type Event } from './probed.ts';

const ours = node('--import', 'tsx', 'demos/everything/server.ts');
const fixture = (name: string, ...args: readonly string[]) => node(`specs/interop/fixtures/${name}`, ...args);

const says = (text: unknown) => ({ result: { content: [{ type: 'text', text }] } });
const called = (events: readonly Event[], name: string) =>
  events.find((event) => event.event === 'call' && event.name === name);

describe.each([
  ['auto', 'modern', '2026-07-28'],
  ['modern', 'modern', '2026-07-28'],
  ['legacy', 'legacy', '2025-11-25'],
])('the probe with --era %s, and the everything server', (era, found, protocolVersion) => {
  it('looks at everything, and does its errands in order', async () => {
    const { code, events, of } = await probed(
      ...['--stdio', ours, '--era', era, '--timeout', '20000'],
      ...['--call', 'echo={"message":"a=b"}', '--call', 'test_tool_with_progress', '--read', 'test://static-text'],
      ...['--call', 'test_sampling={"prompt":"ping"}', '--call', 'test_elicitation={"message":"Well?"}'],
      ...['--call', 'test_input_required_result_elicitation', '--call', 'test_input_required_result_list_roots'],
      ...['--prompt', 'test_prompt_with_arguments={"arg1":"x","arg2":2}', '--read', 'test://nowhere', '--call', 'nope'],
      ...['--prompt', 'test_simple_prompt'],
    );
    expect(events.map(({ event }) => event)).toEqual([
      ...['connected', 'tools', 'resources', 'prompts'],
      ...['call', 'progress', 'progress', 'progress', 'call', 'read', 'call', 'call', 'call', 'call'],
      ...['prompt', 'read', 'call', 'prompt', 'closed'],
    ]);
    expect(code).toBe(0);
    const [connected, listedTools, listedResources, listedPrompts] = events;
    expect(connected).toMatchObject({
      era: found,
      protocolVersion,
      serverInfo: { name: 'everything', version: '1.0.0' },
      capabilities: { tools: { listChanged: true }, completions: {} },
    });
    expect([...(listedTools?.['names'] as readonly string[])].sort()).toEqual([...tools].sort());
    expect(listedResources?.['uris']).toEqual(resources);
    expect([...(listedPrompts?.['names'] as readonly string[])].sort()).toEqual([...prompts].sort());
    expect(called(events, 'echo')).toMatchObject(says('a=b'));
    expect(of('progress')).toEqual(
      [0, 50, 100].map((progress) => ({ event: 'progress', name: 'test_tool_with_progress', progress })),
    );
    expect(called(events, 'test_sampling')).toMatchObject(says('LLM response: pong-from-client'));
    expect(called(events, 'test_elicitation')).toMatchObject(says(expect.stringContaining('{"response":"Ada"}')));
    expect(called(events, 'test_input_required_result_elicitation')).toMatchObject(says('Hello, Ada!'));
    expect(called(events, 'test_input_required_result_list_roots')).toMatchObject(says('Roots: none'));
    expect(called(events, 'nope')).toEqual({
      event: 'call',
      name: 'nope',
      error: { code: -32602, message: expect.any(String) },
    });
    expect(of('read')).toMatchObject([
      { uri: 'test://static-text', result: { contents: [{ uri: 'test://static-text' }] } },
      { uri: 'test://nowhere', error: { code: -32602, message: expect.any(String) } },
    ]);
    expect(of('prompt')).toMatchObject([
      {
        name: 'test_prompt_with_arguments',
        result: { messages: [{ content: { text: expect.stringContaining("arg1='x', arg2='2'") } }] },
      },
      { name: 'test_simple_prompt', result: { messages: [{ role: 'user' }] } },
    ]);
  });
});

it('the probe tells of a call that takes too long, and goes on', async () => {
  const { code, of } = await probed(
    ...['--stdio', ours, '--era', 'modern', '--timeout', '6000', '--call', 'sleep={"ms":600000}', '--call', 'stats'],
  );
  expect(code).toBe(0);
  expect(of('progress')).toEqual([{ event: 'progress', name: 'sleep', progress: 0 }]);
  expect(of('call')).toMatchObject([
    { name: 'sleep', error: { code: 'TimedOut', message: expect.any(String) } },
    { name: 'stats', ...says('{"active":0,"started":1,"completed":0,"aborted":1}') },
  ]);
});

describe('the probe and servers of others', () => {
  const everything = node('node_modules/@modelcontextprotocol/server-everything/dist/index.js');

  it.each(['auto', 'legacy'])('drives server-everything with --era %s', async (era) => {
    const { code, events, of } = await probed(
      ...['--stdio', everything, '--era', era, '--call', 'echo={"message":"hi"}'],
      ...['--call', 'trigger-long-running-operation={"duration":0.1,"steps":3}', '--prompt', 'simple-prompt'],
      ...[
        '--read',
        'demo://resource/static/document/features.md',
        '--call',
        'trigger-sampling-request={"prompt":"ping"}',
      ],
    );
    expect(events[0]).toMatchObject({ era: 'legacy', protocolVersion: '2025-11-25' });
    expect(called(events, 'echo')).toMatchObject(says('Echo: hi'));
    expect(of('progress').map(({ progress }) => progress)).toEqual([1, 2, 3]);
    expect(JSON.stringify(called(events, 'trigger-sampling-request'))).toContain('pong-from-client');
    expect(of('read')).toMatchObject([{ result: { contents: [{ mimeType: 'text/markdown' }] } }]);
    expect(of('prompt')).toMatchObject([{ name: 'simple-prompt', result: { messages: [{}] } }]);
    expect([code, events.at(-1)]).toEqual([0, { event: 'closed' }]);
  });

  it.each([
    ['auto', 'modern', '2026-07-28'],
    ['modern', 'modern', '2026-07-28'],
    ['legacy', 'legacy', '2025-11-25'],
  ])('drives a server of SDK 2 with --era %s', async (era, found, protocolVersion) => {
    const { code, events, of } = await probed(
      ...['--stdio', fixture('sdk2-server.mjs'), '--era', era, '--call', 'count={"to":5,"ms":1}'],
      ...['--call', 'add={"a":40,"b":2}', '--call', 'fail', '--read', 'note://one', '--prompt', 'prompt-0'],
      ...['--prompt', 'prompt-1'],
    );
    expect(events[0]).toMatchObject({ era: found, protocolVersion });
    expect(of('prompts')[0]?.['names']).toHaveLength(25);
    expect(of('progress').map(({ progress }) => progress)).toEqual([1, 2, 3, 4, 5]);
    expect(of('call')).toMatchObject([
      { name: 'count', ...says('counted to 5') },
      { name: 'add', result: { structuredContent: { sum: 42 } } },
      { name: 'fail', result: { isError: true } },
    ]);
    expect(of('read')).toMatchObject([{ result: { contents: [{ text: 'first' }] } }]);
    expect(of('prompt')).toMatchObject([
      { result: { messages: [{}] } },
      { error: { code: -32602, message: 'no prompt-1 here' } },
    ]);
    expect([code, events.at(-1)]).toEqual([0, { event: 'closed' }]);
  });

  it.each([
    ['auto', 'modern', '2026-07-28'],
    ['legacy', 'legacy', '2025-06-18'],
  ])('drives a server of tmcp with --era %s', async (era, found, protocolVersion) => {
    const { code, events, of } = await probed(
      ...['--stdio', fixture('tmcp-server.mjs'), '--era', era, '--call', 'echo={"message":"hi"}'],
      ...['--call', 'count={"to":3,"ms":1}', '--call', 'ask', '--call', 'sample', '--call', 'throw'],
      ...['--prompt', 'greet={"team":"red"}', '--read', 'note://one'],
    );
    expect(events[0]).toMatchObject({ era: found, protocolVersion });
    expect(of('tools')[0]?.['names']).toHaveLength(13);
    expect(of('progress').map(({ progress }) => progress)).toEqual([1, 2, 3]);
    expect(called(events, 'ask')).toMatchObject(says('Hello Ada'));
    expect(called(events, 'sample')).toMatchObject(says('probe: pong-from-client'));
    expect(of('call').map(({ name }) => name)).toEqual(['echo', 'count', 'ask', 'sample', 'throw']);
    expect(of('prompt')).toMatchObject([{ result: { messages: [{ content: { text: 'Hello all of red' } }] } }]);
    expect([code, events.at(-1)]).toEqual([0, { event: 'closed' }]);
  });

  it.each(['burst', 'crumbs'])('loses no progress and keeps its order: %s', async (name) => {
    const { events } = await probed('--stdio', fixture('chunks.mjs'), '--call', name);
    const from = events.findIndex(({ event }) => event === 'progress');
    expect(events.slice(from, from + 20).map(({ event, progress }) => [event, progress])).toEqual(
      Array.from({ length: 20 }, (_, index) => ['progress', index + 1]),
    );
    expect(events.slice(from + 20)).toMatchObject([{ event: 'call', name }, { event: 'closed' }]);
  });
});

const reached = [
  ['ws', '--ws', 'auto', 'modern', '2026-07-28'],
  ['ws', '--ws', 'modern', 'modern', '2026-07-28'],
  ['ws', '--ws', 'legacy', 'legacy', '2025-11-25'],
  ['http', '--url', 'auto', 'modern', '2026-07-28'],
  ['http', '--url', 'modern', 'modern', '2026-07-28'],
  ['http', '--url', 'legacy', 'legacy', '2025-11-25'],
  ['sse', '--sse', 'auto', 'legacy', '2025-11-25'],
  ['sse', '--sse', 'legacy', 'legacy', '2025-11-25'],
  // Streamable HTTP is looked for first.
  ['sse', '--url', 'auto', 'legacy', '2025-11-25'],
] as const;

describe('the everything server that listens', () => {
  it.each(reached)('over %s is driven by the probe with %s --era %s', async (transport, flag, era, found, revision) => {
    const { url, stop } = await listening(transport);
    const { code, events, of } = await probed(
      ...[flag, url, '--era', era, '--timeout', '20000', '--call', 'echo={"message":"hi"}'],
      ...['--call', 'test_tool_with_progress', '--call', 'test_sampling={"prompt":"x"}'],
      ...['--call', 'test_elicitation={"message":"Well?"}', '--call', 'test_input_required_result_multi_round'],
      ...['--call', 'test_input_required_result_list_roots', '--call', 'test_reconnection', '--call', 'nope'],
      ...['--read', 'test://static-text', '--read', 'test://nowhere', '--prompt', 'test_simple_prompt'],
    );
    expect(code).toBe(0);
    expect(events.map(({ event }) => event)).toEqual([
      ...['connected', 'tools', 'resources', 'prompts'],
      ...['call', 'progress', 'progress', 'progress', 'call', 'call', 'call', 'call', 'call', 'call', 'call'],
      ...['read', 'read', 'prompt', 'closed'],
    ]);
    expect(events[0]).toMatchObject({ era: found, protocolVersion: revision, serverInfo: { name: 'everything' } });
    expect([...(of('tools')[0]?.['names'] as readonly string[])].sort()).toEqual([...tools].sort());
    expect(of('resources')).toMatchObject([{ uris: resources }]);
    expect(of('progress').map(({ progress }) => progress)).toEqual([0, 50, 100]);
    expect(called(events, 'echo')).toMatchObject(says('hi'));
    expect(called(events, 'test_sampling')).toMatchObject(says('LLM response: pong-from-client'));
    expect(called(events, 'test_elicitation')).toMatchObject(says(expect.stringContaining('{"response":"Ada"}')));
    expect(called(events, 'test_input_required_result_list_roots')).toMatchObject(says('Roots: none'));
    expect(called(events, 'test_reconnection')).toMatchObject(says(expect.stringContaining('answer')));
    expect(called(events, 'nope')).toMatchObject({ error: { code: -32602 } });
    expect(of('read')).toMatchObject([{ result: { contents: [{}] } }, { error: { code: -32602 } }]);
    expect(await stop()).toBe(0);
  });

  it.each([
    ['http', '--url', 'modern'],
    ['http', '--url', 'legacy'],
    ['sse', '--sse', 'legacy'],
  ] as const)('over %s stops a call that took the probe too long: %s --era %s', async (transport, flag, era) => {
    const { url, stop } = await listening(transport);
    const { of } = await probed(
      ...[flag, url, '--era', era, '--timeout', '3000', '--call', 'sleep={"ms":600000}', '--call', 'stats'],
    );
    expect(of('call')).toMatchObject([
      { name: 'sleep', error: { code: 'TimedOut' } },
      { name: 'stats', ...says('{"active":0,"started":1,"completed":0,"aborted":1}') },
    ]);
    await stop();
  });
});

describe('the probe where it cannot do what it is told', () => {
  it.each([
    ['a server of another era', ['--stdio', fixture('sdk2-server.mjs', '--handshake-only'), '--era', 'modern'], /./],
    ['a server that ends at once', ['--stdio', node('-e', 'process.exit(3)')], /exited with code 3/],
    ['a command that is none', ['--stdio', 'no-such-command-anywhere'], /./],
    [
      'a server that is silent',
      ['--stdio', node('-e', 'setInterval(() => {}, 1000)'), '--timeout', '300'],
      /300|no answer/,
    ],
    ['a place where nobody listens', ['--url', 'http://127.0.0.1:1/mcp'], /ECONNREFUSED/],
    ['such a place, in the old way', ['--sse', 'http://127.0.0.1:1/sse'], /ECONNREFUSED/],
    ['what is no URL', ['--url', 'localhost'], /"localhost" is no URL/],
    ['a flag that is none', ['--colour'], /--colour/],
  ])('says in one line that it cannot reach or understand %s, and exits with 1', async (_, args, why) => {
    const { code, events } = await probed(...args);
    expect(events).toEqual([{ event: 'error', message: expect.stringMatching(why) }]);
    expect(code).toBe(1);
  });
});
