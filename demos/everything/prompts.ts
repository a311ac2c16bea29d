/** The prompts: plain, with arguments, with a resource, with a picture. */
import { prompt } from 'rxmcp';
import { png } from './samples.ts';

const places = ['paris', 'park', 'party'];
const beginning = (typed: string) => places.filter((place) => place.startsWith(typed));

export const allPrompts = [
  prompt(
    'test_simple_prompt',
    { description: 'Text, and nothing to fill in.' },
    () => 'This is a simple prompt for testing.',
  ),
  prompt(
    'test_prompt_with_arguments',
    {
      description: 'Text with two arguments in it.',
      arguments: {
        arg1: { description: 'The first argument', complete: beginning },
        arg2: { description: 'The second argument', complete: beginning },
      },
    },
    ({ arg1, arg2 }) => `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`,
  ),
  prompt(
    'test_prompt_with_embedded_resource',
    { description: 'Carries a resource along.', arguments: { resourceUri: 'The URI that the resource is to have' } },
    ({ resourceUri }) => [
      {
        role: 'user',
        content: {
          type: 'resource',
          resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
        },
      },
      { role: 'user', content: { type: 'text', text: 'Please process the embedded resource above.' } },
    ],
  ),
  prompt('test_prompt_with_image', { description: 'Carries a picture along.' }, () => [
    { role: 'user', content: { type: 'image', data: png, mimeType: 'image/png' } },
    { role: 'user', content: { type: 'text', text: 'Please analyze the image above.' } },
  ]),
] as const;
