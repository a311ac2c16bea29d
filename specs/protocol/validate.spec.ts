import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { at, validator, type Shape } from '../../lib/protocol/dated.ts';
import { ElicitResult } from '../../lib/protocol/elicitation.ts';
import { methods, type Row } from '../../lib/protocol/methods.ts';
import { CancelledParams } from '../../lib/protocol/notifications.ts';
import { revisions, type Revision } from '../../lib/protocol/revisions.ts';
import { Schema } from '../../lib/protocol/schema.ts';
import { Tool } from '../../lib/protocol/tool.ts';
import { CallToolParams, CallToolResult } from '../../lib/protocol/tools.ts';

const icons = [{ src: 'data:,' }];
const text = { type: 'text', text: 'hello' } as const;

describe('validator', () => {
  const request = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };

  it.each([
    [CallToolParams, '2025-11-25', {}, 'name is missing'],
    [CallToolParams, '2025-11-25', { name: 1 }, 'name must be a string'],
    [CallToolParams, '2025-11-25', { name: 'a', arguments: [] }, 'arguments must be an object'],
    [CallToolParams, '2025-11-25', [], 'must be an object'],
    [CallToolParams, '2025-11-25', { name: 'a' }, undefined],
    [
      CallToolParams,
      '2025-11-25',
      { name: 'a', _meta: { progressToken: 1.5 } },
      '_meta.progressToken must be a string or an integer',
    ],
    [CallToolParams, '2026-07-28', { name: 'a' }, '_meta is missing'],
    [
      CallToolParams,
      '2026-07-28',
      { name: 'a', _meta: {} },
      '_meta.io.modelcontextprotocol/protocolVersion is missing',
    ],
    [CallToolParams, '2026-07-28', { name: 'a', _meta: request }, undefined],
    [CallToolParams, '2026-07-28', { name: 'a', _meta: request, 'x-mine': 1 }, undefined],
    [
      CallToolParams,
      'draft',
      { name: 'a', _meta: request, inputResponses: { k: { action: 'accept', content: { a: null } } } },
      'inputResponses.k.content.a must be a string or a number or a boolean or an array',
    ],
    [CallToolResult, '2025-11-25', { content: [{ type: 'text' }] }, 'content[0].text is missing'],
    [
      CallToolResult,
      '2024-11-05',
      { content: [{ type: 'audio' }] },
      'content[0].type must be "text" or "image" or "resource"',
    ],
    [CallToolResult, '2025-11-25', { content: [], structuredContent: [1] }, 'structuredContent must be an object'],
    [CallToolResult, '2026-07-28', { content: [], structuredContent: [1], resultType: 'complete' }, undefined],
    [CancelledParams, '2025-06-18', {}, 'requestId is missing'],
    [CancelledParams, '2025-11-25', {}, undefined],
    [CancelledParams, '2026-07-28', {}, 'requestId is missing'],
    [ElicitResult, '2025-06-18', { action: 'accept', content: { a: 3.5 } }, undefined],
    [
      ElicitResult,
      '2025-06-18',
      { action: 'accept', content: { a: ['x'] } },
      'content.a must be a string or a number or a boolean',
    ],
    [
      methods['completion/complete'].result,
      '2026-07-28',
      { resultType: 'complete', completion: { values: Array(101).fill('') } },
      'completion.values must be a list of at most 100 strings',
    ],
    [methods['completion/complete'].result, '2025-11-25', { completion: { values: Array(101).fill('') } }, undefined],
  ] satisfies [Shape, Revision, unknown, string | undefined][])(
    '%# says in one sentence what is wrong',
    (shape, revision, value, flaw) => {
      expect(validator(shape, revision)(value)).toBe(flaw);
    },
  );

  it.each([
    ['k'.repeat(1e6), `inputResponses["${'k'.repeat(100)}…"] must be an object`],
    ['two\nlines', 'inputResponses["two\\nlines"] must be an object'],
  ])('%# repeats no more of a name than a sentence can hold', (name, start) => {
    const params = { name: 'a', _meta: request, inputResponses: { [name]: 5 } };
    expect(validator(CallToolParams, '2026-07-28')(params)).toBe(start);
  });

  it('is compiled once', () => {
    expect(validator(Tool, '2025-06-18')).toBe(validator(Tool, '2025-06-18'));
  });

  const _request = { ...request, progressToken: 1 };
  const samples: Partial<Record<keyof typeof methods, readonly object[]>> = {
    'tools/call': [
      {
        name: 'a',
        arguments: { a: 1 },
        _meta: _request,
        inputResponses: { k: { action: 'accept', content: { a: ['b'], c: 1 } }, r: { roots: [{ uri: 'file:///' }] } },
      },
    ],
    'tools/list': [{ cursor: '', _meta: _request }],
    'sampling/createMessage': [
      {
        messages: [
          { role: 'user', content: [text, { type: 'tool_result', toolUseId: 'x', content: [text] }] },
          { role: 'assistant', content: text },
        ],
        maxTokens: 3,
        modelPreferences: { hints: [{}], costPriority: 0.5 },
      },
    ],
    'elicitation/create': [
      { mode: 'url', message: 'm', url: 'u', elicitationId: 'e' },
      {
        message: 'm',
        requestedSchema: {
          type: 'object',
          properties: {
            a: { type: 'string' },
            b: { type: 'array', items: { anyOf: [{ const: 'x', title: 'X' }] } },
            c: { type: 'string', enum: ['x'], enumNames: ['X'] },
            d: { type: 'string', oneOf: [] },
          },
        },
      },
    ],
    'completion/complete': [
      {
        ref: { type: 'ref/prompt', name: 'a' },
        argument: { name: 'b', value: '' },
        context: { arguments: { c: 'd' } },
        _meta: _request,
      },
    ],
    initialize: [
      {
        protocolVersion: '2025-11-25',
        capabilities: { tasks: { requests: { sampling: { createMessage: {} } } }, experimental: { a: {} } },
        clientInfo: { name: 'a', version: 'b', icons },
      },
    ],
    'notifications/tasks/status': [{ taskId: 't', status: 'working', ttl: null, createdAt: 'c', lastUpdatedAt: 'l' }],
    'subscriptions/listen': [{ _meta: _request, notifications: { resourceSubscriptions: ['a:b'] } }],
  };

  /** Puts something else at one place of a value, or leaves the place out. */
  const disturb = (value: unknown, picks: readonly number[], other: unknown): unknown => {
    const [pick, ...rest] = picks;
    if (pick === undefined || typeof value !== 'object' || value === null) return other;
    if (Array.isArray(value))
      return value.length === 0
        ? other
        : value.map((item: unknown, i) => (i === pick % value.length ? disturb(item, rest, other) : item));
    const entries = Object.entries(value);
    if (entries.length === 0) return other;
    const changed = entries.map(([key, item], i) => [
      key,
      i === pick % entries.length ? disturb(item, rest, other) : item,
    ]);
    return Object.fromEntries(changed.filter(([, item]) => item !== undefined));
  };

  it.each(Object.entries(samples))('judges the params of %s as Effect does', (method, values) => {
    const row: Row = Object.entries<Row>(methods).find(([name]) => name === method)?.[1] ?? methods.ping;
    const other = fc.oneof(
      fc.constant(undefined),
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom('form', 'user', 'string', 'text', 0.5, {}, []),
    );
    const verdicts = { right: 0, wrong: 0 };
    fc.assert(
      fc.property(
        fc.constantFrom(...values),
        fc.array(fc.nat(20), { maxLength: 6 }),
        other,
        fc.constantFrom(...revisions),
        (value, picks, change, revision) => {
          const disturbed = picks.length === 0 ? value : disturb(value, picks, change);
          const expected = Schema.is(at(row.params, revision))(disturbed);
          expect(validator(row.params, revision)(disturbed) === undefined).toBe(expected);
          verdicts[expected ? 'right' : 'wrong'] += 1;
        },
      ),
      { numRuns: 400 },
    );
    expect(verdicts.right).toBeGreaterThan(20);
    expect(verdicts.wrong).toBeGreaterThan(20);
  });
});
