/**
 * What a server and a client do together, whatever revision they speak and whatever carries their frames: written once,
 * as functions of (revision, wiring).
 */
import { firstValueFrom, lastValueFrom, map, take, toArray } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { codes, ConnectionClosed, revisions, RpcError, type JsonObject, type Revision } from '../../lib/index.ts';
import { isModern, metaKeys, ordinal } from '../../lib/protocol/revisions.ts';
import { levels, pixel, ways, type Way } from './fixture.ts';
import { inGoodOrder, leavesNothing } from './leaks.ts';
import { answerTo, fresh, join, said, type Party } from './party.ts';
import type { Wired, Wiring } from './wirings.ts';

interface Scene {
  readonly revision: Revision;
  readonly wiring: Wiring;
  readonly modern: boolean;
  /** Whether the revision is this one or a later one. */
  readonly since: (revision: Revision) => boolean;
  /** The connection that most specs share. */
  readonly party: () => Party;
  /** One more connection, closed by hand or after the spec. */
  readonly another: () => Promise<Party>;
  readonly wired: () => Wired;
}

/** Runs the whole suite over one wiring. */
export const behaves = (wiring: Wiring): void => {
  describe.each(revisions)(`over ${wiring.name} at %s`, (revision) => {
    leavesNothing('all');
    let wired: Wired | undefined;
    let party: Party | undefined;
    const others: Party[] = [];
    const here = <T>(what: T | undefined): T => {
      if (what === undefined) throw new Error('the connection is not open');
      return what;
    };
    beforeAll(async () => {
      wired = await wiring.start();
      party = await join(wired.channel, revision);
    });
    afterEach(async () => {
      for (const other of others.splice(0)) await other.client.close();
      // While a connection lasts its server holds the lists, and nothing else.
      await vi.waitFor(
        async () => expect(dataOf(await here(party).client.callTool('live', {}))).toEqual({ tools$: 1, resources$: 1, prompts$: 1 }),
        { timeout: 5_000, interval: 2 },
      );
      inGoodOrder(here(party).wire);
    });
    afterAll(async () => {
      await here(party).client.close();
      await here(wired).end();
      expect(here(party).wire.open).toBe(0);
    });
    const scene: Scene = {
      revision,
      wiring,
      modern: isModern(revision),
      since: (other) => ordinal(revision) >= ordinal(other),
      party: () => here(party),
      another: async () => {
        const other = await join(here(wired).channel, revision);
        others.push(other);
        return other;
      },
      wired: () => here(wired),
    };
    for (const part of [handshake, calls, cancellation, failures, results, fields, lists, reading, watching, prompting, logging, removed, badInput, endings])
      part(scene);
  });
};

const textOf = ({ content }: { readonly content: readonly unknown[] }): string => {
  const [first] = content as readonly { readonly text?: unknown }[];
  return String(first?.text);
};

/** What a tool said in JSON; its text, because older revisions have nothing else (TOOL-14). */
const dataOf = (result: { readonly content: readonly unknown[] }): Record<string, unknown> =>
  JSON.parse(textOf(result)) as Record<string, unknown>;

const errorOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => expect.fail(`it should have failed, and gave ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );

const object = (value: unknown): JsonObject => {
  expect(value).toBeTypeOf('object');
  return value as JsonObject;
};

const handshake = ({ revision, modern, since, party }: Scene): void => {
  describe('the handshake', () => {
    it('opens in its own era, and in no other (LIFE-01, LIFE-02, LIFE-08, VER-22, VER-23)', () => {
      const opening = party().wire.overheard.filter(({ way }) => way === 'out').map(({ message }) => message['method']);
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
      expect(client.capabilities).toMatchObject({
        tools: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        prompts: { listChanged: true },
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
        for (const key of ['resultType', 'ttlMs', 'cacheScope', '_meta', 'supportedVersions']) expect(result).not.toHaveProperty(key);
      }
    });

    it('tells every handler who asks, and in what revision (VER-01, VER-02, VER-03, BR-01)', async () => {
      const told = dataOf(await party().client.callTool('whoami', {}));
      expect(told['client']).toMatchObject({ revision, capabilities: {}, info: { name: 'suite', version: '9' } });
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

const calls = ({ party, since }: Scene): void => {
  describe('a tool', () => {
    it.each(['value', ...ways] as const)('answers with a %s', async (way) => {
      const { client } = party();
      expect(await client.callTool('answers', { way })).toMatchObject({ content: [{ type: 'text', text: `a ${way}` }] });
    });

    it.each(ways)('tells its progress in order, then its result, as %s (PRG-03, PRG-04, PRG-07)', async (way) => {
      const events = await lastValueFrom(party().client.call('count', { way, to: 20 }).pipe(toArray()));
      const progress = events.slice(0, -1);
      expect(progress).toHaveLength(20);
      for (const [index, event] of progress.entries())
        expect(event).toEqual({
          kind: 'progress',
          progress: index + 1,
          total: 20,
          // BR-57
          ...(since('2025-03-26') ? { message: `step ${index + 1}` } : undefined),
        });
      expect(events.at(-1)).toMatchObject({ kind: 'result', result: { content: [{ text: 'counted to 20' }] } });
    });

    it('says only progress that rises (PRG-04)', async () => {
      const told = await lastValueFrom(
        party().client.call('stumble', {}).pipe(map((event) => (event.kind === 'progress' ? event.progress : event.kind)), toArray()),
      );
      expect(told).toEqual([2, 3, 'result']);
    });

    it('says no progress to who has not asked for it (PRG-03)', async () => {
      const { ask, mark } = party();
      const overheard = mark();
      expect(await ask('tools/call', { name: 'count', arguments: { way: 'observable', to: 3 } })).toHaveProperty('result');
      expect(said(overheard(), 'in', 'notifications/progress')).toEqual([]);
    });

    it('keeps the type of a progress token, zero and the empty string too (PRG-01)', async () => {
      const { ask, mark } = party();
      for (const progressToken of [0, '', 'a', 7]) {
        const overheard = mark();
        await ask('tools/call', { name: 'count', arguments: { way: 'observable', to: 1 }, _meta: { progressToken } }, fresh('token'));
        const told = said(overheard(), 'in', 'notifications/progress');
        expect(told.map(({ params }) => object(params)['progressToken'])).toEqual([progressToken]);
      }
    });

    it('answers many at a time, each its own caller (VER-16)', async () => {
      const { client } = party();
      const texts = Array.from({ length: 50 }, (_, index) => `call ${index}`);
      const answers = await Promise.all(texts.map((text) => client.callTool('echo', { text })));
      expect(answers.map(textOf)).toEqual(texts);
      const waits = [30, 10, 20];
      const order: number[] = [];
      await Promise.all(waits.map((ms) => client.callTool('after', { ms }).then(() => order.push(ms))));
      expect(order).toEqual([10, 20, 30]);
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

const cancellation = ({ party }: Scene): void => {
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
      const { client, inject, mark } = party();
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

const failures = ({ party, wiring }: Scene): void => {
  describe('what fails', () => {
    it.each(['sync', 'promise', 'iterable', 'observable', 'effect', 'defect'])(
      'is a result that says so, without stack or path: %s (TOOL-17)',
      async (how) => {
        const { client, mark } = party();
        const overheard = mark();
        const result = await client.callTool('fails', { how });
        expect(result.isError).toBe(true);
        expect(textOf(result)).toBe('cannot open [path]');
        const sent = JSON.stringify(answerTo(overheard(), 'tools/call'));
        expect(sent).not.toMatch(/ada|secrets|key\.pem|fixture\.ts|\bat /);
      },
    );

    it.each(['odd', 'nothing'])('is told even where what was thrown says nothing: %s', async (how) => {
      expect(await party().client.callTool('fails', { how })).toMatchObject({ isError: true, content: [{ text: 'fails failed' }] });
    });

    it('on purpose, with an RpcError, is that error (ERR-07)', async () => {
      const error = await errorOf(party().client.callTool('refuses', {}));
      expect(error).toBeInstanceOf(RpcError);
      expect(error).toMatchObject({ code: 4711, message: 'not today', data: { until: 'tomorrow' } });
    });

    it('for its arguments never reaches the handler, and names the field (TOOL-19, AMB-06)', async () => {
      const result = await party().client.callTool('echo', { txt: 'x' } as never);
      expect(result.isError).toBe(true);
      expect(textOf(result)).toContain('text');
    });

    it('for its shape, or its name, is an invalid request (TOOL-18)', async () => {
      const { ask, client } = party();
      for (const params of [{ name: 'echo', arguments: [] }, { name: 'echo', arguments: 'x' }, { name: 5 }, { arguments: {} }])
        expect(await ask('tools/call', params)).toMatchObject({ error: { code: codes.invalidParams } });
      for (const name of ['nobody', '', 'ECHO', '__proto__', 'constructor'])
        expect(await errorOf(client.callTool(name as 'echo', { text: '' }))).toMatchObject({ code: codes.invalidParams });
    });

    it('for its method is -32601, whatever it is called (ERR-01, CAP-07)', async () => {
      const { ask } = party();
      for (const method of ['no/such', '', '__proto__', 'constructor', 'toString', 'sampling/createMessage', 'tasks/list'])
        expect(await ask(method)).toMatchObject({ error: { code: codes.methodNotFound } });
    });

    it('because it does not fit its own output schema is told to the model, not sent (TOOL-12)', async () => {
      const { client, mark } = party();
      const overheard = mark();
      const result = await client.callTool('lies', {});
      expect(result.isError).toBe(true);
      expect(textOf(result)).toContain('lies gave a result that does not fit its own output schema');
      expect(answerTo(overheard(), 'tools/call')['result']).not.toHaveProperty('structuredContent');
    });

    it('because JSON cannot say it is an error, and the connection lives', async () => {
      const { client } = party();
      if (wiring.serialises) expect(await errorOf(client.callTool('unsendable', {}))).toMatchObject({ code: codes.internalError });
      expect(textOf(await client.callTool('echo', { text: 'x' }))).toBe('x');
    });
  });
};

const results = ({ party, since, modern }: Scene): void => {
  describe('structured content', () => {
    it('is mirrored as text, which is all that the oldest revisions have (TOOL-14, BR-48)', async () => {
      const { client, mark } = party();
      const overheard = mark();
      const result = await client.callTool('measure', {});
      expect(textOf(result)).toBe('{"celsius":7}');
      const sent = object(answerTo(overheard(), 'tools/call')['result']);
      expect(sent['structuredContent']).toEqual(since('2025-06-18') ? { celsius: 7 } : undefined);
      expect(result.isError).toBeUndefined();
    });

    it('that is no object exists since 2026-07-28 (TOOL-10, TOOL-11, BR-47, BR-48)', async () => {
      const { client, mark } = party();
      const overheard = mark();
      expect(textOf(await client.callTool('rows', {}))).toBe('[1,2,3]');
      expect(object(answerTo(overheard(), 'tools/call')['result'])['structuredContent']).toEqual(modern ? [1, 2, 3] : undefined);
      const tools = await lastValueFrom(client.listTools().pipe(toArray()));
      const [rows, measure] = ['rows', 'measure'].map((name) => tools.flat().find((tool) => tool.name === name));
      expect(rows?.outputSchema !== undefined).toBe(modern);
      expect(measure?.outputSchema !== undefined).toBe(since('2025-06-18'));
    });
  });
};

const fields = ({ party, since, modern }: Scene): void => {
  /** The one item of a list, as it went over the wire. */
  const listed = async (method: string, member: string, fits: (item: JsonObject) => boolean): Promise<JsonObject> => {
    const { ask } = party();
    const all: JsonObject[] = [];
    for (let cursor: unknown, first = true; first || cursor !== undefined; first = false) {
      const result = object((await ask(method, cursor === undefined ? {} : { cursor }))['result']);
      all.push(...(result[member] as JsonObject[]));
      cursor = result['nextCursor'];
      for (const hint of ['resultType', 'ttlMs', 'cacheScope']) expect(hint in result).toBe(modern);
    }
    return object(all.find(fits));
  };
  const decoration = (item: JsonObject): void => {
    expect('title' in item).toBe(since('2025-06-18'));
    expect('_meta' in item).toBe(since('2025-06-18'));
    expect('icons' in item).toBe(since('2025-11-25'));
  };

  describe('on the wire there is only what the revision has:', () => {
    it('tools (BR-46, BR-52, BR-53, BR-54, BR-56, ICON-10, META-10)', async () => {
      const tool = await listed('tools/list', 'tools', ({ name }) => name === 'decorated');
      decoration(tool);
      expect('annotations' in tool).toBe(since('2025-03-26'));
      expect(tool['description']).toBe('With all that a tool may have');
      // Keywords that old schemas do not know are no reason to change what a tool takes.
      expect(tool['inputSchema']).toEqual({ type: 'object', properties: { a: { type: 'string' } }, anyOf: [{ required: ['a'] }, {}] });
      if (since('2025-11-25')) expect(tool['icons']).toEqual([{ src: 'https://example.com/icon.png', mimeType: 'image/png', sizes: ['48x48'] }]);
    });

    it('resources and templates (BR-53, BR-54, BR-55, BR-56)', async () => {
      const resource = await listed('resources/list', 'resources', ({ uri }) => uri === 'test://fixed');
      decoration(resource);
      expect(resource).toMatchObject({ name: 'fixed', mimeType: 'text/plain', size: 5, annotations: { audience: ['user'], priority: 0.5 } });
      expect('lastModified' in object(resource['annotations'])).toBe(since('2025-06-18'));
      const template = await listed('resources/templates/list', 'resourceTemplates', () => true);
      decoration(template);
      expect(template).toMatchObject({ uriTemplate: 'files://{host}/{+path}' });
    });

    it('prompts (BR-53, BR-54, BR-56)', async () => {
      const prompt = await listed('prompts/list', 'prompts', ({ name }) => name === 'review');
      decoration(prompt);
      const [code] = prompt['arguments'] as JsonObject[];
      expect(code).toMatchObject({ name: 'code', required: true });
      expect('title' in object(code)).toBe(since('2025-06-18'));
    });

    it('content (TOOL-26, BR-50, BR-51, BR-54, BR-55)', async () => {
      const { client, mark } = party();
      const overheard = mark();
      await client.callTool('decorated', {});
      const sent = object(answerTo(overheard(), 'tools/call')['result']);
      const [text, image, audio, link, embedded] = sent['content'] as JsonObject[];
      expect(text).toMatchObject({ type: 'text', text: 'words' });
      expect('_meta' in object(text)).toBe(since('2025-06-18'));
      expect('lastModified' in object(object(text)['annotations'])).toBe(since('2025-06-18'));
      expect(image).toEqual({ type: 'image', data: pixel, mimeType: 'image/png' });
      if (since('2025-03-26')) expect(audio).toEqual({ type: 'audio', data: pixel, mimeType: 'audio/wav' });
      else expect(audio).toEqual({ type: 'text', text: 'Audio left out (audio/wav)' });
      if (!since('2025-06-18')) expect(link).toEqual({ type: 'text', text: 'Resource: test://fixed' });
      else {
        expect(link).toMatchObject({ type: 'resource_link', uri: 'test://fixed', title: 'Fixed' });
        expect('icons' in object(link)).toBe(since('2025-11-25'));
      }
      expect(embedded).toEqual({ type: 'resource', resource: { uri: 'test://fixed', text: 'inside' } });
      expect('structuredContent' in sent).toBe(since('2025-06-18'));
      expect(object(sent['_meta'])['example.com/made-by']).toBe('hand');
    });
  });
};

const lists = ({ party, modern, another }: Scene): void => {
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

    it.each([
      ['tools', 'tools$', 'notifications/tools/list_changed'],
      ['prompts', 'prompts$', 'notifications/prompts/list_changed'],
      ['resources', 'resources$', 'notifications/resources/list_changed'],
    ] as const)('that changes is fetched again, once for a burst: %s (TOOL-05, TOOL-06, PRM-03, RES-12, BR-14)', async (list, live, method) => {
      const { client, mark } = party();
      const seen: string[][] = [];
      const watching = client[live].subscribe((items) => seen.push(items.map(({ name }) => name)));
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
    });

    it('that changes is a matter of those who asked, since 2026-07-28 (SUB-02, TOOL-06, BR-16)', async () => {
      const { client, mark, wire } = await another();
      const overheard = mark();
      const names = [fresh('quiet')];
      await client.callTool('change', { list: 'tools', names });
      if (modern) {
        // Whoever listens to prompts hears nothing of tools.
        const heard: unknown[] = [];
        const listening = client.listen({ promptsListChanged: true }).subscribe((notice) => heard.push(notice.method));
        await vi.waitFor(() => expect(heard).toEqual(['notifications/subscriptions/acknowledged']));
        await client.callTool('change', { list: 'tools', names: [] });
        await client.callTool('change', { list: 'prompts', names });
        await vi.waitFor(() => expect(heard).toContain('notifications/prompts/list_changed'));
        listening.unsubscribe();
        expect(said(overheard(), 'in', 'notifications/tools/list_changed')).toEqual([]);
      } else {
        await wire.next(({ way, message }) => way === 'in' && message['method'] === 'notifications/tools/list_changed');
        await client.callTool('change', { list: 'tools', names: [] });
      }
      await client.callTool('change', { list: 'prompts', names: [] });
    });
  });
};

const reading = ({ party, modern }: Scene): void => {
  describe('a resource', () => {
    it('is read as text, as bytes, as several contents, by its template (RES-03, RES-04, RES-05, RES-17)', async () => {
      const { client } = party();
      expect((await client.readResource('test://fixed')).contents).toEqual([{ uri: 'test://fixed', mimeType: 'text/plain', text: 'fixed' }]);
      expect((await client.readResource('test://bytes')).contents).toEqual([{ uri: 'test://bytes', mimeType: 'image/png', blob: 'iVBORw==' }]);
      expect((await client.readResource('test://several')).contents).toHaveLength(2);
      expect((await client.readResource('test://counter')).contents).toMatchObject([{ text: expect.any(String) as string }]);
      expect((await client.readResource('files://a%20b/c/d.txt')).contents).toEqual([{ uri: 'files://a%20b/c/d.txt', text: 'a b has c/d.txt' }]);
    });

    it.each(['nowhere://x', 'files://gone/x', 'test://fixe', 'not a uri', '__proto__'])(
      'that does not exist has a code of its own in each era: %s (RES-06, RES-07, RES-08, RES-09, BR-34, ERR-05)',
      async (uri) => {
        const { client, mark } = party();
        const overheard = mark();
        const error = await errorOf(client.readResource(uri));
        expect(error).toMatchObject({ code: codes.invalidParams, data: { uri } });
        expect(answerTo(overheard(), 'resources/read')['error']).toMatchObject({ code: modern ? -32602 : -32002, data: { uri } });
      },
    );

    it('that breaks is an internal error, and tells nothing (RES-11)', async () => {
      const error = await errorOf(party().client.readResource('test://broken'));
      expect(error).toMatchObject({ code: codes.internalError, message: 'internal error while answering resources/read' });
      expect(JSON.stringify(error)).not.toContain('ada');
    });
  });
};

const watching = ({ party, modern, wiring }: Scene): void => {
  const textAt = ({ contents }: { readonly contents: readonly unknown[] }): string => textOf({ content: contents });

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
      const methods = overheard().filter(({ way }) => way === 'out').map(({ message }) => message['method']);
      const [opens, closes] = modern ? ['subscriptions/listen', 'notifications/cancelled'] : ['resources/subscribe', 'resources/unsubscribe'];
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
      const listening = client.listen({ resourceSubscriptions: ['test://fixed'] }).subscribe(({ params }) => heard.push(params?.['uri'] ?? params));
      await vi.waitFor(() => expect(heard).toEqual([{ notifications: { resourceSubscriptions: ['test://fixed'] } }]));
      for (const uri of ['test://other', 'test://fixedly', 'test://fixed/part', 'test://fixed']) await client.callTool('touch', { uri });
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
        client.listen({ resourceSubscriptions: ['test://fixed'] }).subscribe(({ params }) => seen.push([who, params?.['uri']]));
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

    it.runIf(modern)('is told under the id of its listen, of the same type, after the acknowledgement (SUB-03, SUB-06, SUB-07)', async () => {
      const { client, ask, inject, mark, wire } = party();
      for (const id of [fresh('listen'), 900_000 + wiring.name.length]) {
        const overheard = mark();
        void ask('subscriptions/listen', { notifications: { resourceSubscriptions: ['test://fixed'], toolsListChanged: true } }, id);
        await wire.next(({ message }) => object(object(message['params'] ?? {})['_meta'] ?? {})[metaKeys.subscriptionId] === id);
        await client.callTool('touch', { uri: 'test://fixed' });
        await vi.waitFor(() => expect(said(overheard(), 'in', 'notifications/resources/updated')).toHaveLength(1));
        const told = overheard().filter(({ way, message }) => way === 'in' && 'method' in message).map(({ message }) => message);
        expect(told.map(({ method }) => method)).toEqual(['notifications/subscriptions/acknowledged', 'notifications/resources/updated']);
        for (const { params } of told) expect(object(object(params)['_meta'])[metaKeys.subscriptionId]).toBe(id);
        inject({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } });
      }
    });
  });
};

const prompting = ({ party, since }: Scene): void => {
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
      expect(await errorOf(client.getPrompt('review', { style: 'terse' }))).toMatchObject({ code: codes.invalidParams, message: expect.stringContaining('code') as string });
      expect(await ask('prompts/get', { name: 'review', arguments: { code: 5 } })).toMatchObject({ error: { code: codes.invalidParams } });
      expect(await errorOf(client.getPrompt('broken'))).toMatchObject({ code: codes.internalError, message: 'internal error while answering prompts/get' });
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
      const { values, total, hasMore } = await party().client.complete({ type: 'ref/prompt', name: 'review' }, 'many', '');
      expect(values).toHaveLength(100);
      expect({ total, hasMore }).toEqual({ total: 150, hasMore: true });
    });

    it('of an argument without a completer is empty; of what does not exist it is refused (CMP-05)', async () => {
      const { client } = party();
      expect((await client.complete({ type: 'ref/prompt', name: 'review' }, 'code', '')).values).toEqual([]);
      expect(await errorOf(client.complete({ type: 'ref/prompt', name: 'review' }, 'constructor', ''))).toMatchObject({ code: codes.invalidParams });
      expect(await errorOf(client.complete({ type: 'ref/prompt', name: 'nobody' }, 'x', ''))).toMatchObject({ code: codes.invalidParams });
      expect(await errorOf(client.complete({ type: 'ref/resource', uri: 'no://such' }, 'x', ''))).toMatchObject({ code: codes.invalidParams });
    });
  });
};

const logging = ({ modern, another }: Scene): void => {
  const linesOf = (party: Party) => {
    const lines: unknown[] = [];
    party.client.logs$.subscribe(({ level, data, logger }) => lines.push([level, data, logger]));
    return lines;
  };
  const from = (level: (typeof levels)[number]) => levels.slice(levels.indexOf(level)).map((each) => [each, { at: each }, 'fixture']);

  describe('log lines', () => {
    it('come at the level that a call asks for, and above (LOG-05, LOG-06, LOG-07, BR-23)', async () => {
      const other = await another();
      const lines = linesOf(other);
      await other.client.callTool('logs', {});
      // Where nobody has set a level it is the server's to choose; since 2026-07-28 that is silence (LOG-04, LOG-06).
      expect(lines).toEqual(modern ? [] : from('info'));
      lines.length = 0;
      await other.client.callTool('logs', {}, { logLevel: 'debug' });
      expect(lines).toEqual(from('debug'));
      lines.length = 0;
      if (modern) {
        await other.client.callTool('logs', {}, { logLevel: 'critical' });
        expect(lines).toEqual(from('critical'));
        expect(said(other.wire.overheard, 'out', 'logging/setLevel')).toEqual([]);
      } else {
        expect(await other.ask('logging/setLevel', { level: 'critical' })).toEqual({ jsonrpc: '2.0', id: expect.any(String) as string, result: {} });
        await other.client.callTool('logs', {});
        expect(lines).toEqual(from('critical'));
      }
      inGoodOrder(other.wire);
    });

    it('of an unknown level are refused (LOG-02, LOG-09)', async () => {
      const { ask } = await another();
      for (const level of ['loud', 'INFO', 7, '']) {
        const refused = modern
          ? ask('tools/call', { name: 'logs', _meta: { [metaKeys.logLevel]: level } })
          : ask('logging/setLevel', { level });
        expect(await refused).toMatchObject({ error: { code: codes.invalidParams } });
      }
    });
  });
};

const removed = ({ party, modern }: Scene): void => {
  it('ping is answered before 2026-07-28, and unknown since (PING-01, PING-06, BR-25)', async () => {
    expect(await party().ask('ping')).toMatchObject(modern ? { error: { code: codes.methodNotFound } } : { result: {} });
  });

  it.each(['resources/subscribe', 'resources/unsubscribe', 'logging/setLevel', 'initialize'])(
    'what 2026-07-28 has removed is unknown there: %s (VER-33)',
    async (method) => {
      if (!modern) return void expect(await party().ask(method)).toMatchObject({ error: { code: codes.invalidParams } });
      expect(await party().ask(method, { uri: 'test://fixed', level: 'info' })).toMatchObject({ error: { code: codes.methodNotFound } });
    },
  );

  it('what 2026-07-28 has added is unknown before (Matrix 1)', async () => {
    const answer = await party().ask('subscriptions/listen', { notifications: 5 });
    expect(answer).toMatchObject({ error: { code: modern ? codes.invalidParams : codes.methodNotFound } });
  });
};

const badInput = ({ another, revision }: Scene): void => {
  it('what is no request is told so, by its id where there is one, and the next call is answered (RPC-01, RPC-02, RPC-03, RPC-15)', async () => {
    const { client, inject, wire } = await another();
    const wrong: readonly (readonly [unknown, unknown])[] = [
      [{ jsonrpc: '1.0', id: 'a', method: 'ping' }, 'a'],
      [{ id: 'b', method: 'ping' }, 'b'],
      [{ jsonrpc: '2.0', id: 'c', method: 5 }, 'c'],
      [{ jsonrpc: '2.0', id: 'd', method: 'ping', params: [1, 2] }, 'd'],
      [{ jsonrpc: '2.0', id: 'e', method: 'ping', params: null }, 'e'],
      [{ jsonrpc: '2.0', id: 'f' }, 'f'],
      [{ jsonrpc: '2.0', id: null, method: 'ping' }, undefined],
      [{ jsonrpc: '2.0', id: 1.5, method: 'ping' }, undefined],
      [{ jsonrpc: '2.0', id: 2 ** 53 + 2, method: 'ping' }, undefined],
      [{ jsonrpc: '2.0', id: {}, method: 'ping' }, undefined],
      [{}, undefined],
    ];
    for (const [message, id] of wrong) {
      const { length } = wire.overheard;
      inject(message);
      const answer = await wire.next(({ way }) => way === 'in', length);
      expect(answer).toMatchObject({ jsonrpc: '2.0', error: { code: codes.invalidRequest, message: expect.stringMatching(/\S/) as string } });
      expect(answer['id']).toBe(id);
    }
    expect(textOf(await client.callTool('echo', { text: revision }))).toBe(revision);
  });

  it('responses that nobody asked for provoke nothing (RPC-14, RPC-25)', async () => {
    const { client, inject, mark } = await another();
    const overheard = mark();
    for (const message of [
      { jsonrpc: '2.0', id: 12345, result: {} },
      { jsonrpc: '2.0', id: 12345, error: { code: 1, message: 'x' } },
      { jsonrpc: '2.0', error: { code: 1, message: 'x' } },
      { jsonrpc: '2.0', id: 1, result: {}, error: { code: 1, message: 'x' } },
      { jsonrpc: '2.0', id: 1, result: [] },
      { jsonrpc: '2.0', id: 1, error: 'x' },
    ])
      inject(message);
    await client.callTool('echo', { text: 'x' });
    expect(overheard().filter(({ way }) => way === 'in')).toHaveLength(1);
  });

  it('an id in flight is not taken twice: the second is refused without an id, the first goes on (RPC-05, RPC-06)', async () => {
    const { client, inject, wire, ask, recall } = await another();
    const name = fresh('twice');
    void ask('tools/call', { name: 'endless', arguments: { way: 'observable', name } }, 0);
    await recall(`${name} began`);
    const { length } = wire.overheard;
    void ask('tools/call', { name: 'echo', arguments: { text: 'stolen' } }, 0);
    const refusal = await wire.next(({ way }) => way === 'in', length);
    expect(refusal).toEqual({ jsonrpc: '2.0', error: { code: codes.invalidRequest, message: 'id 0 is already in flight' } });
    inject({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 0 } });
    await recall(`${name} unsubscribed`);
    expect(textOf(await client.callTool('echo', { text: 'x' }))).toBe('x');
    // Free again.
    expect(await ask('tools/call', { name: 'echo', arguments: { text: 'again' } }, 0)).toMatchObject({ id: 0, result: { content: [{ text: 'again' }] } });
  });
};

const endings = ({ another, wired }: Scene): void => {
  describe('a connection that is closed', () => {
    it('fails what still waits, and stops its work (LIFE-15, LIFE-16)', async () => {
      const { client, recall, wire } = await another();
      const name = fresh('closing');
      const failed = errorOf(client.callTool('endless', { way: 'promise', name }));
      const events: unknown[] = [];
      client.call('endless', { way: 'observable', name: `${name} too` }).subscribe({ error: (error: unknown) => events.push(error) });
      await recall(`${name} too began`);
      await client.close();
      expect(await failed).toBeInstanceOf(ConnectionClosed);
      expect(events).toEqual([expect.any(ConnectionClosed)]);
      await wired().ledger?.noted(`${name} aborted`);
      await wired().ledger?.noted(`${name} too unsubscribed`);
      expect(wire.open).toBe(0);
    });

    it('fails what is asked of it afterwards, and sends nothing', async () => {
      const { client, mark } = await another();
      await client.close();
      const overheard = mark();
      expect(await errorOf(client.callTool('echo', { text: 'x' }))).toBeInstanceOf(ConnectionClosed);
      expect(await errorOf(firstValueFrom(client.tools$))).toBeInstanceOf(ConnectionClosed);
      expect(overheard()).toEqual([]);
      await expect(client.closed).resolves.toBeUndefined();
    });
  });
};
