/** The forms that the tools of this server ask users to fill in. */
import { Schema } from 'rxmcp';

export const Name = Schema.Struct({ name: Schema.String });
export const Color = Schema.Struct({ color: Schema.String });
export const Confirmation = Schema.Struct({ ok: Schema.Boolean });
export const Context = Schema.Struct({ context: Schema.String });
export const Value = Schema.Struct({ value: Schema.String });

/** Nobody has to fill in all of it: those who drive this server know different parts of it. */
export const Response = Schema.Struct({
  response: Schema.optional(Schema.String.annotations({ description: 'What you have to say' })),
  username: Schema.optional(Schema.String.annotations({ description: 'Who you are' })),
  email: Schema.optional(Schema.String.annotations({ description: 'Where you can be reached' })),
});

/** A default for each primitive type. */
export const Defaults = {
  type: 'object',
  properties: {
    name: { type: 'string', description: 'Who', default: 'John Doe' },
    age: { type: 'integer', description: 'Years', default: 30 },
    score: { type: 'number', description: 'Points', default: 95.5 },
    status: { type: 'string', description: 'State', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', description: 'Whether somebody has looked', default: true },
  },
  required: [],
} as const;

const options = ['option1', 'option2', 'option3'] as const;
const titled = (noun: string) =>
  [
    { const: 'value1', title: `First ${noun}` },
    { const: 'value2', title: `Second ${noun}` },
    { const: 'value3', title: `Third ${noun}` },
  ] as const;

/** Every way to offer a choice; one of them has been deprecated since 2025-11-25. */
export const Choices = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', description: 'One of these', enum: options },
    titledSingle: { type: 'string', description: 'One of these, by title', oneOf: titled('Option') },
    legacyEnum: {
      type: 'string',
      description: 'One of these, as it was written once',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: {
      type: 'array',
      description: 'Several of these',
      minItems: 1,
      maxItems: 3,
      items: { type: 'string', enum: options },
    },
    titledMulti: {
      type: 'array',
      description: 'Several of these, by title',
      minItems: 1,
      maxItems: 3,
      items: { anyOf: titled('Choice') },
    },
  },
  required: [],
} as const;
