/** Opening a connection, and what each side learns of the other; what each era has of its own. */
import { describe, expect, it } from 'vitest';
import { codes } from '../../../lib/index.ts';
import { metaKeys } from '../../../lib/protocol/revisions.ts';
import { answerTo, said } from '../party.ts';
import { dataOf, object, type Scene } from '../scene.ts';

export const handshake = ({ revision, modern, since, party, has, needing }: Scene): void => {
  describe('the handshake', () => {
    it('opens in its own era, and in no other (LIFE-01, LIFE-02, LIFE-08, VER-22, VER-23)', () => {
      const opening = party()
        .wire.overheard.filter(({ way }) => way === 'out')
        .map(({ message }) => message['method']);
      if (modern) {
        expect(opening[0]).toBe('server/discover');
        expect(opening).not.toContain('initialize');
        expect(opening).not.toContain('notifications/initialized');
      } else {
        expect(opening.slice(0, 2)).toEqual(['initialize', 'notifications/initialized']);
        expect(opening).not.toContain('server/discover');
      }
    });

    it('tells the client what the server is (LIFE-04, VER-10, VER-12, BR-02)', () => {
      const { client } = party();
      expect(client.revision).toBe(revision);
      expect(client.instructions).toBe('Call echo.');
      expect(client.server).toMatchObject({ name: 'fixture', version: '1.2.3' });
      const changes = has('tells') ? { listChanged: true } : {};
      const { tools, resources, prompts, completions, logging } = client.capabilities;
      expect({ tools, resources, prompts, completions, logging }).toEqual({
        tools: changes,
        resources: has('tells') ? { ...changes, subscribe: true } : {},
        prompts: changes,
        completions: {},
        logging: {},
      });
    });

    it('says of the server only what the revision has (BR-53, BR-56, BR-58, Matrix 3)', () => {
      const result = object(answerTo(party().wire.overheard, modern ? 'server/discover' : 'initialize')['result']);
      const info = object(modern ? object(result['_meta'])[metaKeys.serverInfo] : result['serverInfo']);
      expect('title' in info).toBe(since('2025-06-18'));
      expect('icons' in info).toBe(since('2025-11-25'));
      expect('description' in info).toBe(since('2025-11-25'));
      expect('websiteUrl' in info).toBe(since('2025-11-25'));
      expect('completions' in object(result['capabilities'])).toBe(since('2025-03-26'));
      if (modern) {
        expect(result).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' });
        expect(result['supportedVersions']).toContain(revision);
        expect(result).not.toHaveProperty('serverInfo');
      } else {
        expect(result).toMatchObject({ protocolVersion: revision });
        for (const key of ['resultType', 'ttlMs', 'cacheScope', '_meta', 'supportedVersions'])
          expect(result).not.toHaveProperty(key);
      }
    });

    needing('remembers', () => {
      it('tells every handler who asks, and in what revision (VER-01, VER-02, VER-03, BR-01)', async () => {
        const told = dataOf(await party().client.callTool('whoami', {}));
        expect(told['client']).toMatchObject({ revision, capabilities: {}, info: { name: 'suite', version: '9' } });
      });
    });

    it('puts its `_meta` on every request since 2026-07-28, and no reserved key before (VER-01, BR-05)', async () => {
      const since = party().mark();
      await party().client.callTool('echo', { text: 'x' }, { meta: { 'example.com/k': 1 } });
      const [call] = said(since(), 'out', 'tools/call');
      const meta = object(object(call?.['params'])['_meta']);
      expect(meta['example.com/k']).toBe(1);
      const reserved = Object.keys(meta).filter((key) => key.startsWith('io.modelcontextprotocol/'));
      if (!modern) expect(reserved).toEqual([]);
      else
        expect(meta).toMatchObject({
          [metaKeys.protocolVersion]: revision,
          [metaKeys.clientCapabilities]: {},
          [metaKeys.clientInfo]: { name: 'suite', version: '9' },
        });
      const result = object(answerTo(since(), 'tools/call')['result']);
      expect(result['resultType']).toBe(modern ? 'complete' : undefined);
      expect(object(result['_meta'] ?? {})[metaKeys.serverInfo] !== undefined).toBe(modern);
    });
  });
};

export const removed = ({ party, modern, has }: Scene): void => {
  it('ping is answered before 2026-07-28, and unknown since (PING-01, PING-06, BR-25)', async () => {
    expect(await party().ask('ping')).toMatchObject(
      modern ? { error: { code: codes.methodNotFound } } : { result: {} },
    );
  });

  it.each(['resources/subscribe', 'resources/unsubscribe', 'logging/setLevel', 'initialize'])(
    'what 2026-07-28 has removed is unknown there: %s (VER-33)',
    async (method) => {
      if (!modern) {
        const known = has('tells') || !method.startsWith('resources/');
        return void expect(await party().ask(method)).toMatchObject({
          error: { code: known ? codes.invalidParams : codes.methodNotFound },
        });
      }
      expect(await party().ask(method, { uri: 'test://fixed', level: 'info' })).toMatchObject({
        error: { code: codes.methodNotFound },
      });
    },
  );

  it('what 2026-07-28 has added is unknown before (Matrix 1)', async () => {
    const answer = await party().ask('subscriptions/listen', { notifications: 5 });
    expect(answer).toMatchObject({ error: { code: modern ? codes.invalidParams : codes.methodNotFound } });
  });
};
