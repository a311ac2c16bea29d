/**
 * Completion: what a user may mean who has typed the beginning of an argument.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion
 */
import type { Answering } from '../exchange/bridge.ts';
import { invalidParams, quoted, type RpcError } from '../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import type { Call } from './call.ts';
import type { Fresh, Work } from './run.ts';

/** Suggests values, best first; those beyond the hundredth are counted, not sent (CMP-01). */
export type Completer = (
  typed: string,
  /** The values of the other arguments, as far as they are known. */
  resolved: Readonly<Record<string, string>>,
  call: Call,
) => Answering<readonly string[]>;

/** A completer for each argument that has one. */
export type Completers<V extends string> = { readonly [K in V]?: Completer };

/** One question for completion. */
export interface Typed {
  readonly completer: Completer;
  readonly typed: string;
  readonly resolved: Readonly<Record<string, string>>;
}

const most = 100;

export const completing: Work<Typed> = {
  handle: ({ completer, typed, resolved }, call) => completer(typed, resolved, call),
  finish: (found) => suggestions(isArray(found) ? found.map(String) : []),
};

const suggestions = (values: readonly string[]): Fresh => ({
  resultType: 'complete',
  completion: { values: values.slice(0, most), total: values.length, hasMore: values.length > most },
});

/** The argument in question, out of parameters that have been checked. */
export const typedIn = (
  params: JsonObject,
): { readonly name: string; readonly typed: string; readonly resolved: Readonly<Record<string, string>> } => {
  const argument = isObject(params['argument']) ? params['argument'] : {};
  const context =
    isObject(params['context']) && isObject(params['context']['arguments']) ? params['context']['arguments'] : {};
  return {
    name: String(argument['name']),
    typed: String(argument['value']),
    resolved: Object.fromEntries(Object.entries(context).map(([name, value]) => [name, String(value)])),
  };
};

/** An argument that its prompt or template does not have (CMP-05). */
export const unknownArgument = (name: string, known: readonly string[]): RpcError =>
  invalidParams(`argument ${quoted(name)} is unknown; there are ${known.join(', ') || 'none'}`);

export const nothing: Completer = () => [];
