/**
 * A form at a terminal: field by field, then once more as a whole before it is sent. Nothing but this file and those beside
 * it is needed to give any client forms.
 *
 *     connect(server, { answers: { form: (question, asker) => fillIn(at, question, asker) } })
 */
import { choicesOf, type Asker, type FormAnswered, type FormQuestion } from 'rxmcp';
import { paint } from '../story/paint.ts';
import { read, ruleOf, shownAs, type Content, type Field, type Value } from './field.ts';
import { plain, plainLines } from './plain.ts';
import type { Terminal } from './terminal.ts';

/** The user would rather not; thrown from wherever they said so. */
export class Left extends Error {
  readonly action: 'decline' | 'cancel';

  constructor(action: 'decline' | 'cancel') {
    super(action);
    this.action = action;
  }
}

/** Who asks, and what; in a column of its own, so that no text of the server passes for one of ours (ELI-25). */
export const heading = (at: Terminal, message: string, { server }: Asker): void => {
  const who =
    server === undefined
      ? 'A server that gives no name'
      : `The server ${paint.strong(`“${plain(server.title ?? server.name)}”`)}`;
  at.print(`\n   ${who} asks:`);
  for (const line of plainLines(message)) at.print(`   ${paint.name('┃')} ${paint.strong(line)}`);
};

/** @throws Left for `!decline`, `!cancel`, Ctrl-C, the end of the input, and where the question is withdrawn */
export const answerTo = async (at: Terminal, prompt: string, { signal }: Asker): Promise<string> => {
  const line = (await at.ask(`   ${prompt} `, signal))?.trim();
  if (line === undefined || line === '!cancel') throw new Left('cancel');
  if (line === '!decline') throw new Left('decline');
  return line;
};

/** Runs to an answer, or to the user's leaving. */
export const unlessLeft = async <A>(work: () => Promise<A>): Promise<A | { readonly action: 'decline' | 'cancel' }> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Left) return { action: error.action };
    throw error;
  }
};

/**
 * Has somebody fill in a form.
 *
 * Enter takes what is in brackets; an empty answer to a field that may be left out leaves it out. What does not fit is said,
 * and asked again.
 *
 * @param at - where they sit
 * @returns what they filled in and looked over, or that they declined or cancelled
 */
export const fillIn = (at: Terminal, question: FormQuestion, asker: Asker): Promise<FormAnswered> =>
  unlessLeft(async () => {
    heading(at, question.message, asker);
    at.print(paint.quiet('   !decline says no, !cancel or Ctrl-C closes the form; nothing is sent before you say so.'));
    let content: Content = question.defaults;
    do content = await fields(at, question, content, asker);
    while (!(await agreed(at, question, content, asker)));
    return { action: 'accept', content };
  });

/** @param before - what the fields begin with */
const fields = async (at: Terminal, question: FormQuestion, before: Content, asker: Asker): Promise<Content> => {
  // A server chooses the names: in a map, none of them means anything.
  const [content, presets] = [new Map<string, Value>(), new Map(Object.entries(before))];
  const { properties, required = [] } = question.schema;
  for (const [name, field] of Object.entries(properties)) {
    const [needed, preset] = [required.includes(name), presets.get(name)];
    describe(at, name, field, needed || preset !== undefined);
    const shown = preset === undefined ? '' : paint.quiet(` [${plain(shownAs(field, preset))}]`);
    for (;;) {
      const text = await answerTo(at, `${paint.name(plain(name))}${shown}:`, asker);
      const value = text === '' ? preset : read(field, text, true);
      const problem =
        value === undefined
          ? needed && `${name} is needed`
          : wrong(question, Object.fromEntries([...content, [name, value]]));
      if (typeof problem === 'string') {
        at.print(`   ${paint.bad(`✗ ${plain(problem)}`)}`);
        continue;
      }
      if (value !== undefined) content.set(name, value);
      break;
    }
  }
  return Object.fromEntries(content);
};

/** What is wrong with the fields so far; not that later ones are missing, which nobody has been asked for. */
const wrong = ({ problem }: FormQuestion, content: Content): string | undefined => {
  const own = problem(content)
    ?.split('; ')
    .filter((part) => !part.endsWith(' is missing') && part !== 'and more');
  return own === undefined || own.length === 0 ? undefined : own.join('; ');
};

/** @param filled - whether there will be an answer in any case */
const describe = (at: Terminal, name: string, field: Field, filled: boolean): void => {
  const { title = name, description } = field;
  const about = description === undefined ? '' : ` ${paint.quiet('·')} ${plain(description)}`;
  at.print(
    `\n   ${paint.strong(plain(title))}${about} ${paint.quiet(`(${ruleOf(field)}${filled ? '' : '; may be left out'})`)}`,
  );
  for (const [index, choice] of (choicesOf(field) ?? []).entries())
    at.print(`     ${paint.name(`${index + 1})`)} ${plain(choice.title)}`);
};

/** Shows all of it again (ELI-25). */
const agreed = async (at: Terminal, { schema }: FormQuestion, content: Content, asker: Asker): Promise<boolean> => {
  at.print();
  const given = new Map(Object.entries(content));
  for (const [name, field] of Object.entries(schema.properties)) {
    const value = given.get(name);
    at.print(
      `   ${plain(field.title ?? name)}: ${value === undefined ? paint.quiet('left out') : plain(shownAs(field, value))}`,
    );
  }
  for (;;) {
    const said = await answerTo(at, 'Send this? [Y]es, or [e]dit:', asker);
    if (/^(?:|y|yes)$/i.test(said)) return true;
    if (/^(?:e|edit)$/i.test(said)) return false;
  }
};
