/** Which scopes a request needs. */
import type { Request } from '../../exchange/exchange.ts';
import { Misconfigured, quoted } from '../../frame/errors.ts';
import { isArray, isObject } from '../../frame/frame.ts';

/** Scopes that are needed besides those for everything, by name. */
export type ScopesByName = Readonly<Record<string, readonly string[]>>;

/** Which scopes are needed for what; each request needs all that apply. */
export interface ScopeRules {
  /** For everything. */
  readonly all?: readonly string[];
  /** By tool, to call it. */
  readonly tools?: ScopesByName;
  /** By prompt, to get it, or to have its arguments completed. */
  readonly prompts?: ScopesByName;
  /** By URI of the resource, as it was sent: to read or watch it, or (by template) to have it completed. */
  readonly resources?: (uri: string) => readonly string[];
  /** By method: `tools/list`. */
  readonly methods?: ScopesByName;
}

/** Scopes for everything, rules, or what decides about each request. */
export type Scopes = readonly string[] | ScopeRules | ((request: Request) => readonly string[]);

/** What {@link Scopes} come to. */
export interface Needs {
  /** For everything: what somebody who has nothing should ask for. */
  readonly base: readonly string[];
  /** All that are known beforehand. */
  readonly known: readonly string[];
  /** All that a request needs, `base` included. May throw where a rule of the user's does. */
  of(request: Request): readonly string[];
}

/** RFC 6749 section 3.3. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** It asks an authorization server for something, and no resource (AUTHS-10). */
const notOfResources = 'offline_access';

/** Whether others may be told of this scope. */
export const isTellable = (scope: string): boolean => scopeToken.test(scope) && scope !== notOfResources;

const checked = (scopes: readonly string[]): readonly string[] => {
  for (const scope of scopes)
    if (!isTellable(scope))
      throw new Misconfigured({
        message:
          scope === notOfResources
            ? `${notOfResources} is no scope that a resource may need`
            : `${quoted(scope)} is no scope: one is made of visible ASCII characters, without quotes and backslashes`,
      });
  return scopes;
};

const distinct = (scopes: readonly string[]): readonly string[] => [...new Set(scopes)];

/** A table by name, where nothing is inherited. */
const tableOf = (byName: ScopesByName = {}): ReadonlyMap<unknown, readonly string[]> =>
  new Map(Object.entries(byName).map(([name, scopes]) => [name, checked(scopes)]));

const none: readonly string[] = [];

/** What a user's rule said; what is no list of scopes must not be taken for none. */
const said = (scopes: unknown): readonly string[] => {
  if (isArray(scopes) && scopes.every((scope) => typeof scope === 'string')) return scopes;
  throw new TypeError('a rule for scopes must give a list of them');
};

const resourceMethods: ReadonlySet<string> = new Set(['resources/read', 'resources/subscribe']);

/** The resources that a request wants to see, now or later. */
const urisOf = ({ method, params }: Request): readonly unknown[] => {
  if (resourceMethods.has(method)) return [params?.['uri']];
  const wanted = params?.['notifications'];
  const watched = isObject(wanted) ? wanted['resourceSubscriptions'] : undefined;
  if (method === 'subscriptions/listen') return isArray(watched) ? watched : none;
  const ref = refOf(params);
  return ref?.['type'] === 'ref/resource' ? [ref['uri']] : none;
};

const refOf = (params: Request['params']): Request['params'] => {
  const ref = params?.['ref'];
  return isObject(ref) ? ref : undefined;
};

/**
 * Makes rules ready to be asked.
 *
 * @throws Misconfigured where one names a scope that is none
 */
export const needsOf = (scopes: Scopes = []): Needs => {
  if (typeof scopes === 'function')
    return { base: none, known: none, of: (request) => distinct(said(scopes(request))) };
  const rules: ScopeRules = 'length' in scopes ? { all: scopes } : scopes;
  const base = distinct(checked(rules.all ?? none));
  const [tools, prompts, methods] = [tableOf(rules.tools), tableOf(rules.prompts), tableOf(rules.methods)];
  const { resources } = rules;

  const more = (request: Request): readonly string[] => {
    const { method, params } = request;
    const byMethod = methods.get(method) ?? none;
    if (method === 'tools/call') return joined(byMethod, tools.get(params?.['name']));
    if (method === 'prompts/get') return joined(byMethod, prompts.get(params?.['name']));
    const ref = refOf(params);
    const byPrompt = ref?.['type'] === 'ref/prompt' ? joined(byMethod, prompts.get(ref['name'])) : byMethod;
    if (resources === undefined) return byPrompt;
    return joined(
      byPrompt,
      urisOf(request).flatMap((uri) => said(resources(String(uri)))),
    );
  };

  return {
    base,
    known: distinct([...base, ...[tools, prompts, methods].flatMap((table) => [...table.values()].flat())]),
    of: (request) => {
      const besides = more(request);
      return besides.length === 0 ? base : distinct([...base, ...besides]);
    },
  };
};

const joined = (one: readonly string[], other: readonly string[] = none): readonly string[] =>
  other.length === 0 ? one : [...one, ...other];

/** What scopes come to together with all that they imply, however far (AUTHS-09). */
export const implied = (implies: ScopesByName = {}): ((granted: readonly string[]) => readonly string[]) => {
  const table = tableOf(implies);
  return (granted) => {
    const all = new Set(granted);
    // What is added on the way is visited too.
    for (const scope of all) for (const other of table.get(scope) ?? none) all.add(other);
    return [...all];
  };
};
