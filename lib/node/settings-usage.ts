/** What a person may set, and how: the text behind `--help`. */
import { dashed, fileFlag } from './settings-flags.ts';
import { display } from './settings-read.ts';
import type { Setting } from './settings-setting.ts';

/** @param file - the file that is read unless another is named */
export const usageOf = (settings: readonly Setting[], file: string | undefined): string =>
  [
    ...settings.map(entry),
    `  ${dashed(fileFlag)} <path>\n      A JSON file of settings.${file === undefined ? '' : ` Default: ${file}.`}`,
  ].join('\n');

const entry = (setting: Setting): string => {
  const { flag, isSwitch, rule, description, variable, secret } = setting;
  const facts = [
    ...(description === undefined ? [] : [/[.!?]$/.test(description) ? description : `${description}.`]),
    ...(secret ? ['Secret.'] : []),
    ...(variable === undefined ? [] : [`Environment: ${variable}.`]),
    ...standing(setting),
  ];
  return `  ${isSwitch ? `--[no-]${flag}` : `${dashed(flag)} <${rule}>`}\n      ${facts.join(' ')}`;
};

/** What becomes of a setting that nobody gives. */
const standing = ({ name, decode }: Setting): readonly string[] => {
  const decoded = decode();
  if (!decoded.ok) return ['Required.'];
  return Object.hasOwn(decoded.values, name) ? [`Default: ${display(decoded.values[name])}.`] : [];
};
