/** Handlers that ask their caller, and callers that answer. */
import { sync } from 'effect/Effect';
import { lastValueFrom, NEVER, of, toArray } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { codes, Refused, RpcError, type Answers, type Asker } from '../../../lib/index.ts';
import { createLedger } from '../../../lib/testing/index.ts';
import { capabilities, ways, type Kind } from '../fixture.ts';
import { ada, model, root } from '../host.ts';
import { inGoodOrder } from '../leaks.ts';
import { fresh, said, type Party } from '../party.ts';
import { dataOf, errorOf, object, textOf, type Scene } from '../scene.ts';

/** What each kind of question is called on the wire, and the capability that it needs. */
const wired: Readonly<Record<Kind, readonly [method: string, capability: string]>> = {
  form: ['elicitation/create', 'elicitation.form'],
  url: ['elicitation/create', 'elicitation.url'],
  sample: ['sampling/createMessage', 'sampling'],
  roots: ['roots/list', 'roots'],
};

/** The kinds of questions that a revision has. */
const kindsAt = ({ since }: Scene): readonly Kind[] => [
  ...(since('2025-06-18') ? (['form'] as const) : []),
  ...(since('2025-11-25') ? (['url'] as const) : []),
  'sample',
  'roots',
];

/** What the handler of this name has done, in order. */
const diary = async ({ client }: Party, name: string): Promise<readonly unknown[]> => {
  const entries = dataOf(await client.callTool('entries', {}))['entries'] as readonly string[];
  return entries.filter((entry) => entry.startsWith(`${name} `)).map((entry) => entry.slice(name.length + 1));
};

const answered = (kind: Kind): unknown =>
  ({ form: { action: 'accept', content: ada }, url: { action: 'accept' }, sample: model, roots: [root] })[kind];

