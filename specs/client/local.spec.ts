import { sync } from 'effect/Effect';
import { BehaviorSubject, EMPTY, merge, NEVER, of, Subject } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import {
  elicit,
  elicitUrl,
  listRoots,
  Misconfigured,
  NotSupported,
  open,
  progress,
  Refused,
  revisions,
  RpcError,
  sample,
  serverWith,
  tool,
  type Answers,
  type Asker,
  type Call,
  type FormQuestion,
  type JsonObject,
  type Revision,
  type UrlQuestion,
} from '../../lib/index.ts';
import { isModern, metaKeys } from '../../lib/protocol/revisions.ts';
import type { Root } from '../../lib/protocol/roots.ts';
import { breaches, linked, type Tapped } from '../../lib/testing/index.ts';
import { leavesNothing } from '../behaviour/leaks.ts';
import { said } from '../behaviour/party.ts';
import { errorOf, object, textOf } from '../behaviour/scene.ts';
import { asks, byHand, done, form, page, sampling, scripted, serverInfo } from './scripted.ts';

leavesNothing();

const model = { role: 'assistant', model: 'm', content: { type: 'text', text: 'Hello' } } as const;
const decline = () => ({ action: 'decline' }) as const;
const eras = ['2025-11-25', '2026-07-28'] as const;

/** What a client says it can do, wherever its revision says it. */
const declared = ({ overheard }: Tapped): unknown => {
  const [initialize] = said(overheard, 'out', 'initialize');
  if (initialize !== undefined) return object(initialize['params'])['capabilities'];
  const [call] = said(overheard, 'out', 'tools/call');
  return object(object(object(call)['params'])['_meta'])[metaKeys.clientCapabilities];
};

/** A server whose one tool does this, asked by a client that answers so. */
const playing = async (revision: (typeof eras)[number], handle: (call: Call) => unknown, answers: Answers) => {
  const served = serverWith(
    { state: { keys: ['k'.repeat(32)] } },
    { name: 's', version: '1', title: 'The server' },
    tool('t', {}, (_, call) => handle(call) as string),
  );
  const link = await linked(served, { revision, client: { answers } });
  return {
    ...link,
    call: () => link.client.callTool('t', {}),
    done: async () => {
      await link.client.close();
      expect(breaches(link.wire.overheard)).toEqual([]);
    },
  };
};

describe('what a client declares', () => {
  const cases: readonly (readonly [string, Answers, JsonObject, JsonObject?])[] = [
    ['nothing', {}, {}],
    ['forms', { form: decline }, { elicitation: { form: {} } }],
    ['pages', { url: decline }, { elicitation: { url: {} } }],
    ['forms and pages', { form: decline, url: decline }, { elicitation: { form: {}, url: {} } }],
    ['a model', { sample: () => model }, { sampling: {} }],
    ['a model that calls tools', { sample: () => model, sampling: { tools: true } }, { sampling: { tools: {} } }],
    [
      'a model that does all',
      { sample: () => model, sampling: { tools: true, context: true } },
      { sampling: { tools: {}, context: {} } },
    ],
    ['a model that does not', { sample: () => model, sampling: { tools: false, context: false } }, { sampling: {} }],
    ['what a model could do that is not there', { sampling: { tools: true } }, {}],
    ['roots', { roots: [] }, { roots: {} }],
    ['roots that change', { roots: NEVER }, { roots: {} }, { roots: { listChanged: true } }],
    [
      'everything',
      { form: decline, url: decline, sample: () => model, roots: [] },
      { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} },
    ],
  ];
  const declarations = revisions.flatMap((revision) =>
    cases.map(
      ([what, answers, everywhere, handshake = everywhere]): readonly [Revision, string, Answers, JsonObject] => [
        revision,
        what,
        answers,
        isModern(revision) ? everywhere : handshake,
      ],
    ),
  );
  const plain = serverWith(
    {},
    { name: 's', version: '1' },
    tool('t', {}, () => 'x'),
  );

  it.each(declarations)(
    'at %s: %s follows from its answers (CAP-04, ROOT-01, SAMP-01, ELI-01)',
    async (revision, _, answers, expected) => {
      await using link = await linked(plain, { revision, client: { answers } });
      await link.client.callTool('t', {});
      expect(declared(link.wire)).toEqual(expected);
    },
  );

  it.each(eras)('at %s besides: what it is told to, and no more', async (revision) => {
    const capabilities = { extensions: { 'com.example/x': {} }, experimental: { y: {} } };
    await using link = await linked(plain, { revision, client: { capabilities, answers: { roots: [] } } });
    await link.client.callTool('t', {});
    expect(declared(link.wire)).toEqual({ ...capabilities, roots: {} });
  });

  it.each(eras)('at %s for others is everything in a handshake, and its own otherwise', async (revision) => {
    await using link = await linked(plain, { revision, client: { relay: true, answers: { form: decline } } });
    await link.client.callTool('t', {});
    expect(declared(link.wire)).toEqual(
      isModern(revision)
        ? { elicitation: { form: {} } }
        : { elicitation: { form: {}, url: {} }, sampling: { tools: {} }, roots: {} },
    );
  });
});

