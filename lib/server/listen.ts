/**
 * `subscriptions/listen`: acknowledges what this server can tell of, then tells. An ordinary long-lived exchange; its
 * state is its own and ends with it (SUB-18).
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
import { auditTime, concat, EMPTY, filter, ignoreElements, map, merge, NEVER, Observable, of } from 'rxjs';
import { deliver } from '../exchange/bridge.ts';
import { acknowledgedMethod } from '../exchange/envelope.ts';
import type { Context, Emission, Request } from '../exchange/exchange.ts';
import { isArray, isObject } from '../frame/frame.ts';
import { Call } from './call.ts';
import type { AnyResource, Catalogue } from './catalogue.ts';
import { find, type Found } from './read.ts';
import type { Shelf, Stock } from './shelf.ts';

/** What a client can listen to besides resources: the flag of the filter, the notification, and the shelf. */
const lists = [
  ['toolsListChanged', 'notifications/tools/list_changed', 'tools'],
  ['promptsListChanged', 'notifications/prompts/list_changed', 'prompts'],
  ['resourcesListChanged', 'notifications/resources/list_changed', 'resources'],
] as const;

/** @param coalesceMs - how long, in milliseconds, changes of one list are gathered into one notification */
export const listen = (
  catalogue: Catalogue,
  coalesceMs: number,
  request: Request,
  context: Context,
): Observable<Emission> => {
  const wanted = isObject(request.params?.['notifications']) ? request.params['notifications'] : {};
  const asked = isArray(wanted['resourceSubscriptions']) ? wanted['resourceSubscriptions'].map(String) : [];
  const heard = lists.filter(([flag, , kind]) => wanted[flag] === true && catalogue[kind].changing);
  const changes = heard.map(([, method, kind]) =>
    settled(catalogue[kind], coalesceMs).pipe(map((): Emission => ({ method }))),
  );
  const uris = catalogue.capabilities.resources?.subscribe === true ? [...new Set(asked)] : [];
  const acknowledge = (resourceSubscriptions: readonly string[]): Observable<Emission> =>
    of({
      method: acknowledgedMethod,
      params: {
        notifications: {
          ...Object.fromEntries(heard.map(([flag]) => [flag, true])),
          // What it cannot watch is left out, without a word (AMB-35).
          ...(resourceSubscriptions.length === 0 ? undefined : { resourceSubscriptions }),
        },
      },
    });
  if (uris.length === 0) return concat(acknowledge([]), merge(...changes, held(catalogue)));
  return catalogue.resources.look((stock: Stock<AnyResource>) => {
    const found = uris.flatMap((uri) => find(stock, uri) ?? []);
    const updated = merge(
      ...found.map((one) => watch(one, request, context)),
      catalogue.updates$.pipe(filter((uri) => found.some((one) => covers(one.read.uri, uri)))),
    ).pipe(map((uri): Emission => ({ method: 'notifications/resources/updated', params: { uri } })));
    return concat(acknowledge(found.map(({ read }) => read.uri)), merge(...changes, updated, held(catalogue)));
  });
};

const settled = (
  shelf: Shelf<never> | Shelf<AnyResource> | Catalogue['tools'] | Catalogue['prompts'],
  ms: number,
): Observable<unknown> => shelf.changes$.pipe(auditTime(ms));

/** Never emits; while it is subscribed the lists are at hand for every request. */
export const held = ({ tools, resources, prompts }: Catalogue): Observable<never> =>
  merge(tools.changes$, resources.changes$, prompts.changes$, NEVER).pipe(ignoreElements());

/** The later values of a live resource, as its URI. */
const watch = ({ offer, read }: Found, request: Request, context: Context): Observable<string> => {
  if (!offer.live) return EMPTY;
  return new Observable<string>((subscriber) => {
    const call = new Call(request, context, { notice: () => undefined });
    let first = true;
    const stop = deliver(
      offer.work.handle(read, call),
      {
        notice: () => undefined,
        value: () => {
          if (!first) subscriber.next(read.uri);
          first = false;
        },
        error: () => undefined,
      },
      'each',
    );
    return () => {
      call.abort();
      stop?.();
    };
  });
};

/** An update may name a part of what was subscribed (RES-14). */
const covers = (subscribed: string, uri: string): boolean =>
  uri === subscribed || uri.startsWith(subscribed.endsWith('/') ? subscribed : `${subscribed}/`);
