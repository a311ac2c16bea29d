/**
 * Messages that are cloned instead of written as text: a clone may hold what JSON cannot, loops and shared parts
 * included, so it is looked through before anybody else sees it, and before it leaves.
 */
import { codes } from '../frame/errors.ts';
import { isArray, isObject, isRequestId, type Frame } from '../frame/frame.ts';
import { depthLimit, unreadable } from '../frame/json.ts';
import { serialise, type OutboxOptions } from './outbox.ts';

/** How long a message may be by default, in characters as JSON would have them. */
export const defaultMessageLimit = 16 * 1024 * 1024;

/** A longer id is nobody's, as for messages of text. */
const idLimit = 1024;

/**
 * Takes a clone that has come in. Never throws.
 *
 * @param value - the clone, which is this side's own; members that are undefined are taken out of it, as JSON does
 * @param limit - how long it may be, in characters of JSON, more or less
 * @returns the value, or an {@link Unreadable} with the id of the request wherever there is one
 */
export const readClone = (value: unknown, limit: number): unknown => {
  const flaw = new Look(limit, true).at(value, depthLimit);
  if (flaw === undefined) return value;
  const { id, method, result, error } = isObject(value) ? value : {};
  const response = method === undefined && (result !== undefined || error !== undefined);
  const told = isRequestId(id) && String(id).length <= idLimit ? id : undefined;
  return unreadable(flaw, codes.invalidRequest, Object.prototype.toString.call(value), { id: told, response });
};

/**
 * Posts a frame, or a batch. What JSON says differently from a clone (dates, undefined, proxies, `toJSON`) is posted as
 * JSON has it, so that the far side sees the same as over a wire.
 */
export const postFrame = (
  item: Frame | readonly Frame[],
  post: (message: unknown) => void,
  onUnsendable: OutboxOptions['onUnsendable'],
): void => {
  if (posted(item, post)) return;
  const text = serialise(item, onUnsendable);
  if (text !== undefined) post(JSON.parse(text));
};

const posted = (item: Frame | readonly Frame[], post: (message: unknown) => void): boolean => {
  try {
    if (new Look(Infinity, false).at(item, depthLimit) !== undefined) return false;
    post(item);
    return true;
  } catch {
    // A getter threw, or it is a proxy, which cannot be cloned.
    return false;
  }
};

type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

/** The only prototype without one of its own is `Object.prototype`, of whichever realm. */
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};

/** One look through a value. Its length is bounded as it goes: parts that are shared count as often as they are met. */
class Look {
  #room: number;
  readonly #prunes: boolean;

  constructor(limit: number, prunes: boolean) {
    this.#room = limit;
    this.#prunes = prunes;
  }

  /** What is wrong with this value, or below it. */
  at(value: unknown, deeper: number): string | undefined {
    this.#room -= typeof value === 'string' ? value.length + 2 : 2;
    if (this.#room < 0) return 'longer than is allowed';
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return undefined;
    if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${value} is not JSON`;
    if (!isNode(value)) return `${typeof value} is not JSON`;
    if (deeper === 0) return `nested deeper than ${depthLimit} levels`;
    if (isArray(value)) return this.#items(value, deeper - 1);
    if (!isPlain(value)) return `${Object.prototype.toString.call(value)} is not JSON`;
    return this.#members(value, deeper - 1);
  }

  /** A hole reads as undefined, so an array that is long and empty ends at once. */
  #items(items: readonly unknown[], deeper: number): string | undefined {
    for (let index = 0; index < items.length; index += 1) {
      const flaw = this.at(items[index], deeper);
      if (flaw !== undefined) return flaw;
    }
    return undefined;
  }

  #members(members: Node, deeper: number): string | undefined {
    for (const key in members) {
      if (key === '__proto__') return 'a key must not be "__proto__"';
      this.#room -= key.length + 2;
      const value = members[key];
      if (value === undefined && this.#prunes) Reflect.deleteProperty(members, key);
      else {
        const flaw = this.at(value, deeper);
        if (flaw !== undefined) return flaw;
      }
    }
    return undefined;
  }
}
