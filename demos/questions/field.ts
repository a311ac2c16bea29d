/** One field of a form as text: how it is described, how an answer is read, how an answer is shown. */
import { choicesOf, type FormAnswer, type FormField } from 'rxmcp';

type Choices = NonNullable<ReturnType<typeof choicesOf>>;

export type Field = FormField;
export type Value = FormAnswer;
export type Content = Readonly<Record<string, Value>>;

const formats = {
  date: 'a date, as 2026-07-28',
  'date-time': 'a date and time, as 2026-07-28T09:30:00Z',
  email: 'an email address',
  uri: 'a URI',
} as const;

interface TextRules {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: keyof typeof formats;
}

/** `0 to 3`, `at least 0`, `at most 3`. */
const range = (least: number | undefined, most: number | undefined, unit = ''): string => {
  if (least !== undefined && most !== undefined) return ` ${least} to ${most}${unit}`;
  if (least !== undefined) return ` at least ${least}${unit}`;
  return most === undefined ? '' : ` at most ${most}${unit}`;
};

/** What may be typed, in words. */
export const ruleOf = (field: Field): string => {
  switch (field.type) {
    case 'boolean':
      return 'yes or no';
    case 'integer':
    case 'number':
      return `${field.type === 'integer' ? 'a whole number' : 'a number'},${range(field.minimum, field.maximum)}`.replace(
        /,$/,
        '',
      );
    case 'array':
      return `numbers of your choice, with commas between them;${range(field.minItems, field.maxItems)}`.replace(
        /;$/,
        '',
      );
    case 'string': {
      if (choicesOf(field) !== undefined) return 'the number of your choice';
      const { minLength, maxLength, format }: TextRules = 'enum' in field || 'oneOf' in field ? {} : field;
      const length = range(minLength, maxLength, ' characters').trim();
      return [format === undefined ? 'text' : formats[format], length].filter((part) => part !== '').join(', ');
    }
  }
};

/** How an answer is shown again. */
export const shownAs = (field: Field, value: Value): string => {
  const titles = new Map((choicesOf(field) ?? []).map((choice) => [choice.const, choice.title]));
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return titles.get(value) ?? value;
  return typeof value === 'number' ? String(value) : value.map((one) => titles.get(one) ?? one).join(', ');
};

const chosen = (choices: Choices, text: string, numbered: boolean): string => {
  const index = numbered && /^\d+$/.test(text) ? Number(text) - 1 : -1;
  const named = choices.find((choice) => choice.const === text || choice.title === text);
  return (choices[index] ?? named)?.const ?? text;
};

/**
 * Reads what somebody typed. What cannot be read stays the text that it was, for the form to say what is wrong with it.
 *
 * @param numbered - whether choices were shown with numbers, by which they may be named
 */
export const read = (field: Field, text: string, numbered: boolean): Value => {
  const choices = choicesOf(field) ?? [];
  switch (field.type) {
    case 'boolean':
      if (/^(?:y|yes|true)$/i.test(text)) return true;
      return /^(?:n|no|false)$/i.test(text) ? false : text;
    case 'integer':
    case 'number':
      return /^[+-]?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
    case 'array':
      return text
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== '')
        .map((one) => chosen(choices, one, numbered));
    case 'string':
      return choices.length === 0 ? text : chosen(choices, text, numbered);
  }
};
