/** Results and definitions as each revision has them, on the wire. */
import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type JsonObject } from '../../../lib/index.ts';
import { pixel } from '../fixture.ts';
import { answerTo } from '../party.ts';
import { object, textOf, type Scene } from '../scene.ts';

export const results = ({ party, since, modern }: Scene): void => {
  describe('structured content', () => {
    it('is mirrored as text, which is all that the oldest revisions have (TOOL-14, BR-48)', async () => {
      const { client, mark } = party();
      const overheard = mark();
      const result = await client.callTool('measure', {});
      expect(textOf(result)).toBe('{"celsius":7}');
      const sent = object(answerTo(overheard(), 'tools/call')['result']);
      expect(sent['structuredContent']).toEqual(since('2025-06-18') ? { celsius: 7 } : undefined);
      expect(result.isError).toBeUndefined();
    });

    it('that is no object exists since 2026-07-28 (TOOL-10, TOOL-11, BR-47, BR-48)', async () => {
      const { client, mark } = party();
      const overheard = mark();
      expect(textOf(await client.callTool('rows', {}))).toBe('[1,2,3]');
      expect(object(answerTo(overheard(), 'tools/call')['result'])['structuredContent']).toEqual(
        modern ? [1, 2, 3] : undefined,
      );
      const tools = await lastValueFrom(client.listTools().pipe(toArray()));
      const [rows, measure] = ['rows', 'measure'].map((name) => tools.flat().find((tool) => tool.name === name));
      expect(rows?.outputSchema !== undefined).toBe(modern);
      expect(measure?.outputSchema !== undefined).toBe(since('2025-06-18'));
    });
  });
};

export const fields = ({ party, since, modern }: Scene): void => {
  /** The one item of a list, as it went over the wire. */
  const listed = async (method: string, member: string, fits: (item: JsonObject) => boolean): Promise<JsonObject> => {
    const { ask } = party();
    const all: JsonObject[] = [];
    for (let cursor: unknown, first = true; first || cursor !== undefined; first = false) {
      const result = object((await ask(method, cursor === undefined ? {} : { cursor }))['result']);
      all.push(...(result[member] as JsonObject[]));
      cursor = result['nextCursor'];
      for (const hint of ['resultType', 'ttlMs', 'cacheScope']) expect(hint in result).toBe(modern);
    }
    return object(all.find(fits));
  };
  const decoration = (item: JsonObject): void => {
    expect('title' in item).toBe(since('2025-06-18'));
    expect('_meta' in item).toBe(since('2025-06-18'));
    expect('icons' in item).toBe(since('2025-11-25'));
  };

  describe('on the wire there is only what the revision has:', () => {
    it('tools (BR-46, BR-52, BR-53, BR-54, BR-56, ICON-10, META-10)', async () => {
      const tool = await listed('tools/list', 'tools', ({ name }) => name === 'decorated');
      decoration(tool);
      expect('annotations' in tool).toBe(since('2025-03-26'));
      expect(tool['description']).toBe('With all that a tool may have');
      // Keywords that old schemas do not know are no reason to change what a tool takes.
      expect(tool['inputSchema']).toEqual({
        type: 'object',
        properties: { a: { type: 'string' } },
        anyOf: [{ required: ['a'] }, {}],
      });
      if (since('2025-11-25'))
        expect(tool['icons']).toEqual([
          { src: 'https://example.com/icon.png', mimeType: 'image/png', sizes: ['48x48'] },
        ]);
    });

    it('resources and templates (BR-53, BR-54, BR-55, BR-56)', async () => {
      const resource = await listed('resources/list', 'resources', ({ uri }) => uri === 'test://fixed');
      decoration(resource);
      expect(resource).toMatchObject({
        name: 'fixed',
        mimeType: 'text/plain',
        size: 5,
        annotations: { audience: ['user'], priority: 0.5 },
      });
      expect('lastModified' in object(resource['annotations'])).toBe(since('2025-06-18'));
      const template = await listed('resources/templates/list', 'resourceTemplates', () => true);
      decoration(template);
      expect(template).toMatchObject({ uriTemplate: 'files://{host}/{+path}' });
    });

    it('prompts (BR-53, BR-54, BR-56)', async () => {
      const prompt = await listed('prompts/list', 'prompts', ({ name }) => name === 'review');
      decoration(prompt);
      const [code] = prompt['arguments'] as JsonObject[];
      expect(code).toMatchObject({ name: 'code', required: true });
      expect('title' in object(code)).toBe(since('2025-06-18'));
    });

    it('content (TOOL-26, BR-50, BR-51, BR-54, BR-55)', async () => {
      const { client, mark } = party();
      const overheard = mark();
      await client.callTool('decorated', {});
      const sent = object(answerTo(overheard(), 'tools/call')['result']);
      const [text, image, audio, link, embedded] = sent['content'] as JsonObject[];
      expect(text).toMatchObject({ type: 'text', text: 'words' });
      expect('_meta' in object(text)).toBe(since('2025-06-18'));
      expect('lastModified' in object(object(text)['annotations'])).toBe(since('2025-06-18'));
      expect(image).toEqual({ type: 'image', data: pixel, mimeType: 'image/png' });
      if (since('2025-03-26')) expect(audio).toEqual({ type: 'audio', data: pixel, mimeType: 'audio/wav' });
      else expect(audio).toEqual({ type: 'text', text: 'Audio left out (audio/wav)' });
      if (!since('2025-06-18')) expect(link).toEqual({ type: 'text', text: 'Resource: test://fixed' });
      else {
        expect(link).toMatchObject({ type: 'resource_link', uri: 'test://fixed', title: 'Fixed' });
        expect('icons' in object(link)).toBe(since('2025-11-25'));
      }
      expect(embedded).toEqual({ type: 'resource', resource: { uri: 'test://fixed', text: 'inside' } });
      expect('structuredContent' in sent).toBe(since('2025-06-18'));
      expect(object(sent['_meta'])['example.com/made-by']).toBe('hand');
    });
  });
};
