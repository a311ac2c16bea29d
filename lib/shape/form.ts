/**
 * What a server author writes becomes a form: one flat object of the few kinds of field that clients know how to show.
 * Schema languages say the same in many ways, so it is first brought to one; what no form can say is refused, where it
 * was written. What a form says only loosely (a pattern, a multiple) the decoder still checks when the answer comes.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema
 */
import { Misconfigured } from '../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import type { RequestedSchema } from '../protocol/elicitation.ts';
import type { Choice, FormField, NumberField, StringField } from '../protocol/form.ts';
import { isSchema } from '../protocol/schema.ts';
import { answerTo, choicesOf } from './form-answer.ts';
import {
  gathered,
  isFormat,
  kindOf,
  listed,
  mustBeClosed,
  type Fail,
  type Kind,
  type Option,
  mustBeSayable,
  titleOf,
  type Place,
} from './form-kind.ts';
import { brief } from './problem.ts';
import { compile, type Shape } from './shape.ts';
import type { Verdict } from './verdict.ts';

/** A form ready to be asked. */
export interface Form {
  /** What the client is told, in the words of the newest revision. */
  readonly requestedSchema: RequestedSchema;
  /** Holds what came back against the schema as it was written: the decoded value, or a problem that names the field. */
  readonly decode: (content: unknown) => Verdict | Promise<Verdict>;
}

/**
 * Compiles a form.
 *
 * References and `allOf` are resolved; constants, and unions of them, become choices; an exclusive bound of an integer
 * becomes the integer next to it. A field that may be null is one that may be left empty: left out, it decodes as null.
 *
 * @param shape - a flat object, as an Effect Schema, a Standard Schema or a JSON Schema
 * @param where - what the form belongs to, for error messages: `elicit`
 * @throws {@link Misconfigured} naming the field and the rule: nested objects, lists of free text, unions, choices that
 *   are no strings, keywords that no form has, a default that does not fit, a name that asks for a secret (ELI-23)
 * @example
 * const { requestedSchema } = form(Schema.Struct({ size: Schema.Literal('S', 'M') }), 'elicit');
 * requestedSchema.properties; // { size: { type: 'string', enum: ['S', 'M'] } }
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#requested-schema
 */
export const form = (shape: Shape, where: string): Form => {
  const { jsonSchema, decode } = compile(shape, 'input', where);
  const refuse: Fail = (reason) => {
    throw new Misconfigured({ message: `${where}: a form ${reason}` });
  };
  const root = gathered(jsonSchema, { root: jsonSchema, fail: refuse });
  mustBeClosed(root, refuse);

  const fields = new Map<string, FormField>();
  const nullable = new Set<unknown>();
  const { properties } = root;
  for (const [name, schema] of Object.entries(isObject(properties) ? properties : {})) {
    const fail: Fail = (reason) => refuse(`cannot ask for the field ${brief(name)}: ${reason}`);
    const place = { root: jsonSchema, fail };
    const kind = kindOf(schema, place);
    const field = fieldOf(isSchema(shape) ? { ...kind, said: withoutMadeTitle(kind.said) } : kind, place);
    if (isSecret(name, field, kind.said))
      fail('nobody may ask for a secret by form. Send the user to a page instead (URL mode)');
    fields.set(name, field);
    if (kind.nullable) nullable.add(name);
  }

  const required = listed(root['required']).filter((name) => typeof name === 'string');
  const stray = required.find((name) => !fields.has(name));
  if (stray !== undefined) refuse(`cannot require ${brief(stray)}, which is not among its properties`);
  const asked = required.filter((name) => !nullable.has(name));
  const nulls = Object.fromEntries(required.filter((name) => nullable.has(name)).map((name) => [name, null]));
  return {
    requestedSchema: {
      type: 'object',
      properties: Object.fromEntries(fields),
      ...(asked.length > 0 ? { required: asked } : {}),
    },
    decode:
      asked.length === required.length
        ? decode
        : (content) => decode(isObject(content) ? { ...nulls, ...content } : content),
  };
};

const isString = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number';
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const areStrings = (value: unknown): value is readonly string[] => isArray(value) && value.every(isString);

const fieldOf = (kind: Kind, place: Place): FormField => {
  const field = unchecked(kind, place);
  const preset = field.default === undefined ? undefined : answerTo(field, field.default, []);
  return preset?.ok === false ? place.fail(`its default does not fit: ${preset.problem}`) : field;
};

