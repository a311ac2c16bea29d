/**
 * `subscriptions/listen`: acknowledges what this server can tell of, then tells. An ordinary long-lived exchange; its
 * state is its own and ends with it (SUB-18).
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
import {
  asyncScheduler,
  auditTime,
  concat,
  filter,
  ignoreElements,
  map,
  merge,
  NEVER,
  Observable,
  of,
  share,
  type Observer,
  type Subscriber,
  type Subscription,
} from 'rxjs';
import { deliver } from '../exchange/bridge.ts';
import { acknowledgedMethod } from '../exchange/envelope.ts';
import type { Context, Emission, Request } from '../exchange/exchange.ts';
import { Misconfigured } from '../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import { covers } from '../protocol/subscription.ts';
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

/** How many resources one subscription watches; those beyond are not acknowledged (SUB-04). */
const mostWatched = 1000;

/** How long, in milliseconds, the acknowledgement waits for resources that have not been seen yet. */
const patienceMs = 100;

/** What a subscription to lists is told; the same for all who want the same. */
interface Heard {
  readonly flags: JsonObject;
  readonly told$: Observable<Emission>;
}

/**
 * Listens before it acknowledges: a client that reads on the acknowledgement must hear of whatever changes after it.
 *
 * @param coalesceMs - how long, in milliseconds, changes of one list are gathered into one notification
 */
export const listening = (
  catalogue: Catalogue,
  coalesceMs: number,
): ((request: Request, context: Context) => Observable<Emission>) => {
  const kept$ = held(catalogue).pipe(share());
  const changing = lists.filter(([, , kind]) => catalogue[kind].changing);
  const known = new Map<string, Heard>();
  const heardBy = (wanted: JsonObject): Heard => {
    const heard = changing.filter(([flag]) => wanted[flag] === true);
    const key = heard.map(([flag]) => flag).join();
    const shared = known.get(key);
    if (shared !== undefined) return shared;
    const changes = heard.map(([, method, kind]) =>
      settled(catalogue[kind], coalesceMs).pipe(map((): Emission => ({ method }))),
    );
    const flags = Object.fromEntries(heard.map(([flag]) => [flag, true]));
    const made = { flags, told$: merge(...changes, kept$).pipe(share()) };
    known.set(key, made);
    return made;
  };

  return (request, context) => {
    const wanted = isObject(request.params?.['notifications']) ? request.params['notifications'] : {};
    const asked = isArray(wanted['resourceSubscriptions']) ? wanted['resourceSubscriptions'].map(String) : [];
    const { flags, told$ } = heardBy(wanted);
    const uris = catalogue.capabilities.resources?.subscribe === true ? [...new Set(asked)].slice(0, mostWatched) : [];
    if (uris.length === 0) return new Observable((subscriber) => new Acknowledged(flags, subscriber).follow(told$));
    return catalogue.resources.look((stock: Stock<AnyResource>) => {
      const found = uris.flatMap((uri) => find(stock, uri) ?? []);
      const updated$ = catalogue.updates$.pipe(
        filter((uri) => found.some(({ read }) => covers(read.uri, uri))),
        map(updated),
      );
      const watches = found.map((one) => ({ uri: one.read.uri, values$: values(one, request, context) }));
      return announced(flags, merge(told$, updated$), watches);
    });
  };
};

/** A subscription to lists only: a class, because a server may have thousands of them open. */
class Acknowledged implements Observer<Emission> {
  readonly #flags: JsonObject;
  readonly #subscriber: Subscriber<Emission>;
  #said = false;

  constructor(flags: JsonObject, subscriber: Subscriber<Emission>) {
    this.#flags = flags;
    this.#subscriber = subscriber;
  }

  follow(told$: Observable<Emission>): Subscription {
    const following = told$.subscribe(this);
    this.#said = true;
    this.#subscriber.next(acknowledgement(this.#flags));
    return following;
  }

  next(emission: Emission): void {
    if (this.#said) this.#subscriber.next(emission);
  }

  error(error: unknown): void {
    this.#subscriber.error(error);
  }

  complete(): void {
    return;
  }
}

const acknowledgement = (notifications: JsonObject): Emission => ({
  method: acknowledgedMethod,
  params: { notifications },
});

interface Watch {
  readonly uri: string;
  /** Emits now, and again for each change; ends without a value where there is no such resource. */
  readonly values$: Observable<unknown>;
}

/**
 * The acknowledgement, once each watched resource has been seen or found missing, and what is told from then on. What
 * cannot be watched is left out of it, without a word (AMB-35).
 */
const announced = (flags: JsonObject, told$: Observable<Emission>, watches: readonly Watch[]): Observable<Emission> =>
  new Observable((subscriber) => {
    const missing = new Set<string>();
    let unseen = watches.length;
    let acknowledged = false;
    const acknowledge = (): void => {
      acknowledged = true;
      const resourceSubscriptions = watches.flatMap(({ uri }) => (missing.has(uri) ? [] : [uri]));
      const uris = resourceSubscriptions.length === 0 ? undefined : { resourceSubscriptions };
      subscriber.next(acknowledgement({ ...flags, ...uris }));
    };
    subscriber.add(
      told$.subscribe({
        next: (emission) => {
          if (acknowledged) subscriber.next(emission);
        },
        error: (error: unknown) => subscriber.error(error),
      }),
    );
    for (const { uri, values$ } of watches) {
      let seen = false;
      const see = (there: boolean): void => {
        if (seen) return;
        seen = true;
        unseen -= 1;
        if (!there) missing.add(uri);
        if (unseen === 0 && !acknowledged) acknowledge();
      };
      subscriber.add(
        values$.subscribe({
          next: () => {
            if (acknowledged) subscriber.next(updated(uri));
            see(true);
          },
          // A resource that fails is no more; whoever reads it is told why.
          error: () => see(false),
          complete: () => see(false),
        }),
      );
    }
    if (unseen === 0) {
      if (!acknowledged) acknowledge();
    } else subscriber.add(asyncScheduler.schedule(() => (acknowledged ? undefined : acknowledge()), patienceMs));
  });

const updated = (uri: string): Emission => ({ method: 'notifications/resources/updated', params: { uri } });

const settled = (
  shelf: Shelf<never> | Shelf<AnyResource> | Catalogue['tools'] | Catalogue['prompts'],
  ms: number,
): Observable<unknown> => shelf.changes$.pipe(auditTime(ms));

/** Never emits; while it is subscribed the lists are at hand for every request. */
export const held = ({ tools, resources, prompts }: Catalogue): Observable<never> =>
  merge(tools.changes$, resources.changes$, prompts.changes$, NEVER).pipe(ignoreElements());

const onlyWatching = {
  notice: () => undefined,
  asking: () => {
    throw new Misconfigured({ message: 'a resource that is only watched has nobody to ask' });
  },
};

/** What a live resource's handler gives, one after the other; of any other only that it is there. */
const values = ({ offer, read }: Found, request: Request, context: Context): Observable<unknown> => {
  if (!offer.live) return concat(of(true), NEVER);
  return new Observable((subscriber) => {
    const call = new Call(request, context, onlyWatching);
    let seen = false;
    const stop = deliver(
      offer.work.handle(read, call),
      {
        notice: () => undefined,
        value: (value) => {
          // Nothing is what a handler answers for what is not there; later it says that what was there has gone.
          if (value === undefined && !seen) return subscriber.complete();
          seen = true;
          subscriber.next(value);
        },
        error: (error) => subscriber.error(error),
        done: () => subscriber.complete(),
      },
      'each',
    );
    return () => {
      call.abort();
      stop?.();
    };
  });
};
