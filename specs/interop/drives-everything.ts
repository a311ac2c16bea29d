/** What an official client must find when it drives `demos/everything`; the same for each client and era. */
import { fileURLToPath } from 'node:url';
import { filter, firstValueFrom, take, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prompts, resources, tools } from '../demos/everything/offered.ts';
import type { Driver } from './driver.ts';
import type { Trait } from './drives.ts';
import { lifelines } from './lifelines.ts';

const program = fileURLToPath(new URL('../../demos/everything/server.ts', import.meta.url));

/** What somebody says who takes whatever comes first: a choice, a yes, or the name of the field. */
const filledIn = (name: string, field: unknown): string | number | boolean | string[] => {
  const { type, ...rest } = field as {
    readonly type: string;
    readonly default?: string | number | boolean;
    readonly enum?: readonly string[];
    readonly oneOf?: readonly { readonly const: string }[];
    readonly items?: { readonly enum?: readonly string[]; readonly anyOf?: readonly { readonly const: string }[] };
  };
  if (rest.default !== undefined) return rest.default;
  if (type === 'boolean') return true;
  if (type === 'array') return [rest.items?.enum?.[0] ?? rest.items?.anyOf?.[0]?.const ?? ''];
  return rest.enum?.[0] ?? rest.oneOf?.[0]?.const ?? `some ${name}`;
};

const textOf = (block: unknown): unknown => (block as { readonly text?: unknown }).text;

