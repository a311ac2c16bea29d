/** Capabilities are asked for by path. */
import { codes, RpcError } from '../frame/errors.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import type { ClientCapabilities } from './peer.ts';

/** Whether these capabilities hold what a path names: `resources.subscribe`. */
export const offers = (capabilities: JsonObject, path: string): boolean => {
  let at: unknown = capabilities;
  for (const step of path.split('.')) at = isObject(at) ? at[step] : undefined;
  return at !== undefined && at !== false;
};

/** The same of a client, of which an empty `elicitation` means that it fills in forms (BR-65). */
export const declares = (capabilities: ClientCapabilities | JsonObject, path: string): boolean => {
  const declared: JsonObject = { ...capabilities };
  const forms =
    path === 'elicitation.form' && isObject(declared['elicitation']) && !offers(declared, 'elicitation.url');
  return forms || offers(declared, path);
};

/** The error -32021 that names what a client would have to declare for something; undefined where it declares all of it. */
export const missingCapability = (
  declared: ClientCapabilities,
  needs: ClientCapabilities,
  what = 'this',
): RpcError | undefined => {
  const missing = pathsOf({ ...needs }).filter((path) => !declares(declared, path));
  return missing.length === 0
    ? undefined
    : new RpcError({
        code: codes.missingClientCapability,
        message: `${what} needs a client that declares ${missing.join(', ')}`,
        data: { requiredCapabilities: needs },
      });
};

const pathsOf = (needs: JsonObject): readonly string[] =>
  Object.entries(needs).flatMap(([name, need]) =>
    isObject(need) && Object.keys(need).length > 0 ? pathsOf(need).map((path) => `${name}.${path}`) : [name],
  );

/** What a client must have declared to be asked this, as paths. */
export const needsOf = ({
  method,
  params,
}: {
  readonly method: string;
  readonly params?: JsonObject;
}): readonly string[] => {
  if (method === 'elicitation/create') return [params?.['mode'] === 'url' ? 'elicitation.url' : 'elicitation.form'];
  if (method === 'roots/list') return ['roots'];
  const withTools = params?.['tools'] !== undefined || params?.['toolChoice'] !== undefined;
  return withTools ? ['sampling', 'sampling.tools'] : ['sampling'];
};

/** All that either declares; a flag that one of them has set stays set. */
export const union = (left: JsonObject, right: JsonObject): JsonObject => ({
  ...left,
  ...Object.fromEntries(
    Object.entries(right).map(([key, value]) => {
      const other = left[key];
      if (isObject(value) && isObject(other)) return [key, union(other, value)];
      return [key, value === false && other !== undefined ? other : value];
    }),
  ),
});
