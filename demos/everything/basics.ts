/** Two tools that scripts use to see whether anything works at all. */
import { reply, Schema, tool } from 'rxmcp';

const Message = Schema.Struct({ message: Schema.String });
const Numbers = Schema.Struct({ a: Schema.Number, b: Schema.Number });
const Sum = Schema.Struct({ sum: Schema.Number });

export const basics = [
  tool('echo', { description: 'Says what it was told, letter for letter.', input: Message }, ({ message }) => message),
  tool('add', { description: 'Adds two numbers.', input: Numbers, output: Sum }, ({ a, b }) =>
    reply({ content: [{ type: 'text', text: String(a + b) }], structuredContent: { sum: a + b } }),
  ),
] as const;