describe.each(eras)('a form at %s', (revision) => {
  const modern = isModern(revision);
  const Trip = {
    type: 'object',
    properties: {
      city: { type: 'string', minLength: 2 },
      days: { type: 'integer', minimum: 1, default: 3 },
      meals: { type: 'boolean', default: false },
    },
    required: ['city', 'days'],
  } as const;
  const trip = elicit(Trip, 'Where to?');
  const asked = (call: Call): string => JSON.stringify(call.ask('trip', trip));

  it('comes with its message, its defaults, a check, and who asks (ELI-10, ELI-25)', async () => {
    const seen: (readonly [FormQuestion, Asker])[] = [];
    const { call, done: end } = await playing(revision, asked, {
      form: (question, asker) => {
        seen.push([question, asker]);
        return { action: 'accept', content: { city: 'Oslo', days: 2, meals: true } };
      },
    });
    expect(textOf(await call())).toBe('{"action":"accept","content":{"city":"Oslo","days":2,"meals":true}}');
    const [[question, asker] = expect.fail('nobody was asked')] = seen;
    expect(question).toMatchObject({
      message: 'Where to?',
      schema: { type: 'object', properties: { city: { type: 'string', minLength: 2 } }, required: ['city', 'days'] },
      defaults: { days: 3, meals: false },
    });
    expect(question.problem({ city: 'Oslo' })).toBeUndefined();
    expect(question.problem({ city: 'O' })).toMatch(/^city: /);
    expect(question.problem({})).toContain('city');
    expect(asker.server).toMatchObject({ name: 's', version: '1', title: 'The server' });
    await end();
  });

  it('that is accepted gets the defaults of what was left out (ELI-10)', async () => {
    const { call, done: end } = await playing(revision, asked, {
      form: () => ({ action: 'accept', content: { city: 'Oslo' } }),
    });
    expect(textOf(await call())).toBe('{"action":"accept","content":{"city":"Oslo","days":3,"meals":false}}');
    await end();
  });

  it('that is declined or put away says that, and sends nothing of what was filled in (ELI-11)', async () => {
    for (const action of ['decline', 'cancel'] as const) {
      const typed = { action, content: { city: 'Oslo' } };
      const { call, wire, done: end } = await playing(revision, asked, { form: () => typed });
      expect(textOf(await call())).toBe(`{"action":"${action}"}`);
      expect(JSON.stringify(wire.overheard)).not.toContain('Oslo');
      await end();
    }
  });

  it.each([
    ['a field that does not fit', { city: 'O' }],
    ['a field of another type', { city: 7 as never }],
    ['a field missing', {}],
    ['a field that nobody asked for', { city: 'Oslo', secret: 'x' }],
  ])('with %s is not sent (ELI-26)', async (_, content) => {
    const { call, wire, done: end } = await playing(revision, asked, { form: () => ({ action: 'accept', content }) });
    if (modern) {
      expect(await errorOf(call())).toBeInstanceOf(Misconfigured);
      expect(said(wire.overheard, 'out', 'tools/call')).toHaveLength(1);
    } else expect(textOf(await call())).toBe('{"action":"cancel"}');
    expect(JSON.stringify(wire.overheard)).not.toContain('secret');
    await end();
  });

  it.each<[string, Answers['form'] & object]>([
    ['a value', () => ({ action: 'accept', content: { city: 'Oslo' } })],
    ['a Promise', () => Promise.resolve({ action: 'accept' as const, content: { city: 'Oslo' } })],
    ['an Observable', () => of(progress(1), { action: 'accept' as const, content: { city: 'Oslo' } })],
    ['an Effect', () => sync(() => ({ action: 'accept' as const, content: { city: 'Oslo' } }))],
    [
      'a generator',
      async function* () {
        yield progress(1);
        return { action: 'accept' as const, content: { city: 'Oslo' } };
      },
    ],
  ])('may be answered in any way: %s', async (_, answer) => {
    const { call, done: end } = await playing(revision, asked, { form: answer });
    expect(textOf(await call())).toContain('"city":"Oslo"');
    await end();
  });

  it('or a page that is refused counts as declined', async () => {
    const refuse = () => {
      throw new Refused({ message: 'not now' });
    };
    const both = (call: Call): string => {
      const { one, two } = call.askAll({ one: trip, two: elicitUrl('https://example.com', 'Go') });
      return `${one.action} ${two.action}`;
    };
    const { call, done: end } = await playing(revision, both, {
      form: refuse,
      url: () => Promise.reject(new Refused({ message: 'no' })),
    });
    expect(textOf(await call())).toBe('decline decline');
    await end();
  });

  it('whose handler breaks fails the call, or is put away; the server does not hear why', async () => {
    const {
      call,
      wire,
      done: end,
    } = await playing(revision, asked, {
      form: () => Promise.reject(new Error('no display at /dev/tty')),
    });
    if (modern) expect(await errorOf(call())).toMatchObject({ message: 'no display at /dev/tty' });
    else expect(textOf(await call())).toBe('{"action":"cancel"}');
    expect(JSON.stringify(wire.overheard)).not.toContain('tty');
    await end();
  });
});

