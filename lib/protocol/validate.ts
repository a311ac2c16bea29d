/**
 * Validation, compiled from a schema's syntax tree into plain checks. Every request passes here: Effect's own parser takes
 * two to three times as long, and its issues would have to be taken apart to say in one sentence what is wrong. A spec
 * holds the two against each other.
 */
import { quoted } from '../frame/errors.ts';
import { isArray, isObject } from '../frame/frame.ts';
import { leafOf } from './json.ts';
import { astAt, perRevision, type Shape } from './object.ts';
import type { Revision } from './revisions.ts';
import { AST } from './schema.ts';
import { bestOf } from './union.ts';

/**
 * Undefined where the value is right; otherwise the end of a sentence that begins with the name of the place:
 * ` must be a string`, `.name is missing`, `[2].type must be "text"`.
 */
export type Check = (value: unknown) => string | undefined;

const mustBe = (name: string, admits: (value: unknown) => boolean): Check => {
  const flaw = ` must be ${name}`;
  return (value) => (admits(value) ? undefined : flaw);
};

/** A name that the peer chose: a sentence must not grow with it, nor break off. */
const keyed = (name: string): string => (/^[\w$./-]{1,100}$/.test(name) ? `.${name}` : `[${quoted(name)}]`);

const anything: Check = () => undefined;

const checkObject = (ast: AST.TypeLiteral): Check => {
  const fields = ast.propertySignatures.map(({ name, type, isOptional }) => ({
    name: String(name),
    check: check(type),
    isOptional,
  }));
  const every = ast.indexSignatures[0] === undefined ? undefined : check(ast.indexSignatures[0].type);
  return (value) => {
    if (!isObject(value)) return ' must be an object';
    for (const field of fields) {
      const member = value[field.name];
      if (member === undefined) {
        if (!field.isOptional && !(field.check === anything && field.name in value)) return `.${field.name} is missing`;
        continue;
      }
      const flaw = field.check(member);
      if (flaw !== undefined) return `.${field.name}${flaw}`;
    }
    if (every === undefined) return undefined;
    for (const name of Object.keys(value)) {
      const flaw = every(value[name]);
      if (flaw !== undefined) return `${keyed(name)}${flaw}`;
    }
    return undefined;
  };
};

const checkArray = (ast: AST.TupleType): Check => {
  const item = ast.rest[0] === undefined ? anything : check(ast.rest[0].type);
  return (value) => {
    if (!isArray(value)) return ' must be an array';
    for (let i = 0; i < value.length; i += 1) {
      const flaw = item(value[i]);
      if (flaw !== undefined) return `[${i}]${flaw}`;
    }
    return undefined;
  };
};

/** The one tag that tells all members apart, with its values; undefined where there is no such tag. */
const tagsOf = (members: readonly AST.AST[]): string | undefined => {
  const tags = members.flatMap((member) =>
    AST.isTypeLiteral(member)
      ? member.propertySignatures.flatMap(({ name, type }) =>
          AST.isLiteral(type) ? [{ name: String(name), said: JSON.stringify(type.literal) }] : [],
        )
      : [],
  );
  const name = tags[0]?.name;
  if (tags.length !== members.length || tags.some((tag) => tag.name !== name)) return undefined;
  return `.${name} must be ${tags.map(({ said }) => said).join(' or ')}`;
};

const describe = (ast: AST.AST): string => {
  if (AST.isLiteral(ast)) return JSON.stringify(ast.literal);
  if (AST.isStringKeyword(ast)) return 'a string';
  if (AST.isNumberKeyword(ast)) return 'a number';
  if (AST.isBooleanKeyword(ast)) return 'a boolean';
  if (AST.isTupleType(ast)) return 'an array';
  if (AST.isUnion(ast)) return ast.types.map(describe).join(' or ');
  return leafOf(ast)?.name ?? 'an object';
};

const checkUnion = (ast: AST.Union): Check => {
  if (ast.types.every((type) => AST.isLiteral(type))) {
    const values = new Set<unknown>(ast.types.map((type) => (AST.isLiteral(type) ? type.literal : undefined)));
    return mustBe(describe(ast), (value) => values.has(value));
  }
  const checks = ast.types.map(check);
  const best = bestOf(ast.types);
  const tags = tagsOf(ast.types);
  const flaw = ` must be ${[...new Set(ast.types.map(describe))].join(' or ')}`;
  return (value) => {
    const index = best(value);
    if (index === -1) return tags !== undefined && isObject(value) ? tags : flaw;
    const first = checks[index]?.(value);
    // The look may deceive: a member that is less alike may still admit the value.
    return first === undefined || checks.some((other) => other(value) === undefined) ? undefined : first;
  };
};

const check = (ast: AST.AST): Check => {
  if (AST.isTypeLiteral(ast)) return checkObject(ast);
  if (AST.isTupleType(ast)) return checkArray(ast);
  if (AST.isUnion(ast)) return checkUnion(ast);
  if (AST.isUnknownKeyword(ast)) return anything;
  if (AST.isStringKeyword(ast)) return mustBe('a string', (value) => typeof value === 'string');
  if (AST.isNumberKeyword(ast)) return mustBe('a number', (value) => typeof value === 'number');
  if (AST.isBooleanKeyword(ast)) return mustBe('a boolean', (value) => typeof value === 'boolean');
  if (AST.isLiteral(ast)) return mustBe(describe(ast), (value) => value === ast.literal);
  const leaf = leafOf(ast);
  if (leaf === undefined) throw new TypeError(`no check is known for the schema ${String(ast)}`);
  return mustBe(leaf.name, leaf.admits);
};

/** The compiled check of a revision; made on first use, then remembered. */
export const checkAt = perRevision((ast, revision): Check => check(astAt(ast, revision)));

/** As it reads at the beginning of a sentence: `.name is missing` without its dot. */
const sentence = (flaw: string): string => (flaw.startsWith('[') ? flaw : flaw.slice(1));

const validatorAt = perRevision((ast, revision): Check => {
  // Most programs never look at most of the protocol, and starting is what they all do.
  let checked: Check | undefined;
  return (value) => {
    const flaw = (checked ??= checkAt(ast, revision))(value);
    return flaw === undefined ? undefined : sentence(flaw);
  };
});

/**
 * What tells whether a value keeps to a schema as a revision had it: undefined where it does, otherwise one sentence
 * that names the first field and its rule, as `arguments must be an object` or `name is missing`. Members that the
 * schema does not know are left alone. Compiled once, on first use.
 *
 * @example
 * validator(methods['tools/call'].params, '2026-07-28')({ arguments: [] }); // 'name is missing'
 */
export const validator = (shape: Shape, revision: Revision): ((value: unknown) => string | undefined) =>
  validatorAt(shape.ast, revision);
