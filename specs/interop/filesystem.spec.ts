/** Our client drives the reference server `filesystem` on a folder of its own. */
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { filter, firstValueFrom } from 'rxjs';
import { open, type OpenClient } from 'rxmcp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folders } from './folders.ts';
import { lifelines } from './lifelines.ts';
import { legacyWirings } from './wirings.ts';
import { official } from './official.ts';

describe.each(legacyWirings)('our client and server-filesystem, $name', ({ options, spoken }) => {
  const processes = lifelines();
  const folder = folders();
  let root: string;
  let outside: string;
  let client: OpenClient;
  const at = (name: string) => join(root, name);

  beforeAll(async () => {
    [root, outside] = [await folder(), await folder()];
    await writeFile(join(outside, 'secret.txt'), 'not for everyone');
    client = await open(official('filesystem', [root], processes.env), options);
    // Looking at the list is what makes a client check results against it.
    await firstValueFrom(client.tools$);
  });
  afterAll(() => client.close());

  it('knows what the server can do, and asks for nothing else', async () => {
    expect(client.server?.name).toBe('secure-filesystem-server');
    expect(client.revision).toBe(spoken);
    expect(client.capabilities.resources).toBeUndefined();
    // Live lists of what there is not are empty, and cost no request.
    expect(await firstValueFrom(client.resources$)).toEqual([]);
    expect(await firstValueFrom(client.prompts$)).toEqual([]);
    const tools = await firstValueFrom(client.tools$);
    expect(tools).toHaveLength(14);
    expect(tools.find(({ name }) => name === 'read_text_file')).toMatchObject({
      annotations: { readOnlyHint: true },
      outputSchema: { required: ['content'] },
    });
  });

  it('writes, edits, moves and reads files', async () => {
    const text = 'eins\nzwei 🙂\ndrei\n';
    await client.callTool('create_directory', { path: at('deep/er') });
    await client.callTool('write_file', { path: at('deep/a.txt'), content: text });
    expect(await readFile(at('deep/a.txt'), 'utf8')).toBe(text);
    expect((await client.callTool('read_text_file', { path: at('deep/a.txt') })).structuredContent).toEqual({
      content: text,
    });
    expect((await client.callTool('read_text_file', { path: at('deep/a.txt'), head: 1 })).structuredContent).toEqual({
      content: 'eins',
    });
    const edited = await client.callTool('edit_file', {
      path: at('deep/a.txt'),
      edits: [{ oldText: 'zwei', newText: 'two' }],
    });
    expect(edited.structuredContent).toMatchObject({ content: expect.stringContaining('+two 🙂') });
    await client.callTool('move_file', { source: at('deep/a.txt'), destination: at('deep/er/b.txt') });
    expect(await readFile(at('deep/er/b.txt'), 'utf8')).toBe(text.replace('zwei', 'two'));
    expect((await client.callTool('search_files', { path: root, pattern: '**/*.txt' })).structuredContent).toEqual({
      content: at('deep/er/b.txt'),
    });
    expect((await client.callTool('directory_tree', { path: at('deep') })).content).toMatchObject([
      { text: expect.stringContaining('b.txt') },
    ]);
  });

  it('reads media as a block of its kind', async () => {
    await writeFile(at('dot.png'), Buffer.from('iVBORw0KGgo=', 'base64'));
    expect(await client.callTool('read_media_file', { path: at('dot.png') })).toMatchObject({
      content: [{ type: 'image', mimeType: 'image/png', data: 'iVBORw0KGgo=' }],
    });
  });

  it('hears of what it may not do as a result that says so', async () => {
    await symlink(join(outside, 'secret.txt'), at('link.txt'));
    for (const path of [join(outside, 'secret.txt'), at('../secret.txt'), at('link.txt'), at('missing.txt')]) {
      const refused = await client.callTool('read_text_file', { path });
      expect(refused).toMatchObject({ isError: true });
      expect(JSON.stringify(refused)).not.toContain('not for everyone');
    }
    expect(await client.callTool('read_text_file', {})).toMatchObject({ isError: true });
  });

  it('has many calls in flight at once', async () => {
    const names = Array.from({ length: 50 }, (_, index) => at(`many-${index}.txt`));
    await Promise.all(names.map((path) => client.callTool('write_file', { path, content: path })));
    const read = await Promise.all(names.map((path) => client.callTool('read_text_file', { path })));
    expect(read.map(({ structuredContent }) => structuredContent)).toEqual(names.map((content) => ({ content })));
  });
});

describe('our client, asked by server-filesystem for its roots', () => {
  const processes = lifelines();
  const folder = folders();

  it('answers, and is served those folders instead', async () => {
    const [given, named] = [await folder(), await folder()];
    const server = official('filesystem', [given], processes.env);
    const told = firstValueFrom(server.stderr$.pipe(filter((line) => line.startsWith('Updated allowed directories'))));
    const client = await open(server, { answers: { roots: [{ uri: pathToFileURL(named).href }] } });
    await told;
    expect((await client.callTool('list_allowed_directories', {})).structuredContent).toMatchObject({
      content: expect.stringContaining(named),
    });
    expect(await client.callTool('list_directory', { path: given })).toMatchObject({ isError: true });
    await client.close();
  });
});
