/** Our client drives the reference server `memory`, and watches its graph grow. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concatMap, first, firstValueFrom, from, lastValueFrom, map, take, toArray } from 'rxjs';
import { open, revisions, type OpenClient } from 'rxmcp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lifelines } from './lifelines.ts';
import { official } from './official.ts';

const wirings = [
  { name: 'found out by the probe', pinned: undefined },
  ...revisions
    .filter((revision) => revision < '2026')
    .map((revision) => ({ name: `pinned to ${revision}`, pinned: revision })),
];

const graphUri = 'memory://knowledge-graph';
const ada = { name: 'Ada', entityType: 'person', observations: ['wrote notes'] };
const engine = { name: 'Engine', entityType: 'machine', observations: [] };
const wrote = { from: 'Ada', to: 'Engine', relationType: 'wrote about' };

describe.each(wirings)('our client and server-memory, $name', ({ pinned }) => {
  const processes = lifelines();
  let folder: string;
  let client: OpenClient;

  const structured = async (name: string, args: Parameters<OpenClient['callTool']>[1] = {}) =>
    (await client.callTool(name, args)).structuredContent;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rxmcp-interop-'));
    const env = { ...processes.env, MEMORY_FILE_PATH: join(folder, 'memory.jsonl') };
    client = await open(official('memory', [], env), pinned === undefined ? {} : { revisions: [pinned] });
    await firstValueFrom(client.tools$);
  });
  afterAll(async () => {
    await client.close();
    await rm(folder, { recursive: true });
  });

  it('remembers entities and relations, and answers with structured content that fits its schemas', async () => {
    expect(client.revision).toBe(pinned ?? '2025-11-25');
    expect(await structured('create_entities', { entities: [ada, engine] })).toEqual({ entities: [ada, engine] });
    expect(await structured('create_relations', { relations: [wrote] })).toEqual({ relations: [wrote] });
    expect(await structured('read_graph')).toEqual({ entities: [ada, engine], relations: [wrote] });
    expect(await structured('search_nodes', { query: 'machine' })).toMatchObject({ entities: [engine] });
    expect(await structured('open_nodes', { names: ['Ada'] })).toMatchObject({ entities: [ada] });
    expect(await readFile(join(folder, 'memory.jsonl'), 'utf8')).toContain('wrote about');
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