export const drivesEverything = ({ name, connect, revision }: Trait): void => {
  describe(`${name} and demos/everything`, () => {
    const processes = lifelines();
    const asked: string[] = [];
    let driver: Driver;

    const text = async (tool: string, args = {}): Promise<unknown> =>
      textOf((await driver.call(tool, args)).content[0]);

    beforeAll(async () => {
      driver = await connect(process.execPath, ['--import', 'tsx', program], processes.env, {
        form: ({ message, fields }) => {
          asked.push(message);
          return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, filledIn(key, field)]));
        },
        sample: (messages) => `${messages.length} heard`,
        roots: ['file:///home/ada'],
      });
    });
    afterAll(async () => {
      expect(driver.errors.filter((message) => !message.includes('for an unknown token'))).toEqual([]);
      await driver.close();
      await processes.gone();
    });

    it('finds everything', async () => {
      expect(driver.revision).toBe(revision);
      expect(driver.server).toMatchObject({ name: 'everything' });
      expect((await driver.tools()).map((tool) => tool.name).sort()).toEqual([...tools].sort());
      expect((await driver.prompts()).map((prompt) => prompt.name).sort()).toEqual([...prompts].sort());
      expect((await driver.resources()).map(({ uri }) => uri)).toEqual(resources);
      expect(await driver.templates()).toMatchObject([{ uriTemplate: 'test://template/{id}/data' }]);
    });

    it('gets content of every kind', async () => {
      const kinds = async (tool: string) =>
        (await driver.call(tool, {})).content.map((block) => (block as { readonly type: string }).type);
      expect(await text('test_simple_text')).toBe('This is a simple text response for testing.');
      expect(await kinds('test_image_content')).toEqual(['image']);
      expect(await kinds('test_audio_content')).toEqual(['audio']);
      expect(await kinds('test_embedded_resource')).toEqual(['resource']);
      expect(await kinds('test_multiple_content_types')).toEqual(['text', 'image', 'resource']);
      expect(await driver.call('test_error_handling', {})).toMatchObject({
        isError: true,
        content: [{ text: 'This tool intentionally returns an error for testing' }],
      });
      expect(await text('echo', { message: 'é\n🙂' })).toBe('é\n🙂');
      expect(await driver.call('add', { a: 40, b: 2 })).toMatchObject({
        content: [{ text: '42' }],
        structuredContent: { sum: 42 },
      });
    });

    it('takes schemas that were written in JSON Schema', async () => {
      expect(await text('json_schema_2020_12_tool', { contactMethod: 'phone', phone: '1' })).toContain('"phone":"1"');
      expect(await driver.call('json_schema_2020_12_tool', { contactMethod: 'phone' })).toMatchObject({
        isError: true,
      });
      expect(await text('test_x_mcp_header', { region: 'eu', level: 1 })).toBe('Region eu, level 1');
    });

    it('hears progress and log lines', async () => {
      const steps: number[] = [];
      await driver.call('test_tool_with_progress', {}, { onprogress: ({ progress }) => steps.push(progress) });
      expect(steps.slice(0, 2)).toEqual([0, 50]);
      const lines: unknown[] = [];
      const hearing = driver.log$.subscribe({ next: ({ level, data }) => lines.push([level, data]) });
      await driver.call('test_tool_with_logging', {}, { level: 'info' });
      await driver.call('test_logging_tool', {}, { level: 'error' });
      hearing.unsubscribe();
      expect(lines).toEqual([
        ['info', 'Tool execution started'],
        ['info', 'Tool processing data'],
        ['info', 'Tool execution completed'],
      ]);
      expect(await text('test_reconnection')).toBeTypeOf('string');
    });

    it('is asked, and answers', async () => {
      asked.length = 0;
      expect(await text('test_sampling', { prompt: 'Well?' })).toBe('LLM response: 1 heard');
      expect(await text('test_missing_capability')).toContain('1 heard');
      expect(await text('test_elicitation', { message: 'Well?' })).toContain('"response":"some response"');
      expect(await text('test_elicitation_sep1034_defaults')).toBe(
        'Elicitation completed: action=accept, content=' +
          '{"name":"John Doe","age":30,"score":95.5,"status":"active","verified":true}',
      );
      expect(await text('test_elicitation_sep1330_enums')).toBe(
        'Elicitation completed: action=accept, content=' +
          '{"untitledSingle":"option1","titledSingle":"value1","legacyEnum":"opt1",' +
          '"untitledMulti":["option1"],"titledMulti":["value1"]}',
      );
      expect(await text('test_streaming_elicitation')).toContain('accept');
      expect(asked).toHaveLength(4);
    });

    it('is asked in rounds, and answers each', async () => {
      asked.length = 0;
      const rounds = (tool: string) => text(`test_input_required_result_${tool}`);
      expect(await rounds('elicitation')).toBe('Hello, some name!');
      expect(await rounds('sampling')).toBe('1 heard');
      expect(await rounds('list_roots')).toBe('Roots: file:///home/ada');
      expect(await rounds('request_state')).toMatch(/^state-ok: accept/);
      expect(await rounds('tampered_state')).toBe('integrity-ok: accept');
      expect(await rounds('multiple_inputs')).toBe('1 heard some name, you have 1 roots.');
      expect(await rounds('multi_round')).toBe('some name likes some color.');
      expect(await rounds('capabilities')).toBe('capabilities-ok: elicit_input, sample_input');
      expect(await driver.prompt('test_input_required_result_prompt', {})).toMatchObject([
        { content: { text: 'The context is some context.' } },
      ]);
      expect(asked).toHaveLength(8);
    });

    it('reads resources, and watches one', async () => {
      expect(await driver.read('test://static-text')).toMatchObject([
        { mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
      ]);
      expect(await driver.read('test://static-binary')).toMatchObject([
        { mimeType: 'image/png', blob: expect.stringMatching(/^iVBOR/) },
      ]);
      const [data] = await driver.read('test://template/123/data');
      expect(JSON.parse(data?.text ?? '')).toEqual({ id: '123', templateTest: true, data: 'Data for ID: 123' });
      const told = firstValueFrom(driver.updated$.pipe(take(2), toArray()));
      const stop = await driver.watch('test://watched-resource');
      expect(await told).toEqual(['test://watched-resource', 'test://watched-resource']);
      await stop();
    });

    it('gets prompts, and completes their arguments', async () => {
      expect(await driver.prompt('test_simple_prompt', {})).toEqual([
        { role: 'user', content: { type: 'text', text: 'This is a simple prompt for testing.' } },
      ]);
      expect(await driver.prompt('test_prompt_with_arguments', { arg1: 'a', arg2: 'b' })).toMatchObject([
        { content: { text: "Prompt with arguments: arg1='a', arg2='b'" } },
      ]);
      expect(await driver.prompt('test_prompt_with_embedded_resource', { resourceUri: 'test://x' })).toMatchObject([
        { content: { type: 'resource', resource: { uri: 'test://x' } } },
        { content: { type: 'text' } },
      ]);
      expect(await driver.prompt('test_prompt_with_image', {})).toMatchObject([
        { content: { type: 'image', mimeType: 'image/png' } },
        { content: { type: 'text' } },
      ]);
      const ref = { type: 'ref/prompt', name: 'test_prompt_with_arguments' } as const;
      expect(await driver.complete(ref, 'arg2', 'park')).toEqual(['park']);
    });

    it('hears of lists that change', async () => {
      await driver.watchLists();
      for (const [list, trigger] of [
        ['tools', 'test_trigger_tool_change'],
        ['prompts', 'test_trigger_prompt_change'],
      ] as const) {
        const told = firstValueFrom(driver.listed$.pipe(filter((changed) => changed === list)));
        await driver.call(trigger, {});
        await told;
      }
      expect((await driver.tools()).map((tool) => tool.name)).toContain('test_dynamic_tool');
      expect((await driver.prompts()).map((prompt) => prompt.name)).toContain('test_dynamic_prompt');
      expect(await text('test_dynamic_tool')).toBe('I am here.');
    });

    it('cancels a call, which then stops', async () => {
      const abort = new AbortController();
      const asleep = driver.call(
        'sleep',
        { ms: 600_000 },
        { signal: abort.signal, onprogress: () => abort.abort(new Error('enough')) },
      );
      await expect(asleep).rejects.toThrow('enough');
      expect(await text('sleep', { ms: 1 })).toBe('slept 1');
      expect(JSON.parse(String(await text('stats')))).toEqual({ active: 0, started: 2, completed: 1, aborted: 1 });
    });
  });
};
