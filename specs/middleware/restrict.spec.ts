import { concat, NEVER, of, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  codes,
  progress,
  prompt,
  resource,
  resourceTemplate,
  restrict,
  RpcError,
  server,
  serverWith,
  tool,
  updates,
  type Emission,
  type Exchange,
  type JsonObject,
  type Permit,
} from 'rxmcp';
import { breaches, createLedger, linked } from 'rxmcp/testing';
import { ask, namesOf, recording, resultOf } from './ask.ts';

const files = serverWith(
  { pageSize: 2 },
  { name: 'files', version: '1' },
  tool('delete', {}, () => 'gone'),
  tool('search', {}, () => 'found'),
  tool('stats', {}, () => 'counted'),
  prompt('secret', { arguments: { code: { complete: () => ['hush'] } } }, () => 'hush'),
  prompt('review', { arguments: { code: { complete: () => ['x'] } } }, () => 'review'),
  resource('file:///secret', { name: 'open' }, () => 'hush'),
  resource('file:///log', { name: 'file:///secret' }, () => 'text'),
  resourceTemplate('file:///{+path}', { complete: { path: () => ['a'] } }, ({ path }) => `text of ${String(path)}`),
);

const not =
  (...names: readonly string[]): Permit =>
  (name) =>
    !names.includes(name);

const careful = restrict({
  tools: not('delete'),
  prompts: not('secret'),
  resources: not('file:///secret', 'file:///etc/passwd'),
})(files);

