/** Questions through a proxy, whatever is spoken before and behind it: in both directions, and in whose name. */
import { describe, expect, it } from 'vitest';
import {
  codes,
  elicit,
  elicitUrl,
  listRoots,
  prompt,
  Refused,
  resource,
  sample,
  Schema,
  server,
  tool,
  type Answers,
  type Call,
  type JsonObject,
  type Revision,
} from 'rxmcp';
import { isModern, ordinal } from '../../lib/protocol/revisions.ts';
import { leavesNothing } from '../behaviour/leaks.ts';
import { errorOf, textOf } from '../behaviour/scene.ts';
import { both, pairs, proxied, type Proxied } from './proxied.ts';

leavesNothing();

const Name = elicit(Schema.Struct({ name: Schema.String }), 'Who are you?');
const Town = elicit(Schema.Struct({ town: Schema.String }), 'Where do you live?');
const page = elicitUrl('https://example.com/login', 'Please log in');
const model = sample({ messages: 'Hello?', maxTokens: 9 });

const named = (call: Call): string => {
  const answer = call.ask('name', Name);
  return answer.action === 'accept' ? `I am ${answer.content.name}` : `they ${answer.action}`;
};

const asker = server(
  { name: 'asker', version: '1' },
  tool('form', {}, (_, call) => named(call)),
  tool('page', {}, (_, call) => `they ${call.ask('page', page).action}`),
  tool('model', {}, (_, call) => JSON.stringify(call.ask('model', model).content)),
  tool('roots', {}, (_, call) =>
    call
      .ask('roots', listRoots())
      .map(({ uri }) => uri)
      .join(),
  ),
  tool('several', {}, (_, call) => {
    const { model: said, roots } = call.askAll({ model, roots: listRoots() });
    return `${said.model} in ${roots.length} root`;
  }),
  tool('rounds', {}, (_, call) => {
    call.progress(1);
    const name = named(call);
    call.progress(2);
    const town = call.ask('town', Town);
    return `${name}, of ${town.action === 'accept' ? town.content.town : 'nowhere'}`;
  }),
  prompt('greeting', {}, (_, call) => named(call)),
  resource('ask://name', {}, (call) => named(call)),
);

/** A user who notes what they are asked. */
const user = (over: Answers = {}) => {
  const asked: string[] = [];
  const answers: Answers = {
    form: ({ message, schema }) => {
      asked.push(message);
      return { action: 'accept', content: 'town' in schema.properties ? { town: 'Oslo' } : { name: 'Ada' } };
    },
    url: ({ message, url }) => {
      asked.push(`${message}: ${url}`);
      return { action: 'accept' };
    },
    sample: ({ messages }) => {
      asked.push(JSON.stringify(messages[0]?.content));
      return { role: 'assistant', model: 'tiny', content: { type: 'text', text: 'Hi' } };
    },
    roots: [{ uri: 'file:///home/ada' }],
    ...over,
  };
  return { asked, answers };
};

/** What a revision must be for a question to be said at all. */
const since = { form: '2025-06-18', page: '2025-11-25', model: '2024-11-05', roots: '2024-11-05' } as const;
const paths = { form: 'elicitation.form', page: 'elicitation.url', model: 'sampling', roots: 'roots' } as const;

const knows = (revision: Revision, kind: keyof typeof since): boolean => ordinal(revision) >= ordinal(since[kind]);

