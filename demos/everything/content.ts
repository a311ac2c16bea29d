/** Tools that answer with content of every kind, and one that fails. */
import { tool } from 'rxmcp';
import { png, wav } from './samples.ts';

const image = { type: 'image', data: png, mimeType: 'image/png' } as const;

export const content = [
  tool('test_simple_text', { description: 'Answers with text.' }, () => 'This is a simple text response for testing.'),
  tool('test_image_content', { description: 'Answers with a picture.' }, () => image),
  tool('test_audio_content', { description: 'Answers with a sound.' }, () => ({
    type: 'audio',
    data: wav,
    mimeType: 'audio/wav',
  })),
  tool('test_embedded_resource', { description: 'Answers with a resource that it carries along.' }, () => ({
    type: 'resource',
    resource: {
      uri: 'test://embedded-resource',
      mimeType: 'text/plain',
      text: 'This is an embedded resource content.',
    },
  })),
  tool(
    'test_multiple_content_types',
    { description: 'Answers with text, a picture and a resource.' },
    () =>
      [
        { type: 'text', text: 'Multiple content types test:' },
        image,
        {
          type: 'resource',
          resource: {
            uri: 'test://mixed-content-resource',
            mimeType: 'application/json',
            text: JSON.stringify({ test: 'data', value: 123 }),
          },
        },
      ] as const,
  ),
  tool('test_error_handling', { description: 'Fails.' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  }),
] as const;
