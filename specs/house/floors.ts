/** The floors of lib (DESIGN, section 3), and what a set of sources breaks of them. */
import ts from 'typescript';

/**
 * The floor that each folder of lib stands on, with the steps between folders of one floor behind the point. Imports
 * point to the same folder or downwards, so no two folders need each other.
 */
export const floors: Readonly<Record<string, number>> = {
  frame: 0,
  protocol: 1,
  shape: 1.1,
  exchange: 1.2,
  era: 2,
  middleware: 2.1,
  transport: 2.2,
  server: 3,
  client: 3.1,
  extension: 3,
  auth: 3,
  host: 4,
  cluster: 4,
  node: 4,
  testing: 4,
  cli: 5,
};

/** `lib/index.ts` gathers public names from this floor and those below it. */
const indexFloor = 3;

/** May use what exists in Node only. */
const nodeFolders = new Set(['node', 'cluster', 'cli']);
const nodePackages = /^(?:node:|(?:ws|cross-spawn|proper-lockfile|chokidar|ioredis)(?:\/|$))/;
const nodeGlobals = new Set([
  'process',
  'Buffer',
  'global',
  'setImmediate',
  'clearImmediate',
  '__dirname',
  '__filename',
]);

const schemaSeam = 'protocol/schema.ts';
const vague = /(?:^|[-_.])(?:utils?|helpers?|common|misc|managers?)(?:[-_.]|$)/i;
const maxLines = 400;

/** Path below lib → text. */
export type Sources = ReadonlyMap<string, string>;

const folderOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '');

const parse = (path: string, text: string): ts.SourceFile =>
  ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);

const walk = (node: ts.Node, visit: (node: ts.Node) => void): void => {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
};

/** Every module that a file names: imports, re-exports, `import()`, `import('x').Type` and `require`, types included. */
export const importsOf = (path: string, text: string): string[] => {
  const found: string[] = [];
  const take = (node: ts.Node | undefined): void => {
    if (node !== undefined && ts.isStringLiteralLike(node)) found.push(node.text);
  };
  walk(parse(path, text), (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) take(node.moduleSpecifier);
    else if (ts.isExternalModuleReference(node)) take(node.expression);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) take(node.argument.literal);
    else if (
      ts.isCallExpression(node) &&
      (node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === 'require')
    )
      take(node.arguments[0]);
  });
  return found;
};

/** Globals of Node that a file reads, `globalThis.process` and `typeof process` included. */
export const nodeGlobalsOf = (path: string, text: string): string[] => {
  const found = new Set<string>();
  walk(parse(path, text), (node) => {
    if (!ts.isIdentifier(node) || !nodeGlobals.has(node.text)) return;
    const { parent } = node;
    const member = ts.isPropertyAccessExpression(parent) && parent.name === node;
    if (member && parent.expression.getText() !== 'globalThis') return;
    const named = 'name' in parent && parent.name === node && !member;
    if (!named || ts.isShorthandPropertyAssignment(parent)) found.add(node.text);
  });
  return [...found];
};

/** The file that a relative import of `from` names, below lib; undefined where it leaves lib. */
const resolve = (from: string, specifier: string): string | undefined => {
  const { pathname } = new URL(specifier, `file:///lib/${from}`);
  return pathname.startsWith('/lib/') ? pathname.slice('/lib/'.length) : undefined;
};

const floorsBroken = (path: string, specifier: string): string | undefined => {
  const target = resolve(path, specifier);
  if (target === undefined) return `${path} imports ${specifier}, outside lib`;
  const [from, to] = [folderOf(path), folderOf(target)];
  if (from === to) return undefined;
  const floor = floors[to];
  if (floor === undefined) return `${path} imports ${target}, which stands on no floor`;
  const ground = from === '' ? indexFloor + 1 : (floors[from] ?? -1);
  return floor < ground
    ? undefined
    : `${path} (floor ${from === '' ? 'index' : ground}) imports ${target} (floor ${floor})`;
};

/** Where the two roles' doors between the eras begin: the only stateful code of the project, and never one another's. */
const doors = { server: 'era/serve.ts', client: 'era/dial.ts' } as const;

/** What both doors may know: no state, and nothing of either role. */
const betweenDoors = new Set(['era/classify.ts', 'era/legacy/meta.ts', 'era/legacy/pruned.ts']);

const doorsThatMeet = (graph: ReadonlyMap<string, readonly string[]>): string[] => {
  const reachedFrom = (door: string): ReadonlySet<string> => {
    const reached = new Set([door]);
    for (const path of reached) for (const next of graph.get(path) ?? []) reached.add(next);
    return reached;
  };
  const missing = Object.values(doors).filter((door) => !graph.has(door));
  const [server, client] = [reachedFrom(doors.server), reachedFrom(doors.client)];
  const shared = [...server].filter((path) => client.has(path) && path.startsWith('era/') && !betweenDoors.has(path));
  return [
    ...missing.map((door) => `${door}, a door, is not there`),
    ...shared.map((path) => `${path} is behind both doors`),
  ];
};

/** Everything that the sources of lib break, one sentence each. */
export const brokenBy = (sources: Sources): string[] => {
  const broken: string[] = [];
  const graph = new Map<string, string[]>();
  for (const [path, text] of sources) {
    const folder = folderOf(path);
    const edges: string[] = [];
    graph.set(path, edges);
    if (folder === '' ? path !== 'index.ts' : floors[folder] === undefined) broken.push(`${path} stands on no floor`);
    if (vague.test(path.slice(path.lastIndexOf('/') + 1))) broken.push(`${path} has a name that says nothing`);
    const lines = text.trimEnd().split('\n').length;
    if (lines > maxLines) broken.push(`${path} has ${lines} lines, more than ${maxLines}`);
    for (const specifier of importsOf(path, text)) {
      if (specifier.startsWith('.')) {
        const up = floorsBroken(path, specifier);
        if (up !== undefined) broken.push(up);
        const target = resolve(path, specifier);
        if (target !== undefined) edges.push(target);
        if (target !== undefined && !sources.has(target))
          broken.push(`${path} imports ${target}, which does not exist`);
      } else if (specifier.startsWith('@effect/schema')) {
        if (path !== schemaSeam) broken.push(`${path} imports ${specifier}; only ${schemaSeam} may`);
      } else if (nodePackages.test(specifier) && !nodeFolders.has(folder)) {
        broken.push(`${path} imports ${specifier}, which exists in Node only`);
      }
    }
    if (!nodeFolders.has(folder))
      for (const name of nodeGlobalsOf(path, text)) broken.push(`${path} uses ${name}, which exists in Node only`);
  }
  return [...broken, ...doorsThatMeet(graph)];
};
