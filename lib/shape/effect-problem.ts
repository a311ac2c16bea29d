/**
 * One line out of the tree of issues that Effect Schema makes. Its own formatters print the whole value and every
 * branch; a model needs the place, the rule, and a glimpse of what was there.
 */
import { AST, type ParseResult } from '../protocol/schema.ts';
import { at, brief, joined, missingAt, problemAt } from './problem.ts';

type Path = readonly PropertyKey[];
type Issue = ParseResult.ParseIssue;

/** The problems of an issue, joined; reads no further into the tree than the message has room for. */
export const effectProblem = (issue: Issue): string => joined(problems(issue, []));

function* problems(issue: Issue, path: Path): Generator<string, void, undefined> {
  switch (issue._tag) {
    case 'Pointer':
      return yield* problems(issue.issue, path.concat(issue.path));
    case 'Missing':
      return yield issue.message === undefined ? missingAt(path) : at(path, issue.message);
    case 'Unexpected':
      return yield at(path, 'is not expected');
    case 'Forbidden':
      return yield at(path, issue.message ?? 'cannot be checked');
    case 'Type': {
      const message = custom(issue.ast, issue)?.text ?? issue.message;
      return yield message === undefined ? problemAt(path, kind(issue.ast), issue.actual) : at(path, message);
    }
    case 'Refinement':
    case 'Transformation':
    case 'Composite': {
      const message = custom(issue.ast, issue);
      if (message !== undefined && (message.override || (issue._tag === 'Refinement' && issue.kind === 'Predicate')))
        return yield at(path, message.text);
      return yield* inner(issue, path);
    }
  }
}

function* inner(
  issue: ParseResult.Refinement | ParseResult.Transformation | ParseResult.Composite,
  path: Path,
): Generator<string, void, undefined> {
  if (issue._tag === 'Composite') {
    if (AST.isUnion(issue.ast)) return yield* ofUnion(issue, issue.ast, path);
    for (const part of listed(issue.issues)) yield* problems(part, path);
    return;
  }
  // The value as it came says more than the half-transformed one that the inner issue holds.
  const itself = issue._tag === 'Refinement' ? issue.kind === 'Predicate' : issue.kind === 'Transformation';
  if (!itself || issue.issue._tag !== 'Type') return yield* problems(issue.issue, path);
  const expected = issue._tag === 'Refinement' ? kind(issue.ast) : kind(issue.ast.to);
  yield issue.issue.message === undefined ? problemAt(path, expected, issue.actual) : at(path, issue.issue.message);
}

/** The branch that got furthest is the one that was meant; where none got anywhere, the choice is the message. */
function* ofUnion(issue: ParseResult.Composite, union: AST.Union, path: Path): Generator<string, void, undefined> {
  const branches = listed(issue.issues);
  const entered = branches.filter((branch) => depth(branch) > 0);
  const meant = entered.sort((a, b) => depth(b) - depth(a))[0] ?? (branches.length === 1 ? branches[0] : undefined);
  if (meant === undefined || (meant._tag === 'Type' && meant.ast === union))
    return yield problemAt(path, kind(union), issue.actual);
  yield* problems(meant, path);
}

/** How far below the value an issue is. */
const depth = (issue: Issue): number => {
  switch (issue._tag) {
    case 'Pointer':
      return 1 + depth(issue.issue);
    case 'Refinement':
    case 'Transformation':
      return depth(issue.issue);
    case 'Composite':
      return listed(issue.issues).reduce((deepest, part) => Math.max(deepest, depth(part)), 0);
    default:
      return 0;
  }
};

const listed = (issues: ParseResult.SingleOrNonEmpty<Issue>): readonly Issue[] =>
  '_tag' in issues ? [issues] : issues;

/** A message that the user wrote into the schema. One that is itself an Effect is not run here. */
const custom = (ast: AST.AST, issue: Issue): { readonly text: string; readonly override: boolean } | undefined => {
  const annotation = AST.getMessageAnnotation(ast);
  if (annotation._tag === 'None') return undefined;
  const message = annotation.value(issue);
  if (typeof message === 'string') return { text: message, override: false };
  return 'message' in message && typeof message.message === 'string'
    ? { text: message.message, override: message.override }
    : undefined;
};

/** What a schema asks for, in a few words. */
const kind = (ast: AST.AST): string => {
  switch (ast._tag) {
    case 'StringKeyword':
      return 'a string';
    case 'NumberKeyword':
      return 'a number';
    case 'BooleanKeyword':
      return 'a boolean';
    case 'Literal':
      return brief(ast.literal);
    case 'TypeLiteral':
    case 'ObjectKeyword':
      return 'an object';
    case 'TupleType':
      return 'an array';
    case 'Enums':
      return ast.enums.map(([, value]) => brief(value)).join(' or ');
    case 'Union':
      return [...new Set(ast.types.filter((type) => !AST.isUndefinedKeyword(type)).map(kind))].join(' or ');
    case 'Transformation':
      return kind(ast.from);
    case 'Suspend':
      return kind(ast.f());
    case 'Refinement':
    case 'Declaration': {
      // Descriptions that users write for models say what a field is for; the built-in ones say what it must be.
      const description = AST.getDescriptionAnnotation(ast);
      if (description._tag === 'Some' && /^an? /.test(description.value)) return description.value;
      const title = AST.getTitleAnnotation(ast);
      if (title._tag === 'Some') return title.value;
      return ast._tag === 'Refinement' ? kind(ast.from) : String(ast);
    }
    default:
      return String(ast);
  }
};
