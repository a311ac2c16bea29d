/** Shows and lets through only some of a server's tools, resources and prompts. */
import { filter, map, throwError } from 'rxjs';
import { isAnswer, middleware, type Context, type Middleware, type Request } from '../exchange/exchange.ts';
import { invalidParams, quoted, type RpcError } from '../frame/errors.ts';
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
 * What is not permitted does not exist for the caller: it is on no list, nobody is told of its changes, and using it is
 * answered as if it were unknown. Kinds without a rule are left alone. The rule for resources is asked about each URI as it
 * was sent, and about a resource template as it is written.
 *
 * @param rules - for each kind, what decides by name (of a resource: by URI) and by what the edge knows of the caller
 * @returns middleware; what is not permitted fails with {@link RpcError} -32602
 * @example
 * const careful = restrict({ tools: (name) => !name.startsWith('delete') })(files);
 */
export const restrict = (rules: Restrictions, table: MethodTable = methods): Middleware => {
  const permitted = (kind: Kind, name: unknown, context: Context): boolean =>
    rules[kind]?.(String(name), context) ?? true;

  const shown = (result: JsonObject, context: Context): JsonObject => {
    const lists = Object.entries(listed).flatMap(([member, { kind, key }]): readonly (readonly [string, unknown])[] => {
      const items = result[member];
      if (!isArray(items)) return [];
      return [[member, items.filter((item) => isObject(item) && permitted(kind, item[key], context))]];
    });
    return lists.length === 0 ? result : { ...result, ...Object.fromEntries<unknown>(lists) };
  };

  /** Only what is permitted can be watched; the rest is left out without a word (AMB-35). */
  const watching = ({ method, params }: Request, context: Context): Request => {
    const wanted = isObject(params?.['notifications']) ? params['notifications'] : {};
    const uris = wanted['resourceSubscriptions'];
    if (!isArray(uris)) return { method, ...(params === undefined ? undefined : { params }) };
    const resourceSubscriptions = uris.filter((uri) => permitted('resources', uri, context));
    return { method, params: { ...params, notifications: { ...wanted, resourceSubscriptions } } };
  };

  return middleware((next) => (request, context) => {
    const subject = subjectOf(request, table);
    if (subject !== undefined && !permitted(subject.kind, subject.name, context))
      return throwError(() =>
        invalidParams(
          `unknown: ${quoted(subject.name)}`,
          subject.kind === 'resources' ? { uri: subject.name } : undefined,
        ),
      );
    const listens = table[request.method]?.longLived === true;
    return next(listens ? watching(request, context) : request, context).pipe(
      // An update may be of a part of what was subscribed, which has a rule of its own.
      filter(
        (emission) =>
          isAnswer(emission) ||
          emission.method !== updatedMethod ||
          permitted('resources', emission.params?.['uri'], context),
      ),
      map((emission) => (isAnswer(emission) ? { result: own(shown(emission.result, context)) } : emission)),
    );
  });
};

/** What is shown depends on who asks, so nobody else may be given it (BR-71). */
const own = (result: JsonObject): JsonObject =>
  result['cacheScope'] === 'public' ? { ...result, cacheScope: 'private' } : result;

const updatedMethod = 'notifications/resources/updated';

/** The members of results that are lists, and what their items are known by. */
const listed: Readonly<Record<string, { readonly kind: Kind; readonly key: string }>> = {
  tools: { kind: 'tools', key: 'name' },
  prompts: { kind: 'prompts', key: 'name' },
  resources: { kind: 'resources', key: 'uri' },
  resourceTemplates: { kind: 'resources', key: 'uriTemplate' },
};

/** The one thing that a request is about: what it uses, or wants completed. */
const subjectOf = (
  { method, params }: Request,
  table: MethodTable,
): { readonly kind: Kind; readonly name: unknown } | undefined => {
  const row = table[method];
  if (row?.nameIn !== undefined) {
    const kind = kinds.find((one) => row.serverCapability === one);
    return kind === undefined ? undefined : { kind, name: params?.[row.nameIn] };
  }
  // Only what is not named by itself is known by what it refers to.
  const ref = params?.['ref'];
  if (!isObject(ref)) return undefined;
  return ref['type'] === 'ref/prompt'
    ? { kind: 'prompts', name: ref['name'] }
    : { kind: 'resources', name: ref['uri'] };
};