/** A field whose default is of its type, but may not fit otherwise. */
const unchecked = ({ type, options, said }: Kind, place: Place): FormField => {
  const { fail } = place;
  const preset = <T>(admits: (value: unknown) => value is T): { readonly default?: T } => {
    const value = said['default'];
    if (value === undefined || value === null) return {};
    return admits(value) ? { default: value } : fail(`its default, ${brief(value)}, is of another type`);
  };
  if (type === 'object') return fail('it is an object, and a form is flat. Make its members fields of the form');
  mustBeSayable(said, (reason) => fail(`a form ${reason}`));
  const { description } = said;
  const labels = { ...titleOf(said['title']), ...(isString(description) ? { description } : {}) };
  if (options !== undefined && options.length > 0 && options.every(({ value }) => isBoolean(value)))
    return { type: 'boolean', ...labels, ...preset(isBoolean) };
  if (options !== undefined) {
    const { titled, choices, values } = choicesIn(options, fail);
    if (!titled) return { type: 'string', ...labels, enum: values, ...preset(isString) };
    // Written in the words of 2025-06-18, which newer clients know as well (ELI-08): it is for those who know no others.
    const names = said['enumNames'] === undefined ? undefined : choices.map(({ title }) => title);
    return names === undefined
      ? { type: 'string', ...labels, oneOf: choices, ...preset(isString) }
      : { type: 'string', ...labels, enum: values, enumNames: names, ...preset(isString) };
  }
  switch (type) {
    case 'string':
      return { type, ...labels, ...textRules(said), ...preset(isString) };
    case 'number':
    case 'integer':
      return { type, ...labels, ...bounds(said, type === 'integer'), ...preset(isNumber) };
    case 'boolean':
      return { type, ...labels, ...preset(isBoolean) };
    case 'array': {
      const item = isObject(said['items']) ? kindOf(said['items'], place) : undefined;
      if (item?.options === undefined) return fail('it is a list without choices. Say which values it may hold');
      const { titled, choices, values } = choicesIn(item.options, fail);
      const [minItems, maxItems] = [count(said['minItems']), count(said['maxItems'])];
      const size = { ...(minItems === undefined ? {} : { minItems }), ...(maxItems === undefined ? {} : { maxItems }) };
      const rest = { ...labels, ...size, ...preset(areStrings) };
      return titled
        ? { type, items: { anyOf: choices }, ...rest }
        : { type, items: { type: 'string', enum: values }, ...rest };
    }
    default:
      return fail(type === 'null' ? 'it is always null' : 'it says no type');
  }
};

const choicesIn = (options: readonly Option[], fail: Fail) => {
  const choices = options.map(({ value, title }): Choice =>
    isString(value) ? { const: value, title: title ?? value } : fail('it offers values that are no strings'),
  );
  if (choices.length === 0) fail('it offers no choice');
  return {
    titled: options.some(({ title }) => title !== undefined),
    choices,
    values: choices.map((choice) => choice.const),
  };
};

const count = (value: unknown): number | undefined =>
  isNumber(value) && Number.isSafeInteger(value) ? value : undefined;

const textRules = (said: JsonObject): Pick<StringField, 'minLength' | 'maxLength' | 'format'> => {
  const { format } = said;
  const [minLength, maxLength] = [count(said['minLength']), count(said['maxLength'])];
  return {
    ...(minLength === undefined ? {} : { minLength }),
    ...(maxLength === undefined ? {} : { maxLength }),
    ...(isFormat(format) ? { format } : {}),
  };
};

/** Exclusive bounds are bounds to a form. Those of every safe integer, which zod writes out, say nothing. */
const bounds = (said: JsonObject, whole: boolean): Pick<NumberField, 'minimum' | 'maximum'> => {
  const { minimum: least, exclusiveMinimum: above, maximum: most, exclusiveMaximum: below } = said;
  const [lower, upper] = [isNumber(least) ? least : -Infinity, isNumber(most) ? most : Infinity];
  const [over, under] = [isNumber(above) ? above : -Infinity, isNumber(below) ? below : Infinity];
  const minimum = whole ? Math.max(Math.ceil(lower), Math.floor(over) + 1) : Math.max(lower, over);
  const maximum = whole ? Math.min(Math.floor(upper), Math.ceil(under) - 1) : Math.min(upper, under);
  const says = (bound: number) => Number.isFinite(bound) && !(whole && Math.abs(bound) >= Number.MAX_SAFE_INTEGER);
  return { ...(says(minimum) ? { minimum } : {}), ...(says(maximum) ? { maximum } : {}) };
};

/** The names that Effect Schema gives to its own filters and brands are none that a user should read. */
const madeTitle =
  /^(?:Int|Finite|NonNaN|(?:Non)?(?:Positive|Negative)|NonEmpty(?:Trimmed)?String|Trimmed)$| & Brand<".*">$/;

const withoutMadeTitle = ({ title, ...said }: JsonObject): JsonObject =>
  isString(title) && !madeTitle.test(title) ? { ...said, title } : said;

/** What no other word would mean. A few only: whoever asks for a library's card number asks for no secret. */
const secretName =
  /(?:^| )(?:password|passwd|passphrase|secret|api ?key|access ?token|private ?key|credit ?card(?: ?number)?|cvv|cvc)$|^card ?number$/;

/** `userAPIKey2` as `user api key`. */
const wordsOf = (name: string): string =>
  name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .replaceAll(/[^A-Za-z]+/g, ' ')
    .trim()
    .toLowerCase();

/** Whether the user would have to type a secret; a choice, a date or a yes is none (ELI-23). */
const isSecret = (name: string, field: FormField, said: JsonObject): boolean => {
  if (said['format'] === 'password') return true;
  const typed = ['string', 'number', 'integer'].includes(field.type) && choicesOf(field) === undefined;
  return typed && !('format' in field) && secretName.test(wordsOf(name));
};
