/** Capabilities are asked for by path. */
import { isObject, type JsonObject } from '../frame/frame.ts';

/** Whether these capabilities hold what a path names: `resources.subscribe`. */
export const offers = (capabilities: JsonObject, path: string): boolean => {
  let at: unknown = capabilities;
  for (const step of path.split('.')) at = isObject(at) ? at[step] : undefined;
  return at !== undefined && at !== false;
};
