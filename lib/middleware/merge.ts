/** Several servers as one. */
import { catchError, defaultIfEmpty, filter, forkJoin, map, merge, Observable, of, throwError } from 'rxjs';
import { acknowledgedMethod, listenMethod } from '../exchange/envelope.ts';
import {
  isAnswer,
  type Context,
  type Emission,
  type Exchange,
  type Request,
  type Served,
} from '../exchange/exchange.ts';
import {
  codes,
  ConnectionClosed,
  invalidParams,
  methodNotFound,
  Misconfigured,
  NotSupported,
  quoted,
  RpcError,
  TimedOut,
} from '../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import { union } from '../protocol/capability.ts';
import { methods, type MethodTable } from '../protocol/methods.ts';
import type { Implementation } from '../protocol/peer.ts';
import { metaKeys, modernRevisions } from '../protocol/revisions.ts';
import { namespace, separator } from './namespace.ts';

/**
 * One server made of several. Tools and prompts get the name of their part as a prefix (`files.search`); a resource is
 * read from the first part that has it; lists follow each other page by page; a subscription spans all parts, with
 * their acknowledgements merged into one. Progress and cancellation pass through, and so do the log lines of parts in this
 * process; over a channel a log line names no request, so those of a connected client's part stay with that client. A
 * part that has gone takes its own things off the lists, and nothing else.
 *
 * Emits what the part that is asked emits, and fails as it does; a name without a known prefix is answered with -32602.
 * Nobody at the door hears of the guard of a part, which therefore lets nobody in by itself: what is to be protected is the
 * whole.
 *
 * @param info - what the whole calls itself
 * @param parts - servers, connected clients' exchanges, or exchanges under any middleware, by the prefix of their names
 * @throws {@link Misconfigured} where there is no part, or a prefix has characters other than `A-Z a-z 0-9 _ -`
 * @example
 * const both = mergeServers({ name: 'both', version: '1.0.0' }, { files, weather: client.exchange });
 * serve(both, stdio()).subscribe();
 */
export const mergeServers = (
  info: Implementation,
  parts: Readonly<Record<string, Served>>,
  table: MethodTable = methods,
): Served => {
  const named = new Map(Object.entries(parts).map(([prefix, part]) => [prefix, namespace(prefix, table)(part)]));
  const all = [...named.values()];
  const meta = { [metaKeys.serverInfo]: info };

  if (all.length === 0) throw new Misconfigured({ message: 'mergeServers: there is no part to merge' });

  const routed: Exchange = (request, context) => {
    const { method, params } = request;
    if (method === 'server/discover') return discover(all, request, context).pipe(map((result) => ({ result })));
    if (method === listenMethod) return listen(all, request, context);
    const row = table[method];
    const name = row?.nameIn === 'name' ? params?.['name'] : row?.nameIn === undefined ? promptIn(params) : undefined;
    if (name !== undefined) {
      const part = named.get(String(name).split(separator, 1)[0] ?? '');
      return part === undefined ? throwError(() => invalidParams(`unknown: ${quoted(name)}`)) : part(request, context);
    }
    return row?.cacheable === true && row.nameIn === undefined
      ? list(all, request, context)
      : first(all, request, context);
  };
  /** The caller talks to the whole: its name is the one on results (VER-12). */
  const signed = (emission: Emission): Emission => {
    if (!isAnswer(emission)) return emission;
    const { _meta, ...result } = emission.result;
    return { result: { ...result, _meta: { ...(isObject(_meta) ? _meta : undefined), ...meta } } };
  };
  const exchange: Exchange = (request, context) => routed(request, context).pipe(map(signed));
  const held = Object.values(parts).flatMap(({ held$ }) => (held$ === undefined ? [] : [held$]));
  return Object.assign(exchange, held.length === 0 ? {} : { held$: merge(...held) });
};

/** The prompt that is referred to, by whatever is not named by itself. */
const promptIn = (params: JsonObject | undefined): unknown => {
  const ref = params?.['ref'];
  return isObject(ref) && ref['type'] === 'ref/prompt' ? ref['name'] : undefined;
};

const answer = (emissions: Observable<Emission>): Observable<JsonObject> =>
  emissions.pipe(
    filter(isAnswer),
    map(({ result }) => result),
  );

/** What all parts offer together; a part that cannot be reached takes nothing from the others. */
const discover = (parts: readonly Exchange[], request: Request, context: Context): Observable<JsonObject> =>
  forkJoin(
    parts.map((part) =>
      answer(part(request, context)).pipe(
        catchError(() => of({})),
        defaultIfEmpty({}),
      ),
    ),
  ).pipe(
    map((found: readonly JsonObject[]) => {
      const instructions = found.flatMap((one) =>
        typeof one['instructions'] === 'string' ? [one['instructions']] : [],
      );
      return {
        resultType: 'complete',
        supportedVersions: modernRevisions,
        // Kept no longer than any part allows; one that was not reached is to be asked again.
        ttlMs: Math.min(...found.map(({ ttlMs }) => (typeof ttlMs === 'number' ? ttlMs : 0))),
        cacheScope: found.every(({ cacheScope }) => cacheScope === 'public') ? 'public' : 'private',
        capabilities: found
          .map((one) => one['capabilities'])
          .filter(isObject)
          .reduce(union, {}),
        ...(instructions.length === 0 ? undefined : { instructions: instructions.join('\n\n') }),
      };
    }),
  );

