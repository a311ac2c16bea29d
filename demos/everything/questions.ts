/** Tools that ask once: a real request of the server up to 2025-11-25, another round of the call since. */
import { elicit, sample, Schema, tool, type Elicited } from 'rxmcp';
import { Choices, Confirmation, Defaults, Response } from './forms.ts';
import { modelText } from './model-text.ts';

const Prompt = Schema.Struct({ prompt: Schema.String });
const Message = Schema.Struct({ message: Schema.String });

/** What became of a form, in words. */
const outcome = (answer: Elicited<unknown>): string =>
  `action=${answer.action}, content=${JSON.stringify(answer.action === 'accept' ? answer.content : {})}`;

export const questions = [
  tool('test_sampling', { description: "Asks the client's model.", input: Prompt }, ({ prompt }, call) => {
    const { content } = call.ask('answer', sample({ messages: prompt, maxTokens: 100 }));
    return `LLM response: ${modelText(content)}`;
  }),
  tool(
    'test_elicitation',
    { description: 'Asks the user for a response.', input: Message },
    ({ message }, call) => `User response: ${outcome(call.ask('response', elicit(Response, message)))}`,
  ),
  tool(
    'test_elicitation_sep1034_defaults',
    { description: 'Asks the user with a form that is filled in already.' },
    (_, call) => {
      const answer = call.ask('defaults', elicit(Defaults, 'Is this right? Change what is not.'));
      return `Elicitation completed: ${outcome(answer)}`;
    },
  ),
  tool('test_elicitation_sep1330_enums', { description: 'Asks the user to choose.' }, (_, call) => {
    const answer = call.ask('choices', elicit(Choices, 'What would you like?'));
    return `Elicitation completed: ${outcome(answer)}`;
  }),
  tool('test_missing_capability', { description: 'Cannot work without a model of the client.' }, (_, call) => {
    const { content } = call.ask('answer', sample({ messages: 'Say something.', maxTokens: 50 }));
    return `The model said: ${modelText(content)}`;
  }),
  tool('test_streaming_elicitation', { description: 'Tells how far it is, then asks the user.' }, (_, call) => {
    call.progress(50, 100);
    const { action } = call.ask('confirm', elicit(Confirmation, 'Shall this go on?'));
    call.progress(100, 100);
    return `The user has answered: ${action}`;
  }),
] as const;