export const asking = (scene: Scene): void => {
  const { another, hosting, modern, needing, party, since } = scene;
  needing('asks', () => {
    describe('a handler that asks', () => {
      it.each(kindsAt(scene))('gets the answer: %s (MRTR-01, BR-26)', async (kind) => {
        const other = await hosting();
        const name = fresh('ask');
        const overheard = other.mark();
        expect(dataOf(await other.client.callTool('ask', { kind, name }))).toEqual({ answer: answered(kind) });
        expect(await diary(other, name)).toEqual(['ran', 'ran']);
        const [method] = wired[kind];
        const questions = said(overheard(), 'in', method);
        // A question travels in a result since 2026-07-28, and as a request of the server before.
        expect(questions).toHaveLength(modern ? 0 : 1);
        expect(said(overheard(), 'out', 'tools/call').length - 1).toBe(modern ? 2 : 1);
        inGoodOrder(other.wire);
      });

      if (since('2025-06-18')) {
        it.each(ways)('may answer with a %s', async (way) => {
          const { client, wire } = await hosting();
          expect(textOf(await client.callTool('asks', { way }))).toBe('Hello, Ada!');
          inGoodOrder(wire);
        });

        it('may be a prompt, or a resource (MRTR-02)', async () => {
          const { client, wire } = await hosting();
          expect(await client.getPrompt('asks')).toMatchObject({ messages: [{ content: { text: 'Ada' } }] });
          expect(await client.readResource('test://asks')).toMatchObject({ contents: [{ text: 'Ada' }] });
          inGoodOrder(wire);
        });

        it('goes through several rounds: its steps run once, its progress only rises, its stream is one (PRG-04)', async () => {
          const other = await hosting();
          const name = fresh('interview');
          const events = await lastValueFrom(other.client.call('interview', { name }).pipe(toArray()));
          const progress = events.flatMap((event) => (event.kind === 'progress' ? [event.progress] : []));
          expect(progress).toEqual([1, 2, 3, 4, 5, 6]);
          expect(events.map(({ kind }) => kind)).toEqual([...Array<string>(6).fill('progress'), 'result']);
          const [last] = events.slice(-1);
          const result = last?.kind === 'result' ? dataOf(last.result) : {};
          expect(result).toMatchObject({
            who: { action: 'accept', content: ada },
            sure: { action: 'accept', content: { sure: true } },
            roots: [root],
            said: model.content,
          });
          expect(result['ticket']).toEqual({ number: expect.any(Number) as unknown, at: '1970-01-01T00:00:00.000Z' });
          expect(result['again']).toEqual(result['ticket']);
          expect(await diary(other, name)).toEqual(['ran', 'stepped', 'ran', 'ran', 'ran']);
          inGoodOrder(other.wire);
        });

        it('hears a no, and being put away (ELI-11, ELI-22)', async () => {
          for (const action of ['decline', 'cancel'] as const) {
            const { client, wire } = await hosting({ form: () => ({ action }) });
            expect(textOf(await client.callTool('asks', { way: 'promise' }))).toBe(action);
            inGoodOrder(wire);
          }
          const { client } = await hosting({
            form: () => {
              throw new Refused({ message: 'not now' });
            },
          });
          expect(textOf(await client.callTool('asks', { way: 'promise' }))).toBe('decline');
        });

        it('asks each caller on its own', async () => {
          const named = (name: string) => () =>
            Promise.resolve({ action: 'accept' as const, content: { name, age: 1 } });
          const one = await hosting({ form: named('One') });
          const two = await another({ answers: { form: named('Two') } });
          const calls = [one, two, one, two].map(({ client }) => client.callTool('asks', { way: 'effect' }));
          expect((await Promise.all(calls)).map(textOf)).toEqual([
            'Hello, One!',
            'Hello, Two!',
            'Hello, One!',
            'Hello, Two!',
          ]);
        });
      }

      it('may ask in many calls at a time, each for itself', async () => {
        let asked = 0;
        const { client, wire } = await hosting({
          sample: async () => {
            const number = (asked += 1);
            await Promise.resolve();
            return { ...model, content: { type: 'text', text: `${number}` } };
          },
        });
        const calls = Array.from({ length: 20 }, () => client.callTool('ask', { kind: 'sample', name: fresh('many') }));
        const texts = (await Promise.all(calls)).map(
          (result) => (dataOf(result)['answer'] as { readonly content: { readonly text: string } }).content.text,
        );
        expect(texts.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
        inGoodOrder(wire);
      });

      it('can find out what its caller can be asked (CAP-04, CAP-12)', async () => {
        const can = async ({ client }: Party) => dataOf(await client.callTool('can', {}))['can'];
        expect(await can(party())).toEqual([]);
        // Of what its revision does not have, a client can do nothing, whatever it says.
        const early = since('2025-06-18') ? ['elicitation.form', 'sampling', 'roots'] : ['sampling', 'roots'];
        expect(await can(await hosting())).toEqual(since('2025-11-25') ? capabilities : early);
      });
    });
  });
};

export const answering = ({ hosting, modern, needing }: Scene): void => {
  needing('asks', () => {
    describe('a caller that is asked', () => {
      it.each([
        ['a value', () => model],
        ['a Promise', () => Promise.resolve(model)],
        ['an Observable', () => of(model)],
        ['an Effect', () => sync(() => model)],
        [
          'a generator',
          // It has nothing to say on the way.
          // eslint-disable-next-line require-yield
          async function* () {
            return model;
          },
        ],
      ] as const)('answers with %s', async (_, sample) => {
        const { client } = await hosting({ sample: sample as Answers['sample'] & object });
        expect(dataOf(await client.callTool('ask', { kind: 'sample', name: fresh('way') }))).toEqual({ answer: model });
      });

      it('is told who asks (ELI-25)', async () => {
        const names: unknown[] = [];
        const { client } = await hosting({
          sample: (params, { server, signal }) => {
            names.push(server?.name, server?.version, signal.aborted, params);
            return model;
          },
        });
        await client.callTool('ask', { kind: 'sample', name: fresh('who') });
        expect(names).toEqual([
          'fixture',
          '1.2.3',
          false,
          { messages: [{ role: 'user', content: { type: 'text', text: 'How are you?' } }], maxTokens: 10 },
        ]);
      });

      it('and refuses its model fails the call, and nothing else (SAMP-17, BR-29)', async () => {
        const other = await hosting({ sample: () => Promise.reject(new Refused({ message: 'not my model' })) });
        const name = fresh('refused');
        const error = await errorOf(other.client.callTool('ask', { kind: 'sample', name }));
        if (modern) expect(error).toBeInstanceOf(Refused);
        else
          expect(error).toMatchObject({
            code: codes.internalError,
            data: { error: { code: -1, message: 'not my model' } },
          });
        expect(await diary(other, name)).toEqual(['ran']);
        inGoodOrder(other.wire);
      });

      it('and breaks fails the call; the server does not hear why', async () => {
        const { client, wire } = await hosting({ sample: () => Promise.reject(new Error('no route to /home/ada')) });
        const error = await errorOf(client.callTool('ask', { kind: 'sample', name: fresh('broken') }));
        expect(error).toBeInstanceOf(modern ? Error : RpcError);
        expect(JSON.stringify(wire.overheard)).not.toContain('/home');
        inGoodOrder(wire);
      });
    });
  });
};

export const refusing = (scene: Scene): void => {
  const { another, hosting, modern, needing, party } = scene;
  describe('a question that cannot be asked', () => {
    it.each(kindsAt(scene))(
      'because it was not declared fails with the capability: %s (CAP-09, CAP-10, BR-73)',
      async (kind) => {
        const other = party();
        const overheard = other.mark();
        const name = fresh('lacking');
        const [, capability] = wired[kind];
        const error = await errorOf(other.client.callTool('ask', { kind, name }));
        expect(error).toBeInstanceOf(RpcError);
        const [outer = '', inner] = capability.split('.');
        expect(error).toMatchObject({
          code: modern ? codes.missingClientCapability : codes.invalidRequest,
          message: expect.stringContaining(capability) as string,
          data: { requiredCapabilities: { [outer]: inner === undefined ? {} : { [inner]: {} } } },
        });
        expect(await diary(other, name)).toEqual(['ran']);
        expect(said(overheard(), 'in', wired[kind][0])).toEqual([]);
        inGoodOrder(other.wire);
      },
    );

    const missing = (['form', 'url'] as const).filter((kind) => !kindsAt(scene).includes(kind));
    if (missing.length > 0)
      it.each(missing)('because the revision has no word for it fails, whatever was declared: %s', async (kind) => {
        const shown = vi.fn(() => ({ action: 'cancel' }) as const);
        const other = await hosting({ form: shown, url: shown });
        const overheard = other.mark();
        const error = await errorOf(other.client.callTool('ask', { kind, name: fresh('early') }));
        expect(error).toMatchObject({
          code: codes.invalidRequest,
          message: expect.stringContaining(`elicitation.${kind}`) as string,
          data: { requiredCapabilities: { elicitation: { [kind]: {} } } },
        });
        expect(shown).not.toHaveBeenCalled();
        expect(said(overheard(), 'in', 'elicitation/create')).toEqual([]);
      });

    // A handshake for others declares what nobody here can answer.
    if (!modern)
      needing('asks', () => {
        it('although it was declared fails the call with what the client said', async () => {
          const other = await another({ relay: true });
          const error = await errorOf(other.client.callTool('ask', { kind: 'roots', name: fresh('undeclared') }));
          expect(error).toMatchObject({
            code: codes.internalError,
            data: { method: 'roots/list', error: { code: codes.methodNotFound } },
          });
          inGoodOrder(other.wire);
        });
      });
  });
};

export const withdrawing = ({ hosting, modern, needing }: Scene): void => {
  needing('asks', () => {
    describe('a call that is cancelled while its caller is asked', () => {
      /** A caller that thinks for ever, in each way; and what becomes of it. */
      const thinking = (ledger = createLedger()) => {
        const answers = {
          sample: (_: unknown, { signal }: Asker) => {
            ledger.signal('question', signal);
            ledger.note('asked');
            return NEVER.pipe(ledger.watch('answer'));
          },
        };
        return { ledger, answers };
      };

      it('withdraws the question, and no handler runs again (CAN-02)', async () => {
        const { ledger, answers } = thinking();
        const other = await hosting(answers);
        const name = fresh('withdrawn');
        const overheard = other.mark();
        const events: unknown[] = [];
        const call = other.client.call('ask', { kind: 'sample', name }).subscribe({
          next: (event) => events.push(event),
          error: (error: unknown) => events.push(error),
        });
        await ledger.noted('asked');
        call.unsubscribe();
        await ledger.noted('question aborted');
        await ledger.noted('answer unsubscribed');
        await other.client.callTool('echo', { text: 'after' });
        expect(await diary(other, name)).toEqual(['ran']);
        // The server takes back what it asked, where it was the one who did.
        const taken = said(overheard(), 'in', 'notifications/cancelled');
        const questions = said(overheard(), 'in', 'sampling/createMessage');
        expect(taken.map(({ params }) => object(params)['requestId'])).toEqual(questions.map(({ id }) => id));
        expect(questions).toHaveLength(modern ? 0 : 1);
        expect(said(overheard(), 'out', 'notifications/cancelled')).toHaveLength(modern ? 0 : 1);
        expect(events).toEqual([]);
        inGoodOrder(other.wire);
      });

      it('by a signal does so, too', async () => {
        const { ledger, answers } = thinking();
        const other = await hosting(answers);
        const name = fresh('aborted');
        const controller = new AbortController();
        const answer = other.client.callTool('ask', { kind: 'sample', name }, { signal: controller.signal });
        await ledger.noted('asked');
        controller.abort(new Error('enough'));
        await expect(answer).rejects.toThrow('enough');
        await ledger.noted('answer unsubscribed');
        expect(await diary(other, name)).toEqual(['ran']);
        inGoodOrder(other.wire);
      });

      it('leaves the others alone', async () => {
        const { ledger, answers } = thinking();
        const other = await hosting(answers);
        const call = other.client.call('ask', { kind: 'sample', name: fresh('one') }).subscribe();
        await ledger.noted('asked');
        const beside = other.client.call('ask', { kind: 'sample', name: fresh('two') }).subscribe();
        await vi.waitFor(() => expect(ledger.live).toMatchObject({ answer: 2 }));
        call.unsubscribe();
        await vi.waitFor(() => expect(ledger.live).toMatchObject({ answer: 1 }));
        beside.unsubscribe();
        await vi.waitFor(() => expect(ledger.live).not.toHaveProperty('answer'));
        inGoodOrder(other.wire);
      });
    });
  });
};
