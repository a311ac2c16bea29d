/**
 * Takes the regular expressions out of a schema that a peer wrote: some take ages by design, and nothing can interrupt
 * them (JS-11). A value that fits the whole schema must still fit what is left of it.
 */
import type { JsonObject } from '../frame/frame.ts';

/**
 * These refuse a value because a part of the schema fits, or has looked at too little: with a part that fits more than
 * it should, they would refuse what is right.
 */
const contrary: readonly string[] = [
  'not',
  'if',
  'then',
  'else',
  'maxContains',
  'unevaluatedItems',
  'unevaluatedProperties',
];

/**
 * @param subschemas every subschema of a document, written for nobody else. They are told apart already, so that a
 *   property which is named `pattern` is none
 */
export const withoutPatterns = (subschemas: readonly JsonObject[]): void => {
  const has = (subschema: JsonObject, keyword: string) => Object.hasOwn(subschema, keyword);
  if (!subschemas.some((one) => has(one, 'pattern') || has(one, 'patternProperties'))) return;
  for (const subschema of subschemas) {
    // Nobody knows any more which properties are additional.
    if (has(subschema, 'patternProperties')) Reflect.deleteProperty(subschema, 'additionalProperties');
    if (has(subschema, 'oneOf') && !has(subschema, 'anyOf')) Reflect.set(subschema, 'anyOf', subschema['oneOf']);
    for (const keyword of ['pattern', 'patternProperties', 'oneOf', ...contrary])
      Reflect.deleteProperty(subschema, keyword);
  }
};
