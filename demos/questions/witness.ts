/** What the user of a client goes through: questions and their answers, news, the end. */
import type { CallEvent } from 'rxmcp';
import type { User } from './user.ts';

export type Event = readonly [
  kind: 'progress' | 'asked' | 'answered' | 'result' | 'failed',
  ...what: readonly unknown[],
];

export type Happens = (event: Event) => void;

/** The same user, whose questions and answers are written down. */
export const witnessed = (user: User, happens: Happens): User => {
  const written = async <A>(kind: string, question: object, ask: () => Promise<A>): Promise<A> => {
    happens(['asked', kind, question]);
    try {
      const answer = await ask();
      happens(['answered', kind, answer]);
      return answer;
    } catch (error) {
      happens(['answered', kind, 'refused']);
      throw error;
    }
  };
  return {
    form: (question, asker) => {
      const { message, schema } = question;
      return written('form', { server: asker.server?.name, message, schema }, () => user.form(question, asker));
    },
    url: (question, asker) => {
      const { message, url } = question;
      return written('page', { server: asker.server?.name, message, url }, () => user.url(question, asker));
    },
    sample: (params, asker) => written('model', params.messages, () => user.sample(params, asker)),
  };
};

/** The same user, who is not asked twice: what they have said to a question is their answer when it comes again. */
export const remembering = (user: User): User => {
  const memory = new Map<string, Promise<unknown>>();
  const once = <A>(question: unknown, ask: () => Promise<A>): Promise<A> => {
    const key = JSON.stringify(question);
    const answer = (memory.get(key) as Promise<A> | undefined) ?? ask();
    memory.set(key, answer);
    return answer;
  };
  return {
    form: (question, asker) => once(question, () => user.form(question, asker)),
    url: (question, asker) => once(question, () => user.url(question, asker)),
    sample: (params, asker) => once(params.messages, () => user.sample(params, asker)),
  };
};

/** What a call emits, in the words of its user. */
export const news = (
  event: CallEvent<{ readonly structuredContent?: unknown; readonly content: unknown }>,
  happens: Happens,
): void => {
  if (event.kind === 'progress') happens(['progress', event.progress, event.total, event.message]);
  if (event.kind === 'result') happens(['result', event.result.structuredContent ?? event.result.content]);
};
