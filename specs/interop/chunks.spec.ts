/** Our client and a server whose bytes arrive in unusual pieces: what was said arrives whole and in order. */
import { fileURLToPath } from 'node:url';
import { firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import { InvalidAnswer, open, revisions, type CallEvent, type OpenClient } from 'rxmcp';
import { spawn, type SpawnChannel } from 'rxmcp/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lifelines } from './lifelines.ts';

const fixture = fileURLToPath(new URL('fixtures/chunks.mjs', import.meta.url));

const twenty = Array.from({ length: 20 }, (_, index) => ({
  kind: 'progress',
  progress: index + 1,
  total: 20,
  message: `Schritt ${index + 1} 🙂 „é“`,
}));

describe.each(revisions.filter((revision) => revision !== 'draft'))(
  'our client and a server that chops its bytes, at %s',
  (revision) => {
    const processes = lifelines();
    let channel: SpawnChannel;
    let client: OpenClient;

    const events = (name: string): Promise<readonly CallEvent<unknown>[]> =>
      lastValueFrom(client.call(name, {}).pipe(toArray()));
    const text = ({ content: [block] }: Awaited<ReturnType<OpenClient['callTool']>>) =>
      block?.type === 'text' ? block.text : undefined;

    beforeAll(async () => {
      channel = spawn(process.execPath, [fixture], { env: processes.env });
      client = await open(channel, { revisions: [revision] });
      // Looking at the list is what makes a client check results against it.
      await firstValueFrom(client.tools$);
    });
    afterAll(() => client.close());

    it.each(['burst', 'crumbs'])('hears all of twenty notices, then the result: %s', async (name) => {
      const all = await events(name);
      expect(all.slice(0, -1)).toEqual(twenty);
      expect(all.at(-1)).toMatchObject({
        kind: 'result',
        result: { content: [{ text: expect.stringMatching(/^done/) }] },
      });
    });

    it('keeps many such calls apart', async () => {
      const calls = await Promise.all(
        Array.from({ length: 20 }, (_, index) => events(index % 2 === 0 ? 'burst' : 'crumbs')),
      );
      for (const all of calls) expect(all.slice(0, -1)).toEqual(twenty);
    });

    it('can stop in the middle of a chunk', async () => {
      expect(await lastValueFrom(client.call('burst', {}).pipe(take(3), toArray()))).toEqual(twenty.slice(0, 3));
      expect(text(await client.callTool('burst', {}))).toBe('done');
    });

    it('takes nothing after the result', async () => {
      expect((await events('late')).map(({ kind }) => kind)).toEqual(['progress', 'result']);
      expect(text(await client.callTool('burst', {}))).toBe('done');
    });

    it('takes lines that are no message for diagnostics, and CRLF for the end of a line', async () => {
      const stray = firstValueFrom(channel.stray$);
      expect(text(await client.callTool('noise', {}))).toBe('done');
      expect(await stray).toBe('half a { line');
    });

    it('takes no structured content for valid that does not fit the schema of its tool', async () => {
      await expect(client.callTool('lie', {})).rejects.toBeInstanceOf(InvalidAnswer);
      await expect(client.callTool('lie', {})).rejects.toThrow(/lie does not fit its output schema.*n/);
      await expect(client.callTool('omit', {})).rejects.toThrow(/lacks the structured content/);
    });
  },
);
