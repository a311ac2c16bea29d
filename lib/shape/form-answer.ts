/**
 * What a client does with the form that a server asks for: begin with its defaults, and hold what the user filled in
 * against its fields before it is sent. The form is a peer's: it is read with care, and none of its patterns is ever run.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema
 */
import { format as formats, ucs2length } from '@cfworker/json-schema';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import type { FormAnswer, RequestedSchema } from '../protocol/elicitation.ts';
import type { Choice, FormField, NumberField, StringField } from '../protocol/form.ts';
import { at, brief, joined, missingAt, problemAt } from './problem.ts';

/** An answer to one field, or what is wrong with it. */
export type Answered<T = FormAnswer> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

/** The content of a form that may be sent, or what is wrong with it. */
export type FilledIn =
  | { readonly ok: true; readonly content: { readonly [name: string]: FormAnswer } }
  | { readonly ok: false; readonly problem: string };

/**
 * The values that a field offers, each with what the user reads for it: the one list out of the four ways to write it
 * (ELI-07, ELI-08). A value without a title is its own. Undefined for a field that offers nothing to choose from.
 *
 * @param field - one field of a form, single or several choices
 * @example
 * choicesOf({ type: 'string', enum: ['#f00', '#0f0'], enumNames: ['Red', 'Green'] });
 * // [{ const: '#f00', title: 'Red' }, { const: '#0f0', title: 'Green' }]
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema
 */
export const choicesOf = (field: FormField): readonly Choice[] | undefined => {
  const written: JsonObject = { ...field };
  const { items, enumNames } = written;
  const source = field.type === 'array' && isObject(items) ? items : written;
  const names = isArray(enumNames) ? enumNames : [];
  const values = source['enum'] ?? source['oneOf'] ?? source['anyOf'];
  if (!isArray(values)) return undefined;
  const choices = values.flatMap((value, index) => {
    const { const: constant, title } = isObject(value) ? value : { const: value, title: names[index] };
    return typeof constant === 'string'
      ? [{ const: constant, title: typeof title === 'string' ? title : constant }]
      : [];
  });
  // A list that is not of strings is none that the protocol knows: the field was taken for a plain one.
  return choices.length === values.length ? choices : undefined;
};

/**
 * What a form begins with: the defaults of its fields (ELI-10). A default that does not fit its own field is left out.
 *
 * @param schema - the form as it was received
 * @example
 * defaultsOf({ type: 'object', properties: { days: { type: 'integer', default: 3 }, city: { type: 'string' } } });
 * // { days: 3 }
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema
 */
export const defaultsOf = (schema: RequestedSchema): Record<string, FormAnswer> =>
  Object.fromEntries(
    Object.entries(schema.properties).flatMap(([name, field]) => {
      const preset = field.default === undefined ? undefined : answerTo(field, field.default, [name]);
      return preset?.ok === true ? [[name, preset.value] as const] : [];
    }),
  );

/**
 * The content of a form as it may be sent: with the defaults of fields that are missing, and held against the schema
 * (ELI-26). A field that is there but undefined was emptied by the user: it gets no default, and is left out.
 *
 * Lengths count characters (code points). A `pattern` of the server is not run (AMB-34). Fields that the form does not
 * have are refused: nothing is sent that was not asked for.
 *
 * @param schema - the form as it was received
 * @param content - what the user filled in, by field
 * @returns the content, or one line that names the fields that are wrong
 * @example
 * const filled = filledIn(
 *   { type: 'object', properties: { days: { type: 'integer', minimum: 1 } }, required: ['days'] },
 *   { days: 0 },
 * );
 * // { ok: false, problem: 'days: expected at least 1, got 0' }
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema
 */
