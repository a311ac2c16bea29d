/**
 * What users are shown: the examples in docstrings of lib and in the README, compiled as they stand there, and the
 * docstrings of what is exported.
 *
 * All examples are modules of one program. Those of the README are whole. Those of docstrings are fragments: each gets,
 * as its first line, imports of the names that it uses and does not say where from.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));
const standIns = 'specs/house/stand-ins.ts';

/** Text of files by their path from the root; those that exist need not be in it. */
export type Sources = ReadonlyMap<string, string>;

export interface Example {
  /** The file that it stands in, from the root. */
  readonly path: string;
  /** Where its first line is in that file, counted from 1. */
  readonly line: number;
  readonly code: string;
  /** Whole examples import what they use. */
  readonly whole: boolean;
}

/** What an entry point exports under one name. */
export interface Exported {
  readonly name: string;
  /** Where it is declared: `lib/server/tool.ts:60`. */
  readonly where: string;
  readonly kind: 'function' | 'value' | 'type';
  /** The description, without tags. Empty: there is none. */
  readonly description: string;
  readonly examples: number;
  /** The pages that it points to. */
  readonly pages: readonly string[];
}

export interface House {
  readonly examples: readonly Example[];
  /** The exports of an entry point, `lib/index.ts`. */
  exportsOf(entry: string): readonly Exported[];
  /** What the compiler has against examples, as `path:line: message`. */
  problemsOf(examples: readonly Example[]): readonly string[];
}

/** Reads lib and the README. @param planted - files to be taken for files of lib */
export const openHouse = (planted: Sources = new Map()): House => {
  const paths = [...pathsOfLib(), ...planted.keys()];
  const parsed = new Map<string, ts.SourceFile>();
  const program = programOf([...paths, standIns, ...names.keys()], new Map([...planted, ...names]), parsed);
  const checker = program.getTypeChecker();
  const fileOf = (path: string): ts.SourceFile => {
    const file = program.getSourceFile(root + path);
    if (file === undefined) throw new Error(`there is no ${path}`);
    return file;
  };
  const symbolsOf = (path: string): readonly ts.Symbol[] => {
    const module = checker.getSymbolAtLocation(fileOf(path));
    return module === undefined ? [] : checker.getExportsOfModule(module);
  };
  const namesIn = (path: string): Names =>
    new Map(symbolsOf(path).map((symbol) => [symbol.name, isValue(aliases(symbol, checker))]));
  const imagined = namesIn(standIns);
  const published = packages.map((from, at): Scope => ({ from, names: namesIn(`specs/house/names.${at}.ts`) }));
  const scopesOf = (path: string): readonly Scope[] => [
    { from: `./${posix.basename(path)}`, names: namesIn(path) },
    { from: posix.relative(posix.dirname(path), standIns), names: imagined },
    ...published,
  ];

  return {
    examples: [...paths.flatMap((path) => inDocstrings(path, fileOf(path))), ...inReadme()],
    exportsOf: (entry) =>
      symbolsOf(entry).map((symbol) => exported(symbol.name, aliases(symbol, checker), checker, program)),
    problemsOf: (examples) => {
      const modules = new Map<string, Example>(examples.map((example) => [moduleOf(example), example]));
      const texts = [...modules].map(([module, example]): [string, string] => {
        if (example.whole) return [module, example.code];
        return [module, withImports(example.code, scopesOf(example.path))];
      });
      const checked = programOf([...modules.keys()], new Map([...planted, ...texts]), parsed);
      return [...modules].flatMap(([module, example]) => {
        const file = checked.getSourceFile(root + module);
        if (file === undefined) throw new Error(`there is no ${module}`);
        return [...checked.getSyntacticDiagnostics(file), ...checked.getSemanticDiagnostics(file)].flatMap(
          (diagnostic) =>
            // A fragment may declare what only its reader goes on to use.
            diagnostic.reportsUnnecessary !== undefined && !example.whole ? [] : [problem(diagnostic, file, example)],
        );
      });
    },
  };
};

