/** What a schema says about a setting, for people: its rule, its description, and whether it is a secret. */
import { AST, ParseResult } from '../protocol/schema.ts';
import { effectProblem } from '../shape/effect-problem.ts';
import { brief } from '../shape/problem.ts';

/**
 * The rule of a setting, in words that hold no value: `a number between 1 and 65535`. A message that was written into
 * the schema is the rule, unless it needs the value.
 */
export const ruleOf = (ast: AST.AST): string => {
  switch (ast._tag) {
    case 'Transformation':
      // What a secret is made of says more than that it is one.
      return ruleOf(isSecret(ast.to) ? ast.from : ast.to);
    case 'TupleType':
      return ['a list', ...ast.rest.slice(0, 1).map(({ type }) => `each item ${ruleOf(type)}`)].join(', ');
    case 'TypeLiteral':
      return `an object with ${ast.propertySignatures.map(({ name }) => String(name)).join(', ') || 'any members'}`;
    case 'Union':
      return [...new Set(ast.types.filter((type) => !AST.isUndefinedKeyword(type)).map(ruleOf))].join(' or ');
    case 'Refinement':
      return isHidden(ast) ? [ruleOf(ast.from), ...limits(ast)].join(', ') : said(ast);
    default:
      return said(ast);
  }
};

/** Whether an author's description has taken the place of the one that a refinement came with, which is its rule. */
const isHidden = (ast: AST.AST): boolean =>
  AST.isRefinement(ast) && AST.getMessageAnnotation(ast)._tag === 'None' && ownDescription(ast) !== undefined;

/** Whether the messages of a schema do not tell all of the rule. */
export const hidesRule = (ast: AST.AST): boolean => [...within(ast)].some(isHidden);

/** What is left of the rule then: `minimum 1`. */
const limits = (ast: AST.Refinement): readonly string[] => {
  const annotation = AST.getJSONSchemaAnnotation(ast);
  const keywords = annotation._tag === 'Some' ? Object.entries<unknown>({ ...annotation.value }) : [];
  return keywords.filter(([keyword]) => keyword !== 'type').map(([keyword, limit]) => `${keyword} ${brief(limit)}`);
};

const said = (ast: AST.AST): string => {
  try {
    const complaint = effectProblem(new ParseResult.Type(ast, undefined));
    return /^expected (.*), got nothing$/s.exec(complaint)?.[1] ?? complaint;
  } catch {
    return 'what its schema takes';
  }
};

/** The descriptions that schemas come with say what a value must be. */
const ownDescription = (annotated: AST.Annotated): string | undefined => {
  const description = AST.getDescriptionAnnotation(annotated);
  return description._tag === 'Some' && !/^an? |^Redacted\(/.test(description.value) ? description.value : undefined;
};

/** What an author wrote about a setting. */
export const descriptionOf = (annotated: AST.Annotated): string | undefined => {
  const own = ownDescription(annotated);
  if (own !== undefined) return own;
  if (!isAst(annotated)) return undefined;
  switch (annotated._tag) {
    case 'Refinement':
    case 'Transformation':
      return descriptionOf(annotated.from);
    case 'Union':
      return annotated.types.map(descriptionOf).find((found) => found !== undefined);
    default:
      return undefined;
  }
};

const isAst = (annotated: AST.Annotated): annotated is AST.AST => '_tag' in annotated;

/** Whether any part of what a schema makes is redacted. */
export const isSecret = (ast: AST.AST): boolean => declarations(ast).some(isRedacted);

/**
 * Whether a value may be quoted in a message. Only one that is made of plain types: who declares a type of their own
 * may redact it, or like a URL it may hold a password.
 */
export const isQuotable = (ast: AST.AST): boolean => declarations(ast).length === 0;

const declarations = (ast: AST.AST): readonly AST.Declaration[] => [...within(ast)].filter(AST.isDeclaration);

/** A schema and all that it is made of. */
const within = (ast: AST.AST, seen: Set<AST.AST> = new Set()): ReadonlySet<AST.AST> => {
  if (!seen.has(ast)) {
    seen.add(ast);
    for (const part of parts(ast)) within(part, seen);
  }
  return seen;
};

const parts = (ast: AST.AST): readonly AST.AST[] => {
  switch (ast._tag) {
    case 'Declaration':
      return ast.typeParameters;
    case 'Refinement':
      return [ast.from];
    case 'Transformation':
      return [ast.from, ast.to];
    case 'Suspend':
      return [ast.f()];
    case 'Union':
      return ast.types;
    case 'TupleType':
      return [...ast.elements, ...ast.rest].map(({ type }) => type);
    case 'TypeLiteral':
      return [...ast.propertySignatures, ...ast.indexSignatures].map(({ type }) => type);
    default:
      return [];
  }
};

const isRedacted = (ast: AST.Declaration): boolean => {
  const description = AST.getDescriptionAnnotation(ast);
  return description._tag === 'Some' && description.value === 'Redacted(<redacted>)';
};
