/** What a proxy carries, whatever is spoken before and behind it: everything but questions, which have a spec of their own. */
import { firstValueFrom, lastValueFrom, toArray, type Observable } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { codes, type JsonObject } from 'rxmcp';
import { frayed } from 'rxmcp/testing';
import { isModern } from '../../lib/protocol/revisions.ts';
import { fixture } from '../behaviour/fixture.ts';
import { leavesNothing } from '../behaviour/leaks.ts';
import { said } from '../behaviour/party.ts';
import { errorOf, textOf } from '../behaviour/scene.ts';
import { both, pairs, proxied } from './proxied.ts';

leavesNothing();

describe.each(pairs)('through a proxy, a server at %s and a client at %s', (up, down) => {
  const { server, ledger } = fixture();
  const since = (revision: (typeof pairs)[number][0]): boolean => both(up, down, revision);
  const link = () => proxied(server, { up, down });

  it('have the results of tools in words that both know (BR-48, BR-50, BR-51, BR-54)', async () => {
    await using proxy = await link();
    const { client } = proxy;
    expect(textOf(await client.callTool('echo', { text: 'hey' }))).toBe('hey');
    const measured = await client.callTool('measure', {});
    expect(textOf(measured)).toBe('{"celsius":7}');
    expect(measured.structuredContent).toEqual(since('2025-06-18') ? { celsius: 7 } : undefined);
    const { content, _meta } = await client.callTool('decorated', { a: 'b' });
    expect(content.map(({ type }) => type)).toEqual([
      'text',
      'image',
      since('2025-03-26') ? 'audio' : 'text',
      since('2025-06-18') ? 'resource_link' : 'text',
      'resource',
    ]);
    expect(_meta?.['example.com/made-by']).toBe('hand');
  });

  it('have all progress, in order, before the result (PRG-04, PRG-07, BR-57)', async () => {
    await using proxy = await link();
    const { length } = proxy.near.overheard;
    const events = await lastValueFrom(proxy.client.call('count', { way: 'iterable', to: 5 }).pipe(toArray()));
    const message = (step: number) => (since('2025-03-26') ? { message: `step ${step}` } : {});
    expect(events.slice(0, -1)).toEqual(
      [1, 2, 3, 4, 5].map((step) => ({ kind: 'progress', progress: step, total: 5, ...message(step) })),
    );
    expect(events.at(-1)).toMatchObject({ kind: 'result', result: { content: [{ text: 'counted to 5' }] } });
    const heard = proxy.near.overheard.slice(length).filter(({ way }) => way === 'in');
    expect(heard.map((one) => one.message['method'])).toEqual([
      ...Array<string>(5).fill('notifications/progress'),
      undefined,
    ]);
  });

  it('stop the work when the caller goes, with its own id on each side (CAN-02, BR-19)', async () => {
    await using proxy = await link();
    const call = proxy.client.call('endless', { way: 'observable', name: 'work' });
    await new Promise<void>((resolve) => {
      const calling = call.subscribe(() => {
        resolve();
        queueMicrotask(() => calling.unsubscribe());
      });
    });
    await ledger.noted('work unsubscribed');
    for (const wire of [proxy.near, proxy.far]) {
      const [asked] = said(wire.overheard, 'out', 'tools/call');
      expect(said(wire.overheard, 'out', 'notifications/cancelled')).toMatchObject([
        { params: { requestId: asked?.['id'] } },
      ]);
    }
    ledger.forget();
  });

  it('have log lines at the level that the call wants, and none where it wants none (BR-23, BR-24, LOG-07)', async () => {
    await using proxy = await link();
    const lines: unknown[] = [];
    proxy.client.logs$.subscribe(({ level, data, logger }) => lines.push([level, data, logger]));
    await proxy.client.callTool('logs', {}, { logLevel: 'error' });
    expect(lines).toEqual(
      ['error', 'critical', 'alert', 'emergency'].map((level) => [level, { at: level }, 'fixture']),
    );
    if (isModern(down)) {
      await proxy.client.callTool('logs', {});
      expect(lines).toHaveLength(4);
    }
  });

  it.each([
    ['tools', 'tools$'],
    ['prompts', 'prompts$'],
    ['resources', 'resources$'],
  ] as const)('hear that a list has changed: %s (TOOL-05, BR-14, BR-16)', async (list, live) => {
    await using proxy = await link();
    const { client } = proxy;
    const seen: (readonly string[])[] = [];
    const watching = (client[live] as Observable<readonly { readonly name: string }[]>).subscribe((items) =>
      seen.push(items.map(({ name }) => name)),
    );
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    await client.callTool('change', { list, names: ['added'] });
    await vi.waitFor(() => expect(seen.at(-1)).toEqual([...(seen[0] ?? []), 'added']));
    watching.unsubscribe();
    await client.callTool('change', { list, names: [] });
  });

  it('hear of a resource that changes, from the acknowledgement until nobody listens (SUB-03, SUB-12, BR-15)', async () => {
    await using proxy = await link();
    const heard: unknown[] = [];
    const wanted = { resourceSubscriptions: ['test://counter', 'test://nowhere'] };
    const listening = proxy.client.listen(wanted).subscribe(({ method, params }) => heard.push([method, params]));
    const acknowledgement = { notifications: { resourceSubscriptions: ['test://counter'] } };
    await vi.waitFor(() => expect(heard).toEqual([['notifications/subscriptions/acknowledged', acknowledgement]]));
    await proxy.client.callTool('tick', {});
    await vi.waitFor(() =>
      expect(heard.slice(1)).toEqual([['notifications/resources/updated', { uri: 'test://counter' }]]),
    );
    listening.unsubscribe();
    await ledger.noted('counter unsubscribed');
    ledger.forget();
  });

  it('end a subscription when the server ends, in good order (SUB-13, BR-17)', async () => {
    const way = frayed(server, { serialise: true });
    await using proxy = await proxied(server, { up, down, channel: way.channel });
    const heard: unknown[] = [];
    const listening = proxy.client.listen({ resourceSubscriptions: ['test://counter'] }).subscribe({
      next: ({ method }) => heard.push(method),
      error: (error: unknown) => heard.push(error),
      complete: () => heard.push('complete'),
    });
    await vi.waitFor(() => expect(heard).toEqual(['notifications/subscriptions/acknowledged']));
    way.leave();
    // A client of old is not told that a subscription is over; only its connection's end says so.
    if (isModern(down)) await vi.waitFor(() => expect(heard.slice(1)).toEqual(['complete']));
    else listening.unsubscribe();
    await ledger.idle();
    ledger.forget();
  });

  it('complete values, in their context where both know it (COMP-01, BR-58, BR-59)', async () => {
    await using proxy = await link();
    const ref = { type: 'ref/prompt', name: 'review' } as const;
    const { values } = await proxy.client.complete(ref, 'style', 'x', { code: 'c' });
    expect(values).toEqual([since('2025-06-18') ? 'x:c' : 'x:']);
  });

  it('page through lists with cursors that mean nothing to who carries them (PAG-01, PAG-05, PAG-07)', async () => {
    await using proxy = await link();
    const { client, relay, near, far } = proxy;
    const pages = await lastValueFrom(client.listTools().pipe(toArray()));
    expect(pages.length).toBeGreaterThan(2);
    expect(pages.map((page) => page.map(({ name }) => name))).toEqual(
      (await lastValueFrom(relay.listTools().pipe(toArray()))).map((page) => page.map(({ name }) => name)),
    );
    const cursors = (wire: typeof near): unknown[] =>
      said(wire.overheard, 'out', 'tools/list').map(({ params }) => (params as JsonObject | undefined)?.['cursor']);
    expect(cursors(far).slice(0, pages.length)).toEqual(cursors(near));
    for (const cursor of ['', 'MQ=='])
      expect(await errorOf(firstValueFrom(client.request('tools/list', { cursor })))).toMatchObject({
        code: codes.invalidParams,
      });
  });

  it('tell of failures in the words of each era, and keep what the server said (BR-09, BR-34, BR-35, ERR-05)', async () => {
    await using proxy = await link();
    const { client, near, far } = proxy;
    const answerTo = (wire: typeof near, method: string): unknown => {
      const id = said(wire.overheard, 'out', method).at(-1)?.['id'];
      return wire.overheard.findLast(({ way, message }) => way === 'in' && message['id'] === id)?.message;
    };
    const uri = 'nowhere://x';
    expect(await errorOf(client.readResource(uri))).toMatchObject({ code: codes.invalidParams, data: { uri } });
    for (const [wire, revision] of [
      [near, down],
      [far, up],
    ] as const)
      expect(answerTo(wire, 'resources/read')).toMatchObject({
        error: { code: isModern(revision) ? codes.invalidParams : codes.resourceNotFound, data: { uri } },
      });
    expect(await errorOf(client.callTool('refuses', {}))).toMatchObject({ code: 4711, data: { until: 'tomorrow' } });
    // Wrong arguments are the tool's own result, or an error: whichever the server has chosen.
    const wrong = await client.callTool('echo', { text: 7 });
    expect(wrong.isError).toBe(true);
    expect(answerTo(far, 'tools/call')).toMatchObject({ result: { isError: true } });
    const unknown = await errorOf(client.callTool('no such tool', {}));
    const { error } = answerTo(far, 'tools/call') as { readonly error: JsonObject };
    expect(unknown).toMatchObject({ code: error['code'], message: error['message'] });
    expect(await errorOf(firstValueFrom(client.exchange({ method: 'no/such' }, {})))).toMatchObject(
      isModern(down) ? { code: codes.methodNotFound } : { message: expect.stringContaining('no/such') as string },
    );
  });

  it('know whom they speak to: the caller since 2026-07-28, before that who stands in for it (BR-01, BR-12)', async () => {
    await using proxy = await proxied(server, { up, down, client: { info: { name: 'front', version: '3' } } });
    const who = async (asking: typeof proxy.client): Promise<unknown> =>
      (JSON.parse(textOf(await asking.callTool('whoami', {}))) as { readonly client: unknown }).client;
    expect(await who(proxy.client)).toMatchObject({
      revision: up,
      capabilities: isModern(up) ? {} : { roots: {} },
      info: { name: isModern(up) ? 'front' : 'rxmcp' },
    });
    // What the relay asks for itself is in its own name.
    expect(await who(proxy.relay)).toMatchObject({ revision: up, info: { name: 'rxmcp' } });
    expect(proxy.client.server).toMatchObject({ name: 'fixture', version: '1.2.3' });
  });
});
