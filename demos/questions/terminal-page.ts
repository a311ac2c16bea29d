/** Consent at a terminal: to visit a page, and to have one's model asked. Nothing is opened here, and nothing is fetched. */
import type { Asker, UrlAnswered, UrlQuestion } from 'rxmcp';
import { paint } from '../story/paint.ts';
import { plain } from './plain.ts';
import { answerTo, heading, unlessLeft } from './terminal-form.ts';
import type { Terminal } from './terminal.ts';

/** What is to be said about an address before somebody goes there (ELI-36). */
export const warningsOf = ({ url, host }: UrlQuestion): readonly string[] => {
  const { protocol, username } = new URL(url);
  return [
    ...(host.split('.').some((label) => label.startsWith('xn--'))
      ? [`${host} is written in letters of other alphabets: it may only look like a name that you know`]
      : []),
    ...(protocol === 'http:' ? ['what you type there can be read on the way: it is http, not https'] : []),
    ...(username === '' ? [] : [`what stands before the @ is no part of where it leads, which is ${host}`]),
  ];
};

/**
 * Shows where a page is, whole, and asks whether the user agrees to go there (ELI-34, ELI-35).
 *
 * @param agrees - whether they have said so before; then it is only shown
 */
export const agreeToVisit = (at: Terminal, question: UrlQuestion, asker: Asker, agrees = false): Promise<UrlAnswered> =>
  unlessLeft<UrlAnswered>(async () => {
    heading(at, question.message, asker);
    at.print(`   on the host ${paint.strong(plain(question.host))}, at`);
    at.print(`   ${plain(question.url)}`);
    for (const warning of warningsOf(question)) at.print(`   ${paint.bad(`! ${plain(warning)}`)}`);
    if (agrees) return { action: 'accept' };
    at.print(paint.quiet('   Nothing is opened for you. Go there yourself, if you agree.'));
    return { action: (await yes(at, 'Do you agree?', false, asker)) ? 'accept' : 'decline' };
  });

/** @param preset - what Enter says */
export const yes = async (at: Terminal, question: string, preset: boolean, asker: Asker): Promise<boolean> => {
  for (;;) {
    const said = await answerTo(at, `${question} [${preset ? 'Y/n' : 'y/N'}]`, asker);
    if (said === '') return preset;
    if (/^(?:y|yes)$/i.test(said)) return true;
    if (/^(?:n|no)$/i.test(said)) return false;
  }
};
