/** What the probe does with a client: looks at what there is, then runs its errands, telling each event as it comes. */
import { lastValueFrom, reduce, type Observable } from 'rxjs';
import { latestRevision, type Client, type JsonObject } from 'rxmcp';
import type { Errand } from './errand.ts';
import { errorOf, type Print } from './line.ts';

export const visit = async (client: Client, errands: readonly Errand[], print: Print): Promise<void> => {
  const { capabilities, revision, server = {} } = client;
  print('connected', {
    era: revision < latestRevision ? 'legacy' : 'modern',
    protocolVersion: revision,
    serverInfo: server,
    capabilities,
  });
  if (capabilities.tools !== undefined)
    print('tools', { names: (await whole(client.listTools())).map(({ name }) => name) });
  if (capabilities.resources !== undefined)
    print('resources', { uris: (await whole(client.listResources())).map(({ uri }) => uri) });
  if (capabilities.prompts !== undefined)
    print('prompts', { names: (await whole(client.listPrompts())).map(({ name }) => name) });
  for (const errand of errands) await run(client, errand, print);
};

const whole = <T>(pages$: Observable<readonly T[]>): Promise<readonly T[]> =>
  lastValueFrom(pages$.pipe(reduce((items: readonly T[], page) => [...items, ...page], [])));

const run = async (client: Client, errand: Errand, print: Print): Promise<void> => {
  switch (errand.kind) {
    case 'call':
      return told('call', { name: errand.name }, called(client, errand.name, errand.args, print), print);
    case 'read':
      return told('read', { uri: errand.uri }, client.readResource(errand.uri), print);
    case 'prompt':
      return told('prompt', { name: errand.name }, client.getPrompt(errand.name, errand.args), print);
  }
};

/** Tells of progress as it comes. */
const called = (client: Client, name: string, args: JsonObject, print: Print): Promise<unknown> =>
  lastValueFrom(
    client.call(name, args).pipe(
      reduce((result: unknown, event) => {
        if (event.kind === 'progress') print('progress', { name, progress: event.progress });
        return event.kind === 'result' ? event.result : result;
      }, undefined),
    ),
  );

const told = async (event: string, what: JsonObject, asked: Promise<unknown>, print: Print): Promise<void> => {
  try {
    print(event, { ...what, result: await asked });
  } catch (error) {
    print(event, { ...what, error: errorOf(error) });
  }
};
