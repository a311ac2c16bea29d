/** The directories that a server may work in, and being told that they have changed. */
import { BehaviorSubject, Subject, throwError } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import type { Root } from '../../../lib/protocol/roots.ts';
import { inGoodOrder } from '../leaks.ts';
import { fresh, said, type Party } from '../party.ts';
import { dataOf, errorOf, object, type Scene } from '../scene.ts';

const [a, b] = [{ uri: 'file:///a' }, { uri: 'file:///b', name: 'B' }];

export const roots = ({ another, modern, needing }: Scene): void => {
  const ask = async ({ client }: Party): Promise<unknown> =>
    dataOf(await client.callTool('ask', { kind: 'roots', name: fresh('roots') }))['answer'];
  const changes = ({ wire }: Party) => said(wire.overheard, 'out', 'notifications/roots/list_changed');

  needing('asks', () => {
    describe('roots', () => {
      it('that stay are told when they are asked for, and never change (ROOT-01, BR-31)', async () => {
        const other = await another({ answers: { roots: [a, b] } });
        expect(await ask(other)).toEqual([a, b]);
        expect(changes(other)).toEqual([]);
        const [initialize] = said(other.wire.overheard, 'out', 'initialize');
        if (!modern) expect(object(object(object(initialize)['params'])['capabilities'])['roots']).toEqual({});
        inGoodOrder(other.wire);
      });

      it('that change are told as they are now; each change is told of where the revision can (ROOT-03, BR-31)', async () => {
        const roots$ = new BehaviorSubject<readonly Root[]>([a]);
        const other = await another({ answers: { roots: roots$ } });
        expect(await ask(other)).toEqual([a]);
        // What they are at first is no change.
        expect(changes(other)).toEqual([]);
        roots$.next([a, b]);
        expect(await ask(other)).toEqual([a, b]);
        roots$.next([]);
        expect(await ask(other)).toEqual([]);
        expect(changes(other)).toEqual(
          modern ? [] : Array(2).fill({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' }),
        );
        const [initialize] = said(other.wire.overheard, 'out', 'initialize');
        if (!modern)
          expect(object(object(object(initialize)['params'])['capabilities'])['roots']).toEqual({ listChanged: true });
        inGoodOrder(other.wire);
        // They are let go with the conversation.
        await other.client.close();
        await vi.waitFor(() => expect(roots$.observed).toBe(false));
      });

      it('that are not known yet are waited for', async () => {
        const roots$ = new Subject<readonly Root[]>();
        const other = await another({ answers: { roots: roots$ } });
        const asked = ask(other);
        await vi.waitFor(() => expect(roots$.observed).toBe(true));
        await other.client.callTool('echo', { text: 'meanwhile' });
        roots$.next([b]);
        expect(await asked).toEqual([b]);
        inGoodOrder(other.wire);
      });

      it('that fail fail who asks for them, and not the conversation', async () => {
        const other = await another({ answers: { roots: throwError(() => new Error('no disk at /home/ada')) } });
        expect(await errorOf(ask(other))).toBeInstanceOf(Error);
        expect(JSON.stringify(other.wire.overheard)).not.toContain('ada');
        await other.client.callTool('echo', { text: 'x' });
        inGoodOrder(other.wire);
      });
    });
  });
};
