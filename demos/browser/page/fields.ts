/** What a tool takes, as fields of a form; read from its JSON Schema, which a server may have written anyhow. */
import type { Tool } from 'rxmcp';

interface Common {
  readonly name: string;
  readonly title: string;
  readonly description: string | undefined;
  readonly required: boolean;
}

/** One argument. What is neither text, number, choice nor yes-or-no is written as JSON. */
export type Field = Common &
  (
    | { readonly kind: 'text'; readonly initial: string }
    | {
        readonly kind: 'number';
        readonly initial: number | undefined;
        readonly whole: boolean;
        readonly least: number | undefined;
        readonly most: number | undefined;
      }
    | { readonly kind: 'choice'; readonly initial: string | undefined; readonly choices: readonly string[] }
    | { readonly kind: 'yes-or-no'; readonly initial: boolean }
    | { readonly kind: 'json'; readonly initial: string }
  );

type Schema = Readonly<Record<string, unknown>>;

const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

export const fieldsOf = ({ inputSchema }: Tool): readonly Field[] => {
  const { properties, required }: Schema = { ...inputSchema };
  const needed: readonly unknown[] = Array.isArray(required) ? required : [];
  return Object.entries(isSchema(properties) ? properties : {}).map(([name, property]) =>
    fieldOf(name, isSchema(property) ? property : {}, needed.includes(name)),
  );
};

const fieldOf = (name: string, schema: Schema, required: boolean): Field => {
  const common: Common = {
    name,
    title: textOf(schema['title']) ?? name,
    description: textOf(schema['description']),
    required,
  };
  const { type, default: initial, enum: choices } = schema;
  if (Array.isArray(choices) && choices.every((choice) => typeof choice === 'string'))
    return { ...common, kind: 'choice', choices, initial: textOf(initial) };
  if (type === 'string') return { ...common, kind: 'text', initial: textOf(initial) ?? '' };
  if (type === 'boolean') return { ...common, kind: 'yes-or-no', initial: initial === true };
  if (type === 'number' || type === 'integer')
    return {
      ...common,
      kind: 'number',
      whole: type === 'integer',
      initial: numberOf(initial),
      least: numberOf(schema['minimum']),
      most: numberOf(schema['maximum']),
    };
  return { ...common, kind: 'json', initial: initial === undefined ? '' : JSON.stringify(initial) };
};
