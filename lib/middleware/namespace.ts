/** Puts a prefix before the names of a server's tools and prompts, so that several servers can stand side by side. */
import { map, throwError } from 'rxjs';
import { isAnswer, middleware, type Middleware, type Request } from '../exchange/exchange.ts';
import { invalidParams, Misconfigured } from '../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import { methods, type MethodTable } from '../protocol/methods.ts';

/** Between a prefix and a name; one of the characters that a tool's name may have (NAME-03). */
export const separator = '.';

/**
 * What the peer calls `prefix.name` the exchange inside knows as `name`: of tools and prompts. Names without the prefix
 * are unknown. URIs stay as they are: they are unique already.
 *
 * @param prefix - one or more of `A-Z a-z 0-9 _ -`; the dot after it is added
 * @returns middleware; a name without the prefix fails with {@link RpcError} -32602
 * @throws {@link Misconfigured} where the prefix has other characters
 * @example
 * const prefixed = namespace('files')(files); // its tool `search` is called `files.search`
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools#tool-names
 */
export const namespace = (prefix: string, table: MethodTable = methods): Middleware => {
  if (!/^[A-Za-z0-9_-]+$/.test(prefix))
    throw new Misconfigured({
      message: `namespace ${JSON.stringify(prefix)}: only A-Z a-z 0-9 _ - may be in a prefix`,
    });
  const start = `${prefix}${separator}`;
  const inner = (name: unknown): string | undefined =>
    typeof name === 'string' && name.startsWith(start) ? name.slice(start.length) : undefined;

  /** The request as the exchange inside knows it; undefined where it names nothing of its. */
  const inward = (request: Request): Request | undefined => {
    const { method, params } = request;
    const named = table[method]?.nameIn;
    if (named === 'name') {
      const name = inner(params?.['name']);
      return name === undefined ? undefined : { method, params: { ...params, name } };
    }
    // Of what is named already, a reference says nothing: whoever adds one must not get round the prefix.
    const ref = named === undefined ? params?.['ref'] : undefined;
    if (!isObject(ref) || ref['type'] !== 'ref/prompt') return request;
    const name = inner(ref['name']);
    return name === undefined ? undefined : { method, params: { ...params, ref: { ...ref, name } } };
  };

  const renamed = (items: unknown): unknown =>
    isArray(items)
      ? items.map((item: unknown) => (isObject(item) ? { ...item, name: start + String(item['name']) } : item))
      : items;
  const outward = (result: JsonObject): JsonObject => ({
    ...result,
    ...(result['tools'] === undefined ? undefined : { tools: renamed(result['tools']) }),
    ...(result['prompts'] === undefined ? undefined : { prompts: renamed(result['prompts']) }),
  });

  return middleware((next) => (request, context) => {
    const inside = inward(request);
    if (inside === undefined)
      return throwError(() => invalidParams(`nothing is known under this name; names begin with ${start}`));
    const answers = next(inside, context);
    return isListing(request.method, table)
      ? answers.pipe(map((emission) => (isAnswer(emission) ? { result: outward(emission.result) } : emission)))
      : answers;
  });
};

const isListing = (method: string, table: MethodTable): boolean =>
  table[method]?.cacheable === true && method.endsWith('/list');
