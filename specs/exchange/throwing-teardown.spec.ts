import { memoryPair, open, server, serveChannel, tool, type ServeEvent } from 'rxmcp';
import { Observable } from 'rxjs';
import { expect, it } from 'vitest';

it('a teardown that throws is told to the host, and harms neither neighbours nor what follows', async () => {
  const torn: string[] = [];
  const house = server(
    { name: 'house', version: '1' },
    tool(
      'bad',
      {},
      () =>
        new Observable<string>(() => () => {
          torn.push('bad');
          throw new Error('on leaving');
        }),
    ),
    tool('good', {}, () => new Observable<string>(() => () => void torn.push('good'))),
    tool('echo', {}, () => 'here'),
  );
  const events: ServeEvent[] = [];
  const [near, far] = memoryPair();
  const serving = serveChannel(house, { drainMs: 0 })(far).subscribe((event) => events.push(event));
  const client = await open(near);
  const cancelled = client.call('bad').subscribe();
  cancelled.unsubscribe();
  expect(torn).toEqual(['bad']);
  expect(events).toContainEqual({ type: 'failure', method: 'tools/call', error: expect.objectContaining({}) });
  expect(await client.callTool('echo')).toMatchObject({ content: [{ text: 'here' }] });

  for (const name of ['bad', 'good']) client.call(name).subscribe({ error: () => undefined });
  await client.close();
  expect(torn).toEqual(['bad', 'bad', 'good']);
  expect(serving.closed).toBe(true);
});
