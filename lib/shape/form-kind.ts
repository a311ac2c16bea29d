/**
 * What kind of field a schema means. Schema languages say the same in many ways: references and `allOf` are gathered into
 * one, constants and unions of them become options.
 */
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import type { StringField } from '../protocol/form.ts';
import { keywords } from './keywords.ts';
import { brief } from './problem.ts';

export type Fail = (reason: string) => never;

export interface Place {
  /** The whole document, for references. */
  readonly root: JsonObject;
  readonly fail: Fail;
}

export const listed = (value: unknown): readonly unknown[] =>
  isArray(value) ? value : value === undefined ? [] : [value];

/** Keywords that a form says in one way or another, or that are left to the decoder. */
const understood: ReadonlySet<string> = new Set([
  ...['$id', '$anchor', '$dynamicAnchor', '$defs', 'definitions', 'type', 'const', 'enum', 'anyOf', 'oneOf'],
  ...['properties', 'required', 'additionalProperties', 'unevaluatedProperties', 'items', 'minItems', 'maxItems'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'minLength', 'maxLength', 'format'],
  ...['pattern', 'multipleOf', 'uniqueItems'],
]);

export const mustBeSayable = (said: JsonObject, fail: Fail): void => {
  const foreign = Object.keys(said).find((keyword) => keywords['2020-12'].has(keyword) && !understood.has(keyword));
  if (foreign !== undefined) fail(`has no keyword ${foreign}`);
};

export const mustBeClosed = (root: JsonObject, refuse: Fail): void => {
  if (root['anyOf'] !== undefined || root['oneOf'] !== undefined) refuse('is one object, not a choice of several');
  for (const keyword of ['additionalProperties', 'unevaluatedProperties']) {
    const others = root[keyword];
    if (isObject(others) && Object.keys(others).length > 0)
      refuse(`has the fields that it names, and no others: it has no ${keyword}`);
  }
  mustBeSayable(root, refuse);
};

/** What a reference within the document leads to. Writers differ in whether they escape the names of definitions. */
const target = (reference: string, { root, fail }: Place): unknown => {
  const nowhere = (): never => fail(`its reference ${brief(reference)} leads to nothing that is known here`);
  if (reference !== '#' && !reference.startsWith('#/')) return nowhere();
  return reference
    .split('/')
    .slice(1)
    .reduce<unknown>((here, part) => {
      const inside = isObject(here) ? here : nowhere();
      return inside[[part, unescaped(part)].find((name) => Object.hasOwn(inside, name)) ?? nowhere()];
    }, root);
};

const unescaped = (part: string): string => {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return part;
  }
};

/** A schema without references and `allOf`: what they say, it says itself. */
export const gathered = (schema: unknown, place: Place, followed: readonly string[] = []): JsonObject => {
  if (!isObject(schema)) return schema === true ? {} : place.fail('no value would fit');
  const { $ref, allOf, ...own } = schema;
  const parts = listed(allOf).map((part) => gathered(part, place, followed));
  if (typeof $ref === 'string') {
    if (followed.includes($ref)) place.fail(`its reference ${brief($ref)} leads back to itself`);
    parts.push(gathered(target($ref, place), place, [...followed, $ref]));
  }
  return [...parts, own].reduce((one, other) => merged(one, other, place.fail));
};

/** Two schemas that must both hold, as one. */
const merged = (one: JsonObject, other: JsonObject, fail: Fail): JsonObject => {
  const shared = Object.keys(other).filter((keyword) => Object.hasOwn(one, keyword));
  const agreed = shared.map((keyword) => {
    const agree = agreement.get(keyword);
    return [keyword, agree === undefined ? other[keyword] : agree(one[keyword], other[keyword], fail)] as const;
  });
  return { ...one, ...other, ...Object.fromEntries(agreed) };
};

type Agree = (one: unknown, other: unknown, fail: Fail) => unknown;

const larger: Agree = (one, other) => Math.max(Number(one), Number(other));
const smaller: Agree = (one, other) => Math.min(Number(one), Number(other));
const same: Agree = (one, other, fail) =>
  JSON.stringify(one) === JSON.stringify(other) ? other : fail('two of its parts contradict each other');
const common: Agree = (one, other) => listed(one).filter((value) => listed(other).includes(value));

const types: Agree = (one, other, fail) => {
  const names = [...listed(one), ...listed(other)].sort().join();
  const left = names === 'integer,number' ? ['integer'] : listed(common(one, other, fail));
  return left.length > 0 ? left : same(one, other, fail);
};
const members: Agree = (one, other) => {
  const [some, more] = [isObject(one) ? one : {}, isObject(other) ? other : {}];
  const held = Object.entries(more).map(([name, schema]) =>
    Object.hasOwn(some, name) ? [name, { allOf: [some[name], schema] }] : [name, schema],
  );
  return { ...some, ...Object.fromEntries(held) };
};

