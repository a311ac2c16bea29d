/** Calling tools, and calling it off. */
import { lastValueFrom, map, toArray } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { ways, type Way } from '../fixture.ts';
import { fresh, said } from '../party.ts';
import { dataOf, object, textOf, type Scene } from '../scene.ts';

export const calls = ({ party, since }: Scene): void => {
  describe('a tool', () => {
    it.each(['value', ...ways] as const)('answers with a %s', async (way) => {
      const { client } = party();
      expect(await client.callTool('answers', { way })).toMatchObject({
        content: [{ type: 'text', text: `a ${way}` }],
      });
    });

    it.each(ways)(
      'tells its progress in order, then its result, as %s (PRG-03, PRG-04, PRG-07, BR-57)',
      async (way) => {
        const events = await lastValueFrom(party().client.call('count', { way, to: 20 }).pipe(toArray()));
        const progress = events.slice(0, -1);
        expect(progress).toHaveLength(20);
        for (const [index, event] of progress.entries())
          expect(event).toEqual({
            kind: 'progress',
            progress: index + 1,
            total: 20,
            ...(since('2025-03-26') ? { message: `step ${index + 1}` } : undefined),
          });
        expect(events.at(-1)).toMatchObject({ kind: 'result', result: { content: [{ text: 'counted to 20' }] } });
      },
    );

    it('says only progress that rises (PRG-04)', async () => {
      const told = await lastValueFrom(
        party()
          .client.call('stumble', {})
          .pipe(
            map((event) => (event.kind === 'progress' ? event.progress : event.kind)),
            toArray(),
          ),
      );
      expect(told).toEqual([2, 3, 'result']);
    });

    it('says no progress to who has not asked for it (PRG-03)', async () => {
      const { ask, mark } = party();
      const overheard = mark();
      expect(await ask('tools/call', { name: 'count', arguments: { way: 'observable', to: 3 } })).toHaveProperty(
        'result',
      );
      expect(said(overheard(), 'in', 'notifications/progress')).toEqual([]);
    });

    it('keeps the type of a progress token, zero and the empty string too (PRG-01)', async () => {
      const { ask, mark } = party();
      for (const progressToken of [0, '', 'a', 7]) {
        const overheard = mark();
        await ask(
          'tools/call',
          { name: 'count', arguments: { way: 'observable', to: 1 }, _meta: { progressToken } },
          fresh('token'),
        );
        const told = said(overheard(), 'in', 'notifications/progress');
        expect(told.map(({ params }) => object(params)['progressToken'])).toEqual([progressToken]);
      }
    });

    it('answers many at a time, each its own caller (VER-16)', async () => {
      const { client, recall } = party();
      const texts = Array.from({ length: 50 }, (_, index) => `call ${index}`);
      const answers = await Promise.all(texts.map((text) => client.callTool('echo', { text })));
      expect(answers.map(textOf)).toEqual(texts);
      const name = fresh('beside');
      const beside = client.call('endless', { way: 'observable', name }).subscribe();
      await recall(`${name} began`);
      beside.unsubscribe();
      await recall(`${name} unsubscribed`);
    });

    it('hands trace context and foreign `_meta` to its handler (META-08, META-09)', async () => {
      const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
      const meta = { traceparent, tracestate: 'a=1', baggage: 'k=v', 'example.com/x': { deep: true } };
      const told = dataOf(await party().client.callTool('whoami', {}, { meta }));
      expect(told['trace']).toEqual({ traceparent, tracestate: 'a=1', baggage: 'k=v' });
      expect(told['meta']).toMatchObject(meta);
    });

    it('carries every character (RPC-26)', async () => {
      const text = 'Øl \u2028 \u0000 \r\n "quoted" 🙂 \ufeff 𝒳 {"a":1}';
      expect(textOf(await party().client.callTool('echo', { text }))).toBe(text);
    });

    it('carries a megabyte', async () => {
      const text = 'ø'.repeat(512 * 1024);
      expect(textOf(await party().client.callTool('echo', { text })) === text).toBe(true);
    });
  });
};

export const cancellation = ({ party, spare }: Scene): void => {
  /** How each way of answering is seen to have been stopped. */
  const stops: Readonly<Record<Way, string>> = {
    promise: 'aborted',
    iterable: 'returned',
    observable: 'unsubscribed',
    effect: 'interrupted',
  };

  describe('cancelling', () => {
    it.each(ways)('stops a handler that answers with a %s, and gets no answer (CAN-02, CAN-10)', async (way) => {
      const { client, recall, mark } = party();
      const name = fresh(way);
      const overheard = mark();
      const call = client.call('endless', { way, name }).subscribe();
      await recall(`${name} began`);
      call.unsubscribe();
      await recall(`${name} ${stops[way]}`);
      const asked = said(overheard(), 'out', 'tools/call')[0]?.['id'];
      const cancelled = said(overheard(), 'out', 'notifications/cancelled');
      expect(cancelled.map(({ params }) => object(params)['requestId'])).toEqual([asked]);
      expect(overheard().filter(({ way: from, message }) => from === 'in' && message['id'] === asked)).toEqual([]);
    });

    it('is what an AbortSignal does to a Promise (CAN-02)', async () => {
      const { client, recall, mark } = party();
      const name = fresh('aborted');
      const overheard = mark();
      const controller = new AbortController();
      const answer = client.callTool('endless', { way: 'observable', name }, { signal: controller.signal });
      await recall(`${name} began`);
      controller.abort(new Error('enough'));
      await expect(answer).rejects.toThrow('enough');
      await recall(`${name} unsubscribed`);
      expect(said(overheard(), 'out', 'notifications/cancelled')).toHaveLength(1);
      await expect(client.callTool('echo', { text: 'x' }, { signal: controller.signal })).rejects.toThrow('enough');
    });

    it('does not happen to what was answered: nothing is sent, no signal is aborted (CAN-04)', async () => {
      const { client, mark } = party();
      const overheard = mark();
      const events: string[] = [];
      const call = client.call('kept', {}).subscribe(({ kind }) => events.push(kind));
      await vi.waitFor(() => expect(events).toEqual(['result']));
      call.unsubscribe();
      await client.callTool('echo', { text: 'after' });
      expect(said(overheard(), 'out', 'notifications/cancelled')).toEqual([]);
      expect(dataOf(await client.callTool('entries', {}))['entries']).not.toContain('kept aborted');
    });

    it('of what nobody knows is ignored, however it is written (CAN-11, CAN-14)', async () => {
      const { client, inject, mark } = await spare();
      const overheard = mark();
      for (const params of [{ requestId: 'unknown' }, { requestId: 1 }, { requestId: null }, { requestId: {} }, {}])
        inject({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
      inject({ jsonrpc: '2.0', method: 'notifications/cancelled' });
      inject({ jsonrpc: '2.0', method: 'notifications/of/nothing', params: { x: 1 } });
      expect(textOf(await client.callTool('echo', { text: 'still here' }))).toBe('still here');
      expect(overheard().filter(({ way }) => way === 'in')).toHaveLength(1);
    });
  });
};
