/** What the Inspector can ask of demos/everything, by the names that it has in common with other people's servers. */
import { expect } from 'vitest';
import { tools as toolNames } from '../demos/everything/offered.ts';

/** What is asked for, the flags that ask for it, what the result is like. */
export type Row = readonly [what: string, question: readonly string[], result: unknown];
/** The same for what goes wrong: its exit code, and what the Inspector says of it. */
export type Refusal = readonly [
  what: string,
  question: readonly string[],
  code: number,
  message: RegExp,
  /** That of a tool that failed; nothing else has any. */
  result: object | undefined,
];

export const call = (name: string, ...pairs: readonly string[]): readonly string[] => [
  '--method',
  'tools/call',
  '--tool-name',
  name,
  ...pairs.flatMap((pair) => ['--tool-arg', pair]),
];
const read = (uri: string): readonly string[] => ['--method', 'resources/read', '--uri', uri];
const prompt = (name: string, ...pairs: readonly string[]): readonly string[] => [
  '--method',
  'prompts/get',
  '--prompt-name',
  name,
  ...pairs.flatMap((pair) => ['--prompt-args', pair]),
];

export const some: unknown = expect.stringMatching(/./);
const having = (...items: readonly object[]): unknown =>
  expect.arrayContaining(items.map((item): unknown => expect.objectContaining(item)));
const text = (said: unknown = some) => ({ type: 'text', text: said });
const image = { type: 'image', mimeType: 'image/png', data: expect.stringMatching(/^iVBORw0KGgo/) };
const messages = (...contents: readonly object[]) => ({
  messages: contents.map((content) => ({ role: 'user', content })),
});

/** What every revision has. */
const lists: readonly Row[] = [
  // And finds nothing in their schemas that a model's provider would stumble over: it would exit with 6.
  ['tools/list', ['--method', 'tools/list', '--strict'], { tools: having(...toolNames.map((name) => ({ name }))) }],
  [
    'resources/list',
    ['--method', 'resources/list'],
    {
      resources: having(
        { uri: 'test://static-text' },
        { uri: 'test://static-binary', mimeType: 'image/png' },
        { uri: 'test://watched-resource' },
      ),
    },
  ],
  [
    'resources/templates/list',
    ['--method', 'resources/templates/list'],
    { resourceTemplates: having({ uriTemplate: 'test://template/{id}/data' }) },
  ],
  [
    'prompts/list',
    ['--method', 'prompts/list'],
    {
      prompts: having(
        { name: 'test_simple_prompt' },
        { name: 'test_prompt_with_arguments', arguments: having({ name: 'arg1' }, { name: 'arg2' }) },
        { name: 'test_prompt_with_embedded_resource', arguments: having({ name: 'resourceUri' }) },
        { name: 'test_prompt_with_image' },
      ),
    },
  ],
];

const tools: readonly Row[] = [
  ['test_simple_text', call('test_simple_text'), { content: [text()] }],
  ['test_image_content', call('test_image_content'), { content: [image] }],
  [
    'test_audio_content',
    call('test_audio_content'),
    { content: [{ type: 'audio', mimeType: 'audio/wav', data: expect.stringMatching(/^UklGR/) }] },
  ],
  [
    'test_embedded_resource',
    call('test_embedded_resource'),
    { content: [{ type: 'resource', resource: { uri: some, mimeType: 'text/plain', text: some } }] },
  ],
  [
    'test_multiple_content_types',
    call('test_multiple_content_types'),
    { content: [text(), image, { type: 'resource', resource: { uri: some } }] },
  ],
  ['test_tool_with_logging', call('test_tool_with_logging'), { content: [text()] }],
  ['test_tool_with_progress', call('test_tool_with_progress'), { content: [text()] }],
  [
    'json_schema_2020_12_tool',
    [
      ...call('json_schema_2020_12_tool'),
      '--tool-args-json',
      '{"name":"Ada","email":"a@b.org","address":{"city":"Oslo"}}',
    ],
    { content: [text()] },
  ],
  ['test_reconnection', call('test_reconnection'), { content: [text()] }],
  ['echo', call('echo', 'message=é 🙂 = "quoted"'), { content: [text('é 🙂 = "quoted"')] }],
  ['add', call('add', 'a=40.5', 'b=-2'), { content: [text('38.5')], structuredContent: { sum: 38.5 } }],
  [
    'add, its arguments as JSON',
    ['--method', 'tools/call', '--tool-name', 'add', '--tool-args-json', '{"a":1,"b":2}'],
    { structuredContent: { sum: 3 } },
  ],
  ['sleep', call('sleep', 'ms=50'), { content: [text('slept 50')] }],
  ['stats', call('stats'), { content: [text(expect.stringMatching(/^\{.*"active":0.*\}$/s))] }],
];

