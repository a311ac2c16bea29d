import { describe, expect, it } from 'vitest';
import { CompletionReference, CompleteParams } from '../../lib/protocol/completion.ts';
import { ContentBlock } from '../../lib/protocol/content.ts';
import { prune, validator, type Shape } from '../../lib/protocol/dated.ts';
import { ElicitFormParams } from '../../lib/protocol/elicitation.ts';
import { ProgressParams } from '../../lib/protocol/notifications.ts';
import { ClientCapabilities, Implementation } from '../../lib/protocol/peer.ts';
import { Prompt } from '../../lib/protocol/prompts.ts';
import { ResourceTemplate } from '../../lib/protocol/resources.ts';
import { revisions, type Revision } from '../../lib/protocol/revisions.ts';
import { CreateMessageParams } from '../../lib/protocol/sampling.ts';
import { Tool } from '../../lib/protocol/tool.ts';
import { CallToolParams, CallToolResult, ListToolsResult } from '../../lib/protocol/tools.ts';

const inputSchema = {
  type: 'object',
  properties: { a: { type: 'string' } },
  additionalProperties: false,
  $schema: 'x',
} as const;
const icons = [{ src: 'data:,' }];
const text = { type: 'text', text: 'hello' } as const;
const _meta = { 'com.example/x': 1 };

