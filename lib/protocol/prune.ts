/**
 * Speaking to an older peer: what its revision does not have is left out, and nothing else is touched.
 */
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import { formerType, historyOf, isOptionalAt, perRevision, type History, type Shape } from './object.ts';
import { within, type Revision } from './revisions.ts';
import { AST } from './schema.ts';
import { bestOf } from './union.ts';
import { checkAt } from './validate.ts';

/** Gives back the very same value where there is nothing to leave out. */
type Pruner = (value: unknown) => unknown;

/** Marks a member that is to be left out as a whole. */
const gone = Symbol('gone');

interface Cut {
  readonly name: string;
  readonly prune: Pruner;
}

const drop: Pruner = () => gone;

/** Drops what pruning has left empty. */
const emptied =
  (prune: Pruner): Pruner =>
  (value) => {
    const pruned = prune(value);
    return pruned !== value && isObject(pruned) && Object.keys(pruned).length === 0 ? gone : pruned;
  };

const cutOf = (history: History, revision: Revision): readonly Cut[] =>
  [...history.fields].flatMap(([name, field]): readonly Cut[] => {
    const { since, until, passes, vanishes } = field.dates;
    if (!within(revision, since, until)) return passes === true ? [] : [{ name, prune: drop }];
    const inner = prunerAt(field.ast, revision);
    const former = isOptionalAt(field, revision) ? formerType(field, revision) : undefined;
    if (former === undefined)
      return inner === undefined ? [] : [{ name, prune: vanishes === true ? emptied(inner) : inner }];
    const check = checkAt(former, revision);
    return [
      {
        name,
        prune: (value) => {
          const pruned = inner === undefined ? value : inner(value);
          return check(pruned) === undefined ? pruned : gone;
        },
      },
    ];
  });

/** Copied member by member from the first change on: deleting from a copy would make it slow for all that comes after. */
const pruneObject = (cuts: readonly Cut[]): Pruner | undefined => {
  if (cuts.length === 0) return undefined;
  const pruners = new Map(cuts.map(({ name, prune }) => [name, prune]));
  return (value) => {
    if (!isObject(value)) return value;
    const names = Object.keys(value);
    let copy: Record<string, unknown> | undefined;
    for (let i = 0; i < names.length; i += 1) {
      const name = names[i] ?? '';
      const member = value[name];
      const prune = member === undefined ? undefined : pruners.get(name);
      const pruned = prune === undefined ? member : prune(member);
      if (copy === undefined) {
        if (pruned === member) continue;
        copy = {};
        for (let before = 0; before < i; before += 1) copy[names[before] ?? ''] = value[names[before] ?? ''];
      }
      if (pruned !== gone) copy[name] = pruned;
    }
    return copy ?? value;
  };
};

const pruneMap = (prune: Pruner | undefined): Pruner | undefined =>
  prune === undefined ? undefined : (value) => (isObject(value) ? pruneMembers(value, prune) : value);

const pruneMembers = (value: JsonObject, prune: Pruner): JsonObject => {
  let copy: Record<string, unknown> | undefined;
  for (const name of Object.keys(value)) {
    const pruned = prune(value[name]);
    if (pruned !== value[name]) (copy ??= { ...value })[name] = pruned;
  }
  return copy ?? value;
};

const pruneArray = (prune: Pruner | undefined): Pruner | undefined =>
  prune === undefined ? undefined : (value) => (isArray(value) ? pruneItems(value, prune) : value);

const pruneItems = (items: readonly unknown[], prune: Pruner): readonly unknown[] => {
  let copy: unknown[] | undefined;
  for (let i = 0; i < items.length; i += 1) {
    const pruned = prune(items[i]);
    if (pruned !== items[i]) (copy ??= [...items])[i] = pruned;
  }
  return copy ?? items;
};

/** For a member that the revision lacks: what stands in for it, or the thing itself, for a translator to refuse. */
const standIn = (ast: AST.AST, revision: Revision): Pruner | undefined => {
  const history = historyOf(ast);
  if (history?.standIn === undefined || within(revision, history.since, history.until)) return undefined;
  const { standIn } = history;
  return (value) => (isObject(value) ? standIn(value) : value);
};

const pruneUnion = (members: readonly AST.AST[], revision: Revision): Pruner | undefined => {
  const pruners = members.map((member) => standIn(member, revision) ?? prunerAt(member, revision));
  if (pruners.every((prune) => prune === undefined)) return undefined;
  const best = bestOf(members);
  return (value) => {
    const prune = pruners[best(value)];
    return prune === undefined ? value : prune(value);
  };
};

const prunerAt = perRevision((ast, revision): Pruner | undefined => {
  const history = historyOf(ast);
  if (history !== undefined) return pruneObject(cutOf(history, revision));
  if (AST.isUnion(ast)) return pruneUnion(ast.types, revision);
  if (AST.isTupleType(ast)) return ast.rest[0] && pruneArray(prunerAt(ast.rest[0].type, revision));
  if (AST.isTypeLiteral(ast))
    return ast.indexSignatures[0] && pruneMap(prunerAt(ast.indexSignatures[0].type, revision));
  return undefined;
});

const same: Pruner = (value) => value;

/**
 * What makes a value in the newest form fit for a peer of another revision: every field that the revision does not have
 * is dropped, at any depth; a block of content that it does not have is said in words. Members that no revision knows
 * are left alone. Gives back the same reference where nothing had to be dropped. Compiled once, on first use.
 *
 * @example
 * import { Tool } from './tool.ts';
 *
 * prune(Tool, '2024-11-05')({ name: 'add', title: 'Add', inputSchema: { type: 'object' } }); // without the title
 */
export const prune = (shape: Shape, revision: Revision): ((value: unknown) => unknown) =>
  prunerAt(shape.ast, revision) ?? same;
