import { NEVER, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { legacyUpstream, upHandshake } from '../../lib/era/legacy/upstream.ts';
import { Multiplexer } from '../../lib/exchange/multiplex.ts';
import type { Notification } from '../../lib/exchange/exchange.ts';
import { ConnectionClosed, NotSupported } from '../../lib/frame/errors.ts';
import type { JsonObject, RequestFrame } from '../../lib/frame/frame.ts';
import { methods } from '../../lib/protocol/methods.ts';
import { metaKeys, type LegacyRevision } from '../../lib/protocol/revisions.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

const all = {
  tools: { listChanged: true },
  prompts: {},
  resources: { subscribe: true, listChanged: true },
  logging: {},
};

/** An upstream of which the spec plays the server. */
const made = (revision: LegacyRevision = '2025-11-25', capabilities: JsonObject = all) => {
  const sent: RequestFrame[] = [];
  const multiplexer = new Multiplexer((frame) => sent.push(frame as RequestFrame));
  const unsolicited = new Subject<Notification>();
  const handshake = {
    protocolVersion: revision,
    capabilities,
    serverInfo: { name: 'old', version: '1' },
    instructions: 'do',
  };
  const { exchange } = legacyUpstream({
    revision,
    handshake,
    ask: multiplexer.exchange,
    underway: (asking) => multiplexer.count(asking),
    unsolicited,
    table: methods,
    declared: {},
    local: () => NEVER,
  });
  const ask = (method: string, params?: JsonObject) => {
    const seen: unknown[] = [];
    const subscription = exchange(params === undefined ? { method } : { method, params }, {}).subscribe({
      next: (emission) => seen.push(emission),
      error: (error: unknown) => seen.push(error),
      complete: () => seen.push('complete'),
    });
    return { seen, stop: () => subscription.unsubscribe() };
  };
  const listen = (notifications: JsonObject) => ask('subscriptions/listen', { notifications });
  const answer = (result: JsonObject): void => {
    const last = sent.filter((frame) => 'id' in frame).at(-1);
    multiplexer.response({ jsonrpc: '2.0', id: last?.id ?? -1, result });
  };
  const refuse = (code: number, data?: unknown): void => {
    const last = sent.filter((frame) => 'id' in frame).at(-1);
    multiplexer.response({ jsonrpc: '2.0', id: last?.id ?? -1, error: { code, message: 'no', data } });
  };
  return { sent, ask, listen, answer, refuse, unsolicited, multiplexer, said: () => sent.map(({ method }) => method) };
};

const acknowledged = (notifications: JsonObject) => ({
  method: 'notifications/subscriptions/acknowledged',
  params: { notifications },
});
const updated = (uri: string) => ({ method: 'notifications/resources/updated', params: { uri } });

describe('a server of an older revision, seen from inside', () => {
  it('discovers itself without being asked (BR-02, BR-58)', () => {
    const { ask, sent } = made('2024-11-05');
    expect(ask('server/discover').seen).toEqual([
      {
        result: {
          resultType: 'complete',
          supportedVersions: ['2024-11-05'],
          capabilities: { completions: {}, ...all },
          instructions: 'do',
          ttlMs: 0,
          cacheScope: 'private',
          _meta: { [metaKeys.serverInfo]: { name: 'old', version: '1' } },
        },
      },
      'complete',
    ]);
    expect(sent).toEqual([]);
    const handshake = { capabilities: [], serverInfo: { name: 'x', version: '1' } };
    expect(upHandshake({ revision: '2025-11-25', handshake })).toMatchObject({ capabilities: {} });
  });

  it.each(['no/such', 'constructor', '__proto__', 'toString', 'tasks/update'])(
    'is not asked for what its revision has not: %s',
    (method) => {
      const { ask, sent } = made();
      expect(ask(method).seen).toEqual([expect.any(NotSupported)]);
      expect(sent).toEqual([]);
    },
  );

  it('gets no reserved key and no field of a later revision, and gives results as they are now, lists for nobody else to keep (BR-03, BR-04, BR-05, BR-59, BR-71)', () => {
    const { ask, sent, answer } = made('2025-03-26');
    const meta = {
      [metaKeys.protocolVersion]: '2026-07-28',
      [metaKeys.clientInfo]: { name: 'x' },
      traceparent: '00-1',
      'example.com/k': 1,
    };
    const asked = ask('completion/complete', {
      ref: { type: 'ref/prompt', name: 'p', title: 'P' },
      argument: { name: 'a', value: 'b' },
      context: { arguments: { c: 'd' } },
      _meta: meta,
    });
    expect(sent[0]?.params).toEqual({
      ref: { type: 'ref/prompt', name: 'p' },
      argument: { name: 'a', value: 'b' },
      _meta: { traceparent: '00-1', 'example.com/k': 1 },
    });
    answer({ completion: { values: [] } });
    expect(asked.seen[0]).toEqual({ result: { completion: { values: [] }, resultType: 'complete' } });
    const listed = ask('tools/list', { _meta: { [metaKeys.protocolVersion]: '2026-07-28' } });
    expect(sent[1]?.params).toEqual({});
    answer({ tools: [] });
    expect(listed.seen[0]).toEqual({ result: { tools: [], resultType: 'complete', ttlMs: 0, cacheScope: 'private' } });
  });

  it('says not-found in its own way, and is understood (RES-09, BR-34, ERR-06)', () => {
    const { ask, refuse } = made();
    const { seen } = ask('resources/read', { uri: 'a:b' });
    refuse(-32002, { uri: 'a:b' });
    expect(seen).toMatchObject([{ code: -32602, data: { uri: 'a:b' } }]);
  });

  it('says not-found without the resource that was meant, which is added; other errors stay as they are (BR-09, BR-34)', () => {
    const { ask, refuse } = made();
    const read = ask('resources/read', { uri: 'a:b' });
    refuse(-32002);
    expect(read.seen).toMatchObject([{ code: -32602, data: { uri: 'a:b' } }]);
    const unknown = ask('resources/read', { uri: 'a:b' });
    refuse(-32601, { why: 'so' });
    expect(unknown.seen).toMatchObject([{ code: -32601, data: { why: 'so' } }]);
  });

  it('lists tools without how they are run as tasks, which nobody knows since (BR-36)', () => {
    const { ask, answer } = made();
    const tool = { name: 't', inputSchema: { type: 'object', 'x-kept': 1 } };
    const { seen } = ask('tools/list');
    answer({ tools: [{ ...tool, execution: { taskSupport: 'optional' } }], nextCursor: '' });
    expect(seen[0]).toEqual({
      result: { tools: [tool], nextCursor: '', resultType: 'complete', ttlMs: 0, cacheScope: 'private' },
    });
  });

  describe('is listened to', () => {
    it('for what it can tell: acknowledged first, filtered, without a message where none is needed (SUB-02, SUB-03, SUB-04, BR-14)', () => {
      const { listen, unsolicited, sent } = made('2025-11-25', { tools: { listChanged: true }, prompts: {} });
      unsolicited.next({ method: 'notifications/tools/list_changed' });
      const { seen, stop } = listen({
        toolsListChanged: true,
        promptsListChanged: true,
        resourceSubscriptions: ['a:b'],
      });
      expect(seen).toEqual([acknowledged({ toolsListChanged: true })]);
      for (const method of [
        'notifications/tools/list_changed',
        'notifications/prompts/list_changed',
        'notifications/message',
        'notifications/of/nothing',
      ])
        unsolicited.next({ method });
      unsolicited.next(updated('a:b'));
      expect(seen.slice(1)).toEqual([{ method: 'notifications/tools/list_changed' }]);
      stop();
      expect(unsolicited.observed).toBe(false);
      expect(sent).toEqual([]);
    });

    it('for resources with one subscription for all, until the last one leaves (RES-13, BR-15)', () => {
      const { listen, answer, unsolicited, said } = made();
      const one = listen({ resourceSubscriptions: ['a:b'] });
      expect(one.seen).toEqual([]);
      answer({});
      expect(one.seen).toEqual([acknowledged({ resourceSubscriptions: ['a:b'] })]);
      const two = listen({ resourceSubscriptions: ['a:b'] });
      expect(two.seen).toEqual(one.seen);
      for (const uri of ['a:b/part', 'a:bc', 'a:b']) unsolicited.next(updated(uri));
      expect(two.seen.slice(1)).toEqual([updated('a:b/part'), updated('a:b')]);
      one.stop();
      expect(said()).toEqual(['resources/subscribe']);
      two.stop();
      expect(said()).toEqual(['resources/subscribe', 'resources/unsubscribe']);
      listen({ resourceSubscriptions: ['a:b'] });
      expect(said()).toEqual(['resources/subscribe', 'resources/unsubscribe', 'resources/subscribe']);
    });

    it('for a resource that it refuses: the others are acknowledged (SUB-04, SUB-11)', () => {
      const { listen, answer, refuse } = made();
      const { seen } = listen({ resourceSubscriptions: ['a:1', 'a:2'] });
      refuse(-32002);
      expect(seen).toEqual([]);
      const { seen: alone } = listen({ resourceSubscriptions: ['a:3'] });
      answer({});
      expect(alone).toEqual([acknowledged({ resourceSubscriptions: ['a:3'] })]);
    });

    it('until it closes: that ends the subscription in good order (BR-17)', () => {
      const { listen, unsolicited } = made();
      const { seen } = listen({ toolsListChanged: true });
      unsolicited.complete();
      expect(seen.slice(1)).toEqual([{ result: { resultType: 'complete' } }, 'complete']);
    });

    it('until the link is gone, without a word to nobody', () => {
      const { listen, answer, multiplexer, sent } = made();
      const { stop } = listen({ resourceSubscriptions: ['a:b'] });
      answer({});
      multiplexer.close(new ConnectionClosed({ message: 'gone' }));
      stop();
      expect(sent).toHaveLength(1);
    });
  });

  describe('logs at one level for all', () => {
    const call = (level: string): JsonObject => ({ name: 't', _meta: { [metaKeys.logLevel]: level } });

    it('that goes down to what is wanted, and not up again; calls wait for it (BR-23)', () => {
      const { ask, answer, said, sent } = made();
      ask('tools/call', call('error'));
      expect(said()).toEqual(['logging/setLevel']);
      expect(sent[0]?.params).toEqual({ level: 'error' });
      answer({});
      expect(said()).toEqual(['logging/setLevel', 'tools/call']);
      ask('tools/call', call('emergency'));
      ask('tools/call', call('nonsense'));
      ask('tools/call', { name: 't' });
      expect(said().slice(2)).toEqual(['tools/call', 'tools/call', 'tools/call']);
      ask('tools/call', call('debug'));
      expect(said().at(-1)).toBe('logging/setLevel');
    });

    it('or not at all: a server that refuses is asked all the same (BR-23)', () => {
      const { ask, refuse, answer, said } = made('2025-11-25', { tools: {} });
      const { seen } = ask('tools/call', call('debug'));
      refuse(-32601);
      answer({ content: [] });
      expect(said().at(-1)).toBe('tools/call');
      expect(seen[0]).toMatchObject({ result: { content: [] } });
    });
  });
});
