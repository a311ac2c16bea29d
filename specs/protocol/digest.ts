/**
 * What the official schemas say, as facts: the methods of every revision with the places of their params and results.
 */
import { flatten, isNode, type Facts } from './flatten.ts';

export interface MethodFacts {
  readonly kind: 'request' | 'notification';
  readonly from: readonly string[];
  /** The params may be left out. */
  readonly bare: boolean;
  readonly params: Facts;
  readonly result?: Facts;
  /** May answer `input_required`. */
  readonly asks?: true;
}

export interface RevisionFacts {
  readonly methods: Readonly<Record<string, MethodFacts>>;
  /** The requests that a result may carry. */
  readonly inputs: Readonly<Record<string, Omit<MethodFacts, 'kind' | 'from' | 'asks'>>>;
  /** The result that carries them. */
  readonly inputRequired?: Facts;
  readonly capabilities: { readonly client: Facts; readonly server: Facts };
  readonly errors: Readonly<Record<string, number>>;
}

type Node = Readonly<Record<string, unknown>>;

const nodeOf = (value: unknown): Node => (isNode(value) ? value : {});
const nameOf = (reference: unknown): string =>
  typeof reference === 'string' ? (reference.split('/').at(-1) ?? '') : '';
const propertyOf = (node: unknown, name: string): Node => nodeOf(nodeOf(nodeOf(node)['properties'])[name]);
const requires = (node: unknown, name: string): boolean => {
  const { required } = nodeOf(node);
  return Array.isArray(required) && required.includes(name);
};

interface Member {
  readonly name: string;
  readonly node: Node;
}

const sorted = <T>(entries: Iterable<readonly [string, T]>): Record<string, T> =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));

/** The facts of one official schema. */
export const digest = (document: unknown): RevisionFacts => {
  const definitions = nodeOf(nodeOf(document)['$defs'] ?? nodeOf(document)['definitions']);

  const membersOf = (union: string): readonly Member[] => {
    const node = nodeOf(definitions[union]);
    const members = Array.isArray(node['anyOf']) ? node['anyOf'] : union in definitions ? [node] : [];
    return members.map((member) => {
      const name = nameOf(nodeOf(member)['$ref']);
      return name === '' ? { name: union, node: nodeOf(member) } : { name, node: nodeOf(definitions[name]) };
    });
  };

  // A message keeps to its own definition and to that of all requests or notifications.
  const paramsOf = ({ node }: Member, base: string): Pick<MethodFacts, 'bare' | 'params'> => ({
    bare: !requires(node, 'params'),
    params: flatten(
      { allOf: [propertyOf(node, 'params'), ...(base === '' ? [] : [propertyOf(definitions[base], 'params')])] },
      definitions,
    ),
  });

  // Which result belongs to a request is said since 2026-07-28; before, their names say it.
  const resultOf = ({ name }: Member): Pick<MethodFacts, 'result' | 'asks'> => {
    const noun = name.replace(/Request$/, '');
    const said = propertyOf(definitions[`${noun}ResultResponse`], 'result');
    const members = Array.isArray(said['anyOf']) ? said['anyOf'] : [said];
    const asks = members.some((member) => nameOf(nodeOf(member)['$ref']) === 'InputRequiredResult');
    const complete = members.find((member) => nameOf(nodeOf(member)['$ref']) !== 'InputRequiredResult');
    const fallback = `${noun}Result` in definitions ? `${noun}Result` : 'EmptyResult';
    const result = flatten('$ref' in nodeOf(complete) ? complete : definitions[fallback], definitions);
    return asks ? { result, asks } : { result };
  };

  const methods = new Map<string, MethodFacts>();
  for (const from of ['client', 'server'] as const)
    for (const kind of ['request', 'notification'] as const) {
      const [side, sort] = [from === 'client' ? 'Client' : 'Server', kind === 'request' ? 'Request' : 'Notification'];
      for (const member of membersOf(`${side}${sort}`)) {
        const method = String(propertyOf(member.node, 'method')['const']);
        const before = methods.get(method);
        methods.set(method, {
          kind,
          from: [...(before?.from ?? []), from],
          ...paramsOf(member, `JSONRPC${sort}`),
          ...(kind === 'request' ? resultOf(member) : {}),
        });
      }
    }

  const errors = Object.keys(definitions).flatMap((name): readonly (readonly [string, number])[] => {
    const facts = name.endsWith('Error') ? flatten(definitions[name], definitions) : {};
    const code = Number(facts['error.code'] ?? facts['code']);
    return Number.isNaN(code) ? [] : [[name, code]];
  });

  return {
    methods: sorted(methods),
    inputs: sorted(
      membersOf('InputRequest').map((member) => [
        String(propertyOf(member.node, 'method')['const']),
        { ...paramsOf(member, ''), ...resultOf(member) },
      ]),
    ),
    ...('InputRequiredResult' in definitions
      ? { inputRequired: flatten(definitions['InputRequiredResult'], definitions) }
      : {}),
    capabilities: {
      client: flatten(definitions['ClientCapabilities'], definitions),
      server: flatten(definitions['ServerCapabilities'], definitions),
    },
    errors: sorted(errors),
  };
};
