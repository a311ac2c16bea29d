/**
 * A legacy session's subscriptions, as `subscriptions/listen` exchanges of the dialect inside: one for each subscribed
 * URI and one for all list changes, each only while somebody listens. No sets to compare, no overlap.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/server/resources#subscriptions
 */
import { Observable, Subscription } from 'rxjs';
import { acknowledgedMethod, listenMethod } from '../../exchange/envelope.ts';
import { isAnswer, type Context, type Emission, type Exchange, type Notification } from '../../exchange/exchange.ts';
import { codes, quoted, RpcError } from '../../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../../frame/frame.ts';

export interface Subscriptions {
  /** Answers once the resource is watched; fails where the server does not know it. */
  readonly subscribe: (uri: string, meta: JsonObject, context: Context) => Observable<Emission>;
  readonly unsubscribe: (uri: string) => void;
  /** Listens for the list changes that the server declared. */
  readonly lists: (capabilities: JsonObject, meta: JsonObject, context: Context) => void;
  readonly close: () => void;
}

export const subscriptions = (
  inside: Exchange,
  unsolicited: (notification: Notification) => void,
  limit: number,
): Subscriptions => {
  const uris = new Map<string, Subscription>();
  let lists: Subscription | undefined;

  const listen = (notifications: JsonObject, meta: JsonObject, context: Context): Observable<Emission> =>
    inside({ method: listenMethod, params: { notifications, _meta: meta } }, context);

  const subscribe = (uri: string, meta: JsonObject, context: Context): Observable<Emission> =>
    new Observable((subscriber) => {
      const done = (): void => {
        subscriber.next({ result: {} });
        subscriber.complete();
      };
      if (uris.has(uri)) return done();
      if (uris.size >= limit)
        return subscriber.error(
          new RpcError({ code: codes.internalError, message: `too many subscriptions (limit ${limit})` }),
        );
      let settled = false;
      const watch = new Subscription();
      uris.set(uri, watch);
      const forget = (): void => {
        if (uris.get(uri) === watch) uris.delete(uri);
      };
      watch.add(forget);
      watch.add(
        listen({ resourceSubscriptions: [uri] }, meta, context).subscribe({
          next: (emission) => {
            if (isAnswer(emission)) return;
            if (emission.method !== acknowledgedMethod) return unsolicited(emission);
            settled = true;
            if (honours(emission, uri)) return done();
            subscriber.error(
              new RpcError({
                code: codes.resourceNotFound,
                message: `resource not found: ${quoted(uri)}`,
                data: { uri },
              }),
            );
            watch.unsubscribe();
          },
          error: (error: unknown) => {
            settled = true;
            forget();
            subscriber.error(error);
          },
          complete: () => {
            forget();
            // Without an acknowledgement there was no subscription.
            subscriber.complete();
          },
        }),
      );
      return () => {
        if (!settled) watch.unsubscribe();
      };
    });

  return {
    subscribe,
    unsubscribe: (uri) => uris.get(uri)?.unsubscribe(),
    lists: (capabilities, meta, context) => {
      const wanted = changes(capabilities);
      lists?.unsubscribe();
      if (wanted === undefined) return;
      lists = listen(wanted, meta, context).subscribe({
        next: (emission) => {
          if (!isAnswer(emission) && emission.method !== acknowledgedMethod) unsolicited(emission);
        },
        // A server that cannot tell of changes leaves its peer without them, and nothing else.
        error: () => undefined,
      });
    },
    close: () => {
      lists?.unsubscribe();
      for (const watch of [...uris.values()]) watch.unsubscribe();
    },
  };
};

const honours = ({ params }: Notification, uri: string): boolean => {
  const notifications = params?.['notifications'];
  const honoured = isObject(notifications) ? notifications['resourceSubscriptions'] : undefined;
  return isArray(honoured) && honoured.includes(uri);
};

/** The listen filter for the list changes that these capabilities promise; undefined where they promise none. */
const changes = (capabilities: JsonObject): JsonObject | undefined => {
  const promised = (['tools', 'prompts', 'resources'] as const).filter((kind) => {
    const capability = capabilities[kind];
    return isObject(capability) && capability['listChanged'] === true;
  });
  return promised.length === 0 ? undefined : Object.fromEntries(promised.map((kind) => [`${kind}ListChanged`, true]));
};