describe.each(eras)('a page at %s', (revision) => {
  it('comes whole, with the host that it leads to (ELI-13, ELI-35, ELI-36)', async () => {
    const seen: UrlQuestion[] = [];
    const url = 'https://xn--pple-43d.com:8443/login?next=%2F#top';
    const { call, done: end } = await playing(revision, (call) => call.ask('p', elicitUrl(url, 'Go')).action, {
      url: (question) => {
        seen.push(question);
        return { action: 'accept' };
      },
    });
    expect(textOf(await call())).toBe('accept');
    expect(seen).toEqual([{ message: 'Go', url, host: 'xn--pple-43d.com:8443' }]);
    await end();
  });

  it('says its host as the name system writes it, not as it looks (ELI-36)', async () => {
    const hosts: string[] = [];
    const url = 'https://\u0430pple.com/';
    const { call, done: end } = await playing(revision, (call) => call.ask('p', elicitUrl(url, 'Go')).action, {
      url: ({ host }) => {
        hosts.push(host);
        return { action: 'cancel' };
      },
    });
    expect(textOf(await call())).toBe('cancel');
    expect(hosts).toEqual(['xn--pple-43d.com']);
    await end();
  });

  it.each([
    'javascript:alert(1)',
    'file:///etc/passwd',
    'data:text/html,x',
    'vscode://x/y',
    '/login',
    'example.com',
    '',
  ])('that no browser should visit is shown to nobody: %j (ELI-12)', async (url) => {
    const shown = vi.fn(decline);
    const params = object(page(url)['params']);
    if (isModern(revision)) {
      const { served, asked } = scripted(asks({ p: page(url) }), done);
      await using link = await linked(served, { client: { answers: { url: shown } } });
      expect(await errorOf(link.client.callTool('t', {}))).toMatchObject({
        message: expect.stringContaining('url') as string,
      });
      expect(asked).toHaveLength(1);
    } else {
      const server = byHand(revision);
      const client = await open(server.channel, { revisions: [revision], answers: { url: shown } });
      expect(await server.ask('elicitation/create', { ...params, elicitationId: 'e' }, 'q')).toMatchObject({
        error: { code: -32602 },
      });
      await client.close();
    }
    expect(shown).not.toHaveBeenCalled();
  });
});