/** The packages whose exports a fragment has at hand; of a name that several have, the first counts. */
const packages = ['rxmcp', 'rxmcp/auth', 'rxmcp/node', 'rxmcp/testing', 'rxjs'] as const;

/** A module for each, to ask the compiler for its names. */
const names: Sources = new Map(
  packages.map((specifier, at) => [`specs/house/names.${at}.ts`, `export * from '${specifier}';`]),
);

/** Whether a name is a value, by name. */
type Names = ReadonlyMap<string, boolean>;

interface Scope {
  readonly from: string;
  readonly names: Names;
}

const pathsOfLib = (): readonly string[] =>
  readdirSync(`${root}lib`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `lib/${path.replaceAll('\\', '/')}`);

/** A program over files of which some exist in memory only; what it has parsed is kept for the next one. */
const programOf = (paths: readonly string[], sources: Sources, parsed: Map<string, ts.SourceFile>): ts.Program => {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, (path) => ts.sys.readFile(path)) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, { ...ts.sys, readDirectory: () => [] }, root);
  const texts = new Map([...sources].map(([path, text]) => [root + path, text]));
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (path) => texts.has(path) || disk.fileExists(path),
    readFile: (path) => texts.get(path) ?? disk.readFile(path),
    getSourceFile: (path, target) => {
      const text = texts.get(path);
      const known = parsed.get(path);
      if (known !== undefined && (text === undefined || text === known.text)) return known;
      const file =
        text === undefined ? disk.getSourceFile(path, sparing(path, target)) : ts.createSourceFile(path, text, target);
      if (file !== undefined) parsed.set(path, file);
      return file;
    },
  };
  return ts.createProgram({ rootNames: paths.map((path) => root + path), options, host });
};

/** Nobody asks for the docstrings of packages, and parsing them takes a fifth of the time. */
const sparing = (
  path: string,
  target: ts.ScriptTarget | ts.CreateSourceFileOptions,
): ts.ScriptTarget | ts.CreateSourceFileOptions =>
  typeof target === 'object' && path.includes('/node_modules/')
    ? { ...target, jsDocParsingMode: ts.JSDocParsingMode.ParseNone }
    : target;

const lineAt = (file: ts.SourceFile, position: number): number => file.getLineAndCharacterOfPosition(position).line + 1;

/** The examples in docstrings, wherever in the file these stand. */
const inDocstrings = (path: string, file: ts.SourceFile): readonly Example[] => {
  const tags = new Set<ts.Node>();
  const visit = (node: ts.Node): void => {
    for (const tag of ts.getJSDocTags(node)) if (tag.tagName.text === 'example') tags.add(tag);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return [...tags].map((tag) => {
    const [, ...lines] = tag.getText(file).trimEnd().split('\n');
    const code = lines.map((line) => line.replace(/^\s*\* ?/, '')).join('\n');
    return { path, line: lineAt(file, tag.getStart(file)) + 1, code, whole: false };
  });
};

const inReadme = (): readonly Example[] => {
  const text = readFileSync(`${root}README.md`, 'utf8');
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(({ 1: code = '', index }) => ({
    path: 'README.md',
    line: text.slice(0, index).split('\n').length + 1,
    code,
    whole: true,
  }));
};

/** Where an example stands as a module: beside its file, or under the name that other examples import it by. */
const moduleOf = ({ path, line, code, whole }: Example): string => {
  const name = whole ? /^export const (\w+)/m.exec(code)?.[1] : undefined;
  return name === undefined
    ? `${path.replace(/\.\w+$/, '')}.example-${line}.ts`
    : posix.join(posix.dirname(path), `${name}.ts`);
};

/** A fragment as a module. Its imports are one line, so that all others are where they were. */
const withImports = (code: string, scopes: readonly Scope[]): string => {
  const imports = [...foreign(code)].flatMap((name) => {
    const scope = scopes.find(({ names: known }) => known.has(name));
    if (scope === undefined) return [];
    return [`import { ${scope.names.get(name) === true ? '' : 'type '}${name} } from '${scope.from}';`];
  });
  return `${imports.join(' ')} export {};\n${code}`;
};

/** The names that a fragment uses and does not declare. */
const foreign = (code: string): ReadonlySet<string> => {
  const used = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && !isMember(node)) used.add(node.text);
    ts.forEachChild(node, visit);
  };
  const file = ts.createSourceFile('fragment.ts', code, ts.ScriptTarget.Latest, true);
  visit(file);
  for (const name of file.statements.flatMap(declared)) used.delete(name);
  return used;
};

