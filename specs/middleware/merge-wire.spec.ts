import { BehaviorSubject, concat, NEVER, of, Subject } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  codes,
  log,
  mergeServers,
  progress,
  resource,
  server,
  tool,
  tools,
  updates,
  type Revision,
  type ToolFeature,
} from 'rxmcp';
import { breaches, createLedger, linked, unanswered, type Tapped } from 'rxmcp/testing';
import { namesOf } from './ask.ts';
import { bare, clock, files, info } from './house.ts';

/** Progress, log lines and work that only a caller can end. */
const worker = (name: string, ledger: ReturnType<typeof createLedger>) =>
  server(
    { name, version: '1' },
    tool('work', {}, () =>
      concat(of(progress(1, 3, name), log('info', name), progress(2, 3)), NEVER).pipe(ledger.watch(name)),
    ),
    tool('count', {}, () => concat(of(progress(1), progress(2)), of(name))),
  );

const eras: readonly Revision[] = ['2024-11-05', '2025-11-25', '2026-07-28'];

describe.each(eras)('a merged server over a wire at %s', (revision) => {
  it('passes on progress, log lines and cancellation, and is in good order', async () => {
    const ledger = createLedger();
    const whole = mergeServers(info, { a: worker('a', ledger), inner: mergeServers(info, { b: worker('b', ledger) }) });
    await using link = await linked(whole, { revision });
    const { client, wire } = link;
    expect(client.server).toEqual(info);
    const logs: unknown[] = [];
    const logging = client.logs$.subscribe(({ data }) => logs.push(data));
    for (const [name, who] of [
      ['a.work', 'a'],
      ['inner.b.work', 'b'],
    ] as const) {
      const events: unknown[] = [];
      const calling = client.call(name, {}, { logLevel: 'info' }).subscribe((event) => events.push(event));
      await vi.waitFor(() => expect(ledger.live).toEqual({ [who]: 1 }));
      // Progress has had a message since 2025-03-26.
      const message = revision === '2024-11-05' ? {} : { message: who };
      expect(events).toEqual([
        { kind: 'progress', progress: 1, total: 3, ...message },
        { kind: 'progress', progress: 2, total: 3 },
      ]);
      calling.unsubscribe();
      await ledger.noted(`${who} unsubscribed`);
    }
    expect(logs).toEqual(['a', 'b']);
    logging.unsubscribe();
    expect((await client.callTool('inner.b.count', {})).content).toMatchObject([{ text: 'b' }]);
    expect(ledger.live).toEqual({});
    expect(breaches(wire.overheard)).toEqual([]);
    // What was cancelled is not answered; all else is.
    expect(unanswered(wire.overheard)).toEqual([]);
  });

  it('lists and reads what all have', async () => {
    await using link = await linked(mergeServers(info, { files, house: mergeServers(info, { clock, bare }) }), {
      revision,
    });
    const { client } = link;
    const names: unknown[] = [];
    await client.listTools().forEach((one) => names.push(...namesOf(one)));
    expect(names).toEqual([
      'files.search',
      'files.stats',
      'files.sum.up',
      'house.clock.now',
      'house.clock.search',
      'house.bare.nothing',
    ]);
    expect((await client.getPrompt('house.clock.review', { code: 'x' })).messages).toMatchObject([
      { content: { text: 'clock: x' } },
    ]);
    expect((await client.readResource('clock:///time')).contents).toMatchObject([{ text: 'noon' }]);
    await expect(client.readResource('nothing:///here')).rejects.toMatchObject({ data: { uri: 'nothing:///here' } });
    await expect(client.callTool('house.nobody.x', {})).rejects.toMatchObject({ code: codes.invalidParams });
    expect(breaches(link.wire.overheard)).toEqual([]);
  });
});

