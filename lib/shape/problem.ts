/**
 * What is wrong with a value, in one line that a model can act on: `city: expected a string, got 5`. Whatever a caller
 * sent is quoted in part only: a message must not grow with its cause.
 */
import { isArray } from '../frame/frame.ts';
const MOST_PROBLEMS = 5;
const LONGEST_QUOTE = 40;
const LONGEST_PATH = 120;
const LONGEST_PROBLEM = 240;

export const cut = (text: string, longest: number): string =>
  text.length <= longest ? text : `${text.slice(0, longest)}…`;

/** A value in few words: what is small is shown, what is large is named by its kind. */
export const brief = (value: unknown): string => {
  switch (typeof value) {
    case 'string':
      return cut(JSON.stringify(value.slice(0, LONGEST_QUOTE + 1)), LONGEST_QUOTE);
    case 'number':
    case 'boolean':
    case 'bigint':
      return cut(String(value), LONGEST_QUOTE);
    case 'undefined':
      return 'nothing';
    case 'object':
      return value === null ? 'null' : isArray(value) ? 'an array' : 'an object';
    default:
      return `a ${typeof value}`;
  }
};

/** `days[0].city`; names that are no identifiers are quoted. */
export const pathText = (path: readonly PropertyKey[]): string => {
  let text = '';
  for (const key of path) {
    if (text.length > LONGEST_PATH) break;
    const name = String(key);
    if (typeof key === 'number') text += `[${name}]`;
    else if (/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(name)) text += text === '' ? name : `.${name}`;
    else text += `[${brief(name)}]`;
  }
  return cut(text, LONGEST_PATH);
};

/** A complaint at a place in the value; at its root there is no place to name. */
export const at = (path: readonly PropertyKey[], complaint: string): string =>
  path.length === 0 ? cut(complaint, LONGEST_PROBLEM) : `${pathText(path)}: ${cut(complaint, LONGEST_PROBLEM)}`;

export const problemAt = (path: readonly PropertyKey[], expected: string, actual: unknown): string =>
  at(path, `expected ${cut(expected, LONGEST_PATH)}, got ${brief(actual)}`);

export const missingAt = (path: readonly PropertyKey[]): string =>
  path.length === 0 ? 'a value is missing' : `${pathText(path)} is missing`;

/** One message of several problems: the first five, each once. */
export const joined = (problems: Iterable<string>): string => {
  const kept = new Set<string>();
  for (const problem of problems) {
    if (kept.size === MOST_PROBLEMS) return `${[...kept].join('; ')}; and more`;
    kept.add(problem);
  }
  return kept.size === 0 ? 'the value does not fit' : [...kept].join('; ');
};