describe.each(pairs)('through a proxy, a server at %s asks a client at %s', (up, down) => {
  const link = (answers: Answers): Promise<Proxied> => proxied(asker, { up, down, client: { answers } });

  /** What the call fails with, or says, where its caller cannot be asked; the server has been told which capability. */
  const unasked = async (kind: keyof typeof paths, { client, far }: Proxied): Promise<void> => {
    const method = {
      form: 'elicitation/create',
      page: 'elicitation/create',
      model: 'sampling/createMessage',
      roots: 'roots/list',
    }[kind];
    const refused = { message: expect.stringContaining(paths[kind]) as string };
    if (isModern(up) || !knows(up, kind)) {
      // The server knows by itself that it need not ask.
      expect(await errorOf(client.callTool(kind, {}))).toMatchObject({
        ...refused,
        code: isModern(up) && isModern(down) ? codes.missingClientCapability : codes.invalidRequest,
      });
      return;
    }
    // It has been told that everything may be asked, and learns only now that it may not.
    const told = far.next(({ way, message }) => way === 'out' && 'error' in message);
    if (method === 'elicitation/create') expect(textOf(await client.callTool(kind, {}))).toBe('they cancel');
    else expect(await errorOf(client.callTool(kind, {}))).toMatchObject({ code: codes.internalError, ...refused });
    expect(await told).toMatchObject({ error: { code: codes.methodNotFound, ...refused } });
  };

  it.each([
    ['form', 'I am Ada', 'Who are you?'],
    ['page', 'they accept', 'Please log in: https://example.com/login'],
    ['model', '{"type":"text","text":"Hi"}', '{"type":"text","text":"Hello?"}'],
    ['roots', 'file:///home/ada', undefined],
  ] as const)('%s, once, and gets the answer (BR-26, BR-27, BR-28, BR-32, BR-66)', async (kind, said, question) => {
    const { asked, answers } = user();
    await using proxy = await link(answers);
    if (!knows(up, kind) || !knows(down, kind)) return await unasked(kind, proxy);
    expect(textOf(await proxy.client.callTool(kind, {}))).toBe(said);
    expect(asked).toEqual(question === undefined ? [] : [question]);
  });

  it.each(['form', 'page', 'model', 'roots'] as const)(
    '%s, and the client has not declared that: the client decides, not who stands in for it (CAP-04, BR-29, BR-30, BR-65, BR-73)',
    async (kind) => {
      await using proxy = await link({});
      await unasked(kind, proxy);
    },
  );

  if (both(up, down, '2025-06-18')) {
    it('and is declined, or put away (ELI-11, BR-29)', async () => {
      for (const action of ['decline', 'cancel'] as const) {
        await using proxy = await link(user({ form: () => ({ action }) }).answers);
        expect(textOf(await proxy.client.callTool('form', {}))).toBe(`they ${action}`);
      }
    });

    it('several things in turn, with progress that rises all the way (MRTR-22, PRG-04)', async () => {
      const { asked, answers } = user();
      await using proxy = await link(answers);
      const seen: unknown[] = [];
      await new Promise<void>((resolve, reject) => {
        proxy.client.call('rounds', {}).subscribe({
          next: (event) => {
            if (event.kind === 'progress') seen.push(event.progress);
            if (event.kind === 'result') seen.push(textOf(event.result));
          },
          error: reject,
          complete: resolve,
        });
      });
      expect(seen).toEqual([1, 2, 'I am Ada, of Oslo']);
      expect(asked).toEqual(['Who are you?', 'Where do you live?']);
    });

    it('in a prompt and in a read (MRTR-02)', async () => {
      const { asked, answers } = user();
      await using proxy = await link(answers);
      const { messages } = await proxy.client.getPrompt('greeting');
      expect(messages).toMatchObject([{ content: { text: 'I am Ada' } }]);
      expect((await proxy.client.readResource('ask://name')).contents).toMatchObject([{ text: 'I am Ada' }]);
      expect(asked).toHaveLength(2);
    });
  }

  it('several things at once (MRTR-04)', async () => {
    const { asked, answers } = user();
    await using proxy = await link(answers);
    expect(textOf(await proxy.client.callTool('several', {}))).toBe('tiny in 1 root');
    expect(asked).toHaveLength(1);
  });

  it('its model, which the user refuses: the call fails (SAMP-17, BR-29)', async () => {
    const { answers } = user({
      sample: () => {
        throw new Refused({ message: 'not that' });
      },
    });
    await using proxy = await link(answers);
    const failure = await errorOf(proxy.client.callTool('model', {}));
    expect(failure).toMatchObject({ message: expect.stringContaining('not that') as string });
  });

  it('what the relay asks for itself is answered by its own', async () => {
    const [front, behind] = [user(), user({ roots: [{ uri: 'file:///srv/relay' }] })];
    await using proxy = await proxied(asker, {
      up,
      down,
      client: { answers: front.answers },
      relay: { answers: behind.answers },
    });
    expect(textOf(await proxy.relay.callTool('roots', {}))).toBe('file:///srv/relay');
    expect(textOf(await proxy.client.callTool('roots', {}))).toBe('file:///home/ada');
    await proxy.relay.callTool('model', {});
    expect([front.asked, behind.asked].map(({ length }) => length)).toEqual([0, 1]);
  });
});

it('a relay declares everything that may be asked, but no changes of roots, which nobody inside can tell (BR-31, BR-62)', async () => {
  await using proxy = await proxied(asker, { up: '2025-11-25', down: '2025-11-25' });
  const handshake = proxy.far.overheard.find(({ message }) => message['method'] === 'initialize');
  expect(handshake?.message['params']).toMatchObject({ capabilities: { elicitation: { form: {}, url: {} } } });
  const { capabilities } = handshake?.message['params'] as { readonly capabilities: JsonObject };
  expect(capabilities['roots']).toEqual({});
  expect(capabilities['sampling']).toEqual({ tools: {} });
});
