/** Shows and lets through only some of a server's tools, resources and prompts. */
import { map, throwError } from 'rxjs';
import { isAnswer, middleware, type Context, type Middleware } from '../exchange/exchange.ts';
import { invalidParams, quoted } from '../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import { methods, type MethodTable } from '../protocol/methods.ts';

/** Decides by name (of a resource: by URI), and by what the edge knows of the caller. */
export type Permit = (name: string, context: Context) => boolean;

/** Which tools, prompts and resources are permitted; a kind without a rule is permitted whole. */
export interface Restrictions {
  readonly tools?: Permit;
  readonly prompts?: Permit;
  readonly resources?: Permit;
}

type Kind = keyof Restrictions;

const kinds: readonly Kind[] = ['tools', 'prompts', 'resources'];

/**
 * What is not permitted does not exist for the caller: it is on no list, and using it is answered as if it were
 * unknown. Kinds without a rule are left alone, and so are resource templates: their rule is asked about each URI that
 * is read.
 *
 * @param rules - for each kind, what decides by name (of a resource: by URI) and by what the edge knows of the caller
 * @returns middleware; what is not permitted fails with {@link RpcError} -32602
 * @example
 * const careful = restrict({ tools: (name) => !name.startsWith('delete') })(files);
 */
export const restrict = (rules: Restrictions, table: MethodTable = methods): Middleware => {
  const kindOf = (method: string): Kind | undefined => kinds.find((kind) => table[method]?.serverCapability === kind);
  const permitted = (kind: Kind, name: unknown, context: Context): boolean =>
    rules[kind]?.(String(name), context) ?? true;
  const shown = (result: JsonObject, context: Context): JsonObject => {
    const lists = kinds.flatMap((kind): readonly (readonly [Kind, unknown])[] => {
      const items = result[kind];
      return isArray(items)
        ? [
            [
              kind,
              items.filter((item: unknown) => isObject(item) && permitted(kind, item['uri'] ?? item['name'], context)),
            ],
          ]
        : [];
    });
    return lists.length === 0 ? result : { ...result, ...Object.fromEntries<unknown>(lists) };
  };
  return middleware((next) => (request, context) => {
    const { method, params } = request;
    const kind = kindOf(method);
    const nameIn = table[method]?.nameIn;
    if (kind !== undefined && nameIn !== undefined && !permitted(kind, params?.[nameIn], context))
      return throwError(() =>
        invalidParams(`unknown: ${quoted(params?.[nameIn])}`, nameIn === 'uri' ? { uri: params?.['uri'] } : undefined),
      );
    return next(request, context).pipe(
      map((emission) => (isAnswer(emission) ? { result: shown(emission.result, context) } : emission)),
    );
  });
};
