/** The `everything` server over stdio, driven by our client at every revision: one process for each. */
import { fileURLToPath } from 'node:url';
import {
  concatMap,
  filter,
  firstValueFrom,
  from,
  lastValueFrom,
  map,
  reduce,
  take,
  toArray,
  type Observable,
} from 'rxjs';
import { open, revisions, type Client, type OpenClient } from 'rxmcp';
import { spawn } from 'rxmcp/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lifelines } from '../../interop/lifelines.ts';
import { answering } from './answering.ts';
import { prompts, resources, tools } from './offered.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const whole = <T>(pages$: Observable<readonly T[]>): Promise<readonly T[]> =>
  lastValueFrom(pages$.pipe(reduce((items: readonly T[], page) => [...items, ...page], [])));

/** The result of a call, its content only, texts as such. */
const contentOf = async (client: Client, name: string, args = {}): Promise<readonly unknown[]> => {
  const { content } = await client.callTool(name, args);
  return content.map((block) => (block.type === 'text' ? block.text : block));
};

const bytesOf = (base64: string): string => Buffer.from(base64, 'base64').toString('latin1');

describe.each(revisions.filter((revision) => revision !== 'draft'))('the everything server at %s', (revision) => {
  const processes = lifelines();
  const modern = revision >= '2026';
  const hasForms = revision >= '2025-06-18';
  const { answers, asked, forms } = answering();
  let client: OpenClient;

  beforeAll(async () => {
    const command = ['--import', 'tsx', 'demos/everything/server.ts'];
    client = await open(spawn(process.execPath, command, { cwd: root, env: processes.env }), {
      revisions: [revision],
      answers,
    });
    // Looking at the list is what makes a client check results against it.
    await firstValueFrom(client.tools$);
  });
  afterAll(() => client.close());

  const content = (name: string, args = {}) => contentOf(client, name, args);
  const text = async (name: string, args = {}) => (await content(name, args))[0];

  it('offers what scripts expect', async () => {
    expect(client.revision).toBe(revision);
    expect(client.server).toMatchObject({ name: 'everything', version: '1.0.0' });
    expect(client.capabilities).toEqual({
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      completions: {},
      logging: {},
    });
    const listed = await whole(client.listTools());
    expect(listed.map(({ name }) => name).sort()).toEqual([...tools].sort());
    expect(listed.filter(({ description }) => description === undefined)).toEqual([]);
    expect((await whole(client.listPrompts())).map(({ name }) => name).sort()).toEqual([...prompts].sort());
    expect((await whole(client.listResources())).map(({ uri }) => uri)).toEqual(resources);
    expect((await whole(client.listTemplates())).map(({ uriTemplate }) => uriTemplate)).toEqual([
      'test://template/{id}/data',
    ]);
  });

  it('answers with content of every kind that the revision has', async () => {
    expect(await content('test_simple_text')).toEqual(['This is a simple text response for testing.']);
    const [image] = await content('test_image_content');
    expect(image).toMatchObject({ type: 'image', mimeType: 'image/png' });
    expect(bytesOf((image as { data: string }).data)).toMatch(/^\x89PNG/);
    const [audio] = await content('test_audio_content');
    if (revision >= '2025') {
      expect(audio).toMatchObject({ type: 'audio', mimeType: 'audio/wav' });
      expect(bytesOf((audio as { data: string }).data)).toMatch(/^RIFF.{4}WAVE/s);
    } else expect(audio).toMatch(/audio/i);
    expect(await content('test_embedded_resource')).toEqual([
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ]);
    expect(await content('test_multiple_content_types')).toEqual([
      'Multiple content types test:',
      image,
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: '{"test":"data","value":123}',
        },
      },
    ]);
  });

  it('fails in words for a model (TOOL-17)', async () => {
    expect(await client.callTool('test_error_handling')).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: 'This tool intentionally returns an error for testing' }],
    });
  });

  it('echoes letter for letter, and adds', async () => {
    const message = ' é\n🙂\u0000 "\\" ';
    expect(await content('echo', { message })).toEqual([message]);
    const sum = await client.callTool('add', { a: 0.1, b: -2 });
    expect(sum.content).toEqual([{ type: 'text', text: '-1.9' }]);
    expect(sum.structuredContent).toEqual(hasForms ? { sum: -1.9 } : undefined);
    expect(await client.callTool('add', { a: 'one', b: 2 })).toMatchObject({ isError: true });
  });

  it('logs three lines, to whoever asked for their level (LOG-05, LOG-06)', async () => {
    const heard: unknown[] = [];
    const hearing = client.logs$.subscribe(({ level, data }) => heard.push([level, data]));
    await client.callTool('test_tool_with_logging', {}, { logLevel: 'info' });
    expect(heard).toEqual(
      ['Tool execution started', 'Tool processing data', 'Tool execution completed'].map((line) => ['info', line]),
    );
    await client.callTool('test_logging_tool', {}, { logLevel: modern ? 'info' : 'debug' });
    expect(heard).toHaveLength(4);
    // Since 2026-07-28 each request says its own level; before, the last one that was set holds.
    await client.callTool('test_logging_tool', {}, modern ? {} : { logLevel: 'debug' });
    expect(heard).toHaveLength(modern ? 4 : 5);
    hearing.unsubscribe();
  });

  it('tells how far it is', async () => {
    const events = await lastValueFrom(client.call('test_tool_with_progress').pipe(toArray()));
    expect(events.map((event) => (event.kind === 'progress' ? [event.progress, event.total] : event.kind))).toEqual([
      [0, 100],
      [50, 100],
      [100, 100],
      'result',
    ]);
    expect(await text('test_reconnection')).toContain('answer');
  });

  it('shows schemas as they were written (TOOL-09, JS-12)', async () => {
    const listed = await whole(client.listTools());
    const schemaOf = (name: string) => listed.find((tool) => tool.name === name)?.inputSchema;
    expect(schemaOf('json_schema_2020_12_tool')).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: { address: { $anchor: 'addressDef', type: 'object' } },
      properties: { address: { $ref: '#/$defs/address' } },
      allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
      if: { required: ['contactMethod'] },
      then: { required: ['phone'] },
      else: { required: ['email'] },
      additionalProperties: false,
    });
    expect(schemaOf('test_x_mcp_header')).toMatchObject({ properties: { region: { 'x-mcp-header': 'Region' } } });
    const contact = { contactMethod: 'phone', phone: '123', address: { city: 'Oslo' } };
    expect(await text('json_schema_2020_12_tool', contact)).toContain(JSON.stringify(contact));
    for (const wrong of [{ contactMethod: 'phone', email: 'a@b.c' }, { ...contact, fax: '1' }, {}])
      expect(await client.callTool('json_schema_2020_12_tool', wrong)).toMatchObject({ isError: true });
    expect(await text('test_x_mcp_header', { region: 'eu', level: 3 })).toBe('Region eu, level 3');
  });

  it('asks the model', async () => {
    asked.length = 0;
    expect(await text('test_sampling', { prompt: 'What now?' })).toBe('LLM response: As you like.');
    expect(await text('test_input_required_result_sampling')).toBe('As you like.');
    expect(await text('test_missing_capability')).toContain('As you like.');
    expect(asked.slice(0, 2)).toEqual(['What now?', 'What is the capital of France?']);
    expect(await text('test_input_required_result_list_roots')).toBe('Roots: file:///home/ada');
  });

  if (hasForms)
    it('asks the user, in one round', async () => {
      asked.length = 0;
      expect(await text('test_elicitation', { message: 'Well?' })).toBe(
        'User response: action=accept, content=' +
          '{"response":"some response","username":"some username","email":"some email"}',
      );
      expect(await text('test_input_required_result_elicitation')).toBe('Hello, Ada!');
      expect(await text('test_streaming_elicitation')).toContain('accept');
      expect(await text('test_input_required_result_request_state')).toMatch(/^state-ok: accept, ticket [\w-]{36}$/);
      expect(await text('test_input_required_result_tampered_state')).toBe('integrity-ok: accept');
      expect(asked).toEqual(['Well?', 'What is your name?', 'Shall this go on?', 'Please confirm', 'Please confirm']);
    });

  if (hasForms)
    it('asks the user in several rounds, and several things at once', async () => {
      asked.length = 0;
      expect(await text('test_input_required_result_multi_round')).toBe('Ada likes some color.');
      expect(asked).toEqual(['Step 1: What is your name?', 'Step 2: What is your favorite color?']);
      expect(await text('test_input_required_result_multiple_inputs')).toBe('As you like. Ada, you have 1 roots.');
      expect(await text('test_input_required_result_capabilities')).toBe('capabilities-ok: elicit_input, sample_input');
      expect(await client.getPrompt('test_input_required_result_prompt')).toMatchObject({
        messages: [{ role: 'user', content: { type: 'text', text: 'The context is some context.' } }],
      });
    });

  if (revision >= '2025-11-25')
    it('asks with forms of all kinds (ELI-07, ELI-08, ELI-10)', async () => {
      forms.length = 0;
      expect(await text('test_elicitation_sep1034_defaults')).toBe(
        'Elicitation completed: action=accept, content=' +
          '{"name":"John Doe","age":30,"score":95.5,"status":"active","verified":true}',
      );
      expect(await text('test_elicitation_sep1330_enums')).toBe(
        'Elicitation completed: action=accept, content=' +
          '{"untitledSingle":"option1","titledSingle":"value1","legacyEnum":"opt1",' +
          '"untitledMulti":["option1"],"titledMulti":["value1"]}',
      );
      expect(forms[0]?.properties).toMatchObject({
        name: { type: 'string', default: 'John Doe' },
        age: { type: 'integer', default: 30 },
        score: { type: 'number', default: 95.5 },
        status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
        verified: { type: 'boolean', default: true },
      });
      expect(forms[1]?.properties).toMatchObject({
        untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
        titledSingle: { type: 'string', oneOf: [{ const: 'value1', title: 'First Option' }, {}, {}] },
        legacyEnum: {
          type: 'string',
          enum: ['opt1', 'opt2', 'opt3'],
          enumNames: ['Option One', 'Option Two', 'Option Three'],
        },
        untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
        titledMulti: { type: 'array', items: { anyOf: [{ const: 'value1', title: 'First Choice' }, {}, {}] } },
      });
    });

  if (!hasForms)
    it('does without forms where there are none', async () => {
      await expect(client.callTool('test_elicitation', { message: 'Well?' })).rejects.toThrow(/elicitation/);
      expect(await text('test_input_required_result_capabilities')).toBe('capabilities-ok: sample_input');
    });

  it('reads resources, text, bytes and by template (RES-04, RES-05)', async () => {
    expect((await client.readResource('test://static-text')).contents).toEqual([
      {
        uri: 'test://static-text',
        mimeType: 'text/plain',
        text: 'This is the content of the static text resource.',
      },
    ]);
    const [picture] = (await client.readResource('test://static-binary')).contents;
    expect(picture).toMatchObject({ uri: 'test://static-binary', mimeType: 'image/png' });
    expect(bytesOf(picture !== undefined && 'blob' in picture ? picture.blob : '')).toMatch(/^\x89PNG/);
    const [data] = (await client.readResource('test://template/a%20b/data')).contents;
    expect(data).toMatchObject({ uri: 'test://template/a%20b/data', mimeType: 'application/json' });
    expect(JSON.parse(data !== undefined && 'text' in data ? data.text : '')).toMatchObject({ id: 'a b' });
    await expect(client.readResource('test://nowhere')).rejects.toMatchObject({ code: -32602 });
  });

  it('tells of changes of the resource that is watched', async () => {
    const read = await lastValueFrom(client.resource$('test://watched-resource').pipe(take(2), toArray()));
    const [first, second] = read.map(({ contents: [one] }) => (one !== undefined && 'text' in one ? one.text : ''));
    expect(first).toMatch(/^It is /);
    expect(second).not.toBe(first);
  });

  it('gets prompts', async () => {
    const messages = async (name: string, args = {}) => (await client.getPrompt(name, args)).messages;
    expect(await messages('test_simple_prompt')).toEqual([
      { role: 'user', content: { type: 'text', text: 'This is a simple prompt for testing.' } },
    ]);
    expect(await messages('test_prompt_with_arguments', { arg1: 'hello', arg2: 'world' })).toMatchObject([
      { content: { text: "Prompt with arguments: arg1='hello', arg2='world'" } },
    ]);
    expect(await messages('test_prompt_with_embedded_resource', { resourceUri: 'test://some/where' })).toMatchObject([
      {
        role: 'user',
        content: {
          type: 'resource',
          resource: { uri: 'test://some/where', text: 'Embedded resource content for testing.' },
        },
      },
      { role: 'user', content: { text: 'Please process the embedded resource above.' } },
    ]);
    expect(await messages('test_prompt_with_image')).toMatchObject([
      { content: { type: 'image', mimeType: 'image/png' } },
      { content: { text: 'Please analyze the image above.' } },
    ]);
    await expect(client.getPrompt('test_prompt_with_arguments', { arg1: 'x' })).rejects.toMatchObject({ code: -32602 });
  });

  it('completes arguments of prompts and variables of templates', async () => {
    const arg1 = await client.complete({ type: 'ref/prompt', name: 'test_prompt_with_arguments' }, 'arg1', 'par');
    expect(arg1.values).toEqual(['paris', 'park', 'party']);
    const id = await client.complete({ type: 'ref/resource', uri: 'test://template/{id}/data' }, 'id', '12');
    expect(id.values).toEqual(['12', '123']);
  });

  it.each([
    ['tools', 'test_trigger_tool_change', 'test_dynamic_tool'],
    ['prompts', 'test_trigger_prompt_change', 'test_dynamic_prompt'],
  ] as const)('tells of a change of the list of %s', async (list, trigger, name) => {
    const named$: Observable<readonly { readonly name: string }[]> = list === 'tools' ? client.tools$ : client.prompts$;
    const has = await lastValueFrom(
      named$.pipe(
        map((offers) => offers.some((offer) => offer.name === name)),
        concatMap((there, index) => (index === 0 ? from(client.callTool(trigger)).pipe(map(() => there)) : [there])),
        take(2),
        toArray(),
      ),
    );
    expect(has).toEqual([false, true]);
  });

  it('sleeps, and stops when it is cancelled', async () => {
    const counts = async () => JSON.parse(String(await text('stats'))) as unknown;
    expect(await counts()).toEqual({ active: 0, started: 0, completed: 0, aborted: 0 });
    const begun = await firstValueFrom(
      client.call('sleep', { ms: 600_000 }).pipe(filter(({ kind }) => kind === 'progress')),
    );
    expect(begun).toEqual({ kind: 'progress', progress: 0 });
    expect(await counts()).toEqual({ active: 0, started: 1, completed: 0, aborted: 1 });
    expect(await text('sleep', { ms: 5 })).toBe('slept 5');
    expect(await counts()).toEqual({ active: 0, started: 2, completed: 1, aborted: 1 });
    // Longer than any timer runs, it would be over at once.
    expect(await client.callTool('sleep', { ms: 2 ** 31 })).toMatchObject({ isError: true });
  });
});
