/** Puts the sources of settings together: flags before environment before file, and all that is wrong at once. */
import { inspect } from 'node:util';
import { Misconfigured, quoted } from '../frame/errors.ts';
import type { JsonObject } from '../frame/frame.ts';
import type { Environment } from './environment.ts';
import { contentOf, type Look } from './settings-file.ts';
import { dashed, fileFlag, type Flags } from './settings-flags.ts';
import type { Setting } from './settings-setting.ts';
import { readingOf } from './settings-written.ts';

/** Where settings come from at one moment. */
export interface Sources {
  readonly flags: Flags;
  readonly environment: Environment;
  readonly file: { readonly path: string; readonly seen: Look } | undefined;
}

/** What was read, and what tells it from what was read at another moment. */
export interface Read {
  /** Shows itself as text, with sources and without secrets. */
  readonly settings: JsonObject;
  readonly fingerprint: readonly unknown[];
}

interface Given {
  readonly where: string;
  readonly value: unknown;
}

/** @throws {@link Misconfigured} naming all that is wrong, each with its name, its source and the rule */
export const readAll = (declared: readonly Setting[], { flags, environment, file }: Sources): Read => {
  const held = file === undefined ? undefined : contentOf(file.seen, flags.file !== undefined);
  const content = held?.ok === true ? held.content : {};
  const where = `file ${file?.path}`;
  const problems = [...flags.problems];
  if (held?.ok === false) problems.push(`${where}: ${held.problem}`);
  const names = declared.map(({ name }) => name);
  for (const name of Object.keys(content))
    if (!names.includes(name) && name !== '$schema')
      problems.push(`unknown setting ${quoted(name)} (${where}): known are ${names.join(', ')}`);

  const given = (setting: Setting): Given | undefined => {
    const { ast, name, variable } = setting;
    const flag = flags.given.get(setting);
    if (flag !== undefined) return { where: flag.where, value: readingOf(ast, { texts: flag.texts }) };
    const text = variable === undefined ? undefined : environment[variable];
    // An empty variable is how a container is told nothing.
    if (text !== undefined && text !== '')
      return { where: `environment ${variable}`, value: readingOf(ast, { texts: [text] }) };
    return Object.hasOwn(content, name) ? { where, value: readingOf(ast, { json: content[name] }) } : undefined;
  };

  const read = declared.map((setting) => {
    const { name } = setting;
    if (flags.wrong.has(setting)) return { name, values: {}, source: undefined };
    const source = given(setting);
    const decoded = source === undefined ? setting.decode() : setting.decode(source.value);
    if (decoded.ok) return { name, values: decoded.values, source };
    if (source !== undefined) problems.push(`${decoded.problem} (${source.where})`);
    // A file that cannot be read may well hold it.
    else if (held?.ok !== false) problems.push(`${decoded.problem}: give ${places(setting, file?.path)}`);
    return { name, values: {}, source };
  });
  if (problems.length > 0)
    throw new Misconfigured({ message: `wrong settings:\n${problems.map(indented).join('\n')}` });

  const lines = read.map(({ name, values, source }) =>
    Object.hasOwn(values, name)
      ? `${name} = ${display(values[name])} (${source?.where ?? 'default'})`
      : `${name} is not set`,
  );
  const settings = Object.fromEntries(read.flatMap(({ values }) => Object.entries(values)));
  Object.defineProperty(settings, 'toString', { value: () => lines.join('\n') });
  return { settings: Object.freeze(settings), fingerprint: read.map(({ source }) => source) };
};

const indented = (problem: string): string => `  ${problem}`;

/** Where a setting can be given. */
const places = ({ flag, variable, name }: Setting, file: string | undefined): string =>
  [
    `flag ${dashed(flag)}`,
    ...(variable === undefined ? [] : [`environment ${variable}`]),
    file === undefined ? `a file by flag ${dashed(fileFlag)}` : `${JSON.stringify(name)} in file ${file}`,
  ].join(' or ');

/** A value in a line, as programs write it; what is redacted knows how to show itself. */
export const display = (value: unknown): string => inspect(value, { depth: 4, breakLength: Infinity, compact: true });
