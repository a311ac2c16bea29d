/**
 * Text to value and back. What cannot be read becomes a value too, so that it is answered instead of thrown.
 */
import { Unreadable } from './unreadable.ts';
import { codes } from './errors.ts';
import { isArray, type Frame } from './frame.ts';
import { salvageText, type Salvaged } from './salvage.ts';
import { UnreadableResponse } from './unreadable-response.ts';

/** How many arrays and objects may lie within each other; code that recurses over a value relies on it. */
export const depthLimit = 512;

/** How much of an unreadable message is kept for diagnostics, in characters. */
const excerptLength = 200;

/** The beginning of a message, for diagnostics. */
export const excerpt = (text: string): string =>
  // Through an array, because a slice would keep the whole text in memory.
  text.length <= excerptLength ? text : `${[...text.slice(0, excerptLength)].join('')}…`;

/** What is passed on in place of a message that cannot be read, addressed by what could be salvaged of it. */
export const unreadable = (reason: string, code: number, text: string, { id, response }: Salvaged): Unreadable =>
  response ? new UnreadableResponse(reason, code, excerpt(text), id) : new Unreadable(reason, code, excerpt(text), id);

/**
 * Reads one message. Never throws.
 *
 * @param text - one JSON text
 * @returns the value, or an {@link Unreadable} with the id of the request wherever one could be read: −32700 for
 * malformed JSON; −32600 for an own `__proto__` key, which copying would turn into a prototype, and for nesting beyond
 * {@link depthLimit}. For a response it is an {@link UnreadableResponse}.
 * @example
 * parse('{"jsonrpc":"2.0","id":1,"method":"ping"}'); // { jsonrpc: '2.0', id: 1, method: 'ping' }
 */
export const parse = (text: string): unknown => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return unreadable(`not JSON: ${why(error)}`, codes.parseError, text, salvageText(text));
  }
  // Nesting by n needs 2n brackets.
  const maybeDeep = text.length > 2 * depthLimit;
  const maybeProto = text.includes('__proto__') || text.includes('\\u00');
  if (!maybeDeep && !maybeProto) return value;
  const fault = walk(value, depthLimit, maybeProto);
  return fault === undefined ? value : unreadable(fault, codes.invalidRequest, text, salvageText(text));
};

/**
 * Writes one frame, or a batch of them, as one line without its end: JSON escapes line breaks.
 *
 * @throws TypeError where the frame holds what JSON cannot (a BigInt, a cycle)
 */
export const stringify = (frame: Frame | readonly Frame[]): string => JSON.stringify(frame);

const why = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error);
  // V8 quotes the input itself, of which the excerpt is told anyway.
  const place = /at position \d+/.exec(message)?.[0];
  if (place !== undefined) return `it breaks ${place}`;
  return message.startsWith('Unexpected end') ? 'it ends too early' : 'it is malformed';
};

type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

/** What is wrong below this value. Plain loops, because every long message goes through them. */
const walk = (value: unknown, deeper: number, proto: boolean): string | undefined => {
  if (!isNode(value)) return undefined;
  if (deeper === 0) return `nested deeper than ${depthLimit} levels`;
  if (isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const item = value[index];
      const fault = isNode(item) ? walk(item, deeper - 1, proto) : undefined;
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  if (proto && Object.hasOwn(value, '__proto__')) return 'a key must not be "__proto__"';
  for (const key in value) {
    const item = value[key];
    const fault = isNode(item) ? walk(item, deeper - 1, proto) : undefined;
    if (fault !== undefined) return fault;
  }
  return undefined;
};
