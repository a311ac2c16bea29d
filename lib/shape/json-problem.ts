/**
 * One line out of the flat list of errors that the JSON Schema validator makes: parents before children, each branch of
 * each alternative. Only the innermost say anything, and of alternatives only the branch that got furthest.
 */
import type { OutputUnit } from '@cfworker/json-schema';
import { isArray, isObject } from '../frame/frame.ts';
import { at, brief, joined, missingAt, problemAt } from './problem.ts';

/** The problems of a value, joined. */
export const jsonProblem = (errors: readonly OutputUnit[], value: unknown): string => joined(problems(errors, value));

function* problems(errors: readonly OutputUnit[], value: unknown): Generator<string, void, undefined> {
  for (let index = 0; index < errors.length;) {
    const error = errors[index++];
    if (error === undefined) return;
    const say = sayings[error.keyword];
    if (say !== undefined) yield say(error, value);
    if (say !== undefined && !closed.has(error.keyword)) continue;
    if (say === undefined && !alternatives.has(error.keyword)) continue;
    const inner = within(error, errors, index);
    index += inner.length;
    if (say === undefined) yield* ofAlternatives(error, inner, value);
  }
}

const alternatives: ReadonlySet<string> = new Set(['anyOf', 'oneOf']);

/** What these find in parts of the value is not the caller's problem. */
const closed: ReadonlySet<string> = new Set(['contains', 'propertyNames']);

/** The errors below one: those that follow it at a longer location. A `false` schema misstates its own. */
const within = (error: OutputUnit, errors: readonly OutputUnit[], from: number): readonly OutputUnit[] => {
  let end = from;
  for (; end < errors.length; end++) {
    const next = errors[end];
    if (next === undefined) break;
    if (next.keyword !== 'false' && !next.keywordLocation.startsWith(`${error.keywordLocation}/`)) break;
  }
  return errors.slice(from, end);
};

function* ofAlternatives(
  error: OutputUnit,
  inner: readonly OutputUnit[],
  value: unknown,
): Generator<string, void, undefined> {
  const path = pathOf(error, value);
  const matches = Number(/\((\d+) matches\)/.exec(error.error)?.[1] ?? 0);
  if (matches > 1) return yield at(path, `fits ${matches} of the alternatives, of which it must fit one`);
  const branches = byBranch(error, inner);
  const depth = (branch: readonly OutputUnit[]) =>
    branch.reduce((deepest, one) => Math.max(deepest, one.instanceLocation.split('/').length), 0);
  const own = error.instanceLocation.split('/').length;
  const meant = branches.filter((branch) => depth(branch) > own).sort((a, b) => depth(b) - depth(a))[0];
  if (meant !== undefined) return yield* problems(meant, value);
  // Objects that lack a member were entered as well: the shortest complaint is of the branch that was meant.
  const lacking = branches.filter((branch) => branch.every((one) => one.keyword === 'required'));
  if (lacking.length === 1 && lacking[0] !== undefined) return yield* problems(lacking[0], value);
  const expected = branches.map((branch) => (branch.length === 1 && branch[0] ? expectation(branch[0]) : undefined));
  if (expected.length > 0 && expected.every((one) => one !== undefined))
    return yield problemAt(path, [...new Set(expected)].join(' or '), valueAt(error, value));
  yield at(path, 'fits none of the alternatives');
}

const byBranch = (error: OutputUnit, inner: readonly OutputUnit[]): readonly (readonly OutputUnit[])[] => {
  const branches = new Map<string, OutputUnit[]>();
  let current = '';
  for (const one of inner) {
    if (one.keyword !== 'false')
      current = one.keywordLocation.slice(error.keywordLocation.length + 1).split('/')[0] ?? '';
    const branch = branches.get(current);
    if (branch === undefined) branches.set(current, [one]);
    else branch.push(one);
  }
  return [...branches.values()];
};

type Saying = (error: OutputUnit, value: unknown) => string;

const expected: Saying = (error, value) =>
  problemAt(pathOf(error, value), expectation(error) ?? 'something else', valueAt(error, value));

const plainly: Saying = (error, value) => {
  const text = error.error.replace(/^Instance |\.$/g, '');
  return at(pathOf(error, value), text.charAt(0).toLowerCase() + text.slice(1));
};

const says =
  (text: string): Saying =>
  (error, value) =>
    at(pathOf(error, value), text);

/** What is said of the errors that say something themselves; the others only lead to one that does. */
const sayings: Readonly<Record<string, Saying | undefined>> = {
  type: expected,
  const: expected,
  enum: expected,
  minimum: expected,
  maximum: expected,
  exclusiveMinimum: expected,
  exclusiveMaximum: expected,
  multipleOf: expected,
  required: (error, value) => missingAt([...pathOf(error, value), /"([^]*)"\.$/.exec(error.error)?.[1] ?? '?']),
  false: says('is not expected'),
  not: says('is of a kind that is not allowed'),
  contains: says('has no item of the kind that it must contain'),
  propertyNames: (error, value) =>
    at(pathOf(error, value), `the name ${brief(/"([^]*)"/.exec(error.error)?.[1])} is not allowed`),
  minProperties: says('has too few properties'),
  maxProperties: says('has too many properties'),
  pattern: plainly,
  format: plainly,
  minLength: plainly,
  maxLength: plainly,
  minItems: plainly,
  maxItems: plainly,
  minContains: plainly,
  maxContains: plainly,
  uniqueItems: plainly,
  dependentRequired: plainly,
};

const bounds: Readonly<Record<string, string | undefined>> = {
  minimum: 'at least',
  maximum: 'at most',
  exclusiveMinimum: 'more than',
  exclusiveMaximum: 'less than',
  multipleOf: 'a multiple of',
};

const typeNames: Readonly<Record<string, string | undefined>> = {
  null: 'null',
  integer: 'an integer',
  array: 'an array',
  object: 'an object',
};

/** What a keyword asks for, read off the validator's message, which quotes the schema. */
const expectation = ({ keyword, error }: OutputUnit): string | undefined => {
  if (keyword === 'type')
    return /Expected "(.*)"\.$/
      .exec(error)?.[1]
      ?.split('", "')
      .map((name) => typeNames[name] ?? `a ${name}`)
      .join(' or ');
  if (keyword === 'const') return /match ([^]*)\.$/.exec(error)?.[1];
  if (keyword === 'enum')
    return `one of ${/any of \[([^]*)\]\.$/.exec(error)?.[1]?.replaceAll('","', '", "') ?? 'a list'}`;
  const bound = bounds[keyword];
  return bound === undefined ? undefined : `${bound} ${/(\S+)\.$/.exec(error)?.[1] ?? 'a bound'}`;
};

/** The location of an error as keys, with the indexes of arrays as numbers. */
const pathOf = ({ instanceLocation }: OutputUnit, value: unknown): readonly PropertyKey[] => {
  let here: unknown = value;
  return keysOf(instanceLocation).map((key) => {
    const indexed = isArray(here);
    here = memberOf(here, key);
    return indexed ? Number(key) : key;
  });
};

const valueAt = ({ instanceLocation }: OutputUnit, value: unknown): unknown =>
  keysOf(instanceLocation).reduce(memberOf, value);

const keysOf = (location: string): readonly string[] =>
  location
    .split('/')
    .slice(1)
    .map((key) => decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~'));

const memberOf = (value: unknown, key: string): unknown => {
  if (isArray(value)) return value[Number(key)];
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
};