describe('a proxy of servers of both eras, side by side', () => {
  afterEach(() => {
    const left = vi.getTimerCount();
    vi.useRealTimers();
    expect(left).toBe(0);
  });

  const made = async (revision: Revision) => {
    vi.useFakeTimers();
    const ledger = createLedger();
    const upstream = async (name: string, speaks: Revision) => {
      const tools$ = new BehaviorSubject<readonly ToolFeature[]>([tool('first', {}, () => name)]);
      const changed$ = new Subject<string>();
      const link = await linked(
        server(
          { name, version: '1' },
          tool('work', {}, () => concat(of(progress(1)), NEVER).pipe(ledger.watch(`${name} work`))),
          tools(tools$.pipe(ledger.watch(`${name} tools`))),
          resource(`${name}:///log`, {}, () => name),
          updates(changed$.pipe(ledger.watch(`${name} updates`))),
        ),
        { revision: speaks, serialise: true },
      );
      return { link, tools$, changed$ };
    };
    const old = await upstream('old', '2025-06-18');
    const modern = await upstream('new', '2026-07-28');
    const proxy = await linked(
      mergeServers(info, { old: old.link.client.exchange, new: modern.link.client.exchange }),
      { revision, serialise: true },
    );
    const links = [proxy, old.link, modern.link];
    const close = async () => {
      for (const link of links) await link.client.close();
      expect(ledger.live).toEqual({});
      for (const { wire } of links) expect([breaches(wire.overheard), wire.open]).toEqual([[], 0]);
    };
    return { ledger, old, modern, proxy, close };
  };

  it.each(eras)('calls, reports progress and cancels through to either: asked at %s', async (revision) => {
    const { proxy, ledger, close } = await made(revision);
    for (const name of ['old', 'new']) {
      expect((await proxy.client.callTool(`${name}.first`, {})).content).toMatchObject([{ text: name }]);
      expect((await proxy.client.readResource(`${name}:///log`)).contents).toMatchObject([{ text: name }]);
      const steps: unknown[] = [];
      const calling = proxy.client.call(`${name}.work`, {}).subscribe((event) => steps.push(event));
      await vi.advanceTimersByTimeAsync(10);
      expect(steps).toEqual([{ kind: 'progress', progress: 1 }]);
      calling.unsubscribe();
      await vi.advanceTimersByTimeAsync(10);
      expect(ledger.entries).toContain(`${name} work unsubscribed`);
    }
    await close();
  });

  it.each(eras)('has one list that stays fresh, whichever of them changes: asked at %s', async (revision) => {
    const { proxy, old, modern, close } = await made(revision);
    const seen: (readonly unknown[])[] = [];
    const watching = proxy.client.tools$.subscribe((items) => seen.push(namesOf(items)));
    await vi.advanceTimersByTimeAsync(100);
    expect(seen).toEqual([['old.work', 'old.first', 'new.work', 'new.first']]);
    old.tools$.next([tool('second', {}, () => 'old')]);
    await vi.advanceTimersByTimeAsync(500);
    expect(seen.slice(1)).toEqual([['old.work', 'old.second', 'new.work', 'new.first']]);
    modern.tools$.next([]);
    await vi.advanceTimersByTimeAsync(500);
    expect(seen.slice(2)).toEqual([['old.work', 'old.second', 'new.work']]);
    watching.unsubscribe();
    await close();
  });

  it.each(eras)('watches resources of both, and stops when nobody looks: asked at %s', async (revision) => {
    const { proxy, old, modern, close } = await made(revision);
    const heard: unknown[] = [];
    const listening = proxy.client
      .listen({ resourceSubscriptions: ['old:///log', 'new:///log'] })
      .subscribe(({ method, params }) => heard.push([method.split('/').at(-1), params]));
    await vi.advanceTimersByTimeAsync(100);
    expect(heard).toEqual([
      ['acknowledged', { notifications: { resourceSubscriptions: ['old:///log', 'new:///log'] } }],
    ]);
    for (const [{ changed$ }, uri] of [
      [old, 'old:///log'],
      [modern, 'new:///log'],
    ] as const) {
      changed$.next(uri);
      await vi.advanceTimersByTimeAsync(100);
      expect(heard.at(-1)).toEqual(['updated', { uri }]);
    }
    expect(heard).toHaveLength(3);
    listening.unsubscribe();
    await vi.advanceTimersByTimeAsync(100);
    const sent = (link: { readonly wire: Tapped }) =>
      link.wire.overheard.flatMap(({ way, message }) => (way === 'out' ? [message['method']] : []));
    expect(sent(old.link)).toContain('resources/unsubscribe');
    expect(sent(modern.link).at(-1)).toBe('notifications/cancelled');
    await close();
  });

  it('goes on with one of them when the other is gone', async () => {
    const { proxy, old, modern, close } = await made('2026-07-28');
    const seen: unknown[] = [];
    const listening = proxy.client.listen({ toolsListChanged: true }).subscribe(({ method }) => seen.push(method));
    await vi.advanceTimersByTimeAsync(100);
    await old.link.client.close();
    modern.tools$.next([]);
    await vi.advanceTimersByTimeAsync(100);
    expect(seen).toEqual(['notifications/subscriptions/acknowledged', 'notifications/tools/list_changed']);
    const outcomes = Promise.allSettled([
      proxy.client.callTool('new.first', {}),
      proxy.client.callTool('old.first', {}),
    ]);
    await vi.advanceTimersByTimeAsync(100);
    expect(await outcomes).toMatchObject([
      { reason: { code: codes.invalidParams, message: 'unknown tool: "first"' } },
      { reason: { code: codes.internalError } },
    ]);
    listening.unsubscribe();
    await close();
  });
});
