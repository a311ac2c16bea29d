/**
 * Keeps answers for as long as the server says that they hold, and forgets them when it says that they have changed.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching
 */
import { asyncScheduler, defer, of, tap, type TimestampProvider } from 'rxjs';
import { acknowledgedMethod } from '../exchange/envelope.ts';
import {
  isAnswer,
  middleware,
  type Answer,
  type Context,
  type Emission,
  type Exchange,
  type Middleware,
  type Request,
  type Served,
} from '../exchange/exchange.ts';
import { isOver, type Access } from '../exchange/guard.ts';
import { canonical } from '../frame/canonical.ts';
import { codes, RpcError } from '../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import { methods, type MethodTable, type Row } from '../protocol/methods.ts';
import { metaKeys } from '../protocol/revisions.ts';
import { covers } from '../protocol/subscription.ts';

/** How much a cache keeps; see {@link cache}. */
export interface CacheOptions {
  /** How many answers are kept at most. Default 500. */
  readonly entries?: number;
  /** How much they may hold together, roughly, in characters of JSON. One that needs over a quarter is not kept. Default 16 Mi. */
  readonly bytes?: number;
  /** Which methods may be kept, and which notices say that they have changed. Default: the protocol's. */
  readonly table?: MethodTable;
  /** For tests in virtual time. */
  readonly scheduler?: TimestampProvider;
}

/** No answer is believed for longer, in milliseconds: a server that says "for ever" is asked again the next day. */
const longestMs = 86_400_000;

/** Of an acknowledgement with more URIs than these it is not looked up what each of them is about. */
const mostUris = 1000;

/** A method whose answers may be kept. */
interface Shelf {
  readonly row: Row;
  readonly fetches: Set<Fetch>;
  kept: number;
}

/** What may be dropped: an answer, or one that is on its way. */
interface Droppable {
  /** Of what is read: its URI. */
  readonly name: unknown;
  readonly caller: string | undefined;
  /** Whether it is for every caller, or may turn out to be. */
  readonly shared: boolean;
}

interface Fetch extends Droppable {
  /** Who is shown the same. */
  readonly viewer: string | undefined;
  dropped: boolean;
}

interface Kept extends Droppable {
  readonly shelf: Shelf;
  readonly answer: Answer;
  readonly size: number;
  readonly since: number;
  readonly until: number;
}

/**
 * Answers what was answered before, while that is fresh: for `ttlMs` milliseconds (a day at most) from when it was
 * received. What is stale is fetched again when it is next asked for, never before; there are no timers. Requests count
 * as the same whose method, params, protocol version and client capabilities are; nothing else in `_meta` matters, and no
 * progress or log lines come with what is kept. Answers that are `private`, or do not say, are kept for the one principal
 * that asked (nobody being one of its own); of those who have proved more, by the same application with the same scopes.
 * What is behind a guard is given only to whom that lets in.
 *
 * Notices of change on `subscriptions/listen` streams that pass through drop what they are about, and so does the
 * beginning of such a stream: whoever then asks hears of every later change. A cursor that is refused drops all pages of
 * its list. Errors, questions and the answers to requests that carry input are not kept.
 *
 * A kept result goes to many: like every result it is not to be altered. It says the `ttlMs` that is left. Each exchange
 * that is wrapped has a cache of its own, which takes the edge's word for who asks: what shows different things to
 * different callers belongs in front of it, or must answer `private`.
 *
 * @param options - see {@link CacheOptions}
 * @returns middleware; it emits and fails as what it wraps
 * @example
 * serve(cache({ entries: 100 })(client.exchange), stdio()).subscribe();
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching
 */
