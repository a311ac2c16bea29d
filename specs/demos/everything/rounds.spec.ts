/** The tools of the `everything` server that need several rounds, as a 2026-07-28 client sees each of them. */
import { inMemory, InputRequired, open, type Answers, type CallOptions, type OpenClient } from 'rxmcp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { everything } from '../../../demos/everything/everything.ts';
import { answering } from './answering.ts';

const guest = async (answers: Answers = answering().answers): Promise<OpenClient> => {
  const client = await open(inMemory(everything()), { revisions: ['2026-07-28'], answers });
  onTestFinished(() => client.close());
  return client;
};

type Again = NonNullable<CallOptions['again']>;
type InputResponses = NonNullable<Again['inputResponses']>;

/** What one round of a call ends with: what it is that is asked for, or the result. */
const round = (client: OpenClient, name: string, again: Again = {}): Promise<unknown> =>
  client.callTool(`test_input_required_result_${name}`, {}, { rounds: 0, again }).catch((error: unknown) => error);

const asks = async (asked: Promise<unknown>): Promise<InputRequired> => {
  const outcome = await asked;
  if (outcome instanceof InputRequired) return outcome;
  throw new Error(`nothing was asked: ${JSON.stringify(outcome)}`);
};

const accept = (content: Record<string, string | boolean>) => ({ action: 'accept', content }) as const;
const says = (text: unknown) => ({ resultType: 'complete', content: [{ type: 'text', text }] });

const form = (message: string, name: string, type = 'string') => ({
  method: 'elicitation/create',
  params: {
    mode: 'form',
    message,
    requestedSchema: { type: 'object', properties: { [name]: { type } }, required: [name] },
  },
});
const model = (text: string, maxTokens: number) => ({
  method: 'sampling/createMessage',
  params: { messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens },
});
const answered = {
  role: 'assistant',
  model: 'none',
  content: { type: 'text', text: 'Paris' },
} as const satisfies InputResponses[string];

const inOneRound: readonly (readonly [string, Record<string, unknown>, InputResponses, unknown])[] = [
  [
    'elicitation',
    { user_name: form('What is your name?', 'name') },
    { user_name: accept({ name: 'Ada' }) },
    'Hello, Ada!',
  ],
  [
    'sampling',
    { capital_question: model('What is the capital of France?', 100) },
    { capital_question: answered },
    'Paris',
  ],
  [
    'list_roots',
    { client_roots: { method: 'roots/list' } },
    { client_roots: { roots: [{ uri: 'file:///test/root', name: 'Test Root' }] } },
    'Roots: file:///test/root',
  ],
  [
    'request_state',
    { confirm: form('Please confirm', 'ok', 'boolean') },
    { confirm: accept({ ok: true }) },
    /state-ok/,
  ],
  [
    'tampered_state',
    { confirm: form('Please confirm', 'ok', 'boolean') },
    { confirm: accept({ ok: true }) },
    /integrity-ok/,
  ],
  [
    'multiple_inputs',
    {
      user_name: form('What is your name?', 'name'),
      greeting: model('Generate a greeting', 50),
      client_roots: { method: 'roots/list' },
    },
    { user_name: accept({ name: 'Ada' }), greeting: answered, client_roots: { roots: [] } },
    'Paris Ada, you have 0 roots.',
  ],
];

