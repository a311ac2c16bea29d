/** Lists, resources, and being told of their changes. */
import { firstValueFrom, lastValueFrom, take, toArray, type Observable } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { codes } from '../../../lib/index.ts';
import { metaKeys } from '../../../lib/protocol/revisions.ts';
import { answerTo, fresh, said } from '../party.ts';
import { errorOf, object, textOf, type Scene } from '../scene.ts';

export const lists = ({ party, modern, spare, needing }: Scene): void => {
  describe('a list', () => {
    it('comes in pages with opaque cursors, all of it, in one order (PAG-01, PAG-02, PAG-05, TOOL-04)', async () => {
      const { client } = party();
      const pages = await lastValueFrom(client.listTools().pipe(toArray()));
      expect(pages.length).toBeGreaterThan(2);
      expect(pages.slice(0, -1).every((page) => page.length === 7)).toBe(true);
      const names = pages.flat().map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(names[0]).toBe('echo');
      const again = await lastValueFrom(client.listTools().pipe(toArray()));
      expect(again).toEqual(pages);
    });

    it.each(['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list'])(
      'does not take a cursor that it has not given: %s (PAG-07)',
      async (method) => {
        for (const cursor of ['', 'x', 'MQ==', '//////', 'NzpkZWNvcmF0ZWQ=x'])
          expect(await party().ask(method, { cursor })).toMatchObject({ error: { code: codes.invalidParams } });
        expect(await party().ask(method, { cursor: 7 })).toMatchObject({ error: { code: codes.invalidParams } });
      },
    );

    needing('tells', () => {
      it.each([
        ['tools', 'tools$', 'notifications/tools/list_changed'],
        ['prompts', 'prompts$', 'notifications/prompts/list_changed'],
        ['resources', 'resources$', 'notifications/resources/list_changed'],
      ] as const)(
        'that changes is fetched again, once for a burst: %s (TOOL-05, TOOL-06, PRM-03, RES-12, BR-14)',
        async (list, live, method) => {
          const { client, mark } = party();
          const seen: string[][] = [];
          const watching = (client[live] as Observable<readonly { readonly name: string }[]>).subscribe((items) =>
            seen.push(items.map(({ name }) => name)),
          );
          await vi.waitFor(() => expect(seen).toHaveLength(1));
          const before = seen[0];
          const overheard = mark();
          const names = ['one', 'two', 'three'].map((name) => fresh(name));
          await client.callTool('change', { list, names });
          await vi.waitFor(() => expect(seen.at(-1)).toEqual([...(before ?? []), ...names]));
          expect(said(overheard(), 'in', method)).toHaveLength(1);
          expect(seen).toHaveLength(2);
          await client.callTool('change', { list, names: [] });
          await vi.waitFor(() => expect(seen.at(-1)).toEqual(before));
          watching.unsubscribe();
        },
      );

      it('that changes is a matter of those who asked, since 2026-07-28 (SUB-02, TOOL-06, BR-16)', async () => {
        const { client, mark, wire } = await spare();
        const overheard = mark();
        const names = [fresh('quiet')];
        await client.callTool('change', { list: 'tools', names });
        if (modern) {
          // Whoever listens to prompts hears nothing of tools.
          const heard: unknown[] = [];
          const listening = client
            .listen({ promptsListChanged: true })
            .subscribe((notice) => heard.push(notice.method));
          await vi.waitFor(() => expect(heard).toEqual(['notifications/subscriptions/acknowledged']));
          await client.callTool('change', { list: 'tools', names: [] });
          await client.callTool('change', { list: 'prompts', names });
          await vi.waitFor(() => expect(heard).toContain('notifications/prompts/list_changed'));
          listening.unsubscribe();
          expect(said(overheard(), 'in', 'notifications/tools/list_changed')).toEqual([]);
        } else {
          await wire.next(
            ({ way, message }) => way === 'in' && message['method'] === 'notifications/tools/list_changed',
          );
          await client.callTool('change', { list: 'tools', names: [] });
        }
        await client.callTool('change', { list: 'prompts', names: [] });
      });
    });
  });
};

export const reading = ({ party, modern }: Scene): void => {
  describe('a resource', () => {
    it('is read as text, as bytes, as several contents, by its template (RES-03, RES-04, RES-05, RES-17)', async () => {
      const { client } = party();
      expect((await client.readResource('test://fixed')).contents).toEqual([
        { uri: 'test://fixed', mimeType: 'text/plain', text: 'fixed' },
      ]);
      expect((await client.readResource('test://bytes')).contents).toEqual([
        { uri: 'test://bytes', mimeType: 'image/png', blob: 'iVBORw==' },
      ]);
      expect((await client.readResource('test://several')).contents).toHaveLength(2);
      expect((await client.readResource('test://counter')).contents).toMatchObject([
        { text: expect.any(String) as string },
      ]);
      expect((await client.readResource('files://a%20b/c/d.txt')).contents).toEqual([
        { uri: 'files://a%20b/c/d.txt', text: 'a b has c/d.txt' },
      ]);
    });

    it.each(['nowhere://x', 'files://gone/x', 'test://fixe', 'not a uri', '__proto__'])(
      'that does not exist has a code of its own in each era: %s (RES-06, RES-07, RES-08, RES-09, BR-34, ERR-05)',
      async (uri) => {
        const { client, mark } = party();
        const overheard = mark();
        const error = await errorOf(client.readResource(uri));
        expect(error).toMatchObject({ code: codes.invalidParams, data: { uri } });
        expect(answerTo(overheard(), 'resources/read')['error']).toMatchObject({
          code: modern ? -32602 : -32002,
          data: { uri },
        });
      },
    );

    it('that breaks is an internal error, and tells nothing (RES-11)', async () => {
      const error = await errorOf(party().client.readResource('test://broken'));
      expect(error).toMatchObject({
        code: codes.internalError,
        message: 'internal error while answering resources/read',
      });
      expect(JSON.stringify(error)).not.toContain('ada');
    });
  });
};