/** How two schemas agree on a keyword; on one that is not here, such as `title`, the outer schema decides. */
const agreement: ReadonlyMap<string, Agree> = new Map([
  ...['minimum', 'exclusiveMinimum', 'minLength', 'minItems'].map((keyword) => [keyword, larger] as const),
  ...['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems'].map((keyword) => [keyword, smaller] as const),
  ...['const', 'anyOf', 'oneOf', 'items'].map((keyword) => [keyword, same] as const),
  ['type', types],
  ['enum', common],
  ['required', (one, other) => [...new Set([...listed(one), ...listed(other)])]],
  ['properties', members],
]);

/** A value to choose, with its title where it has one. */
export interface Option {
  readonly value: unknown;
  readonly title?: string;
}

/** What a schema is about. */
export interface Kind {
  /** The one type beside null; `null` where there is none beside it, undefined where nothing says any. */
  readonly type: unknown;
  readonly nullable: boolean;
  /** All that there is to choose from. */
  readonly options?: readonly Option[];
  readonly said: JsonObject;
}

export const kindOf = (schema: unknown, place: Place, depth = 0): Kind => {
  if (depth > DEEPEST) return place.fail('it is a union within itself');
  const said = gathered(schema, place);
  const types = listed(said['type']);
  const nullFits = types.length === 0 || types.includes('null');
  if (said['anyOf'] !== undefined || said['oneOf'] !== undefined) {
    const kind = kindOfUnion(said, place, depth);
    return { ...kind, nullable: kind.nullable && nullFits };
  }
  const values = Object.hasOwn(said, 'const') ? [said['const']] : said['enum'];
  if (isArray(values)) {
    const names = listed(said['enumNames']);
    const options = values.map((value, index) => ({ value, ...titleOf(names[index]) }));
    return ofOptions(options, nullFits, said);
  }
  const [type = keywordsType(said), ...more] = types.filter((name) => name !== 'null');
  if (more.length > 0) return place.fail(severalKinds);
  const none = type === undefined && types.length > 0;
  return { type: none ? 'null' : type, nullable: types.includes('null'), said };
};

/** How deep unions are looked into. */
const DEEPEST = 64;

const severalKinds = 'it may be of several kinds, and a field is of one';

export const titleOf = (title: unknown): { readonly title?: string } => (typeof title === 'string' ? { title } : {});

const ofOptions = (all: readonly Option[], nullFits: boolean, said: JsonObject): Kind => {
  const options = all.filter(({ value }) => value !== null);
  const nullable = options.length < all.length && nullFits;
  return nullable && options.length === 0
    ? { type: 'null', nullable, said }
    : { type: undefined, nullable, options, said };
};

/** The type that constraints are about, where none is said: an annotation of Effect Schema takes its place. */
const keywordsType = (said: JsonObject): string | undefined => {
  const has = (...names: readonly string[]) => names.some((name) => said[name] !== undefined);
  if (has('minLength', 'maxLength', 'pattern', 'format')) return 'string';
  return has('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf') ? 'number' : undefined;
};

/** A union of constants is a choice; one with null is what it is beside null. */
const kindOfUnion = ({ anyOf, oneOf, ...others }: JsonObject, place: Place, depth: number): Kind => {
  if (anyOf !== undefined && oneOf !== undefined) return place.fail(severalKinds);
  const kinds = listed(anyOf ?? oneOf).map((member) => kindOf(member, place, depth + 1));
  const nullable = kinds.some((kind) => kind.nullable);
  const left = kinds.filter((kind) => kind.type !== 'null');
  const [first] = left;
  if (first === undefined) return { type: 'null', nullable, said: others };
  // The title of a lone constant is its own, that of anything else is the field's.
  const lone = left.length === 1 && first.options?.length !== 1 ? first : undefined;
  const only = lone ?? (left.every(isText) ? left.find(isAnyText) : undefined);
  if (only !== undefined) return { ...only, nullable, said: merged(only.said, others, place.fail) };
  const options = new Map<unknown, Option>();
  for (const { options: some, said } of left) {
    if (some === undefined) return place.fail(severalKinds);
    const title = some.length === 1 ? titleOf(said['title']) : {};
    for (const option of some) options.set(option.value, { ...title, ...option });
  }
  return { type: undefined, nullable, options: [...options.values()], said: others };
};

const isText = ({ type, options }: Kind): boolean =>
  options === undefined ? type === 'string' : options.every(({ value }) => typeof value === 'string');

/** Text of which a form could say nothing more: every other text is one of these. */
const isAnyText = ({ options, said }: Kind): boolean =>
  options === undefined &&
  said['minLength'] === undefined &&
  said['maxLength'] === undefined &&
  !isFormat(said['format']);

const formats: ReadonlySet<unknown> = new Set(['date', 'date-time', 'email', 'uri']);
export const isFormat = (format: unknown): format is NonNullable<StringField['format']> => formats.has(format);
