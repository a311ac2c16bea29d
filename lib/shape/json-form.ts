/**
 * The form that a value takes on the wire. A handler may return a `Date`, a class or an optional member that is
 * `undefined`; what its peer sees, and what a JSON Schema speaks of, is what `JSON.stringify` makes of it.
 */
import { isArray } from '../frame/frame.ts';
import type { Verdict } from './verdict.ts';

/** True where a value goes on the wire as it is; the walk is a fraction of what copying costs. */
const isJson = (value: unknown): boolean => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (isArray(value)) return value.every(isJson);
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !('toJSON' in value) && membersAreJson(value);
};

const membersAreJson = (value: object): boolean => {
  for (const member of Object.values(value)) if (!isJson(member)) return false;
  return true;
};

/** The value itself where it is JSON, else its JSON form; a cycle, a bigint or a function has none. */
export const jsonForm = (value: unknown): Verdict => {
  try {
    if (isJson(value)) return { ok: true, value };
    const text: string | undefined = JSON.stringify(value);
    return text === undefined
      ? { ok: false, problem: `a ${typeof value} has no JSON form` }
      : { ok: true, value: JSON.parse(text) };
  } catch {
    // The cause quotes the value and the names of classes: neither is a peer's business.
    return { ok: false, problem: 'the value has no JSON form (a cycle, a bigint, or nested too deep)' };
  }
};
