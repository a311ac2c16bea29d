/** The flags that a program was started with: by `parseArgs`, whose own errors would quote what may be a secret. */
import { parseArgs } from 'node:util';
import { quoted } from '../frame/errors.ts';
import type { Setting } from './settings-setting.ts';

/** Names the file of settings; no setting can have it. */
export const fileFlag = 'config';

export interface Flags {
  /** Where each setting was given, and the texts, in order. */
  readonly given: ReadonlyMap<Setting, { readonly where: string; readonly texts: readonly string[] }>;
  /** The file that the user named. */
  readonly file: string | undefined;
  /** Those whose flag is wrong. */
  readonly wrong: ReadonlySet<Setting>;
  readonly problems: readonly string[];
}

/** What a flag means; a text of its own where it takes none. */
interface Meaning {
  readonly setting?: Setting;
  readonly implied?: string;
  /** Takes no value, not even behind `=`. */
  readonly bare?: true;
}

/** What each flag means, by its name. */
export const meanings = (settings: readonly Setting[]): readonly (readonly [string, Meaning])[] => [
  ...settings.flatMap((setting): (readonly [string, Meaning])[] => [
    [setting.flag, { setting, ...(setting.isSwitch ? { implied: 'true' } : undefined) }],
    ...(setting.isSwitch ? [[`no-${setting.flag}`, { setting, implied: 'false', bare: true }] as const] : []),
  ]),
  [fileFlag, {}],
];

/** Never throws: what is wrong is told with all else that is. */
export const flagsOf = (args: readonly string[], settings: readonly Setting[]): Flags => {
  const known = new Map(meanings(settings));
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      [...known].map(([flag, { implied }]) => [flag, { type: implied === undefined ? 'string' : 'boolean' }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });

  const given = new Map<Setting, { where: string; texts: readonly string[] }>();
  const wrong = new Set<Setting>();
  const problems = new Set<string>();
  let file: string | undefined;
  let stray = false;
  for (const token of tokens) {
    stray ||= token.kind === 'positional';
    if (token.kind !== 'option') continue;
    const meaning = token.rawName.startsWith('--') ? known.get(token.name) : undefined;
    if (meaning === undefined) {
      problems.add(`unknown flag ${quoted(token.rawName)}: known are ${[...known.keys()].map(dashed).join(', ')}`);
      continue;
    }
    const { setting, implied, bare } = meaning;
    const where = `flag ${dashed(token.name)}`;
    // What follows a flag may be the next one: a value that begins like one has to stand behind `=`.
    const missing = token.value === undefined || (!token.inlineValue && token.value.startsWith('--'));
    const text = missing ? implied : token.value;
    if (text === undefined || (bare && !missing)) {
      problems.add(`${setting?.name ?? fileFlag}: ${bare ? 'takes no' : 'needs a'} value (${where})`);
      if (setting !== undefined) wrong.add(setting);
    } else if (setting === undefined) file = text;
    else given.set(setting, { where, texts: [...(given.get(setting)?.texts ?? []), text] });
  }
  // It may be the value of a flag that was misspelt, so it is not quoted; and if there is one, that one is the mistake.
  if (stray && problems.size === 0) problems.add('an argument belongs to no flag: settings are given as --name value');
  return { given, file, wrong, problems: [...problems] };
};

export const dashed = (flag: string): string => `--${flag}`;
