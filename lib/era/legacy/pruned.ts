/** Pruning keeps an object an object, which the type of a function over any value cannot say. */
import { isObject, type JsonObject } from '../../frame/frame.ts';
import { prune, type Shape } from '../../protocol/dated.ts';
import type { LegacyRevision } from '../../protocol/revisions.ts';

/** What makes an object fit for a peer of this revision. */
export const pruned = (shape: Shape, revision: LegacyRevision): ((value: JsonObject) => JsonObject) => {
  const cut = prune(shape, revision);
  return (value) => {
    const kept = cut(value);
    return isObject(kept) ? kept : value;
  };
};
