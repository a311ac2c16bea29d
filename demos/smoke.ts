import { Schema, server, tool, inMemory, open, progress, resource, prompt, revisions, resourceTemplate } from 'rxmcp';
import { concat, of, timer, map, interval, lastValueFrom, toArray, take } from 'rxjs';
const weather = server(
  { name: 'weather', version: '1.0.0' },
  tool(
    'forecast',
    { description: 'x', input: Schema.Struct({ city: Schema.String }), output: Schema.Struct({ c: Schema.Number }) },
    ({ city }) => concat(of(progress(0, 2, 'a')), of(progress(1, 2)), timer(5).pipe(map(() => ({ c: city.length })))),
  ),
  tool('boom', {}, () => {
    throw new Error('no /etc/passwd here');
  }),
  resource('file:///log', { live: true }, () => interval(20).pipe(map(String))),
  resourceTemplate('x://{id}', {}, ({ id }) => `id ${id}`),
  prompt('review', { arguments: { code: 'The code' } }, ({ code }) => `Review ${code}`),
);
for (const revision of revisions)
  for (const serialise of [false, true]) {
    const client = await open<typeof weather>(inMemory(weather, { serialise }), { revisions: [revision] });
    console.log(client.revision, client.server?.name);
    const r = await client.callTool('forecast', { city: 'Oslo' });
    const events = await lastValueFrom(client.call('forecast', { city: 'Oslo' }).pipe(toArray()));
    console.log(JSON.stringify(r), events.map((e) => e.kind).join());
    console.log(
      JSON.stringify(await client.callTool('boom', {})),
      JSON.stringify(await client.callTool('forecast', { city: 5 } as never)),
    );
    console.log(await client.callTool('nope' as never, {} as never).catch((e) => e._tag + e.message));
    console.log(
      JSON.stringify(await client.readResource('x://7')),
      await client.readResource('y://7').catch((e) => e.code),
    );
    console.log(JSON.stringify(await client.getPrompt('review', { code: '1+1' })));
    console.log((await lastValueFrom(client.tools$.pipe(take(1)))).map((t) => t.name));
    console.log(
      await lastValueFrom(
        client.resource$('file:///log').pipe(
          take(3),
          map((r) => JSON.stringify(r.contents)),
          toArray(),
        ),
      ),
    );
    await client.close();
  }