describe.each(eras)('a model at %s', (revision) => {
  const modern = isModern(revision);
  const asked = (call: Call): string => JSON.stringify(call.ask('m', sample({ messages: 'Hi', maxTokens: 9 })).content);

  it('is asked what the server asks, and its answer goes back', async () => {
    const seen: unknown[] = [];
    const { call, done: end } = await playing(revision, asked, {
      sample: (params, { server }) => {
        seen.push(params, server?.name);
        return model;
      },
    });
    expect(textOf(await call())).toBe('{"type":"text","text":"Hello"}');
    expect(seen).toEqual([{ messages: [{ role: 'user', content: { type: 'text', text: 'Hi' } }], maxTokens: 9 }, 's']);
    await end();
  });

  it('that is refused fails the call: with -1 on the wire of old, on this side since (SAMP-17)', async () => {
    const {
      call,
      wire,
      done: end,
    } = await playing(revision, asked, {
      sample: () => {
        throw new Refused({ message: 'not my model' });
      },
    });
    const error = await errorOf(call());
    if (modern) {
      expect(error).toBeInstanceOf(Refused);
      expect(error).toMatchObject({ message: 'not my model' });
      expect(said(wire.overheard, 'out', 'tools/call')).toHaveLength(1);
    } else {
      expect(error).toBeInstanceOf(RpcError);
      const refusals = wire.overheard.filter(({ way, message }) => way === 'out' && 'error' in message);
      expect(refusals).toMatchObject([{ message: { error: { code: -1, message: 'not my model' } } }]);
    }
    await end();
  });

  it('whose answer is none is not sent', async () => {
    const {
      call,
      wire,
      done: end,
    } = await playing(revision, asked, { sample: () => ({ ...model, role: 'nobody' }) as never });
    const error = await errorOf(call());
    if (modern) expect(error).toBeInstanceOf(Misconfigured);
    else expect(error).toMatchObject({ code: -32603 });
    expect(JSON.stringify(wire.overheard)).not.toContain('nobody');
    await end();
  });
});

describe.each(eras)('roots at %s', (revision) => {
  const asked = (call: Call): string =>
    call
      .ask('r', listRoots())
      .map(({ uri }) => uri)
      .join();

  it('are those that are given, or the latest', async () => {
    const roots$ = new BehaviorSubject<readonly Root[]>([{ uri: 'file:///a' }]);
    for (const roots of [[{ uri: 'file:///a', name: 'A' }], roots$]) {
      roots$.next([{ uri: 'file:///a' }]);
      const { call, done: end } = await playing(revision, asked, { roots });
      expect(textOf(await call())).toBe('file:///a');
      roots$.next([{ uri: 'file:///b' }, { uri: 'file:///c' }]);
      expect(textOf(await call())).toBe(roots === roots$ ? 'file:///b,file:///c' : 'file:///a');
      await end();
    }
    expect(roots$.observed).toBe(false);
  });

  it('elsewhere than in the file system are not sent (ROOT-04)', async () => {
    const roots = [{ uri: 'file:///a' }, { uri: 'https://secret.example.com' }];
    const { call, wire, done: end } = await playing(revision, asked, { roots });
    expect(await errorOf(call())).toBeInstanceOf(isModern(revision) ? Misconfigured : RpcError);
    expect(JSON.stringify(wire.overheard)).not.toContain('secret');
    await end();
  });

  it('that end before there are any fail the call, and are not asked for again', async () => {
    const { call, wire, done: end } = await playing(revision, asked, { roots: EMPTY });
    expect(await errorOf(call())).toBeInstanceOf(Error);
    expect(said(wire.overheard, 'out', 'tools/call')).toHaveLength(1);
    await end();
  });
});

