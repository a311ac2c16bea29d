/** The user of the client, and their model: a person at a terminal, or somebody who does as flags say. */
import {
  Refused,
  type Answers,
  type Asker,
  type FormAnswered,
  type FormQuestion,
  type UrlAnswered,
  type UrlQuestion,
} from 'rxmcp';
import { modelText } from '../everything/model-text.ts';
import { read, type Content } from './field.ts';
import { BadFlag, type Flags } from './flags.ts';
import { fillIn, heading } from './terminal-form.ts';
import { agreeToVisit, yes } from './terminal-page.ts';
import type { Terminal } from './terminal.ts';

type Asked = Parameters<NonNullable<Answers['sample']>>[0];
type Said = ReturnType<typeof model>;

/** What a client lets its servers ask; each in time, and as `answers` of `connect` take it. */
export interface User {
  readonly form: (question: FormQuestion, asker: Asker) => Promise<FormAnswered>;
  readonly url: (question: UrlQuestion, asker: Asker) => Promise<UrlAnswered>;
  /** Throws `Refused` where the user would not have it asked. */
  readonly sample: (params: Asked, asker: Asker) => Promise<Said>;
}

/** What is taken where nobody is there and nothing is given. The rest is as the form suggests. */
export const example: ReadonlyMap<string, readonly string[]> = new Map([
  ['name', ['Ada Lovelace']],
  ['day', ['2026-12-10']],
  ['extras', ['vegan', 'quiet']],
]);

const textIn = (messages: Asked['messages']): string => messages.map(({ content }) => modelText(content)).join('\n');

/** There is no model here: it says again what it was to say. */
const model = ({ messages }: Asked) =>
  ({
    role: 'assistant',
    model: 'pretended',
    stopReason: 'endTurn',
    content: { type: 'text', text: textIn(messages).replace(/^[^:]*: /, '') },
  }) as const;

/** Whoever is not there cannot be told what is wrong, and asked again: it is kept for the end. */
export interface Scripted extends User {
  /** What makes a flag one that cannot be followed; undefined where all is well. */
  readonly bad: () => BadFlag | undefined;
}

/** @param flags - what is not given takes the form's defaults */
export const scripted = ({ answers, leave, yes: agrees, given }: Flags): Scripted => {
  let bad: BadFlag | undefined;
  const form = async ({ schema, problem }: FormQuestion): Promise<FormAnswered> => {
    if (leave !== undefined) return { action: leave };
    const content = contentOf(schema, given ? answers : example);
    const wrong = problem(content);
    if (wrong === undefined) return { action: 'accept', content };
    bad = new BadFlag(`--answer does not fit the form: ${wrong}`);
    return { action: 'cancel' };
  };
  return {
    form,
    url: async () => ({ action: agrees || !given ? 'accept' : 'decline' }),
    sample: async (params) => model(params),
    bad: () => bad,
  };
};

/** The fields by name, each read as the form says; what the form does not have stays text, for the form to refuse. */
const contentOf = (schema: FormQuestion['schema'], given: ReadonlyMap<string, readonly string[]>): Content => {
  const fields = new Map(Object.entries(schema.properties));
  return Object.fromEntries(
    [...given].map(([name, texts]) => {
      const field = fields.get(name);
      const last = texts.at(-1) ?? '';
      return [name, field === undefined ? last : read(field, field.type === 'array' ? texts.join() : last, false)];
    }),
  );
};

/** @param agrees - consents without being asked; forms are asked all the same */
export const seated = (at: Terminal, agrees: boolean): User => ({
  form: (question, asker) => fillIn(at, question, asker),
  url: (question, asker) => agreeToVisit(at, question, asker, agrees),
  sample: async (params, asker) => {
    if (!agrees && !(await mayAsk(at, textIn(params.messages), asker)))
      throw new Refused({ message: 'the user would not have the model asked' });
    return model(params);
  },
});

/** A person looks at what goes to their model before it does. */
const mayAsk = (at: Terminal, text: string, asker: Asker): Promise<boolean> => {
  heading(at, text, asker);
  return yes(at, 'This is for your model. May it be asked?', true, asker);
};
