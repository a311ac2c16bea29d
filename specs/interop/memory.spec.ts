/** Our client drives the reference server `memory`, and watches its graph grow. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { concatMap, first, firstValueFrom, from, lastValueFrom, map, take, toArray } from 'rxjs';
import { open, type OpenClient } from 'rxmcp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folders } from './folders.ts';
import { lifelines } from './lifelines.ts';
import { legacyWirings } from './wirings.ts';
import { official } from './official.ts';

const graphUri = 'memory://knowledge-graph';
const ada = { name: 'Ada', entityType: 'person', observations: ['wrote notes'] };
const engine = { name: 'Engine', entityType: 'machine', observations: [] };
const wrote = { from: 'Ada', to: 'Engine', relationType: 'wrote about' };

describe.each(legacyWirings)('our client and server-memory, $name', ({ options, spoken }) => {
  const processes = lifelines();
  const folder = folders();
  let file: string;
  let client: OpenClient;

  const structured = async (name: string, args: Parameters<OpenClient['callTool']>[1] = {}) =>
    (await client.callTool(name, args)).structuredContent;

  beforeAll(async () => {
    file = join(await folder(), 'memory.jsonl');
    const env = { ...processes.env, MEMORY_FILE_PATH: file };
    client = await open(official('memory', [], env), options);
    await firstValueFrom(client.tools$);
  });
  afterAll(() => client.close());

  it('remembers entities and relations, and answers with structured content that fits its schemas', async () => {
    expect(client.revision).toBe(spoken);
    expect(await structured('create_entities', { entities: [ada, engine] })).toEqual({ entities: [ada, engine] });
    expect(await structured('create_relations', { relations: [wrote] })).toEqual({ relations: [wrote] });
    expect(await structured('read_graph')).toEqual({ entities: [ada, engine], relations: [wrote] });
    expect(await structured('search_nodes', { query: 'machine' })).toMatchObject({ entities: [engine] });
    expect(await structured('open_nodes', { names: ['Ada'] })).toMatchObject({ entities: [ada] });
    expect(await readFile(file, 'utf8')).toContain('wrote about');
    expect(
      await client.callTool('add_observations', { observations: [{ entityName: 'Nobody', contents: ['x'] }] }),
    ).toMatchObject({ isError: true });
  });

  it('shows the graph as a resource that follows every change', async () => {
    expect((await firstValueFrom(client.resources$)).map(({ uri }) => uri)).toEqual([graphUri]);
    const seen = client.resource$(graphUri).pipe(
      map(({ contents: [content] }) =>
        content !== undefined && 'text' in content ? content.text.includes('Charles') : undefined,
      ),
      concatMap((knows, index) =>
        index === 0
          ? from(structured('create_entities', { entities: [{ ...ada, name: 'Charles' }] })).pipe(map(() => knows))
          : [knows],
      ),
      take(2),
      toArray(),
    );
    expect(await lastValueFrom(seen)).toEqual([false, true]);
  });

  it('forgets', async () => {
    const graph$ = client.resource$(graphUri).pipe(map(({ contents }) => JSON.stringify(contents)));
    const watching = graph$.subscribe({ error: () => undefined });
    await firstValueFrom(graph$);
    const empty = firstValueFrom(graph$.pipe(first((text) => !text.includes('Ada') && !text.includes('Charles'))));
    await structured('delete_entities', { entityNames: ['Ada', 'Charles', 'Engine'] });
    await empty;
    expect(await structured('read_graph')).toEqual({ entities: [], relations: [] });
    watching.unsubscribe();
  });
});