export const cache = (options: CacheOptions = {}): Middleware => {
  const { scheduler = asyncScheduler } = options;
  const table: MethodTable = options.table ?? methods;
  return middleware((next) => {
    const { shelves, find, keep, drop } = store(options, table);

    const told = new Map<string, Set<Shelf>>();
    for (const row of Object.values(table))
      if (row.notice !== undefined)
        told.set(row.notice, new Set([...(told.get(row.notice) ?? []), ...subjectsOf(row, shelves)]));
    /** @param notice - what a filter calls it (CACHE-14) */
    const changed = (notice: string, concerns: (one: Droppable) => boolean): void => {
      for (const shelf of told.get(notice) ?? []) drop(shelf, concerns);
    };

    /** Before whoever listens is told, as it may ask at once. */
    const hear = (emission: Emission, caller: string | undefined): void => {
      if (isAnswer(emission)) return;
      const { method, params } = emission;
      const notice = table[method]?.notice;
      if (notice !== undefined) return changed(notice, touched([params?.['uri']]));
      if (method !== acknowledgedMethod || !isObject(params?.['notifications'])) return;
      // What was kept before may have changed without a word, and who listens relies on being told.
      for (const [honoured, wanted] of Object.entries(params['notifications'])) {
        if (wanted !== true && !isArray(wanted)) continue;
        const concerned = touched(wanted === true ? [] : wanted);
        changed(honoured, (one) => servedTo(caller)(one) && concerned(one));
      }
    };

    const cached = (shelf: Shelf): Exchange => {
      const { nameIn } = shelf.row;
      const fetched = (request: Request, context: Context, key?: string) => {
        const name = nameIn === undefined ? undefined : request.params?.[nameIn];
        const { principal: caller } = context;
        const fetching: Fetch = { name, caller, viewer: viewerIn(context), shared: true, dropped: false };
        const answers = next(request, context);
        return answers.pipe(
          tap({
            subscribe: () => shelf.fetches.add(fetching),
            next: (emission) => {
              if (!isAnswer(emission) || fetching.dropped) return;
              const ttlMs = lifetime(emission.result);
              if (ttlMs > 0) keep(key ?? keyOf(request), shelf, fetching, emission, scheduler.now(), ttlMs);
            },
            error: (error: unknown) => {
              if (nameIn === undefined && request.params?.['cursor'] !== undefined && isRefusal(error))
                drop(shelf, servedTo(caller));
            },
            finalize: () => shelf.fetches.delete(fetching),
          }),
        );
      };
      return (request, context) => {
        if (hasInput(request.params)) return next(request, context);
        return defer(() => {
          // Where nothing is kept, nothing can be found, and of some servers nothing ever is.
          if (shelf.kept === 0) return fetched(request, context);
          const key = keyOf(request);
          const found = mayHave(next, request, context) ? find(key, viewerIn(context), scheduler.now()) : undefined;
          return found === undefined ? fetched(request, context, key) : of(found);
        });
      };
    };

    const ways = new Map<string, Exchange>();
    for (const [method, shelf] of shelves) ways.set(method, cached(shelf));
    for (const [method, { longLived }] of Object.entries(table))
      if (longLived === true)
        ways.set(method, (request, context) =>
          next(request, context).pipe(tap((emission) => hear(emission, context.principal))),
        );
    return (request, context) => (ways.get(request.method) ?? next)(request, context);
  });
};

/** What is kept, and what is on its way. */
const store = ({ entries: most = 500, bytes = 2 ** 24 }: CacheOptions, table: MethodTable) => {
  const shelves = new Map<string, Shelf>();
  for (const [method, row] of Object.entries(table))
    if (row.cacheable === true) shelves.set(method, { row, fetches: new Set(), kept: 0 });
  /** Least recently used first. */
  const entries = new Map<string, Kept>();
  let total = 0;

  const remove = (key: string): void => {
    const kept = entries.get(key);
    if (kept === undefined) return;
    entries.delete(key);
    total -= kept.size;
    kept.shelf.kept -= 1;
  };

  const find = (key: string, viewer: string | undefined, now: number): Answer | undefined => {
    for (const whole of [privateKey(key, viewer), publicKey(key)]) {
      const kept = entries.get(whole);
      if (kept === undefined) continue;
      // A clock that was put back cannot tell how old an answer is.
      if (now >= kept.since && now < kept.until) {
        entries.delete(whole);
        entries.set(whole, kept);
        return aged(kept, now);
      }
      remove(whole);
    }
    return undefined;
  };

  const keep = (key: string, shelf: Shelf, fetching: Fetch, answer: Answer, now: number, ttlMs: number): void => {
    const { name, caller, viewer } = fetching;
    const shared = answer.result['cacheScope'] === 'public';
    const [own, everyones] = [privateKey(key, viewer), publicKey(key)];
    const size = own.length + weight(answer.result, bytes / 4);
    if (size > bytes / 4) return;
    // The newest answer to a request is the one that counts, whoever it was for.
    remove(own);
    remove(everyones);
    entries.set(shared ? everyones : own, {
      name,
      caller,
      shared,
      shelf,
      answer,
      size,
      since: now,
      until: now + ttlMs,
    });
    total += size;
    shelf.kept += 1;
    for (const oldest of entries.keys()) {
      if (entries.size <= most && total <= bytes) break;
      remove(oldest);
    }
  };

  /** An answer that is on its way holds what was before, so it will not be kept. */
  const drop = (shelf: Shelf, concerns: (one: Droppable) => boolean): void => {
    for (const fetching of shelf.fetches) if (concerns(fetching)) fetching.dropped = true;
    if (shelf.kept === 0) return;
    for (const [key, kept] of entries) if (kept.shelf === shelf && concerns(kept)) remove(key);
  };

  return { shelves, find, keep, drop };
};