const isMember = (node: ts.Identifier): boolean =>
  (ts.isPropertyAccessExpression(node.parent) || ts.isPropertyAssignment(node.parent)) && node.parent.name === node;

/** The names that a statement declares. */
const declared = (statement: ts.Node): readonly string[] => {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.flatMap(declared);
  if (ts.isImportDeclaration(statement)) {
    const { name, namedBindings: bindings } = statement.importClause ?? {};
    const named = bindings === undefined ? [] : ts.isNamedImports(bindings) ? bindings.elements : [bindings];
    return [...(name === undefined ? [] : [name.text]), ...named.flatMap(declared)];
  }
  if (!('name' in statement)) return [];
  const name = statement.name as ts.BindingName;
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? declared(element) : []));
};

const problem = (
  { start = 0, messageText }: ts.Diagnostic,
  file: ts.SourceFile,
  { path, line, whole }: Example,
): string => {
  const first = whole ? 1 : 2;
  return `${path}:${line + Math.max(0, lineAt(file, start) - first)}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
};

/** A symbol, and all that it stands for, link by link. */
const aliases = (symbol: ts.Symbol, checker: ts.TypeChecker): readonly ts.Symbol[] => {
  const target = (symbol.flags & ts.SymbolFlags.Alias) === 0 ? undefined : checker.getImmediateAliasedSymbol(symbol);
  return target === undefined ? [symbol] : [symbol, ...aliases(target, checker)];
};

const isValue = (links: readonly ts.Symbol[]): boolean =>
  ((links.at(-1)?.flags ?? 0) & ts.SymbolFlags.Value) !== 0 &&
  !links.some(({ declarations = [] }) => declarations.some(ts.isTypeOnlyImportOrExportDeclaration));

const exported = (
  name: string,
  links: readonly ts.Symbol[],
  checker: ts.TypeChecker,
  program: ts.Program,
): Exported => {
  const declarations = links
    .flatMap(({ declarations: found = [] }) => found)
    .filter((one) => !program.isSourceFileFromExternalLibrary(one.getSourceFile()) && !ts.isExportSpecifier(one));
  const [first] = declarations;
  const docs = declarations
    .flatMap((one) => ts.getJSDocCommentsAndTags(ts.isNamespaceExport(one) ? one.parent : one))
    .filter(ts.isJSDoc);
  const tags = docs.flatMap((doc) => doc.tags ?? []);
  const last = links.at(-1);
  const isFunction = last !== undefined && checker.getTypeOfSymbol(last).getCallSignatures().length > 0;
  return {
    name,
    where:
      first === undefined
        ? ''
        : `${first.getSourceFile().fileName.slice(root.length)}:${lineAt(first.getSourceFile(), first.getStart())}`,
    kind: !isValue(links) ? 'type' : isFunction ? 'function' : 'value',
    description: docs
      .map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '')
      .join('\n')
      .trim(),
    examples: tags.filter(({ tagName }) => tagName.text === 'example').length,
    pages: tags
      .filter(({ tagName }) => tagName.text === 'see')
      .map((tag) => tag.getText().replace(/^@see\s+|[\s*]+$/g, '')),
  };
};