describe('the tools of the everything server that need several rounds', () => {
  it.each(inOneRound)(
    '%s asks, and answers once it has been answered',
    async (name, questions, inputResponses, text) => {
      const client = await guest();
      const { inputRequests, requestState = '' } = await asks(round(client, name));
      expect(inputRequests).toEqual(questions);
      expect(requestState).not.toBe('');
      expect(await round(client, name, { inputResponses, requestState })).toMatchObject(
        says(text instanceof RegExp ? expect.stringMatching(text) : text),
      );
    },
  );

  it('asks for a prompt in the same way', async () => {
    const client = await guest();
    const name = 'test_input_required_result_prompt';
    const { inputRequests, requestState = '' } = await asks(
      client.getPrompt(name, {}, { rounds: 0 }).catch((error: unknown) => error),
    );
    expect(inputRequests).toEqual({ user_context: form('What context should the prompt use?', 'context') });
    const again = { inputResponses: { user_context: accept({ context: 'here' }) }, requestState };
    expect((await client.getPrompt(name, {}, { rounds: 0, again })).messages).toHaveLength(1);
  });

  it('asks again, with another state, and remembers the first answer', async () => {
    const client = await guest();
    const first = await asks(round(client, 'multi_round'));
    expect(first.inputRequests).toEqual({ step1: form('Step 1: What is your name?', 'name') });
    const second = await asks(
      round(client, 'multi_round', {
        inputResponses: { step1: accept({ name: 'Ada' }) },
        requestState: first.requestState ?? '',
      }),
    );
    expect(second.inputRequests).toEqual({ step2: form('Step 2: What is your favorite color?', 'color') });
    expect(second.requestState).not.toBe(first.requestState);
    const again = { inputResponses: { step2: accept({ color: 'blue' }) }, requestState: second.requestState ?? '' };
    expect(await round(client, 'multi_round', again)).toMatchObject(says('Ada likes blue.'));
  });

  it('asks once more where the answer is missing (MRTR-15), and overlooks what nobody asked for (MRTR-14)', async () => {
    const client = await guest();
    const stray = { stray: accept({ data: 'x' }) };
    const { inputRequests } = await asks(round(client, 'elicitation', { inputResponses: stray }));
    expect(inputRequests).toHaveProperty('user_name');
    expect(
      await round(client, 'elicitation', { inputResponses: { ...stray, user_name: accept({ name: 'Ada' }) } }),
    ).toMatchObject(says('Hello, Ada!'));
  });

  it.each([
    ['a number', 12345],
    ['no result of a form', { roots: [] }],
    ['a form without its field', accept({})],
  ])('takes no answer that is %s (MRTR-13)', async (_, wrong) => {
    const client = await guest();
    // What a careless client may send.
    const inputResponses = { user_name: wrong } as unknown as InputResponses;
    expect(await round(client, 'elicitation', { inputResponses })).toMatchObject({ _tag: 'RpcError', code: -32602 });
  });

  it('takes no state that was changed, or is of another tool (MRTR-10, MRTR-11)', async () => {
    const client = await guest();
    const { requestState = '' } = await asks(round(client, 'tampered_state'));
    const inputResponses = { confirm: accept({ ok: true }) };
    for (const [name, state] of [
      ['tampered_state', `${requestState}-TAMPERED`],
      ['tampered_state', `A${requestState}`],
      ['request_state', requestState],
    ] as const)
      expect(await round(client, name, { inputResponses, requestState: state })).toMatchObject({ code: -32602 });
    expect(await round(client, 'tampered_state', { inputResponses, requestState })).toMatchObject(
      says(expect.stringContaining('integrity-ok')),
    );
  });

  it('asks only what the client declares, and says what is missing (CAP-09, CAP-10)', async () => {
    const { form: fill = () => ({ action: 'decline' }), sample = () => answered } = answering().answers;
    for (const [answers, keys] of [
      [{ sample }, ['sample_input']],
      [{ form: fill }, ['elicit_input']],
      [{ form: fill, sample }, ['elicit_input', 'sample_input']],
    ] as const) {
      const { inputRequests = {} } = await asks(round(await guest(answers), 'capabilities'));
      expect(Object.keys(inputRequests)).toEqual(keys);
    }
    const client = await guest({});
    expect(await round(client, 'capabilities')).toMatchObject(says('capabilities-ok: nothing could be asked'));
    await expect(client.callTool('test_missing_capability')).rejects.toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { sampling: {} } },
    });
  });

  it('takes no for an answer', async () => {
    const client = await guest({ form: () => ({ action: 'decline' }) });
    const text = async (name: string) => (await client.callTool(name)).content;
    expect(await text('test_elicitation_sep1034_defaults')).toMatchObject([
      { text: 'Elicitation completed: action=decline, content={}' },
    ]);
    expect(await text('test_input_required_result_elicitation')).toMatchObject([{ text: 'Hello, whoever you are!' }]);
    expect(await text('test_input_required_result_multi_round')).toMatchObject([
      { text: 'whoever you are likes no color.' },
    ]);
  });
});
