/** What a peer may send to break a server, or to get at another: advisories of other implementations, each by its id. */
import { concat, NEVER, of, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { codes, inMemory, open, resource, resourceTemplate, Schema, server, tool, tools } from '../../lib/index.ts';
import { parse } from '../../lib/frame/json.ts';
import { lines } from '../../lib/frame/lines.ts';
import { Unreadable } from '../../lib/frame/unreadable.ts';
import { metaKeys } from '../../lib/protocol/revisions.ts';
import { createLedger, tap } from '../../lib/testing/index.ts';
import { initialize, initialized, knock, request } from '../era/door.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

const info = { name: 's', version: '1' };
const _meta = { [metaKeys.protocolVersion]: '2026-07-28', [metaKeys.clientCapabilities]: {} };
const echo = tool('echo', { input: Schema.Struct({ text: Schema.String }) }, ({ text }) => text);
const plain = server(info, echo);
const call = (id: unknown, text = 'x') => request(id, 'tools/call', { name: 'echo', arguments: { text }, _meta });
const answered = (id: unknown, text = 'x') =>
  expect.objectContaining({
    id,
    result: expect.objectContaining({ content: [{ type: 'text', text }] }) as unknown,
  }) as unknown;

describe('CVE-2025-53366: a malformed request is answered, and ends nothing', () => {
  const odd: readonly unknown[] = [
    null,
    undefined,
    0,
    '',
    'text',
    [],
    {},
    [[]],
    { a: 1 },
    { toString: 1 },
    { length: -1 },
    { constructor: null },
    Number.NaN,
    true,
  ];

  it('whatever stands in whichever field of it', () => {
    const { reply } = knock(plain);
    for (const value of odd) {
      for (const message of [
        value,
        { jsonrpc: value, id: 1, method: 'ping' },
        { jsonrpc: '2.0', id: value, method: 'ping' },
        { jsonrpc: '2.0', id: 1, method: value },
        { jsonrpc: '2.0', id: 1, method: 'tools/call', params: value },
        { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: value, _meta } },
        { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: value, _meta } },
        { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', arguments: { text: value }, _meta } },
        { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo', _meta: value } },
        { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { cursor: value, _meta } },
        { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: { ..._meta, progressToken: value } } },
        { jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params: { notifications: value, _meta } },
        {
          jsonrpc: '2.0',
          id: 1,
          method: 'initialize',
          params: { protocolVersion: value, capabilities: value, clientInfo: value },
        },
        { jsonrpc: '2.0', method: value, params: value },
        { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: value } },
        { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: value, progress: value } },
        { jsonrpc: '2.0', method: 'notifications/initialized', params: value },
        { jsonrpc: '2.0', id: 1, result: value },
        { jsonrpc: '2.0', id: 1, error: value },
      ])
        reply(message, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
      expect(reply(call('after'))).toEqual([answered('after')]);
    }
  });

  it('however deep it is nested, and whatever its keys are called', () => {
    for (const text of [
      '['.repeat(100_000) + ']'.repeat(100_000),
      `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
      '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"__proto__":{"polluted":true}}}',
      '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"\\u005f_proto__":{"polluted":true}}}',
    ]) {
      const { reply } = knock(plain);
      expect(reply(parse(text))).toMatchObject([{ error: { code: codes.invalidRequest } }]);
      expect(reply(call(6))).toEqual([answered(6)]);
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('and keys that every object has by birth are nothing special', () => {
    const { reply } = knock(
      server(
        info,
        tool('t', { input: { type: 'object' } }, (args) => Object.keys(args).join()),
      ),
    );
    for (const key of ['constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__'])
      expect(
        reply(request(1, 'tools/call', { name: 't', arguments: { [key]: { prototype: { polluted: true } } }, _meta })),
      ).toEqual([answered(1, key)]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('CVE-2025-53365: a peer that is gone in the middle of anything ends its own connection only', () => {
  it('and leaves nothing of its work', async () => {
    const ledger = createLedger();
    const busy = server(
      info,
      echo,
      tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
      tools(concat(of([]), NEVER).pipe(ledger.watch('list'))),
    );
    const stays = await open(inMemory(busy));
    for (let round = 0; round < 20; round += 1) {
      const door = knock(busy, { drainMs: 0 });
      door.say(initialize('2025-11-25'), initialized, request(1, 'tools/call', { name: 'hang' }), call(2));
      door.leave();
      door.say(call(3));
      expect(door.events.at(-1)).toEqual({ type: 'disconnected' });
    }
    expect(ledger.live).toEqual({ list: 1 });
    await expect(stays.callTool('echo', { text: 'unharmed' })).resolves.toMatchObject({
      content: [{ text: 'unharmed' }],
    });
    await stays.close();
    expect(ledger.live).toEqual({});
  });
});

describe('CVE-2026-27896: a key in other letters is another key', () => {
  it('of a message, of its parameters, of its arguments', () => {
    const { reply } = knock(plain);
    expect(reply({ JSONRPC: '2.0', ID: 1, Method: 'tools/list', PARAMS: {} })).toMatchObject([
      { error: { code: codes.invalidRequest } },
    ]);
    expect(
      reply({ jsonrpc: '2.0', id: 1, method: 'tools/list', Method: 'tools/call', params: { _meta } }),
    ).toMatchObject([{ id: 1, result: { tools: [{ name: 'echo' }] } }]);
    expect(
      reply(request(2, 'tools/call', { Name: 'echo', NAME: 'echo', arguments: { text: 'x' }, _meta })),
    ).toMatchObject([{ id: 2, error: { code: codes.invalidParams } }]);
    expect(
      reply(
        request(3, 'tools/call', { name: 'echo', arguments: { TEXT: 'upper' }, Arguments: { text: 'shadow' }, _meta }),
      ),
    ).toMatchObject([{ id: 3, result: { isError: true } }]);
    expect(reply(request(4, 'Tools/Call', { name: 'echo', _meta }))).toMatchObject([
      { id: 4, error: { code: codes.methodNotFound } },
    ]);
    expect(reply(request(5, 'tools/call', { name: 'Echo', arguments: { text: 'x' }, _meta }))).toMatchObject([
      { id: 5, error: { code: codes.invalidParams } },
    ]);
  });
});

describe('GHSA-q382-vc8q-7jhj: a key with a NUL at its end, or said twice, overrides nothing', () => {
  it('a NUL makes it another key', () => {
    const { reply } = knock(plain);
    const message = parse(
      JSON.stringify(
        request(1, 'tools/call', {
          name: 'echo',
          'name\u0000': 'other',
          arguments: { text: 'mine', 'text\u0000': 'theirs' },
          _meta,
        }),
      ),
    );
    expect(reply(message)).toEqual([answered(1, 'mine')]);
    expect(reply(parse('{"jsonrpc":"2.0","id":2,"method\\u0000":"tools/list","method":"no/such"}'))).toMatchObject([
      { id: 2, error: {} },
    ]);
  });

  it('of a key said twice the last one counts, for everybody who looks: who is answered is who asked', () => {
    const { reply } = knock(plain);
    const meta = JSON.stringify(_meta);
    expect(
      reply(
        parse(`{"jsonrpc":"2.0","id":1,"id":2,"method":"no/such","method":"tools/list","params":{"_meta":${meta}}}`),
      ),
    ).toMatchObject([{ id: 2, result: { tools: [{}] } }]);
    // Where it cannot be read at all, the same id is found.
    expect(parse('{"jsonrpc":"2.0","id":1,"id":2,"method":"x",}')).toMatchObject({ id: 2 });
  });
});

describe('CVE-2026-63119: a line without an end takes no memory', () => {
  it('is thrown away as it comes, answered with its id, and the next line is read', () => {
    const limit = 64 * 1024;
    const bytes = new Subject<Uint8Array>();
    const seen: unknown[] = [];
    bytes.pipe(lines({ limit })).subscribe((line) => seen.push(line));
    const encoder = new TextEncoder();
    bytes.next(encoder.encode('{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"a":"'));
    const chunk = encoder.encode('a'.repeat(64 * 1024));
    const before = process.memoryUsage().arrayBuffers;
    for (let sent = 0; sent < 2048; sent += 1) bytes.next(chunk);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
    expect(seen).toEqual([]);
    bytes.next(encoder.encode('"}}\n{"jsonrpc":"2.0","id":8,"method":"ping"}\n'));
    expect(seen).toHaveLength(2);
    expect(seen[0]).toBeInstanceOf(Unreadable);
    expect(seen[0]).toMatchObject({ id: 7, code: codes.invalidRequest });
    const { reply } = knock(plain);
    expect(reply(seen[0], parse(String(seen[1])))).toMatchObject([
      { id: 7, error: { code: codes.invalidRequest } },
      { id: 8, result: {} },
    ]);
  });
});

describe('CVE-2026-67430: a flood of initialize is one session', () => {
  it('and holds nothing of those before', () => {
    const ledger = createLedger();
    const live = server(
      info,
      resource('a:b', { live: true }, () => concat(of('x'), NEVER).pipe(ledger.watch('watched'))),
      tools(concat(of([echo]), NEVER).pipe(ledger.watch('list'))),
    );
    const { say, said, leave } = knock(live);
    for (let round = 0; round < 2000; round += 1)
      say(initialize('2025-11-25', round), initialized, request(`s${round}`, 'resources/subscribe', { uri: 'a:b' }));
    expect(ledger.live).toEqual({ list: 1, watched: 1 });
    expect(said).toHaveLength(4000);
    leave();
    expect(ledger.live).toEqual({});
  });

  it('nor do subscriptions of a thousand URIs outlive their peer', () => {
    const ledger = createLedger();
    const live = server(
      info,
      resourceTemplate('a:{+path}', { live: true }, () => concat(of('x'), NEVER).pipe(ledger.watch('watched'))),
    );
    const { say, leave } = knock(live);
    say(initialize('2025-11-25'), initialized);
    for (let round = 0; round < 1000; round += 1) say(request(round, 'resources/subscribe', { uri: `a:${round}` }));
    expect(ledger.live['watched']).toBeGreaterThan(0);
    leave();
    expect(ledger.live).toEqual({});
  });
});

describe('CVE-2026-25536: two clients with the same ids get their own answers', () => {
  it('also where one asks what the other is waiting for, or cancels it', async () => {
    const waiting = new Map<string, Subject<string>>();
    const ledger = createLedger();
    const shared = server(
      info,
      tool('wait', { input: Schema.Struct({ who: Schema.String }) }, ({ who }) => {
        const answer = new Subject<string>();
        waiting.set(who, answer);
        return answer.pipe(ledger.watch(who));
      }),
    );
    const [a, b] = [knock(shared), knock(shared)];
    const ask = (who: string) =>
      request(1, 'tools/call', { name: 'wait', arguments: { who }, _meta: { ..._meta, progressToken: 1 } });
    a.say(ask('a'));
    b.say(ask('b'));
    expect([a.said, b.said]).toEqual([[], []]);
    for (const who of ['b', 'a']) {
      waiting.get(who)?.next(`for ${who}`);
      waiting.get(who)?.complete();
    }
    expect(a.said).toEqual([answered(1, 'for a')]);
    expect(b.said).toEqual([answered(1, 'for b')]);
    a.say(ask('a'));
    b.say(ask('b'));
    b.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    expect(ledger.live).toEqual({ a: 1 });
  });

  it('and subscriptions of the same id are two', async () => {
    const wires = [tap(inMemory(plain)), tap(inMemory(plain))];
    const clients = await Promise.all(wires.map((wire) => open(wire)));
    const texts = await Promise.all(clients.map((client, index) => client.callTool('echo', { text: `${index}` })));
    expect(texts.map(({ content }) => content[0])).toEqual(['0', '1'].map((text) => ({ type: 'text', text })));
    expect(
      wires.map((wire) => wire.overheard.filter(({ way }) => way === 'out').map(({ message }) => message['id'])),
    ).toEqual([
      [1, 2],
      [1, 2],
    ]);
    await Promise.all(clients.map((client) => client.close()));
  });
});

describe('CVE-2026-0621: a URI takes no longer than it is long', () => {
  it.each(['a:{/path*}', 'a:{?q*}', 'a:{a}{b}{c}{d}', 'a:{+a}/{+b}/{+c}', 'a:{a*}{b*}', 'a:{.x*}{.y*}{.z*}'])(
    'against the template %s',
    (template) => {
      const reached: unknown[] = [];
      const { reply, say } = knock(
        server(
          info,
          resourceTemplate(template, {}, (variables) => (reached.push(variables), 'x')),
        ),
      );
      const started = performance.now();
      for (const evil of [
        `a:${'/a'.repeat(20_000)}\u0000`,
        `a:${','.repeat(40_000)}!`,
        `a:?${'q=a&'.repeat(10_000)}`,
        `a:${'a'.repeat(60_000)}#`,
        `a:${'%41'.repeat(15_000)}%`,
      ])
        say(request(evil.length, 'resources/read', { uri: evil, _meta }));
      // Generous, because it is the same machine that compiles and runs everything else: what is not linear takes hours.
      expect(performance.now() - started).toBeLessThan(5_000);
      expect(reply(request(1, 'server/discover', { _meta }))).toMatchObject([{ id: 1, result: {} }]);
    },
  );
});
