/** One setting: what it is called wherever it can be written, and how its schema reads it. */
import { Misconfigured } from '../frame/errors.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import { AST, ParseResult, Schema } from '../protocol/schema.ts';
import { effectProblem } from '../shape/effect-problem.ts';
import { descriptionOf, hidesRule, isQuotable, isSecret, ruleOf } from './settings-rule.ts';

export interface Setting {
  readonly name: string;
  /** Without its dashes. */
  readonly flag: string;
  /** In the environment. */
  readonly variable: string | undefined;
  /** What its schema takes. */
  readonly ast: AST.AST;
  /** A flag that needs no value. */
  readonly isSwitch: boolean;
  readonly secret: boolean;
  readonly rule: string;
  readonly description: string | undefined;
  /** Of what is written for it, or of nothing. */
  readonly decode: (...given: readonly [unknown] | readonly []) => Decoded;
}

/** The setting by its name, unless it has no value; or its name and the rule that it breaks. */
export type Decoded =
  { readonly ok: true; readonly values: JsonObject } | { readonly ok: false; readonly problem: string };

/** @throws {@link Misconfigured} where the name cannot be one */
export const setting = (name: string, field: Schema.Struct.Fields[string], prefix: string | undefined): Setting => {
  const refused = (rule: string) => new Misconfigured({ message: `setting ${JSON.stringify(name)}: ${rule}` });
  if (!/^[a-z][A-Za-z0-9]*$/.test(name)) throw refused('a name is written in camelCase, of letters and digits');
  // JavaScript itself asks objects for these.
  if (name in {} || name === 'toJSON' || name === 'then') throw refused('every object has something of that name');
  const { ast } = Schema.Struct({ [name]: field });
  const [from, to] = AST.isTransformation(ast) ? [ast.from, ast.to] : [ast, ast];
  const [taken, made] = [from, to].map((side) => (AST.isTypeLiteral(side) ? side.propertySignatures[0] : undefined));
  if (taken === undefined || made === undefined) throw refused('it has no schema');

  const rule = ruleOf(taken.type);
  const quotable = isQuotable(taken.type);
  const hidden = hidesRule(taken.type);
  const decode = ParseResult.decodeUnknownEither(Schema.make<unknown>(ast), { errors: 'all' });
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').replace(/([A-Z])([A-Z][a-z])/g, '$1-$2');
  return {
    name,
    flag: words.toLowerCase(),
    variable: prefix === undefined ? undefined : `${prefix}_${words.replaceAll('-', '_')}`.toUpperCase(),
    ast: taken.type,
    isSwitch: isTruth(taken.type),
    secret: isSecret(taken.type),
    rule,
    description: descriptionOf(made) ?? descriptionOf(taken) ?? descriptionOf(made.type) ?? descriptionOf(taken.type),
    decode: (...given) => {
      const wrong = (problem: string): Decoded => ({ ok: false, problem });
      try {
        const decoded = decode(given.length === 0 ? {} : { [taken.name]: given[0] });
        if (decoded._tag === 'Right') return { ok: true, values: isObject(decoded.right) ? decoded.right : {} };
        if (given.length === 0) return wrong(effectProblem(decoded.left));
        if (!quotable) return wrong(`${name}: breaks its rule: ${rule}`);
        return wrong(`${effectProblem(decoded.left)}${hidden ? `; the rule: ${rule}` : ''}`);
      } catch {
        // What a schema throws may well quote the value.
        return wrong(`${name}: its schema failed; the rule is: ${rule}`);
      }
    },
  };
};

/** Whether true or false is what becomes of it. */
const isTruth = (ast: AST.AST): boolean => {
  const made = AST.typeAST(ast);
  if (AST.isUnion(made)) return made.types.some(isTruth);
  if (AST.isRefinement(made)) return isTruth(made.from);
  return AST.isBooleanKeyword(made) || (AST.isLiteral(made) && typeof made.literal === 'boolean');
};
