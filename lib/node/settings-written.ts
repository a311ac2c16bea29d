/**
 * What a person wrote for a setting, as its schema wants it written: text from a flag or the environment becomes a
 * number, a boolean or a list where one is asked for. What does not become one stays as it is, for the schema to refuse.
 */
import { isArray, isObject } from '../frame/frame.ts';
import { parse } from '../frame/json.ts';
import { Unreadable } from '../frame/unreadable.ts';
import { ParseResult, Schema, type AST } from '../protocol/schema.ts';

/** As it was found: texts, the last of which counts where only one can; or a value out of a JSON file. */
export type Written = { readonly texts: readonly string[] } | { readonly json: unknown };

/** @param ast - what the schema takes */
export const readingOf = (ast: AST.AST, found: Written): unknown => {
  switch (ast._tag) {
    case 'Refinement':
      return readingOf(ast.from, found);
    case 'Suspend':
      // What goes on without end is not taken out of commas.
      return 'texts' in found ? nested(plain(found)) : readingOf(ast.f(), found);
    case 'Transformation':
      return spelt(ast, readingOf(ast.from, found));
    case 'Union':
      return firstThatFits(ast.types, found);
    case 'TupleType':
      return list(ast, found);
    default:
      return 'texts' in found ? fromText(ast, plain(found)) : plain(found);
  }
};

const plain = (found: Written): unknown => ('texts' in found ? found.texts.at(-1) : found.json);

const fromText = (ast: AST.AST, text: unknown): unknown => {
  if (typeof text !== 'string') return text;
  switch (ast._tag) {
    case 'NumberKeyword':
      return number(text) ?? text;
    case 'BooleanKeyword':
      return truth(text) ?? text;
    case 'Literal':
      return says(text, ast.literal) ? ast.literal : text;
    case 'Enums':
      return ast.enums.find(([, value]) => says(text, value))?.[1] ?? text;
    case 'TypeLiteral':
    case 'ObjectKeyword':
      return json(text, isObject) ?? text;
    default:
      return text;
  }
};

/** Infinity cannot be written in JSON; what a server takes does not depend on where it is written. */
const number = (text: string): number | undefined => {
  const value = text.trim() === '' ? NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
};

const truth = (text: string): boolean | undefined => {
  if (/^(?:true|yes|on|1)$/i.test(text)) return true;
  return /^(?:false|no|off|0)$/i.test(text) ? false : undefined;
};

const says = (text: string, value: AST.LiteralValue): boolean =>
  text === String(value) || (/^(?:true|false)$/.test(String(value)) && String(truth(text)) === String(value));

const json = <A>(text: string, is: (value: unknown) => value is A): A | undefined => {
  const value = parse(text);
  return !(value instanceof Unreadable) && is(value) ? value : undefined;
};

const nested = (text: unknown): unknown =>
  typeof text === 'string' ? (json(text, isArray) ?? json(text, isObject) ?? text) : text;

/** Where a schema makes a number of text, a file may say the number. */
const spelt = (ast: AST.Transformation, reading: unknown): unknown => {
  const made = bare(ast.to)._tag;
  const scalar =
    (typeof reading === 'number' && (made === 'NumberKeyword' || made === 'BigIntKeyword')) ||
    (typeof reading === 'boolean' && made === 'BooleanKeyword');
  return scalar && !fits(ast.from, reading) ? String(reading) : reading;
};

const bare = (ast: AST.AST): AST.AST => (ast._tag === 'Refinement' ? bare(ast.from) : ast);

const firstThatFits = (types: readonly AST.AST[], found: Written): unknown => {
  const readings = types.map((type) => ({ type, reading: readingOf(type, found) }));
  // Where none fits, the one that was at least read shows best what is wrong.
  const chosen =
    readings.find(({ type, reading }) => fits(type, reading)) ??
    readings.find(({ reading }) => reading !== plain(found));
  return chosen === undefined ? plain(found) : chosen.reading;
};

const fits = (ast: AST.AST, value: unknown): boolean =>
  ParseResult.decodeUnknownOption(Schema.make<unknown>(ast))(value)._tag === 'Some';

/** In text, a list is a JSON array or its items with commas between them; a repeated flag adds to its list. */
const list = ({ elements, rest }: AST.TupleType, found: Written): unknown => {
  const items =
    'texts' in found ? found.texts.flatMap(split) : isArray(found.json) ? found.json.map(asJson) : undefined;
  if (items === undefined) return plain(found);
  return items.map((item, index) => {
    const type = (elements[index] ?? rest[0])?.type;
    return type === undefined ? plain(item) : readingOf(type, item);
  });
};

const asJson = (json: unknown): Written => ({ json });

const split = (text: string): readonly Written[] =>
  json(text, isArray)?.map(asJson) ??
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => ({ texts: [item] }));