export const watching = ({ party, modern, wiring, needing }: Scene): void => {
  const textAt = ({ contents }: { readonly contents: readonly unknown[] }): string => textOf({ content: contents });

  needing('tells', () => {
    describe('a resource that is watched', () => {
      it('is read again whenever it changes, until nobody looks (RES-13, RES-14, RES-15, SUB-12, BR-15)', async () => {
        const { client, mark, recall } = party();
        const overheard = mark();
        const seen: number[] = [];
        const one = client.resource$('test://counter').subscribe((read) => seen.push(Number(textAt(read))));
        await vi.waitFor(() => expect(seen).toHaveLength(1));
        const start = seen[0] ?? NaN;
        await client.callTool('tick', {});
        await vi.waitFor(() => expect(seen.at(-1)).toBe(start + 1));
        one.unsubscribe();
        await recall('counter unsubscribed');
        const methods = overheard()
          .filter(({ way }) => way === 'out')
          .map(({ message }) => message['method']);
        const [opens, closes] = modern
          ? ['subscriptions/listen', 'notifications/cancelled']
          : ['resources/subscribe', 'resources/unsubscribe'];
        expect(methods.filter((method) => method === opens)).toHaveLength(1);
        await vi.waitFor(() => expect(said(overheard(), 'out', closes)).toHaveLength(1));
        for (const { params } of said(overheard(), 'in', 'notifications/resources/updated')) {
          expect(object(params)['uri']).toBe('test://counter');
          expect(object(params)['_meta'] !== undefined).toBe(modern);
        }
        const later = party().mark();
        await client.callTool('tick', {});
        await client.callTool('echo', { text: 'x' });
        expect(said(later(), 'in', 'notifications/resources/updated')).toEqual([]);
      });

      it('tells of its parts, and of no other (RES-14)', async () => {
        const { client } = party();
        const heard: unknown[] = [];
        const listening = client
          .listen({ resourceSubscriptions: ['test://fixed'] })
          .subscribe(({ params }) => heard.push(params?.['uri'] ?? params));
        await vi.waitFor(() => expect(heard).toEqual([{ notifications: { resourceSubscriptions: ['test://fixed'] } }]));
        for (const uri of ['test://other', 'test://fixedly', 'test://fixed/part', 'test://fixed'])
          await client.callTool('touch', { uri });
        await vi.waitFor(() => expect(heard.slice(1)).toEqual(['test://fixed/part', 'test://fixed']));
        listening.unsubscribe();
      });

      it('and does not exist is left out of the acknowledgement (SUB-04, SUB-11, AMB-35)', async () => {
        const { client } = party();
        const wanted = { toolsListChanged: true, resourceSubscriptions: ['test://nowhere', 'test://fixed'] };
        const acknowledged = await firstValueFrom(client.listen(wanted).pipe(take(1)));
        expect(acknowledged).toEqual({
          method: 'notifications/subscriptions/acknowledged',
          params: { notifications: { toolsListChanged: true, resourceSubscriptions: ['test://fixed'] } },
        });
      });

      it('by two is subscribed to for as long as one of them looks (BR-15)', async () => {
        const { client, mark } = party();
        const overheard = mark();
        const seen: [string, unknown][] = [];
        const watch = (who: string) =>
          client
            .listen({ resourceSubscriptions: ['test://fixed'] })
            .subscribe(({ params }) => seen.push([who, params?.['uri']]));
        const one = watch('one');
        const two = watch('two');
        await vi.waitFor(() => expect(seen).toHaveLength(2));
        one.unsubscribe();
        await client.callTool('touch', { uri: 'test://fixed' });
        await vi.waitFor(() => expect(seen.slice(2)).toEqual([['two', 'test://fixed']]));
        if (!modern) {
          expect(said(overheard(), 'out', 'resources/subscribe')).toHaveLength(1);
          expect(said(overheard(), 'out', 'resources/unsubscribe')).toEqual([]);
        }
        two.unsubscribe();
      });

      if (modern)
        it('is told under the id of its listen, of the same type, after the acknowledgement (SUB-03, SUB-06, SUB-07)', async () => {
          const { client, ask, inject, mark, wire } = party();
          for (const id of [fresh('listen'), 900_000 + wiring.name.length]) {
            const overheard = mark();
            void ask(
              'subscriptions/listen',
              { notifications: { resourceSubscriptions: ['test://fixed'], toolsListChanged: true } },
              id,
            );
            await wire.next(
              ({ message }) => object(object(message['params'] ?? {})['_meta'] ?? {})[metaKeys.subscriptionId] === id,
            );
            await client.callTool('touch', { uri: 'test://fixed' });
            await vi.waitFor(() => expect(said(overheard(), 'in', 'notifications/resources/updated')).toHaveLength(1));
            const told = overheard()
              .filter(({ way, message }) => way === 'in' && 'method' in message)
              .map(({ message }) => message);
            expect(told.map(({ method }) => method)).toEqual([
              'notifications/subscriptions/acknowledged',
              'notifications/resources/updated',
            ]);
            for (const { params } of told) expect(object(object(params)['_meta'])[metaKeys.subscriptionId]).toBe(id);
            inject({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } });
          }
        });
    });
  });
};
