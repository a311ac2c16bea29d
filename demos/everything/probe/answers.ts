/** What the probe answers when a server asks it: always the same, so that scripts can look for it. */
import { choicesOf, type Answers, type FormAnswer, type FormField } from 'rxmcp';

const known: Readonly<Record<string, string>> = { response: 'Ada', name: 'Ada' };

export const answers: Answers = {
  sample: () => ({
    role: 'assistant',
    model: 'probe',
    content: { type: 'text', text: 'pong-from-client' },
    stopReason: 'endTurn',
  }),
  // Of what it knows, what the form asks for: nobody is told more. What else must be filled in, anything does.
  form: ({ schema, defaults, problem }) => {
    const fields = Object.entries(schema.properties).filter(
      ([field]) => Object.hasOwn(known, field) || schema.required?.includes(field) === true,
    );
    const content = Object.fromEntries(
      fields.map(([name, field]) => [name, known[name] ?? defaults[name] ?? anything(field)]),
    );
    return problem(content) === undefined ? { action: 'accept', content } : { action: 'decline' };
  },
  roots: [],
};

const formats = {
  email: 'ada@example.com',
  uri: 'https://example.com/ada',
  date: '1815-12-10',
  'date-time': '1815-12-10T12:00:00Z',
} as const;

/** Something that this field takes. */
const anything = (field: FormField): FormAnswer => {
  const [choice] = choicesOf(field) ?? [];
  if (field.type === 'array') return choice === undefined ? [] : [choice.const];
  if (choice !== undefined) return choice.const;
  if (field.type === 'boolean') return true;
  if (field.type === 'number' || field.type === 'integer') return field.minimum ?? Math.min(1, field.maximum ?? 1);
  const format = 'format' in field ? field.format : undefined;
  return format === undefined ? 'Ada' : formats[format];
};