describe('what is not permitted', () => {
  it('is on no list; the cursor stays, so that the rest is found', () => {
    const { nextCursor, ...page } = resultOf(files, 'tools/list');
    expect(namesOf(page['tools'])).toEqual(['delete', 'search']);
    const first = resultOf(careful, 'tools/list');
    expect(first).toEqual({
      ...page,
      nextCursor,
      tools: [{ name: 'search', inputSchema: expect.anything() as unknown }],
    });
    const second = resultOf(careful, 'tools/list', { cursor: nextCursor });
    expect(namesOf(second['tools'])).toEqual(['stats']);
    expect('nextCursor' in second).toBe(false);
    expect(namesOf(resultOf(careful, 'prompts/list')['prompts'])).toEqual(['review']);
  });

  it('is on no list of resources by its URI, whatever its name', () => {
    expect(resultOf(careful, 'resources/list')['resources']).toEqual([{ uri: 'file:///log', name: 'file:///secret' }]);
  });

  it('goes by the name of a tool or prompt, whatever else is on it', () => {
    const items = [{ name: 'delete', uri: 'search' }, { name: 'search', uri: 'delete' }, 'delete', null];
    const { exchange } = recording(() => of({ result: { tools: items } }));
    const result = resultOf(restrict({ tools: not('delete') })(exchange), 'tools/list');
    expect(result).toEqual({ tools: [{ name: 'search', uri: 'delete' }] });
  });

  it.each([
    ['tools/call', { name: 'delete' }, { name: 'deleted' }],
    ['prompts/get', { name: 'secret' }, { name: 'secrets' }],
    ['resources/read', { uri: 'file:///secret' }, { uri: 'nothing:///here' }],
  ])('cannot be used, and is answered like what does not exist: %s (RES-07)', (method, forbidden, unknown) => {
    for (const params of [forbidden, unknown]) {
      const { seen } = ask(careful, method, params);
      expect(seen).toEqual([expect.any(RpcError)]);
      expect(seen).toMatchObject([
        {
          code: codes.invalidParams,
          message: expect.stringContaining(JSON.stringify(Object.values(params)[0])) as unknown,
        },
      ]);
      expect((seen[0] as RpcError).data).toEqual('uri' in params ? params : undefined);
    }
  });

  it('never reaches what is behind', () => {
    const { exchange, asked } = recording();
    const closed = restrict({ tools: () => false, prompts: () => false, resources: () => false })(exchange);
    ask(closed, 'tools/call', { name: 'x' });
    ask(closed, 'tools/call');
    ask(closed, 'prompts/get', { name: 'x' });
    ask(closed, 'resources/read', { uri: 'x' });
    ask(closed, 'completion/complete', { ref: { type: 'ref/prompt', name: 'x' } });
    ask(closed, 'completion/complete', { ref: { type: 'ref/resource', uri: 'x:{y}' } });
    expect(asked).toEqual([]);
  });

  it('is not completed, as what does not exist is not: prompts and templates', () => {
    const complete = (inside: Exchange, ref: JsonObject, name: string) =>
      ask(inside, 'completion/complete', { ref, argument: { name, value: '' } }).seen;
    const prompted = (name: string) => complete(careful, { type: 'ref/prompt', name }, 'code');
    expect(prompted('review')).toMatchObject([{ result: { completion: { values: ['x'] } } }, 'complete']);
    for (const name of ['secret', 'secrets']) expect(prompted(name)).toMatchObject([{ code: codes.invalidParams }]);
    const ref = { type: 'ref/resource', uri: 'file:///{+path}' };
    expect(complete(careful, ref, 'path')).toMatchObject([{ result: { completion: { values: ['a'] } } }, 'complete']);
    const without = restrict({ resources: not('file:///{+path}') })(files);
    expect(complete(without, ref, 'path')).toMatchObject([{ code: codes.invalidParams }]);
  });

  it('is on no list of templates, by the template', () => {
    const without = restrict({ resources: not('file:///{+path}') })(files);
    const bare = resultOf(files, 'resources/templates/list');
    expect(resultOf(careful, 'resources/templates/list')).toEqual(bare);
    expect(resultOf(without, 'resources/templates/list')).toEqual({ ...bare, resourceTemplates: [] });
  });

  it('is not told of: a resource cannot be watched, nor what is below one that can', () => {
    const ledger = createLedger();
    const told = new Subject<Emission>();
    const { exchange, asked } = recording(() => told.pipe(ledger.watch('listening')));
    const notifications = { toolsListChanged: true, resourceSubscriptions: ['file:///secret', 'file:///etc'] };
    const inside = restrict({ resources: not('file:///secret', 'file:///etc/passwd') })(exchange);
    const { seen, stop } = ask(inside, 'subscriptions/listen', { notifications, _meta: { a: 1 } });
    expect(asked.map(({ params }) => params)).toEqual([
      { notifications: { toolsListChanged: true, resourceSubscriptions: ['file:///etc'] }, _meta: { a: 1 } },
    ]);
    const updated = (uri: string): Emission => ({ method: 'notifications/resources/updated', params: { uri } });
    const changed: Emission = { method: 'notifications/tools/list_changed' };
    for (const notice of [updated('file:///etc/passwd'), updated('file:///etc/hosts'), changed]) told.next(notice);
    expect(seen).toEqual([updated('file:///etc/hosts'), changed]);
    stop();
    expect(ledger.entries).toEqual(['listening unsubscribed']);
  });
});

