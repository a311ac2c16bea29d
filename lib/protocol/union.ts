/**
 * Which member of a union a value is meant to be, told by what it looks like rather than by trying all.
 */
import { isArray, isObject } from '../frame/frame.ts';
import { leafOf } from './json.ts';
import { AST } from './schema.ts';

/** How well a value fits a member at first sight; 0 is not at all. */
type Look = (value: unknown) => number;

const literalsOf = (ast: AST.AST): ReadonlySet<unknown> | undefined => {
  if (AST.isLiteral(ast)) return new Set([ast.literal]);
  if (AST.isUnion(ast) && ast.types.every((type) => AST.isLiteral(type)))
    return new Set(ast.types.map((type) => (AST.isLiteral(type) ? type.literal : undefined)));
  return undefined;
};

const lookOfObject = ({ propertySignatures }: AST.TypeLiteral): Look => {
  const tags = propertySignatures.flatMap(({ name, type, isOptional }) => {
    const literals = literalsOf(type);
    return literals === undefined ? [] : [{ name: String(name), literals, isOptional }];
  });
  const needed = propertySignatures.filter(({ isOptional }) => !isOptional).map(({ name }) => String(name));
  return (value) => {
    if (!isObject(value)) return 0;
    for (const { name, literals, isOptional } of tags) {
      const tag = value[name];
      if (!literals.has(tag) && !(isOptional && tag === undefined)) return 0;
    }
    let fit = 1;
    for (const name of needed) if (value[name] !== undefined) fit += 1;
    return fit;
  };
};

const lookOf = (ast: AST.AST): Look => {
  if (AST.isTypeLiteral(ast)) return lookOfObject(ast);
  if (AST.isTupleType(ast)) return (value) => (isArray(value) ? 1 : 0);
  if (AST.isStringKeyword(ast)) return (value) => (typeof value === 'string' ? 1 : 0);
  if (AST.isNumberKeyword(ast)) return (value) => (typeof value === 'number' ? 1 : 0);
  if (AST.isBooleanKeyword(ast)) return (value) => (typeof value === 'boolean' ? 1 : 0);
  if (AST.isLiteral(ast)) return (value) => (value === ast.literal ? 1 : 0);
  const leaf = leafOf(ast);
  return leaf === undefined ? () => 1 : (value) => (leaf.admits(value) ? 1 : 0);
};

/** The index of the member that fits best, the first among equals; -1 where none does. */
export const bestOf = (members: readonly AST.AST[]): ((value: unknown) => number) => {
  const looks = members.map(lookOf);
  return (value) => {
    let best = -1;
    let most = 0;
    for (let i = 0; i < looks.length; i += 1) {
      const fit = looks[i]?.(value) ?? 0;
      if (fit <= most) continue;
      most = fit;
      best = i;
    }
    return best;
  };
};
