/** Prompts, completion and log lines. */
import { describe, expect, it } from 'vitest';
import { codes } from '../../../lib/index.ts';
import { metaKeys } from '../../../lib/protocol/revisions.ts';
import { levels } from '../fixture.ts';
import { inGoodOrder } from '../leaks.ts';
import { said } from '../party.ts';
import { errorOf, logging as hearing, type Scene } from '../scene.ts';

export const prompting = ({ party, since }: Scene): void => {
  describe('a prompt', () => {
    it('is filled in (PRM-04, PRM-05, PRM-08, BR-50, BR-51)', async () => {
      const { client } = party();
      const { description, messages } = await client.getPrompt('review', { code: 'x = 1' });
      expect(description).toBe('A review');
      expect(messages[0]).toEqual({ role: 'user', content: { type: 'text', text: 'x = 1 plain' } });
      expect(messages[1]?.content.type).toBe(since('2025-03-26') ? 'audio' : 'text');
      expect(messages[2]?.content.type).toBe(since('2025-06-18') ? 'resource_link' : 'text');
    });

    it('that is unknown, or lacks an argument, is refused (PRM-10, PRM-11)', async () => {
      const { client, ask } = party();
      expect(await errorOf(client.getPrompt('nobody'))).toMatchObject({ code: codes.invalidParams });
      expect(await errorOf(client.getPrompt('review', { style: 'terse' }))).toMatchObject({
        code: codes.invalidParams,
        message: expect.stringContaining('code') as string,
      });
      expect(await ask('prompts/get', { name: 'review', arguments: { code: 5 } })).toMatchObject({
        error: { code: codes.invalidParams },
      });
      expect(await errorOf(client.getPrompt('broken'))).toMatchObject({
        code: codes.internalError,
        message: 'internal error while answering prompts/get',
      });
    });
  });

  describe('completion', () => {
    it('knows the other arguments, where the revision can tell them (CMP-06, CMP-07, BR-59)', async () => {
      const { client } = party();
      const style = await client.complete({ type: 'ref/prompt', name: 'review' }, 'style', 'te', { code: 'c' });
      expect(style.values).toEqual([since('2025-06-18') ? 'te:c' : 'te:']);
      const ref = { type: 'ref/resource', uri: 'files://{host}/{+path}' } as const;
      expect((await client.complete(ref, 'host', 'al')).values).toEqual(['alpha']);
      const path = await client.complete(ref, 'path', 'p', { host: 'beta' });
      expect(path.values).toEqual(since('2025-06-18') ? ['beta/p1', 'beta/p2'] : ['nowhere/p1', 'nowhere/p2']);
    });

    it('gives a hundred values at most, and counts them all (CMP-01, CMP-08)', async () => {
      const { values, total, hasMore } = await party().client.complete(
        { type: 'ref/prompt', name: 'review' },
        'many',
        '',
      );
      expect(values).toHaveLength(100);
      expect({ total, hasMore }).toEqual({ total: 150, hasMore: true });
    });

    it('of an argument without a completer is empty; of what does not exist it is refused (CMP-05)', async () => {
      const { client } = party();
      expect((await client.complete({ type: 'ref/prompt', name: 'review' }, 'code', '')).values).toEqual([]);
      expect(await errorOf(client.complete({ type: 'ref/prompt', name: 'review' }, 'constructor', ''))).toMatchObject({
        code: codes.invalidParams,
      });
      expect(await errorOf(client.complete({ type: 'ref/prompt', name: 'nobody' }, 'x', ''))).toMatchObject({
        code: codes.invalidParams,
      });
      expect(await errorOf(client.complete({ type: 'ref/resource', uri: 'no://such' }, 'x', ''))).toMatchObject({
        code: codes.invalidParams,
      });
    });
  });
};

export const logging = ({ modern, another, spare, needing, wiring }: Scene): void => {
  const from = (level: (typeof levels)[number]) =>
    levels
      .slice(levels.indexOf(level))
      .map((each) => ({ kind: 'log', level: each, data: { at: each }, logger: 'fixture' }));

  describe('log lines', () => {
    needing('remembers', () => {
      it('come at the level that a call asks for, and above (LOG-05, LOG-06, LOG-07, BR-23)', async () => {
        const other = await another();
        const linesAt = hearing(wiring, other);
        // Where nobody has set a level it is the server's to choose; since 2026-07-28 that is silence (LOG-04, LOG-06).
        expect(await linesAt()).toEqual(modern ? [] : from('info'));
        expect(await linesAt({ logLevel: 'debug' })).toEqual(from('debug'));
        if (modern) {
          expect(await linesAt({ logLevel: 'critical' })).toEqual(from('critical'));
          expect(said(other.wire.overheard, 'out', 'logging/setLevel')).toEqual([]);
        } else {
          expect(await other.ask('logging/setLevel', { level: 'critical' })).toEqual({
            jsonrpc: '2.0',
            id: expect.any(String) as string,
            result: {},
          });
          expect(await linesAt()).toEqual(from('critical'));
        }
        inGoodOrder(other.wire);
      });
    });

    it('of an unknown level are refused (LOG-02, LOG-09)', async () => {
      const { ask } = await spare();
      for (const level of ['loud', 'INFO', 7, '']) {
        const refused = modern
          ? ask('tools/call', { name: 'logs', _meta: { [metaKeys.logLevel]: level } })
          : ask('logging/setLevel', { level });
        expect(await refused).toMatchObject({ error: { code: codes.invalidParams } });
      }
    });
  });
};
