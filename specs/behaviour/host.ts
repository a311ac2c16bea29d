/** A client's side that declares everything, and answers as each spec wants it to. */
import type { Answers } from '../../lib/index.ts';

export const root = { uri: 'file:///work', name: 'Work' };
export const model = {
  role: 'assistant',
  model: 'm',
  content: { type: 'text', text: 'Fine' },
  stopReason: 'endTurn',
} as const;
export const ada = { name: 'Ada', age: 36 };

type Willing = Required<Pick<Answers, 'form' | 'url' | 'sample'>>;

/** Says yes to everything. */
const willing: Willing = {
  form: ({ message }) => ({ action: 'accept', content: message.startsWith('Sure') ? { sure: true } : ada }),
  url: () => ({ action: 'accept' }),
  sample: () => model,
};

export interface Host {
  readonly answers: Answers;
  /** What differs from saying yes, from now on. */
  readonly play: (answers: Partial<Willing>) => void;
}

export const createHost = (): Host => {
  let now = willing;
  return {
    answers: {
      form: (question, asker) => now.form(question, asker),
      url: (question, asker) => now.url(question, asker),
      sample: (params, asker) => now.sample(params, asker),
      sampling: { tools: true, context: true },
      roots: [root],
    },
    play: (answers) => {
      now = { ...willing, ...answers };
    },
  };
};
