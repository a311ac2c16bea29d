/** What the probe answers when a server asks it: always the same, so that scripts can look for it. */
import type { Answers } from 'rxmcp';

const known: Readonly<Record<string, string>> = { response: 'Ada', name: 'Ada' };

export const answers: Answers = {
  sample: () => ({
    role: 'assistant',
    model: 'probe',
    content: { type: 'text', text: 'pong-from-client' },
    stopReason: 'endTurn',
  }),
  // Of what it knows, what the form asks for: nobody is told more. What that does not fill in, it cannot.
  form: ({ schema, problem }) => {
    const content = Object.fromEntries(
      Object.entries(known).filter(([field]) => Object.hasOwn(schema.properties, field)),
    );
    return problem(content) === undefined ? { action: 'accept', content } : { action: 'decline' };
  },
  roots: [],
};