describe('what was not declared', () => {
  const search = { name: 'search', inputSchema: { type: 'object' } };
  const nobody: Answers = {};
  const model_ = { sample: () => model };
  it.each<[string, JsonObject, Answers, string, number]>([
    ['a form', form(), nobody, 'elicitation.form', -32601],
    ['a form, with pages only', form(), { url: decline }, 'elicitation.form', -32602],
    ['a page', page('https://example.com'), nobody, 'elicitation.url', -32601],
    ['a page, with forms only (ELI-21)', page('https://example.com'), { form: decline }, 'elicitation.url', -32602],
    ['a model', sampling(), nobody, 'sampling', -32601],
    ['tools for a model (SAMP-05)', sampling({ tools: [search] }), model_, 'sampling.tools', -32602],
    ['a choice of tools (SAMP-05)', sampling({ toolChoice: { mode: 'auto' } }), model_, 'sampling.tools', -32602],
    ['roots (ROOT-05)', { method: 'roots/list' }, nobody, 'roots', -32601],
  ])('is refused in both eras: %s (MRTR-07)', async (_, question, answers, capability, code) => {
    const { served, asked } = scripted(asks({ q: question }), done);
    await using link = await linked(served, { client: { answers } });
    const error = await errorOf(link.client.callTool('t', {}));
    expect(error).toBeInstanceOf(NotSupported);
    expect(error).toMatchObject({ capability, method: 'tools/call' });
    expect(asked).toHaveLength(1);

    const server = byHand('2025-11-25');
    const client = await open(server.channel, { revisions: ['2025-11-25'], answers });
    const { method, params } = question;
    const given = params === undefined ? undefined : { ...object(params), elicitationId: 'e' };
    expect(await server.ask(String(method), given, 'q')).toMatchObject({ id: 'q', error: { code } });
    await client.close();
  });

  it('is not asked by a server that asks by itself since 2026-07-28, and gets no answer (RPC-24, RPC-25)', async () => {
    const shown = vi.fn(decline);
    const { served } = scripted(done);
    const injected = new Subject<unknown>();
    await using link = await linked(served, {
      client: { answers: { form: shown } },
      through: (channel) => (outbound) => merge(channel(outbound), injected),
    });
    injected.next({ jsonrpc: '2.0', id: 'q', ...form() });
    expect(link.wire.overheard.filter(({ message }) => message['id'] === 'q').map(({ way }) => way)).toEqual(['in']);
    await link.client.callTool('t', {});
    expect(shown).not.toHaveBeenCalled();
  });
});

it('who asks is named to each answer, as soon as it is known', async () => {
  const names: unknown[] = [];
  const server = byHand('2025-11-25');
  const client = await open(server.channel, {
    revisions: ['2025-11-25'],
    answers: {
      form: (_, asker) => {
        names.push(asker.server);
        return { action: 'cancel' };
      },
    },
  });
  expect(await server.ask('elicitation/create', object(form()['params']), 'q')).toMatchObject({
    result: { action: 'cancel' },
  });
  expect(names).toEqual([serverInfo]);
  await client.close();
});

it('a question that its server withdraws is torn down, and gets no answer', async () => {
  const events: string[] = [];
  const server = byHand('2025-11-25');
  const client = await open(server.channel, {
    revisions: ['2025-11-25'],
    answers: {
      form: (_, { signal }) => {
        signal.addEventListener('abort', () => events.push('aborted'));
        events.push('asked');
        return NEVER;
      },
    },
  });
  void server.ask('elicitation/create', object(form()['params']), 'q');
  await vi.waitFor(() => expect(events).toEqual(['asked']));
  const { length } = server.heard;
  server.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'q' } });
  await vi.waitFor(() => expect(events).toEqual(['asked', 'aborted']));
  expect(server.heard.slice(length)).toEqual([]);
  await client.close();
});