export const filledIn = (schema: RequestedSchema, content: JsonObject): FilledIn => {
  const { properties, required = [] } = schema;
  const defaults = defaultsOf(schema);
  const problems: string[] = [];
  const filled: (readonly [string, FormAnswer])[] = [];
  for (const name of Object.keys(content))
    if (!Object.hasOwn(properties, name)) problems.push(at([name], 'is no field of the form'));
  const needed = new Set(required);
  for (const [name, field] of Object.entries(properties)) {
    const source = Object.hasOwn(content, name) ? content : defaults;
    const given = Object.hasOwn(source, name) ? source[name] : undefined;
    if (given === undefined) {
      if (needed.has(name)) problems.push(missingAt([name]));
      continue;
    }
    const answer = answerTo(field, given, [name]);
    if (answer.ok) filled.push([name, answer.value]);
    else problems.push(answer.problem);
  }
  for (const name of needed)
    if (!Object.hasOwn(properties, name)) problems.push(at([name], 'is required, but the form has no such field'));
  return problems.length === 0
    ? { ok: true, content: Object.fromEntries(filled) }
    : { ok: false, problem: joined(problems) };
};

type Path = readonly PropertyKey[];

const wrong = (path: Path, expected: string, given: unknown): Answered<never> => ({
  ok: false,
  problem: problemAt(path, expected, given),
});

/** Holds an answer against its field; the problem begins with the path. */
export const answerTo = (field: FormField, given: unknown, path: Path): Answered => {
  switch (field.type) {
    case 'boolean':
      return typeof given === 'boolean' ? { ok: true, value: given } : wrong(path, 'a boolean', given);
    case 'number':
    case 'integer':
      return toNumber(field, given, path);
    case 'string': {
      const choices = choicesOf(field);
      return choices === undefined ? toText(field, given, path) : chosen(valuesOf(choices), given, path);
    }
    case 'array':
      return toSeveral(field, given, path);
  }
};

const toNumber = ({ type, minimum, maximum }: NumberField, given: unknown, path: Path): Answered => {
  const whole = type === 'integer';
  if (typeof given !== 'number' || !(whole ? Number.isInteger(given) : Number.isFinite(given)))
    return wrong(path, whole ? 'an integer' : 'a number', given);
  if (minimum !== undefined && given < minimum) return wrong(path, `at least ${minimum}`, given);
  if (maximum !== undefined && given > maximum) return wrong(path, `at most ${maximum}`, given);
  return { ok: true, value: given };
};

const formatNames: ReadonlyMap<unknown, string> = new Map([
  ['date', 'a date (2026-07-28)'],
  ['date-time', 'a date and time (2026-07-28T09:30:00Z)'],
  ['email', 'an email address'],
  ['uri', 'a URI'],
]);

const toText = (field: Partial<StringField>, given: unknown, path: Path): Answered => {
  const { minLength, maxLength, format } = field;
  if (typeof given !== 'string') return wrong(path, 'a string', given);
  const length = ucs2length(given);
  if (minLength !== undefined && length < minLength) return wrong(path, `at least ${minLength} characters`, given);
  if (maxLength !== undefined && length > maxLength) return wrong(path, `at most ${maxLength} characters`, given);
  const expected = formatNames.get(format);
  return format === undefined || expected === undefined || formats[format]?.(given) !== false
    ? { ok: true, value: given }
    : wrong(path, expected, given);
};

type Several = Extract<FormField, { readonly type: 'array' }>;

const toSeveral = (field: Several, given: unknown, path: Path): Answered => {
  const { minItems, maxItems } = field;
  if (!isArray(given)) return wrong(path, 'an array', given);
  const [few, many] = [given.length < (minItems ?? 0), given.length > (maxItems ?? Infinity)];
  if (few || many)
    return {
      ok: false,
      problem: at(path, `expected at ${few ? `least ${minItems}` : `most ${maxItems}`} values, got ${given.length}`),
    };
  const values = valuesOf(choicesOf(field) ?? []);
  const answers: string[] = [];
  for (const [index, item] of given.entries()) {
    const answer = chosen(values, item, [...path, index]);
    if (!answer.ok) return answer;
    answers.push(answer.value);
  }
  return { ok: true, value: answers };
};

const valuesOf = (choices: readonly Choice[]): ReadonlySet<string> => new Set(choices.map((choice) => choice.const));

/** As many values as a message has room for. */
const MOST_NAMED = 8;

const chosen = (values: ReadonlySet<string>, given: unknown, path: Path): Answered<string> => {
  if (typeof given === 'string' && values.has(given)) return { ok: true, value: given };
  const named = [...values].slice(0, MOST_NAMED).map(brief);
  const rest = values.size > MOST_NAMED ? ', …' : '';
  return wrong(path, `one of ${named.join(', ')}${rest}`, given);
};
