/** What this demo is told on its command line. */
import { parseArgs } from 'node:util';

/** A flag that cannot be followed; its message names it. */
export class BadFlag extends Error {
  override readonly name = 'BadFlag';
}

/** The newest revision of each era. */
export type Era = '2025-11-25' | '2026-07-28';

export interface Flags {
  readonly help: boolean;
  /** Which revisions to speak, in this order. */
  readonly revisions: readonly Era[];
  /** What was given for fields of the form, by name, in the order in which it was given. */
  readonly answers: ReadonlyMap<string, readonly string[]>;
  /** How the form is left; undefined where it is filled in. */
  readonly leave: 'decline' | 'cancel' | undefined;
  /** Agrees to what needs consent, without being asked. */
  readonly yes: boolean;
  /** Whether the form is answered by flags. */
  readonly given: boolean;
}

export const usage = `Books a trip with a server that asks: over real requests (2025-11-25), and over rounds (2026-07-28).

  node --import tsx demos/questions/index.ts [flags]

  --era legacy|modern|both  which to show; default both, where the answers of the first serve for the second too
  --answer name=value       fills in a field of the form; repeatable. Several choices: with commas, or repeated
                            fields: name, flight, day, bags, window, extras, note
  --decline                 declines the form
  --cancel                  closes the form without an answer
  --yes                     agrees to visit the page to pay, and to have the model asked
  --help                    this

At a terminal and without --answer, --decline or --cancel, you are asked. Elsewhere, answers that are built in are taken
where there are no flags at all; with flags, the page is visited only with --yes.
`;

const eras = { legacy: ['2025-11-25'], modern: ['2026-07-28'], both: ['2025-11-25', '2026-07-28'] } as const;

const isEra = (name: string): name is keyof typeof eras => Object.hasOwn(eras, name);

/** @throws BadFlag naming the flag that is wrong */
export const flagsOf = (args: readonly string[]): Flags => {
  const { era, answer, decline, cancel, yes, help } = parsed(args);
  if (!isEra(era)) throw new BadFlag(`--era must be legacy, modern or both; got ${JSON.stringify(era)}`);
  if (decline && cancel) throw new BadFlag('--decline and --cancel cannot both be');
  if ((decline || cancel) && answer.length > 0)
    throw new BadFlag(`--answer fills in what ${decline ? '--decline' : '--cancel'} does not send`);
  const answers = new Map<string, readonly string[]>();
  for (const pair of answer) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (name === undefined || value === undefined)
      throw new BadFlag(`--answer takes name=value; got ${JSON.stringify(pair)}`);
    answers.set(name, [...(answers.get(name) ?? []), value]);
  }
  return {
    help,
    revisions: eras[era],
    answers,
    leave: decline ? 'decline' : cancel ? 'cancel' : undefined,
    yes,
    given: answers.size > 0 || decline || cancel,
  };
};

const parsed = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        era: { type: 'string', default: 'both' },
        answer: { type: 'string', multiple: true, default: [] },
        decline: { type: 'boolean', default: false },
        cancel: { type: 'boolean', default: false },
        yes: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    // The parser names the flag, and goes on about other things.
    throw new BadFlag(error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : String(error));
  }
};