describe('what is permitted', () => {
  it('is used as ever: tools, prompts, resources, and URIs that fit a template', () => {
    expect(resultOf(careful, 'tools/call', { name: 'search' })).toEqual(
      resultOf(files, 'tools/call', { name: 'search' }),
    );
    expect(resultOf(careful, 'prompts/get', { name: 'review', arguments: { code: 'x' } })).toMatchObject({
      messages: [{ content: { text: 'review' } }],
    });
    for (const uri of ['file:///log', 'file:///etc/hosts'])
      expect(resultOf(careful, 'resources/read', { uri })).toEqual(resultOf(files, 'resources/read', { uri }));
    expect(ask(careful, 'resources/read', { uri: 'file:///etc/passwd' }).seen).toMatchObject([
      { code: codes.invalidParams, data: { uri: 'file:///etc/passwd' } },
    ]);
  });

  it('is whatever has no rule: other kinds, discovery', () => {
    const { exchange, asked } = recording(({ method }) => of({ result: { method, prompts: [{ name: 'a' }] } }));
    const nothing = restrict({ tools: () => false })(exchange);
    const requests = [
      ['prompts/list', {}],
      ['prompts/get', { name: 'a' }],
      ['resources/read', { uri: 'a:b' }],
      ['subscriptions/listen', { notifications: { resourceSubscriptions: ['a:b'] } }],
      ['completion/complete', { ref: { type: 'ref/prompt', name: 'a' } }],
      ['completion/complete', { ref: { type: 'ref/resource', uri: 'a:{b}' } }],
    ] as const;
    for (const [method, params] of requests)
      expect(resultOf(nothing, method, params)).toEqual({ method, prompts: [{ name: 'a' }] });
    expect(asked).toEqual(requests.map(([method, params]) => ({ method, params })));

    const none = restrict({ tools: () => false, prompts: () => false, resources: () => false })(files);
    expect(resultOf(none, 'server/discover')).toEqual(resultOf(files, 'server/discover'));
  });

  it('is decided for each caller, by what the edge knows of it, at each request', () => {
    const admins = new Set(['ada']);
    const asked: unknown[] = [];
    const rule: Permit = (name, context) => {
      asked.push([name, context]);
      return name !== 'delete' || admins.has(context.principal ?? '');
    };
    const mine = restrict({ tools: rule })(files);
    const ada = { principal: 'ada' };
    expect(namesOf(resultOf(mine, 'tools/list', {}, ada)['tools'])).toEqual(['delete', 'search']);
    expect(namesOf(resultOf(mine, 'tools/list', {}, { principal: 'bob' })['tools'])).toEqual(['search']);
    expect(namesOf(resultOf(mine, 'tools/list')['tools'])).toEqual(['search']);
    expect(resultOf(mine, 'tools/call', { name: 'delete' }, ada)).toMatchObject({ content: [{ text: 'gone' }] });
    expect(asked.at(-1)).toEqual(['delete', ada]);
    admins.clear();
    expect(ask(mine, 'tools/call', { name: 'delete' }, ada).seen).toMatchObject([{ code: codes.invalidParams }]);
  });
});

describe.each(['2024-11-05', '2025-11-25', '2026-07-28'] as const)('over a wire at %s', (revision) => {
  it('the rest works as ever: progress, cancellation, updates; the forbidden does not', async () => {
    const ledger = createLedger();
    const changed$ = new Subject<string>();
    const inside = server(
      { name: 's', version: '1' },
      tool('work', {}, () => concat(of(progress(1)), NEVER).pipe(ledger.watch('work'))),
      tool('delete', {}, () => 'gone'),
      resource('a:open', {}, () => 'text'),
      resource('a:secret', {}, () => 'hush'),
      updates(changed$.pipe(ledger.watch('updates'))),
    );
    const rules = { tools: not('delete'), resources: not('a:secret') };
    await using link = await linked(restrict(rules)(inside), { revision });
    const { client } = link;

    const steps: unknown[] = [];
    const calling = client.call('work', {}).subscribe(({ kind }) => steps.push(kind));
    expect(steps).toEqual(['progress']);
    calling.unsubscribe();
    expect(ledger.entries).toContain('work unsubscribed');

    const refused = await Promise.allSettled([client.callTool('delete', {}), client.readResource('a:secret')]);
    expect(refused).toMatchObject([
      { reason: { code: codes.invalidParams } },
      { reason: { code: codes.invalidParams, data: { uri: 'a:secret' } } },
    ]);

    const heard: unknown[] = [];
    const listening = client
      .listen({ resourceSubscriptions: ['a:open', 'a:secret'] })
      .subscribe(({ params }) => heard.push(params));
    expect(heard).toEqual([{ notifications: { resourceSubscriptions: ['a:open'] } }]);
    for (const uri of ['a:secret', 'a:open']) changed$.next(uri);
    expect(heard.slice(1)).toEqual([{ uri: 'a:open' }]);
    listening.unsubscribe();
    await client.close();
    expect(ledger.live).toEqual({});
    expect(breaches(link.wire.overheard)).toEqual([]);
  });
});
