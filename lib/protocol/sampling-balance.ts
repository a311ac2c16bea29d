/**
 * The balance of tool calls in a conversation: what the model asks for is answered in the very next message, and nothing
 * is answered that it did not ask for.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/client/sampling#message-content-constraints
 */
import { quoted } from '../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';

const blocksOf = (message: unknown): readonly JsonObject[] => {
  const content = isObject(message) ? message['content'] : undefined;
  return (isArray(content) ? content : [content]).filter((block) => isObject(block));
};

const roleOf = (message: unknown): unknown => (isObject(message) ? message['role'] : undefined);

/** What the blocks of one type in a message are known by. */
const idsIn = (message: unknown, type: string, member: string): readonly unknown[] =>
  blocksOf(message)
    .filter((block) => block['type'] === type)
    .map((block) => block[member]);

const usesIn = (message: unknown): readonly unknown[] => idsIn(message, 'tool_use', 'id');
const resultsIn = (message: unknown): readonly unknown[] => idsIn(message, 'tool_result', 'toolUseId');

/** The first that is not among the others, in a list, so that any id can be told from none. */
const without = (ids: readonly unknown[], others: readonly unknown[]): readonly unknown[] => {
  const known = new Set(others);
  return ids.filter((id) => !known.has(id)).slice(0, 1);
};

const repeated = (ids: readonly unknown[]): readonly unknown[] => {
  const seen = new Set<unknown>();
  return ids.filter((id) => seen.size === seen.add(id).size).slice(0, 1);
};

type Rule = (message: unknown, before: unknown) => readonly string[];

/** In the order in which they are looked at: the first sentence counts. Each begins with the name of the message. */
const rules: readonly Rule[] = [
  (message) =>
    usesIn(message).length > 0 && roleOf(message) !== 'assistant'
      ? ['has a tool_use, which only an assistant message may have']
      : [],
  (message) => repeated(usesIn(message)).map((id) => `has two tool_use blocks with the id ${quoted(id)}`),
  (message) =>
    resultsIn(message).length > 0 && roleOf(message) !== 'user'
      ? ['has a tool_result, which only a user message may have']
      : [],
  (message) => {
    const results = resultsIn(message).length;
    return results > 0 && blocksOf(message).length > results ? ['has a tool_result beside something else'] : [];
  },
  (message, before) =>
    without(resultsIn(message), usesIn(before)).map(
      (id) => `has a tool_result for ${quoted(id)}, which is no tool_use of the message before`,
    ),
  (message) => repeated(resultsIn(message)).map((id) => `has two tool_result blocks for ${quoted(id)}`),
];

const flawOf = (message: unknown, before: unknown): string | undefined => {
  for (const rule of rules) for (const flaw of rule(message, before)) return flaw;
  return undefined;
};

/**
 * What breaks the balance of `tool_use` and `tool_result` (SAMP-13 to SAMP-15): undefined where nothing does, otherwise
 * one sentence that names the first message and its rule. A `tool_use` in the last message, which nothing follows, breaks
 * it too. What is no message, or no block, is passed over: the schemas have a word for that.
 *
 * @param messages - of a `sampling/createMessage` request
 * @example
 * balanceProblem([{ role: 'assistant', content: { type: 'tool_use', id: 'a', name: 'add', input: {} } }]);
 * // 'messages[0] has the tool_use "a", for which the next message has no tool_result'
 * @see https://modelcontextprotocol.io/specification/2025-11-25/client/sampling#message-content-constraints
 */
export const balanceProblem = (messages: readonly unknown[]): string | undefined => {
  for (let index = 0; index < messages.length; index += 1) {
    const [before, message, after] = [messages[index - 1], messages[index], messages[index + 1]];
    const flaw = flawOf(message, before);
    if (flaw !== undefined) return `messages[${index}] ${flaw}`;
    for (const id of without(usesIn(message), resultsIn(after)))
      return `messages[${index}] has the tool_use ${quoted(id)}, for which the next message has no tool_result`;
  }
  return undefined;
};

/** Only a model that was given tools may want one called (SAMP-18). */
export const toolUseProblem = (content: unknown, withTools: boolean): string | undefined =>
  !withTools &&
  (isArray(content) ? content : [content]).some((block) => isObject(block) && block['type'] === 'tool_use')
    ? 'content must hold no tool_use, as no tools were given'
    : undefined;
