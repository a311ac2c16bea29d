/** One thing that the probe is told to do once it is connected. */
import type { JsonObject } from 'rxmcp';

export type Errand =
  | { readonly kind: 'call'; readonly name: string; readonly args: JsonObject }
  | { readonly kind: 'read'; readonly uri: string }
  | { readonly kind: 'prompt'; readonly name: string; readonly args: Readonly<Record<string, string>> };

/** @throws Error where the text is no `name` or `name={json}` */
export const call = (text: string): Errand => ({ kind: 'call', ...named('--call', text) });

export const read = (uri: string): Errand => ({ kind: 'read', uri });

/** @throws Error as {@link call} does; the arguments of a prompt are strings, and what is none becomes one */
export const prompt = (text: string): Errand => {
  const { name, args } = named('--prompt', text);
  const written = Object.entries(args).map(([key, value]) => [key, asText(value)]);
  return { kind: 'prompt', name, args: Object.fromEntries(written) as Readonly<Record<string, string>> };
};

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const named = (flag: string, text: string): { readonly name: string; readonly args: JsonObject } => {
  const at = text.indexOf('=');
  if (at < 0) return { name: text, args: {} };
  const args = parsed(text.slice(at + 1));
  if (typeof args !== 'object' || args === null || Array.isArray(args))
    throw new Error(`${flag} takes name={json}, an object; got ${text}`);
  return { name: text.slice(0, at), args: { ...args } };
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
