/** A user and a model who answer whatever they are asked, and remember what that was. */
import type { Answers, FormAnswered, FormQuestion } from 'rxmcp';

type Field = FormQuestion['schema']['properties'][string];
type Content = NonNullable<Extract<FormAnswered, { action: 'accept' }>['content']>;

/** What Ada would fill in: the first of what is offered, what the field begins with, or what is the same for all. */
const filledIn = (name: string, field: Field): Content[string] => {
  if (field.default !== undefined) return field.default;
  switch (field.type) {
    case 'boolean':
      return true;
    case 'array':
      return ['enum' in field.items ? field.items.enum : field.items.anyOf.map((choice) => choice.const)]
        .flat()
        .slice(0, 1);
    case 'string':
      if ('enum' in field) return field.enum[0] ?? '';
      if ('oneOf' in field) return field.oneOf[0]?.const ?? '';
      return name === 'name' ? 'Ada' : `some ${name}`;
    default:
      return 7;
  }
};

export interface Answering {
  readonly answers: Answers;
  /** The messages of the forms, and the texts that the model was given, in the order in which they came. */
  readonly asked: unknown[];
  readonly forms: FormQuestion['schema'][];
}

export const answering = (): Answering => {
  const asked: unknown[] = [];
  const forms: FormQuestion['schema'][] = [];
  return {
    asked,
    forms,
    answers: {
      form: ({ message, schema }) => {
        asked.push(message);
        forms.push(schema);
        const content = Object.entries(schema.properties).map(([name, field]) => [name, filledIn(name, field)]);
        return { action: 'accept', content: Object.fromEntries(content) as Content };
      },
      sample: ({ messages }) => {
        asked.push(...messages.map(({ content }) => ('text' in content ? content.text : content)));
        return { role: 'assistant', model: 'none', content: { type: 'text', text: 'As you like.' } };
      },
      roots: [{ uri: 'file:///home/ada' }],
    },
  };
};