/** The params that make a request again with what it asked for (CACHE-06). */
const hasInput = (params: JsonObject | undefined): boolean =>
  params?.['inputResponses'] !== undefined || params?.['requestState'] !== undefined;

/** For how long an answer holds, in milliseconds; 0 where it is not to be kept (CACHE-02, CACHE-07, CACHE-08). */
const lifetime = ({ resultType, ttlMs }: JsonObject): number =>
  (resultType === undefined || resultType === 'complete') && typeof ttlMs === 'number' && Number.isSafeInteger(ttlMs)
    ? Math.min(ttlMs, longestMs)
    : 0;

/** An answer as whoever gets it now would have got it: kept once more, it is to hold no longer than the first time. */
const aged = ({ answer, since, until }: Kept, now: number): Answer =>
  now === since ? answer : { result: { ...answer.result, ttlMs: Math.floor(until - now) } };

/** All that an answer depends on but its caller, whatever the order of members (AMB-16). */
const keyOf = ({ method, params = {} }: Request): string => {
  const { _meta, ...rest } = params;
  const meta = isObject(_meta) ? _meta : {};
  return canonical([method, rest, { v: meta[metaKeys.protocolVersion], c: meta[metaKeys.clientCapabilities] }]);
};

/** A key is a JSON array, so that nothing in it can look like what follows it. */
const publicKey = (key: string): string => `${key}public`;
const privateKey = (key: string, viewer: string | undefined): string =>
  viewer === undefined ? `${key}private` : `${key}private:${viewer}`;

/** What is not looked at again for each request. */
const viewers = new WeakMap<Access, string>();

/** One who has proved more may be shown more: the same person is somebody else by another application. */
const viewerIn = ({ principal, access }: Context): string | undefined => {
  if (access === undefined) return principal === undefined ? undefined : JSON.stringify([principal]);
  const known = viewers.get(access);
  if (known !== undefined) return known;
  const { scopes, clientId = null } = access;
  const viewer = JSON.stringify([principal ?? access.principal, clientId, ...[...scopes].sort()]);
  viewers.set(access, viewer);
  return viewer;
};

/** Whether what answers would have let this in, which is not asked where an answer is kept. */
const mayHave = ({ guard }: Served, request: Request, { access }: Context): boolean =>
  guard === undefined || (access !== undefined && !isOver(access) && guard.judge(request, access) === undefined);

/** Roughly how many characters of JSON a value has; looks no further than a limit. */
const weight = (value: unknown, limit: number): number => {
  const left: unknown[] = [value];
  let sum = 0;
  while (left.length > 0 && sum <= limit) {
    const one = left.pop();
    if (typeof one === 'string') sum += one.length + 3;
    else if (isArray(one)) {
      sum += one.length + 2;
      if (sum <= limit) for (const item of one) left.push(item);
    } else if (isObject(one)) {
      sum += 2;
      for (const [name, member] of Object.entries(one)) {
        sum += name.length + 3;
        left.push(member);
      }
    } else sum += 6;
  }
  return sum;
};

/** What a notice says has changed: the lists of its kind, or what is read by name. */
const subjectsOf = ({ serverCapability, notice }: Row, shelves: ReadonlyMap<string, Shelf>): readonly Shelf[] => {
  const kind = serverCapability?.split('.')[0];
  const named = notice === 'resourceSubscriptions';
  return [...shelves.values()].filter(
    ({ row }) => kind !== undefined && row.serverCapability === kind && (row.nameIn !== undefined) === named,
  );
};

/** Whether one of these URIs is that of what was read, or of a part of it (RES-14), or of a whole that it is a part of. */
const touched =
  (uris: readonly unknown[]) =>
  ({ name }: Droppable): boolean =>
    typeof name !== 'string' ||
    uris.length > mostUris ||
    uris.some((uri) => covers(name, uri) || (typeof uri === 'string' && covers(uri, name)));

const servedTo =
  (principal: string | undefined) =>
  ({ shared, caller }: Droppable): boolean =>
    shared || caller === principal;

/** An invalid cursor has no error code of its own (PAG-07). */
const isRefusal = (error: unknown): boolean => error instanceof RpcError && error.code === codes.invalidParams;