describe('prune', () => {
  it('gives back the same reference where nothing has to go', () => {
    const result = {
      content: [text, { type: 'image', data: '', mimeType: 'image/png', annotations: { priority: 1 } }],
      isError: false,
    };
    const tools = { tools: [{ name: 'a', inputSchema }] };
    for (const revision of revisions) {
      expect(prune(CallToolResult, revision)(result)).toBe(result);
      expect(prune(ListToolsResult, revision)(tools)).toBe(tools);
    }
  });

  it('copies only the way to what goes', () => {
    const kept = { name: 'a', inputSchema };
    const tools = [kept, { name: 'b', title: 'B', inputSchema }];
    const pruned = prune(ListToolsResult, '2025-03-26')({ tools });
    expect(pruned).toEqual({ tools: [kept, { name: 'b', inputSchema }] });
    expect(tools[1]).toHaveProperty('title');
    expect(pruned).toHaveProperty(['tools', 0], kept);
  });

  it('leaves alone what no revision knows, and what is no object', () => {
    const tool = { name: 'a', inputSchema, 'x-mine': { title: 'kept' } };
    expect(prune(Tool, '2024-11-05')(tool)).toBe(tool);
    for (const odd of [null, 3, 'x', [], undefined]) expect(prune(Tool, '2024-11-05')(odd)).toBe(odd);
    const broken = { tools: 3, _meta: null };
    expect(prune(ListToolsResult, '2024-11-05')(broken)).toBe(broken);
  });

  it('drops what the newest revision has no more', () => {
    expect(prune(Tool, '2026-07-28')({ name: 'a', inputSchema, execution: { taskSupport: 'optional' } })).toEqual({
      name: 'a',
      inputSchema,
    });
    expect(prune(ClientCapabilities, 'draft')({ roots: { listChanged: true }, tasks: {} })).toEqual({ roots: {} });
    const experimental = { roots: { listChanged: true }, tasks: {} };
    expect(prune(ClientCapabilities, '2025-11-25')(experimental)).toBe(experimental);
  });

  const drops: readonly (readonly [rule: string, shape: Shape, revision: Revision, full: object, left: object])[] = [
    [
      'BR-03 BR-04',
      ListToolsResult,
      '2025-11-25',
      { resultType: 'complete', ttlMs: 1, cacheScope: 'public', tools: [] },
      { tools: [] },
    ],
    [
      'BR-05',
      CallToolParams,
      '2025-11-25',
      {
        name: 'a',
        _meta: {
          progressToken: 0,
          ..._meta,
          'io.modelcontextprotocol/logLevel': 'info',
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        },
      },
      { name: 'a', _meta: { progressToken: 0, ..._meta } },
    ],
    ['BR-26', CallToolParams, '2025-11-25', { name: 'a', inputResponses: {}, requestState: 's' }, { name: 'a' }],
    ['BR-46', Tool, '2024-11-05', { name: 'a', inputSchema }, { name: 'a', inputSchema }],
    [
      'BR-47',
      Tool,
      '2025-03-26',
      { name: 'a', inputSchema, outputSchema: { type: 'object' } },
      { name: 'a', inputSchema },
    ],
    [
      'BR-47 root',
      Tool,
      '2025-11-25',
      { name: 'a', inputSchema, outputSchema: { type: 'array' } },
      { name: 'a', inputSchema },
    ],
    ['BR-48', CallToolResult, '2025-03-26', { content: [text], structuredContent: {} }, { content: [text] }],
    ['BR-48 any', CallToolResult, '2025-11-25', { content: [text], structuredContent: [1] }, { content: [text] }],
    [
      'BR-48 object',
      CallToolResult,
      '2025-06-18',
      { content: [], structuredContent: { a: 1 } },
      { content: [], structuredContent: { a: 1 } },
    ],
    [
      'BR-52',
      Tool,
      '2024-11-05',
      { name: 'a', inputSchema, annotations: { readOnlyHint: true } },
      { name: 'a', inputSchema },
    ],
    ['BR-53 tool', Tool, '2025-03-26', { name: 'a', title: 'A', inputSchema }, { name: 'a', inputSchema }],
    [
      'BR-53 prompt',
      Prompt,
      '2025-03-26',
      { name: 'a', title: 'A', arguments: [{ name: 'b', title: 'B' }] },
      { name: 'a', arguments: [{ name: 'b' }] },
    ],
    [
      'BR-53 reference',
      CompletionReference,
      '2025-03-26',
      { type: 'ref/prompt', name: 'a', title: 'A' },
      { type: 'ref/prompt', name: 'a' },
    ],
    ['BR-54', ContentBlock, '2025-03-26', { ...text, _meta }, text],
    [
      'BR-55',
      ContentBlock,
      '2025-03-26',
      { ...text, annotations: { priority: 1, lastModified: 'x' } },
      { ...text, annotations: { priority: 1 } },
    ],
    [
      'BR-55 template',
      ResourceTemplate,
      '2024-11-05',
      { uriTemplate: 'a:{b}', name: 'a', annotations: { lastModified: 'x' } },
      { uriTemplate: 'a:{b}', name: 'a', annotations: {} },
    ],
    [
      'BR-56',
      Implementation,
      '2025-06-18',
      { name: 'a', version: '1', title: 'A', description: 'd', websiteUrl: 'u', icons },
      { name: 'a', version: '1', title: 'A' },
    ],
    [
      'BR-56 tool',
      Tool,
      '2025-06-18',
      { name: 'a', title: 'A', inputSchema, icons },
      { name: 'a', title: 'A', inputSchema },
    ],
    [
      'BR-57',
      ProgressParams,
      '2024-11-05',
      { progressToken: 0, progress: 1, message: 'm' },
      { progressToken: 0, progress: 1 },
    ],
    ['BR-59', CompleteParams, '2025-03-26', { context: { arguments: {} } }, {}],
    [
      'BR-64',
      CreateMessageParams,
      '2025-06-18',
      { messages: [{ role: 'user', content: text, _meta }], maxTokens: 1, tools: [], toolChoice: {} },
      { messages: [{ role: 'user', content: text }], maxTokens: 1 },
    ],
    [
      'BR-66 BR-68 BR-70',
      ElicitFormParams,
      '2025-06-18',
      {
        mode: 'form',
        message: 'm',
        requestedSchema: {
          type: 'object',
          $schema: 's',
          properties: {
            a: { type: 'string', default: 'x' },
            b: { type: 'boolean', default: true },
            c: { type: 'integer', default: 1 },
          },
        },
      },
      {
        message: 'm',
        requestedSchema: {
          type: 'object',
          properties: { a: { type: 'string' }, b: { type: 'boolean', default: true }, c: { type: 'integer' } },
        },
      },
    ],
    [
      'BR-67',
      ElicitFormParams,
      '2025-06-18',
      {
        message: 'm',
        requestedSchema: {
          type: 'object',
          properties: {
            a: { type: 'string', title: 'T', oneOf: [{ const: 'x', title: 'X' }], default: 'x' },
            b: { type: 'string', enum: ['y'], default: 'y' },
          },
        },
      },
      {
        message: 'm',
        requestedSchema: {
          type: 'object',
          properties: {
            a: { type: 'string', title: 'T', enum: ['x'], enumNames: ['X'] },
            b: { type: 'string', enum: ['y'] },
          },
        },
      },
    ],
    [
      'BR-72',
      ClientCapabilities,
      '2025-11-25',
      { extensions: { 'io.modelcontextprotocol/ui': {} } },
      { extensions: { 'io.modelcontextprotocol/ui': {} } },
    ],
  ];

  it.each(drops)('keeps to %s', (_rule, shape, revision, full, left) => {
    expect(prune(shape, revision)(full)).toEqual(left);
  });

  it('says in words what the revision has no block for (BR-50, BR-51)', () => {
    const link = { type: 'resource_link', uri: 'file:///a', name: 'a', mimeType: 'text/plain' };
    const audio = { type: 'audio', data: 'AA==', mimeType: 'audio/wav' };
    const content = [text, link, audio];
    expect(prune(CallToolResult, '2025-06-18')({ content })).toEqual({ content });
    const words = { type: 'text', text: 'Resource: file:///a (text/plain)' };
    expect(prune(CallToolResult, '2025-03-26')({ content })).toEqual({ content: [text, words, audio] });
    expect(prune(CallToolResult, '2024-11-05')({ content })).toEqual({
      content: [text, words, { type: 'text', text: 'Audio left out (audio/wav)' }],
    });
  });

  it('leaves to the translator what cannot be said (BR-60, BR-69)', () => {
    const asked = { messages: [{ role: 'user', content: [text, text] }], maxTokens: 1 };
    expect(prune(CreateMessageParams, '2025-06-18')(asked)).toBe(asked);
    expect(validator(CreateMessageParams, '2025-06-18')(asked)).toMatch(/^messages\[0\]\.content must be/);
  });
});
