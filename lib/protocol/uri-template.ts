/**
 * URI templates (RFC 6570), forwards and backwards. Servers name their parameterised resources with them (RES-17); a
 * URI that a peer asks for is matched against every template of a server, so matching must not depend on luck.
 *
 * Matching is an automaton over the URI, from its end to its start, then one walk from its start: linear in the length
 * of the URI, whatever is in it. Expressions over regular ones are not (CVE-2026-0621).
 *
 * @see https://www.rfc-editor.org/rfc/rfc6570
 */
import { parseTemplate } from 'url-template';
import { isArray } from '../frame/frame.ts';
import { Misconfigured } from '../frame/errors.ts';
import { automaton, type Automaton, type Capture } from './uri-template-automaton.ts';
import { encoded, parsed, type Part, type Variable } from './uri-template-syntax.ts';

/** What a match found: a string, or a list for an exploded variable. */
export type MatchedVariables = Readonly<Record<string, string | readonly string[]>>;

type Value = string | number | boolean | null;

/** What a template is expanded with. What is absent, undefined or null is left out. */
export type TemplateVariables = Readonly<
  Record<string, Value | undefined | readonly Value[] | Readonly<Record<string, Value>>>
>;

export interface UriTemplate {
  readonly template: string;
  /** The names in it, in order of appearance, each once. */
  readonly variables: readonly string[];
  /**
   * The values that make this URI of the template, decoded; undefined where there are none. Never throws.
   *
   * Values are not empty, except of `;`, `?` and `&`; there, variables may come in any order, or not at all, and one
   * that is absent is absent from the result. A parameter that the template does not name is no match. Where several
   * answers fit, the first variable is the shortest that it can be, then the second. An escaped `/` is in no way
   * different, once decoded, from one that `{+path}` matched: what is done with a value decides whether it is safe.
   */
  readonly match: (uri: string) => MatchedVariables | undefined;
  /** The URI for these values. @throws {@link Misconfigured} for text that has no encoding: half of a surrogate pair */
  readonly expand: (variables: TemplateVariables) => string;
}

/** Longer URIs do not match. */
const LONGEST_URI = 65_536;

/** A match takes a byte for each state of the template and character of the URI: 32 MiB at most, some hundred bytes as a rule. */
const MOST_STATES = 512;

/**
 * Compiles a URI template.
 *
 * @throws {@link Misconfigured} naming the template, where it is malformed
 * @example
 * const template = uriTemplate('files://{host}/{+path}{?rev}');
 * template.match('files://a/b/c?rev=2'); // { host: 'a', path: 'b/c', rev: '2' }
 * template.expand({ host: 'a', path: 'b/c' }); // 'files://a/b/c'
 */
export const uriTemplate = (template: string): UriTemplate => {
  const malformed = (fault: string): never => {
    throw new Misconfigured({
      message: `the URI template ${JSON.stringify(template.slice(0, 200))} is malformed: ${fault}`,
    });
  };
  const parts = parsed(template);
  if ('fault' in parts) return malformed(parts.fault);
  const variables = variablesOf(parts);
  const expander = parseTemplate(template);
  const machine = automaton(parts);
  if (machine.states > MOST_STATES) return malformed('it has too many variables');
  return {
    template,
    variables: [...new Set(variables.map(({ name }) => name))],
    match: (uri) => matched(machine, uri),
    expand: (values) => {
      try {
        return expander.expand(given(variables, values));
      } catch {
        throw new Misconfigured({ message: `the URI template ${JSON.stringify(template)} cannot encode these values` });
      }
    },
  };
};

const variablesOf = (parts: readonly Part[]): readonly Variable[] =>
  parts.flatMap((part) => (typeof part === 'string' ? [] : part.variables));

/** Own members only: the expander would find `constructor` in any object. */
const given = (variables: readonly Variable[], values: TemplateVariables): Expandable => {
  const own: Expandable = {};
  Object.setPrototypeOf(own, null);
  for (const { name } of variables) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value !== undefined)
      own[name] = isArray(value) ? [...value] : typeof value === 'object' && value !== null ? { ...value } : value;
  }
  return own;
};

type Expandable = Parameters<ReturnType<typeof parseTemplate>['expand']>[0];

const matched = (machine: Automaton, uri: string): MatchedVariables | undefined => {
  if (uri.length > LONGEST_URI) return undefined;
  try {
    const plain = encoded(uri);
    const captures = plain.length > LONGEST_URI ? undefined : machine.run(plain);
    return captures === undefined ? undefined : gathered(captures);
  } catch {
    // Escapes that are no UTF-8, or half of a surrogate pair: not a URI.
    return undefined;
  }
};

/** The values by name. A variable that stands in a template twice has one value, and its prefixes are of that value. */
const gathered = (captures: readonly Capture[]): MatchedVariables | undefined => {
  const found = new Map<Variable, string[]>();
  for (const { variable, text } of captures) {
    const values = found.get(variable);
    if (values === undefined) found.set(variable, [decodeURIComponent(text)]);
    else if (variable.explode) values.push(decodeURIComponent(text));
    else return undefined;
  }
  const values = new Map<string, string | readonly string[]>();
  // The longest first: a prefix stands for the whole only where nothing longer does.
  for (const [variable, [first = '', ...rest]] of [...found].sort(([a], [b]) => reach(b) - reach(a))) {
    const value = variable.explode ? [first, ...rest] : first;
    const known = values.get(variable.name);
    if (known === undefined) values.set(variable.name, value);
    else if (!agree(known, value, variable.prefix)) return undefined;
  }
  return Object.fromEntries(values);
};

const reach = ({ prefix = Number.MAX_SAFE_INTEGER }: Variable): number => prefix;

const agree = (
  known: string | readonly string[],
  value: string | readonly string[],
  prefix: number | undefined,
): boolean =>
  typeof known === 'string' && prefix !== undefined
    ? [...known].slice(0, prefix).join('') === value
    : JSON.stringify(known) === JSON.stringify(value);