const resources: readonly Row[] = [
  [
    'test://static-text',
    read('test://static-text'),
    { contents: [{ uri: 'test://static-text', text: 'This is the content of the static text resource.' }] },
  ],
  [
    'test://static-binary',
    read('test://static-binary'),
    { contents: [{ uri: 'test://static-binary', mimeType: 'image/png', blob: image.data }] },
  ],
  [
    'test://template/{id}/data',
    read('test://template/42/data'),
    { contents: [{ uri: 'test://template/42/data', text: expect.stringMatching(/"id":\s*"42"/) }] },
  ],
  ['test://watched-resource', read('test://watched-resource'), { contents: [{ uri: 'test://watched-resource' }] }],
];

const prompts: readonly Row[] = [
  ['test_simple_prompt', prompt('test_simple_prompt'), messages(text())],
  [
    'test_prompt_with_arguments',
    prompt('test_prompt_with_arguments', 'arg1=one', 'arg2=two'),
    messages(text(expect.stringMatching(/one.*two/))),
  ],
  [
    'test_prompt_with_embedded_resource',
    prompt('test_prompt_with_embedded_resource', 'resourceUri=test://static-text'),
    {
      messages: having({
        content: expect.objectContaining({
          type: 'resource',
          resource: expect.objectContaining({ uri: 'test://static-text' }),
        }),
      }),
    },
  ],
  [
    'test_prompt_with_image',
    prompt('test_prompt_with_image'),
    { messages: having({ content: expect.objectContaining(image) }) },
  ],
];

const refusals: readonly Refusal[] = [
  [
    'a tool that fails',
    call('test_error_handling'),
    5,
    /isError/,
    { isError: true, content: [text(expect.stringContaining('This tool intentionally returns an error for testing'))] },
  ],
  [
    'arguments that do not fit',
    call('add', 'a=1'),
    5,
    /isError/,
    { isError: true, content: [text(expect.stringMatching(/\bb\b/))] },
  ],
  ['a resource that is not there', read('test://nowhere'), 1, /test:\/\/nowhere|not found/i, undefined],
  ['a prompt that is not there', prompt('nowhere'), 1, /nowhere|not found/i, undefined],
  ['a prompt without its arguments', prompt('test_prompt_with_arguments'), 1, /arg1/, undefined],
];

const legacy = [
  ...lists,
  ['logging/setLevel', ['--method', 'logging/setLevel', '--log-level', 'debug'], {}],
  ...tools,
  ...resources,
  ...prompts,
] as const satisfies readonly Row[];

/** What is new in 2026-07-28, and one of each of the others. */
const modern: readonly Row[] = [
  ...lists.slice(0, 1),
  ['test_x_mcp_header', call('test_x_mcp_header', 'region=eu-west-1', 'level=1'), { content: [text()] }],
  ['test_logging_tool', call('test_logging_tool'), { content: [text()] }],
  ['test_trigger_tool_change', call('test_trigger_tool_change'), { content: [text()] }],
  ['test_trigger_prompt_change', call('test_trigger_prompt_change'), { content: [text()] }],
  ...tools.filter(([what]) => what === 'add' || what === 'test_tool_with_progress'),
  ...resources.filter(([what]) => what.includes('template')),
  ...prompts.filter(([what]) => what.includes('arguments')),
];

/** What is asked in each of the Inspector's eras. */
export const eras = [
  {
    era: 'legacy',
    revision: '2025-11-25',
    rows: legacy,
    refused: [
      ...refusals,
      ['a tool that would ask the user', call('test_elicitation', 'message=Hi'), 1, /elicitation/, undefined],
      ['a tool that would ask the model', call('test_sampling', 'prompt=Hi'), 1, /sampling/, undefined],
    ],
  },
  {
    era: 'modern',
    revision: '2026-07-28',
    rows: modern,
    // It can answer no questions, and says so.
    refused: [
      ...refusals.slice(0, 3),
      ['a tool that needs it to do more', call('test_missing_capability'), 1, /sampling/, undefined],
      ['a tool that would ask', call('test_input_required_result_elicitation'), 1, /elicitation/, undefined],
    ],
  },
  { era: 'auto', revision: '2026-07-28', rows: lists.slice(0, 1), refused: [] },
] as const satisfies readonly {
  readonly era: string;
  readonly rows: readonly Row[];
  readonly refused: readonly Refusal[];
  readonly revision: string;
}[];
