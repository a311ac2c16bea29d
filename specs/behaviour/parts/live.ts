/** Lists and resources that stay fresh, log levels of a whole connection, and completers of all kinds. */
import { firstValueFrom, type Observable } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { codes, type CallOptions } from '../../../lib/index.ts';
import { levels, ways } from '../fixture.ts';
import { inGoodOrder } from '../leaks.ts';
import { fresh, said, type Party } from '../party.ts';
import { errorOf, logging, object, textOf, type Scene } from '../scene.ts';

export const living = ({ party, hosting, modern, wiring, needing }: Scene): void => {
  const lists = [
    ['tools', 'tools/list'],
    ['prompts', 'prompts/list'],
    ['resources', 'resources/list'],
  ] as const;
  const watch = ({ client }: Party, list: (typeof lists)[number][0]) => {
    const seen: (readonly string[])[] = [];
    const items$: Observable<readonly { readonly name: string }[]> = client[`${list}$`];
    const subscription = items$.subscribe((items) => seen.push(items.map(({ name }) => name)));
    return { seen, stop: () => subscription.unsubscribe() };
  };
  /** How often the list was fetched: requests for its first page. */
  const fetches = (overheard: ReturnType<Party['mark']>, method: string) =>
    said(overheard(), 'out', method).filter(({ params }) => object(params ?? {})['cursor'] === undefined).length;

  describe('a live list', () => {
    needing('tells', () => {
      it.each(lists)('is fetched once for all who look, and replays to who comes later: %s', async (list, method) => {
        const other = party();
        const overheard = other.mark();
        const [one, two] = [watch(other, list), watch(other, list)];
        await vi.waitFor(() => expect([one.seen.length, two.seen.length]).toEqual([1, 1]));
        const three = watch(other, list);
        expect(three.seen).toEqual(one.seen);
        expect(fetches(overheard, method)).toBe(1);
        const names = ['x', 'y', 'z'].map((name) => fresh(`live-${name}`));
        await other.client.callTool('change', { list, names });
        await vi.waitFor(() => expect(one.seen.at(-1)).toEqual(expect.arrayContaining(names)));
        // A burst is one change, and one fetch, for all of them.
        expect(fetches(overheard, method)).toBe(2);
        expect([one, two, three].map(({ seen }) => seen.length)).toEqual([2, 2, 2]);
        expect([two.seen.at(-1), three.seen.at(-1)]).toEqual([one.seen.at(-1), one.seen.at(-1)]);
        await other.client.callTool('change', { list, names: [] });
        await vi.waitFor(() => expect(one.seen).toHaveLength(3));
        for (const { stop } of [one, two, three]) stop();
        inGoodOrder(other.wire);
      });

      it('is listened to for as long as anybody looks, and not longer (SUB-12)', async () => {
        const other = party();
        const overheard = other.mark();
        const [one, two] = [watch(other, 'tools'), watch(other, 'tools')];
        await vi.waitFor(() => expect([one.seen.length, two.seen.length]).toEqual([1, 1]));
        one.stop();
        const names = [fresh('still')];
        await other.client.callTool('change', { list: 'tools', names });
        await vi.waitFor(() => expect(two.seen).toHaveLength(2));
        expect(said(overheard(), 'out', 'notifications/cancelled')).toEqual([]);
        two.stop();
        await other.client.callTool('change', { list: 'tools', names: [] });
        await other.client.callTool('echo', { text: 'after' });
        expect([one.seen.length, two.seen.length]).toEqual([1, 2]);
        expect(fetches(overheard, 'tools/list')).toBe(2);
        // The subscription itself ends, where a client opens one.
        const listens = said(overheard(), 'out', 'subscriptions/listen');
        expect(listens).toHaveLength(modern ? 1 : 0);
        await vi.waitFor(() =>
          expect(
            said(overheard(), 'out', 'notifications/cancelled').map(({ params }) => object(params)['requestId']),
          ).toEqual(listens.map(({ id }) => id)),
        );
        inGoodOrder(other.wire);
      });
    });

    it('is fetched anew for who looks after all have gone', async () => {
      const other = party();
      const overheard = other.mark();
      const before = watch(other, 'prompts');
      await vi.waitFor(() => expect(before.seen).toHaveLength(1));
      before.stop();
      const names = [fresh('meanwhile')];
      await other.client.callTool('change', { list: 'prompts', names });
      const items = await firstValueFrom(other.client.prompts$);
      expect(items.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
      expect(fetches(overheard, 'prompts/list')).toBe(2);
      await other.client.callTool('change', { list: 'prompts', names: [] });
    });

    if (wiring.apart !== true)
      needing('tells', () => {
        it('is listened to in one conversation, and not in another', async () => {
          const [one, two] = [party(), await hosting()];
          const overheard = two.mark();
          const watching = watch(one, 'tools');
          await vi.waitFor(() => expect(watching.seen).toHaveLength(1));
          const names = [fresh('elsewhere')];
          await two.client.callTool('change', { list: 'tools', names });
          await vi.waitFor(() => expect(watching.seen.at(-1)).toEqual(expect.arrayContaining(names)));
          if (modern) expect(said(overheard(), 'in', 'notifications/tools/list_changed')).toEqual([]);
          await two.client.callTool('change', { list: 'tools', names: [] });
          await vi.waitFor(() => expect(watching.seen).toHaveLength(3));
          watching.stop();
        });
      });
  });

  needing('tells', () => {
    describe('a live resource', () => {
      it('is read once when it changes fast, and ends at the server with its last reader (RES-13, SUB-12)', async () => {
        const other = party();
        const overheard = other.mark();
        const seen: number[] = [];
        const text = (read: { readonly contents: readonly unknown[] }) => Number(textOf({ content: read.contents }));
        const one = other.client.resource$('test://counter').subscribe((read) => seen.push(text(read)));
        await vi.waitFor(() => expect(seen).toHaveLength(1));
        const [start = NaN] = seen;
        const reads = () => said(overheard(), 'out', 'resources/read').length;
        const before = reads();
        await Promise.all([1, 2, 3, 4, 5].map(() => other.client.callTool('tick', {})));
        await vi.waitFor(() => expect(seen.at(-1)).toBe(start + 5));
        expect(reads() - before).toBeLessThan(5);
        one.unsubscribe();
        await vi.waitFor(async () =>
          expect(JSON.parse(textOf(await other.client.callTool('live', {})))).not.toHaveProperty('counter'),
        );
        inGoodOrder(other.wire);
      });
    });
  });
};

export const levelling = ({ another, modern, needing, wiring }: Scene): void => {
  const from = (level: (typeof levels)[number]) => levels.slice(levels.indexOf(level));
  const hearing = (other: Party) => {
    const linesAt = logging(wiring, other);
    return async (options?: CallOptions) => (await linesAt(options)).map(({ level }) => level);
  };

  describe('the log level', () => {
    needing('remembers', () => {
      it('of a connection holds for all its calls, unless one has its own (LOG-05, LOG-07)', async () => {
        const other = await another({ logLevel: 'error' });
        const heardAt = hearing(other);
        expect(await heardAt()).toEqual(from('error'));
        expect(await heardAt({ logLevel: 'notice' })).toEqual(from('notice'));
        // A session has one level, and goes down to what anybody has wanted (BR-23).
        expect(await heardAt()).toEqual(from(modern ? 'error' : 'notice'));
        inGoodOrder(other.wire);
      });
    });

    it('of a session is set once for each step down, and no more (BR-23)', async () => {
      const other = await another();
      for (const logLevel of ['alert', 'alert', 'warning', 'error', 'emergency', 'debug', 'debug'] as const)
        await other.client.callTool('logs', {}, { logLevel });
      const set = said(other.wire.overheard, 'out', 'logging/setLevel').map(({ params }) => object(params)['level']);
      expect(set).toEqual(modern ? [] : ['alert', 'warning', 'debug']);
      inGoodOrder(other.wire);
    });

    needing('remembers', () => {
      it('lets through what is as grave, or graver (LOG-01, LOG-07)', async () => {
        const heardAt = hearing(await another());
        // From the gravest on: the level of a session only goes down.
        for (const logLevel of [...levels].reverse()) expect(await heardAt({ logLevel })).toEqual(from(logLevel));
      });
    });
  });
};

const ref = {
  type: 'ref/resource',
  uri: 'ways://{promise}/{iterable}/{observable}/{effect}/{broken}/{endless}',
} as const;

export const completing = ({ party }: Scene): void => {
  describe('a completer', () => {
    it.each(ways)('may answer with a %s', async (way) => {
      expect((await party().client.complete(ref, way, 'al')).values).toEqual(['al!']);
    });

    it('that fails is an internal error, and tells nothing (CMP-05)', async () => {
      const error = await errorOf(party().client.complete(ref, 'broken', ''));
      expect(error).toMatchObject({
        code: codes.internalError,
        message: 'internal error while answering completion/complete',
      });
      expect(JSON.stringify(error)).not.toContain('ada');
    });

    it('that nobody waits for any more is stopped (CAN-02)', async () => {
      const { client, wire, recall } = party();
      const name = fresh('endless');
      const controller = new AbortController();
      const answer = client.complete(ref, 'endless', name, undefined, { signal: controller.signal });
      await vi.waitFor(async () => expect(JSON.parse(textOf(await client.callTool('live', {})))).toHaveProperty(name));
      controller.abort(new Error('typed on'));
      await expect(answer).rejects.toThrow('typed on');
      await recall(`${name} unsubscribed`);
      inGoodOrder(wire);
    });
  });
};
