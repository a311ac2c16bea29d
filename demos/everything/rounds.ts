/** Tools, and a prompt, that need several rounds: what they ask, under which keys, and what they make of the answers. */
import { elicit, listRoots, prompt, sample, tool, type Call, type Elicited } from 'rxmcp';
import { Color, Confirmation, Context, Name, Value } from './forms.ts';
import { modelText } from './model-text.ts';

const whatName = elicit(Name, 'What is your name?');
const confirm = elicit(Confirmation, 'Please confirm');

const nameIn = (answer: Elicited<{ readonly name: string }>): string =>
  answer.action === 'accept' ? answer.content.name : 'whoever you are';

/** What can be asked of this caller at all. */
const askable = (call: Call) => ({
  ...(call.can('elicitation.form') ? { elicit_input: elicit(Value, 'Which value?') } : undefined),
  ...(call.can('sampling') ? { sample_input: sample({ messages: 'Say something.', maxTokens: 50 }) } : undefined),
});

export const rounds = [
  tool(
    'test_input_required_result_elicitation',
    { description: "Asks for the user's name." },
    (_, call) => `Hello, ${nameIn(call.ask('user_name', whatName))}!`,
  ),
  tool('test_input_required_result_sampling', { description: 'Asks the model about a capital.' }, (_, call) => {
    const question = sample({ messages: 'What is the capital of France?', maxTokens: 100 });
    return modelText(call.ask('capital_question', question).content);
  }),
  tool('test_input_required_result_list_roots', { description: 'Asks for the directories to work in.' }, (_, call) => {
    const roots = call.ask('client_roots', listRoots());
    return `Roots: ${roots.map(({ uri }) => uri).join(', ') || 'none'}`;
  }),
  tool(
    'test_input_required_result_request_state',
    { description: 'Asks for a confirmation, and still knows afterwards what it did before.' },
    async (_, call) => {
      const before = await call.step('ticket', () => crypto.randomUUID());
      const { action } = call.ask('confirm', confirm);
      return `state-ok: ${action}, ticket ${before}`;
    },
  ),
  tool('test_input_required_result_multiple_inputs', { description: 'Asks three things at once.' }, (_, call) => {
    const { user_name, greeting, client_roots } = call.askAll({
      user_name: whatName,
      greeting: sample({ messages: 'Generate a greeting', maxTokens: 50 }),
      client_roots: listRoots(),
    });
    return `${modelText(greeting.content)} ${nameIn(user_name)}, you have ${client_roots.length} roots.`;
  }),
  tool('test_input_required_result_multi_round', { description: 'Asks, and asks again.' }, (_, call) => {
    const name = nameIn(call.ask('step1', elicit(Name, 'Step 1: What is your name?')));
    const second = call.ask('step2', elicit(Color, 'Step 2: What is your favorite color?'));
    return `${name} likes ${second.action === 'accept' ? second.content.color : 'no color'}.`;
  }),
  tool(
    'test_input_required_result_tampered_state',
    { description: 'Asks for a confirmation, and takes no state that is not its own.' },
    (_, call) => `integrity-ok: ${call.ask('confirm', confirm).action}`,
  ),
  tool('test_input_required_result_capabilities', { description: 'Asks what the client can answer.' }, (_, call) => {
    const answers = call.askAll(askable(call));
    return `capabilities-ok: ${Object.keys(answers).join(', ') || 'nothing could be asked'}`;
  }),
  prompt(
    'test_input_required_result_prompt',
    { description: 'Asks the user for a context before it is written.' },
    (_, call) => {
      const answer = call.ask('user_context', elicit(Context, 'What context should the prompt use?'));
      return `The context is ${answer.action === 'accept' ? answer.content.context : 'unknown'}.`;
    },
  ),
] as const;