/** The pages of all parts, one part after the other. The cursor says which part is on. */
const list = (parts: readonly Exchange[], { method, params }: Request, context: Context): Observable<Emission> => {
  // A part's own cursor may be empty, so it is marked as being one.
  const read = /^(\d+):(?:=(.*))?$/s.exec(params?.['cursor'] === undefined ? '0:' : String(params['cursor']));
  const index = Number(read?.[1]);
  const part = parts[index];
  if (read === null || part === undefined)
    return throwError(() => invalidParams('cursor is none that this server has given'));
  const { cursor: _, ...rest } = params ?? {};
  const inner = read[2] === undefined ? {} : { cursor: read[2] };
  const onwards = (next: unknown): JsonObject => {
    if (next !== undefined && next !== null) return { nextCursor: `${index}:=${String(next)}` };
    return index + 1 < parts.length ? { nextCursor: `${index + 1}:` } : {};
  };
  return part({ method, params: { ...rest, ...inner } }, context).pipe(
    map((emission) => {
      if (!isAnswer(emission)) return emission;
      const { nextCursor, ...result } = emission.result;
      // All pages of a list have one scope, and the next part may have the narrower one (CACHE-17).
      const scope = parts.length > 1 && result['cacheScope'] !== undefined ? { cacheScope: 'private' } : undefined;
      return { result: { ...result, ...scope, ...onwards(nextCursor) } };
    }),
    // A part without this kind of thing, or without a server behind it, has an empty list of it.
    catchError((error: unknown) =>
      isMissing(error) || isGone(error)
        ? of({ result: { ...emptyList(method), ...onwards(undefined) } })
        : throwError(() => error),
    ),
  );
};

const emptyList = (method: string): JsonObject => ({
  resultType: 'complete',
  ttlMs: 0,
  cacheScope: 'private',
  [method === 'resources/templates/list' ? 'resourceTemplates' : (method.split('/')[0] ?? '')]: [],
});

/** The part has nothing of the kind. */
const isMissing = (error: unknown): boolean =>
  error instanceof NotSupported || (error instanceof RpcError && error.code === codes.methodNotFound);

/** The part knows nothing of what is meant. */
const isUnknown = (error: unknown): boolean =>
  isMissing(error) || (error instanceof RpcError && error.code === codes.invalidParams);

/** Nobody is there to answer. */
const isGone = (error: unknown): boolean => error instanceof ConnectionClosed || error instanceof TimedOut;

/** The first part that knows what is meant. Only for requests that change nothing: reads and completions. */
const first = ([part, ...others]: readonly Exchange[], request: Request, context: Context): Observable<Emission> => {
  if (part === undefined) return throwError(() => methodNotFound(request.method));
  return part(request, context).pipe(
    catchError((error: unknown) =>
      (isUnknown(error) || isGone(error)) && others.length > 0
        ? first(others, request, context).pipe(
            // That a resource is not found says more than that the last part has none at all.
            catchError((later: unknown) => throwError(() => (isMissing(later) ? error : later))),
          )
        : throwError(() => error),
    ),
  );
};

/**
 * One subscription over all parts: their acknowledgements as one, then what any of them tells; what one tells before the
 * last has acknowledged is kept until then (SUB-03). Ends with the last. A part that cannot listen honours nothing.
 */
const listen = (parts: readonly Exchange[], request: Request, context: Context): Observable<Emission> =>
  new Observable((subscriber) => {
    const acknowledged: JsonObject[] = [];
    const early: Emission[] = [];
    let open = parts.length;
    const acknowledge = (notifications: unknown): void => {
      acknowledged.push(isObject(notifications) ? notifications : {});
      if (acknowledged.length < parts.length) return;
      subscriber.next({ method: acknowledgedMethod, params: { notifications: acknowledged.reduce(honoured, {}) } });
      for (const emission of early.splice(0)) subscriber.next(emission);
    };
    const end = (): void => {
      open -= 1;
      if (open > 0) return;
      subscriber.next({ result: { resultType: 'complete' } });
      subscriber.complete();
    };
    for (const part of parts) {
      let heard = false;
      const done = (): void => {
        if (!heard) acknowledge(undefined);
        heard = true;
        end();
      };
      subscriber.add(
        part(request, context).subscribe({
          next: (emission) => {
            if (isAnswer(emission)) return;
            if (emission.method === acknowledgedMethod) {
              if (heard) return;
              heard = true;
              acknowledge(emission.params?.['notifications']);
            } else if (acknowledged.length < parts.length) {
              if (early.length < mostEarly) early.push(emission);
            } else subscriber.next(emission);
          },
          error: done,
          complete: done,
        }),
      );
    }
  });

/** How many notices wait for the last acknowledgement; of a part that says more, those beyond are lost. */
const mostEarly = 10_000;

const honoured = (left: JsonObject, right: JsonObject): JsonObject => {
  const uris = [left, right].flatMap(({ resourceSubscriptions }) =>
    isArray(resourceSubscriptions) ? resourceSubscriptions : [],
  );
  return { ...union(left, right), ...(uris.length === 0 ? undefined : { resourceSubscriptions: [...new Set(uris)] }) };
};
