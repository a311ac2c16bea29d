/** Looks around: what the server offers, and one file of it. */
import { firstValueFrom } from 'rxjs';
import { check } from '../../story/check.ts';
import { paint } from '../../story/paint.ts';
import { good, say } from '../../story/tell.ts';
import type { FilesClient } from './reach.ts';

export const look = async (client: FilesClient): Promise<{ readonly tools: number; readonly resources: number }> => {
  const [tools, resources, templates] = await Promise.all([
    firstValueFrom(client.tools$),
    firstValueFrom(client.resources$),
    firstValueFrom(client.templates$),
  ]);
  say(
    `${tools.length} tools (${tools.map(({ name }) => paint.name(name)).join(', ')}), ` +
      `${resources.length} files as resources, ` +
      `${templates.length} templates (${templates.map(({ uriTemplate }) => paint.name(uriTemplate)).join(', ')})`,
  );
  const names = tools.map(({ name }) => name).sort();
  check(names.join() === 'search,stats', 'the tools should be search and stats', names);
  check(
    resources.some(({ uri }) => uri === 'file:///package.json'),
    'package.json should be on the list',
  );
  check(!resources.some(({ uri }) => uri.includes('node_modules')), 'node_modules should not be on the list');

  const { contents } = await client.readResource('file:///package.json');
  const [file] = contents;
  check(
    file !== undefined && 'text' in file && file.text.includes('"name": "rxmcp"'),
    'package.json should be ours',
    file,
  );
  good(`read package.json: ${file.text.length} characters of ${file.mimeType}`);

  const outside = 'file:///..%2f..%2fetc/passwd';
  const refusal = await client.readResource(outside).then(
    () => undefined,
    (error: unknown) => error,
  );
  check(
    refusal instanceof Error && refusal.message.startsWith('refused'),
    'a path out of the folder should be refused',
    refusal,
  );
  good(`asked for ${outside} and was refused`);
  return { tools: tools.length, resources: resources.length };
};
