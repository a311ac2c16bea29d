/**
 * A JSON Schema as a flat list of facts, one per place: which types it has there, whether it is required, and which
 * values it names. The same for the official schemas and for ours, so that the two can be held against each other.
 */

/** From place to what is said of it: `content[]<text>.text` to `string`, `title` to `string ?`. */
export type Facts = Readonly<Record<string, string>>;

type Node = Readonly<Record<string, unknown>>;

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const nodeOf = (value: unknown): Node => (isNode(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A way that a node can be, references followed and `allOf` merged. */
interface Way {
  readonly node: Node;
  readonly kind: string;
  readonly trail: readonly string[];
}

const merge = (nodes: readonly Node[]): Node => ({
  type: 'object',
  properties: Object.assign({}, ...nodes.map(({ properties }) => nodeOf(properties))),
  required: nodes.flatMap(({ required }) => listOf(required)),
});

const limits = (node: Node): string =>
  [
    ['>=', node['minimum']],
    ['<=', node['maximum']],
    ['#<=', node['maxItems']],
  ]
    .map(([sign, limit]) => (limit === undefined ? '' : `${String(sign)}${String(limit)}`))
    .join('');

const wayOf = (node: Node, trail: readonly string[]): readonly Way[] => {
  if (Array.isArray(node['type'])) return node['type'].map((type) => ({ node, kind: String(type), trail }));
  if ('const' in node) return [{ node, kind: JSON.stringify(node['const']), trail }];
  if (Array.isArray(node['enum'])) return node['enum'].map((value) => ({ node, kind: JSON.stringify(value), trail }));
  const type = typeof node['type'] === 'string' ? node['type'] : 'any';
  return [{ node, kind: `${'properties' in node ? 'object' : type}${limits(node)}`, trail }];
};

const isObjectWay = ({ kind }: Way): boolean => kind === 'object';

const namesIn = (node: unknown): readonly string[] => Object.keys(nodeOf(nodeOf(node)['properties']));

/** What tells objects of one union apart: the value of a tag, what they require, what else they have, and what that has. */
const keysOf = (nodes: readonly Node[]): readonly string[] => {
  const tags = nodes.map(({ properties }) => {
    const tag = ['type', 'method', 'mode']
      .map((name) => nodeOf(nodeOf(properties)[name]))
      .find((named) => 'const' in named || 'enum' in named);
    return tag === undefined ? '' : [...listOf(tag['enum'] ?? [tag['const']])].map(String).sort().join('|');
  });
  const refine = (keys: readonly string[], more: (node: Node) => readonly string[]): readonly string[] =>
    keys.map((key, i) => {
      const alike = nodes.filter((_, other) => keys[other] === key).map(more);
      const node = nodes[i];
      if (node === undefined || (key !== '' && alike.length === 1)) return key;
      const special = more(node).filter((name) => alike.length === 1 || !alike.every((names) => names.includes(name)));
      return special.length === 0 ? key : [key, [...special].sort().join('+')].filter((part) => part !== '').join(' ');
    });
  const keys = [
    (node: Node) => listOf(node['required']).map(String),
    namesIn,
    (node: Node) => namesIn(node).flatMap((name) => namesIn(nodeOf(node['properties'])[name])),
  ].reduce(refine, tags);
  if (new Set(keys).size !== keys.length) throw new Error(`nothing tells the members of a union apart: ${keys.join()}`);
  return keys;
};

/**
 * @param root the schema
 * @param definitions what its references point to, by their last part
 */
export const flatten = (root: unknown, definitions: Node = {}): Facts => {
  const facts = new Map<string, string>();

  const ways = (schema: unknown, trail: readonly string[]): readonly Way[] => {
    const node = nodeOf(schema);
    const reference = node['$ref'];
    if (typeof reference === 'string') {
      const name = reference.split('/').at(-1) ?? '';
      // "Any JSON" is open, and recursion has said all that it has to say.
      if (name === 'JSONValue' || trail.includes(name)) return [{ node: {}, kind: 'any', trail }];
      return ways(definitions[name], [...trail, name]);
    }
    const members = node['anyOf'] ?? node['oneOf'];
    if (Array.isArray(members)) return members.flatMap((member) => ways(member, trail));
    if (Array.isArray(node['allOf'])) {
      const choices = node['allOf']
        .map((part) => ways(part, trail).map((way) => way.node))
        .filter((nodes) => nodes.length > 0);
      const all = choices.reduce<readonly (readonly Node[])[]>(
        (made, nodes) => made.flatMap((some) => nodes.map((one) => [...some, one])),
        [[]],
      );
      return all.flatMap((nodes) => wayOf(merge(nodes), trail));
    }
    return wayOf(node, trail);
  };

  const object = ({ node, trail }: Way, path: string): void => {
    const needed = new Set(listOf(node['required']));
    for (const [name, member] of Object.entries(nodeOf(node['properties'])))
      visit(member, path === '' ? name : `${path}.${name}`, needed.has(name), trail);
    // The empty pattern fits every name: two ways to say the same.
    const rest = nodeOf(node['patternProperties'])[''] ?? node['additionalProperties'];
    if (isNode(rest) && ways(rest, trail).some(({ kind }) => kind !== 'any')) visit(rest, `${path}{}`, true, trail);
  };

  const visit = (schema: unknown, path: string, isRequired: boolean, trail: readonly string[]): void => {
    const found = ways(schema, trail);
    const kinds = [...new Set(found.map(({ kind }) => kind))].sort();
    facts.set(path, `${kinds.join(' | ')}${isRequired ? '' : ' ?'}`);
    const objects = found.filter(isObjectWay);
    const keys = objects.length === 1 ? [] : keysOf(objects.map(({ node }) => node));
    objects.forEach((way, i) => {
      const key = keys[i];
      if (key !== undefined) facts.set(`${path}<${key}>`, 'object');
      object(way, key === undefined ? path : `${path}<${key}>`);
    });
    for (const { node, kind, trail: reached } of found)
      if (kind.startsWith('array') && isNode(node['items'])) visit(node['items'], `${path}[]`, true, reached);
  };

  visit(root, '', true, []);
  return Object.fromEntries([...facts].sort(([a], [b]) => (a < b ? -1 : 1)));
};
