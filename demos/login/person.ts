/** Who logs in: somebody at this machine's browser, or Ada, who needs none. */
import { say } from '../story/tell.ts';
import { visit } from './provider-visitor.ts';

/** Somebody who is shown where to log in. */
export interface Person {
  /** Resolves when they have been there, or know where to go. */
  readonly show: (url: string) => Promise<void>;
  /** From now on, they allow nothing. */
  readonly sulk: () => void;
}

/** Logs in over plain HTTP, as a browser would. */
export const ada = (): Person => {
  let answer: 'allow' | 'refuse' = 'allow';
  return {
    show: async (url) => {
      const back = await visit(new URL(url), { name: 'Ada', answer });
      say(answer === 'allow' ? 'Ada logs in there, and allows it.' : 'Ada logs in there, and refuses.');
      await fetch(back).then((page) => page.text());
    },
    sulk: () => {
      answer = 'refuse';
    },
  };
};

/** Is told where to go, and goes there by themselves. */
export const somebody = (): Person => ({
  show: async (url) => say(`Please open this page, and log in under any name:\n\n${url}\n`),
  sulk: () => say('Now refuse, please.'),
});
