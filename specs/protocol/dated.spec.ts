import { describe, expect, it } from 'vitest';
import { at, type Shape } from '../../lib/protocol/dated.ts';
import type { Revision } from '../../lib/protocol/revisions.ts';
import { Schema } from '../../lib/protocol/schema.ts';
import { Tool } from '../../lib/protocol/tool.ts';
import { ListToolsResult } from '../../lib/protocol/tools.ts';

const fields = (shape: Shape, revision: Revision): readonly string[] => {
  const { ast } = at(shape, revision);
  return 'propertySignatures' in ast ? ast.propertySignatures.map(({ name }) => String(name)) : [];
};

describe('at', () => {
  it('gives a revision the fields that it has', () => {
    expect(fields(Tool, '2024-11-05')).toEqual(['name', 'description', 'inputSchema']);
    expect(fields(Tool, '2025-11-25')).toContain('execution');
    expect(fields(Tool, '2026-07-28')).not.toContain('execution');
    expect(fields(Tool, 'draft')).toEqual(fields(Tool, '2026-07-28'));
  });

  it('is the schema itself for the newest revision', () => {
    const valid = { resultType: 'complete', ttlMs: 0, cacheScope: 'private', tools: [] };
    expect(Schema.is(ListToolsResult)(valid)).toBe(true);
    expect(Schema.is(ListToolsResult)({ tools: [] })).toBe(false);
    expect(Schema.is(at(ListToolsResult, '2025-11-25'))({ tools: [] })).toBe(true);
  });

  it('is remembered', () => {
    expect(at(Tool, '2025-06-18').ast).toBe(at(Tool, '2025-06-18').ast);
  });
});
