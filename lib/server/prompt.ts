/**
 * Prompts: messages that a user picks, filled in with arguments.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/prompts
 */
import type { Answering } from '../exchange/bridge.ts';
import type { RpcError } from '../frame/errors.ts';
import { invalidParams, Misconfigured } from '../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import type { Prompt, PromptMessage } from '../protocol/prompts.ts';
import type { Call } from './call.ts';
import type { Completer, Completers } from './completion.ts';
import { presented, type Presentation } from './feature.ts';
import type { Work } from './run.ts';

/** One argument of a prompt; a string is its description. */
export type ArgumentOptions =
  | string
  | {
      readonly title?: string;
      readonly description?: string;
      /** Default true. */
      readonly required?: boolean;
      readonly complete?: Completer;
    };

/** How a prompt presents itself, and the arguments that it takes. */
export interface PromptOptions<P extends Readonly<Record<string, ArgumentOptions>>> extends Presentation {
  // The constraint once more: a type parameter with a default gives completers no types of their own.
  readonly arguments?: P & Readonly<Record<string, ArgumentOptions>>;
}

/** What a prompt's handler gets: its arguments, all of them strings (PRM-04). */
export type PromptArgs<P> = {
  readonly [K in keyof P as P[K] extends { readonly required: false } ? never : K]: string;
} & { readonly [K in keyof P as P[K] extends { readonly required: false } ? K : never]?: string };

/** What it may answer with: the text of one user's message, messages, or messages and a description. */
export type Messages =
  | string
  | PromptMessage
  | readonly PromptMessage[]
  | { readonly description?: string; readonly messages: readonly PromptMessage[] };

/** A prompt of a server. */
export interface PromptFeature {
  readonly kind: 'prompt';
  readonly name: string;
  readonly definition: Prompt;
  readonly complete: Completers<string>;
  readonly work: Work<Readonly<Record<string, string>>>;
  /** What is wrong with these arguments; undefined where nothing is. */
  readonly problem: (args: JsonObject) => RpcError | undefined;
}

/**
 * Offers a prompt: messages that a user picks, filled in with arguments.
 *
 * A call that lacks a required argument is answered with -32602, and never reaches the handler.
 *
 * @param name - unique among the prompts of its server
 * @param options - its presentation and arguments; an argument that is a string is its description, and is required
 * @param handler - gets the arguments, all of them strings, and the {@link Call}; returns the text of one message,
 * messages, or messages with a description. What it throws becomes an error response
 * @throws {@link Misconfigured} where the name is empty
 * @example
 * prompt('review', { arguments: { code: 'The code to look at' } }, ({ code }) => `Please review:\n${code}`);
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/prompts
 */
export const prompt = <const P extends Readonly<Record<string, ArgumentOptions>> = Record<never, never>>(
  name: string,
  options: PromptOptions<P>,
  handler: (args: PromptArgs<P>, call: Call) => Answering<Messages>,
): PromptFeature => {
  if (name === '') throw new Misconfigured({ message: 'a prompt needs a name' });
  const args = Object.entries(options.arguments ?? {}).map(([argument, given]) => {
    const {
      title,
      description,
      required = true,
      complete,
    }: Exclude<ArgumentOptions, string> = typeof given === 'string' ? { description: given } : given;
    return {
      name: argument,
      required,
      complete,
      shown: {
        ...(title === undefined ? undefined : { title }),
        ...(description === undefined ? undefined : { description }),
      },
    };
  });
  const required = args.filter((argument) => argument.required).map((argument) => argument.name);
  return {
    kind: 'prompt',
    name,
    definition: {
      name,
      ...presented(options, `prompt ${JSON.stringify(name)}`),
      ...(args.length === 0
        ? undefined
        : {
            arguments: args.map(({ name: argument, required: must, shown }) => ({
              name: argument,
              ...shown,
              required: must,
            })),
          }),
    },
    complete: Object.fromEntries(
      args.flatMap(({ name: argument, complete }) => (complete === undefined ? [] : [[argument, complete]])),
    ),
    work: {
      handle: handler as (given: Readonly<Record<string, string>>, call: Call) => unknown,
      finish: (value) => ({ resultType: 'complete', ...messages(value, name) }),
    },
    problem: (given) => {
      const missing = required.filter((argument) => !Object.hasOwn(given, argument));
      return missing.length === 0 ? undefined : invalidParams(`prompt ${name}: ${missing.join(', ')} is missing`);
    },
  };
};

const messages = (value: unknown, name: string): JsonObject => {
  if (typeof value === 'string') return { messages: [{ role: 'user', content: { type: 'text', text: value } }] };
  if (isArray(value)) return { messages: value };
  if (isObject(value) && isArray(value['messages'])) return value;
  if (isObject(value) && value['role'] !== undefined) return { messages: [value] };
  throw new Misconfigured({ message: `the prompt ${name} answered with no messages` });
};
