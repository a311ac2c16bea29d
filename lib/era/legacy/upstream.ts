/**
 * The door of the handshake revisions, client's side: makes a connection that opened with `initialize` answer as a
 * 2026-07-28 server would. What such a server says without being asked is sorted to the subscriptions that want it.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle
 */
import {
  catchError,
  combineLatest,
  concat,
  concatMap,
  defer,
  endWith,
  filter,
  ignoreElements,
  lastValueFrom,
  map,
  merge,
  NEVER,
  Observable,
  of,
  shareReplay,
  switchMap,
  tap,
  takeWhile,
  throwError,
} from 'rxjs';
import {
  isAnswer,
  type Context,
  type Emission,
  type Exchange,
  type Notification,
  type Request,
} from '../../exchange/exchange.ts';
import { acknowledgedMethod, listenMethod } from '../../exchange/envelope.ts';
import { anew } from '../../exchange/identity.ts';
import type { Numbered } from '../../exchange/numbered.ts';
import { translate } from '../../exchange/translate.ts';
import { codes, NotSupported, RpcError } from '../../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../../frame/frame.ts';
import { offers } from '../../protocol/capability.ts';
import { urlElicitationRequired } from '../../protocol/elicitation.ts';
import { severity } from '../../protocol/level.ts';
import { rowsAt, type MethodTable, type Row } from '../../protocol/methods.ts';
import { prune } from '../../protocol/dated.ts';
import { latestRevision, metaKeys, type LegacyRevision } from '../../protocol/revisions.ts';
import { covers } from '../../protocol/subscription.ts';
import { discoverMethod } from '../classify.ts';
import type { Overheard } from '../hearing.ts';
import { foreignMeta, isForeign } from './meta.ts';
import { parking, type Sent } from './parking.ts';
import { pruned } from './pruned.ts';
import { downAnswer, questionProblem, upQuestion } from './question-up.ts';
import { unvisited, visits } from './visits.ts';

export interface Upstream {
  readonly revision: LegacyRevision;
  /** What the server answered to `initialize`. */
  readonly handshake: JsonObject;
  /** Asks over the link, in the server's own revision. */
  readonly ask: Numbered;
  /** How many of these methods it is at work on. */
  readonly underway: (methods: ReadonlySet<string>) => number;
  /** What the server says on its own. */
  readonly unsolicited: Observable<Notification>;
  readonly table: MethodTable;
  /** What we declared to it. */
  readonly declared: JsonObject;
  /** Answers what it asks, in the dialect inside, where no caller of ours can. */
  readonly local: Exchange;
}

/** A legacy server, as one of 2026-07-28 would be. */
export interface Legacy {
  readonly exchange: Overheard;
  /** Answers what the server asks of us, in its own words. */
  readonly asked: Exchange;
}

/** The server's discovery, as it would be since 2026-07-28 (BR-02). */
export const upHandshake = ({ revision, handshake }: Pick<Upstream, 'revision' | 'handshake'>): JsonObject => {
  const capabilities = isObject(handshake['capabilities']) ? handshake['capabilities'] : {};
  return {
    resultType: 'complete',
    supportedVersions: [revision],
    // 2024-11-05 had no flag for completions: they may be there, and -32601 says if not (BR-58).
    capabilities: revision === '2024-11-05' ? { completions: {}, ...capabilities } : capabilities,
    ...(typeof handshake['instructions'] === 'string' ? { instructions: handshake['instructions'] } : undefined),
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { [metaKeys.serverInfo]: handshake['serverInfo'] },
  };
};

/** An exchange in the dialect inside over a connection of a handshake revision, and the answers to what comes back. */
export const legacyUpstream = (upstream: Upstream): Legacy => {
  const { revision, ask, table, declared, local } = upstream;
  const rows = rowsAt(table, revision, 'client');
  const discovered = upHandshake(upstream);
  const level = levelOf(ask, rows);
  const watch = watchOf(ask);

  const own = new Map<string, (request: Request) => Observable<Emission>>([
    [discoverMethod, () => of({ result: discovered })],
    [listenMethod, ({ params }) => listen(params, discovered, upstream, watch)],
  ]);

  const asks = new Set([...rows].flatMap(([method, row]) => (row.asks === true ? [method] : [])));
  const lot = parking(upstream.unsolicited.pipe(ignoreElements(), endWith(undefined)), () => upstream.underway(asks));
  const pages = visits(upstream.unsolicited);

  const asked: Exchange = (request, context) => {
    const { method } = request;
    const problem = questionProblem(request, revision, declared, table);
    if (problem !== undefined) return throwError(() => problem);
    const question = upQuestion(request);
    const answered =
      lot.question(question, context.concerning)?.pipe(map((result): Emission => ({ result }))) ??
      local(question, context);
    return translate(
      answered,
      (emission) => (isAnswer(emission) ? { result: downAnswer(method, emission.result, revision) } : emission),
      (error) => error,
    );
  };

  const exchange: Exchange = (request, context) => {
    const { method, params } = request;
    const mine = own.get(method);
    if (mine !== undefined) return mine(request);
    const way = wayOf(method);
    if (way === undefined)
      return throwError(
        () =>
          new NotSupported({
            method,
            message: `${method} does not exist at revision ${revision}, which the server speaks`,
          }),
      );
    const meta = isObject(params?.['_meta']) ? params['_meta'] : undefined;
    const wanted = meta?.[metaKeys.logLevel];
    const state = params?.['requestState'];
    const proxied = meta?.[metaKeys.clientCapabilities] !== undefined;
    if (wanted === undefined && !(way.asks && (proxied || state !== undefined))) return made(request, context, way);
    const heard = (sent?: Sent): Observable<Emission> => {
      const go = (): Observable<Emission> => made(request, context, way, sent);
      return wanted === undefined ? defer(go) : level(String(wanted)).pipe(concatMap(go));
    };
    if (!way.asks) return heard();
    let told: Sent | undefined;
    const again = state === undefined ? undefined : pages.again(request, context, () => heard((id) => told?.(id)));
    // Who brings capabilities along is somebody this client stands in for.
    if (!proxied) return again ?? (state === undefined ? heard() : lot.call(request, context, heard));
    if (again === undefined) return lot.call(request, context, heard);
    return lot.call(anew(request), context, (sent) => {
      told = sent;
      return again;
    });
  };

  /** Makes the request in the server's own words. */
  const made = (request: Request, context: Context, { down, up, visits }: Way, sent?: Sent): Observable<Emission> => {
    const { method, params } = request;
    return translate(
      ask(params === undefined ? { method } : { method, params: downParams(params, down) }, context, sent),
      up,
      (error) => upError((visits ? unvisited(error, request.params) : undefined) ?? error, request),
      visits ? (error) => pages.asked(error, request, context) : undefined,
    );
  };

  const ways = new Map<string, Way>();
  const wayOf = (method: string): Way | undefined => {
    const row = rows.get(method);
    const known = ways.get(method);
    if (known !== undefined || row === undefined) return known;
    const asks = row.asks === true;
    const visits = asks && revision === pagesRevision;
    const way = { asks, visits, down: pruned(row.params, revision), up: upResult(row) };
    ways.set(method, way);
    return way;
  };
  return { exchange: Object.assign(exchange, { others: lot.others }), asked };
};

/** How one method is said to the server, and what comes back. */
interface Way {
  readonly asks: boolean;
  /** Whether it may be refused until a page has been visited. */
  readonly visits: boolean;
  readonly down: (params: JsonObject) => JsonObject;
  readonly up: (emission: Emission) => Emission;
}

const downParams = (params: JsonObject, down: Way['down']): JsonObject => {
  const { _meta } = params;
  if (_meta === undefined || isForeign(_meta)) return down(params);
  const foreign = foreignMeta(_meta);
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(params)) if (name !== '_meta') kept[name] = params[name];
  if (foreign !== undefined) kept['_meta'] = foreign;
  return down(kept);
};

const upResult = ({ cacheable, result: schema }: Row): Way['up'] => {
  const said = cacheable === true ? uncached : complete;
  // What only older revisions had is in what they list: a tool's `execution` (BR-36).
  const cut = cacheable === true && schema !== undefined ? prune(schema, latestRevision) : (value: unknown) => value;
  return (emission) => (isAnswer(emission) ? { result: Object.assign({}, cut(emission.result), said) } : emission);
};

/** The one revision in which a call may be refused until a page has been visited. */
const pagesRevision: LegacyRevision = '2025-11-25';

const complete: JsonObject = { resultType: 'complete' };
const uncached: JsonObject = { ...complete, ttlMs: 0, cacheScope: 'private' };

/**
 * Not-found has been -32602 since 2026-07-28, with the URI in its data (BR-34). Nobody inside knows -32042: what is not
 * understood as a question is an error, whose text says all that there is (BR-33).
 */
const upError = (error: unknown, { params }: Request): unknown => {
  if (!(error instanceof RpcError)) return error;
  const { code, message, data } = error;
  if (code === urlElicitationRequired) return new RpcError({ code: codes.internalError, message, data });
  if (code !== codes.resourceNotFound) return error;
  const uri = params?.['uri'];
  const told = data === undefined && uri !== undefined ? { uri } : data;
  return new RpcError({ code: codes.invalidParams, message, data: told });
};

/**
 * The session's log level. One level serves all requests of a session, so it only ever goes down to the most talkative
 * that anybody has wanted (BR-23): lines that name no request cannot be sorted to who asked for them.
 */
const levelOf = (ask: Exchange, rows: ReadonlyMap<string, Row>): ((level: string) => Observable<unknown>) => {
  let set = Infinity;
  return (level) =>
    defer(() => {
      const rank = severity(level);
      if (rank < 0 || rank >= set || !rows.has('logging/setLevel')) return of(undefined);
      return ask({ method: 'logging/setLevel', params: { level } }, {}).pipe(
        tap(() => (set = Math.min(set, rank))),
        // A server without logging refuses; that is no reason to fail the call that wanted to hear it.
        catchError(() => of(undefined)),
      );
    });
};

/** Watches a resource while anybody does: one `resources/subscribe` for all who listen to the same URI. */
const watchOf = (ask: Exchange): ((uri: string) => Observable<boolean>) => {
  const watches = new Map<string, Observable<boolean>>();
  const watch = (uri: string): Observable<boolean> => {
    const watched$ = new Observable<boolean>((subscriber) => {
      const subscribing = ask({ method: 'resources/subscribe', params: { uri } }, {}).subscribe({
        next: () => subscriber.next(true),
        error: () => subscriber.next(false),
      });
      return () => {
        subscribing.unsubscribe();
        watches.delete(uri);
        // Nobody waits for the answer, and a connection that has gone needs no farewell.
        lastValueFrom(ask({ method: 'resources/unsubscribe', params: { uri } }, {}), { defaultValue: undefined }).catch(
          () => undefined,
        );
      };
    });
    return watched$.pipe(shareReplay({ bufferSize: 1, refCount: true }));
  };
  return (uri) => {
    const watched = watches.get(uri) ?? watch(uri);
    watches.set(uri, watched);
    return watched;
  };
};

/**
 * `subscriptions/listen` over a session: acknowledges what this server can do, then passes on what was asked for out of
 * everything that it says. What it says before the acknowledgement is not for this listener (SUB-03).
 */
const listen = (
  params: JsonObject | undefined,
  discovered: JsonObject,
  { unsolicited, table, revision }: Upstream,
  watch: (uri: string) => Observable<boolean>,
): Observable<Emission> => {
  const wanted = isObject(params?.['notifications']) ? params['notifications'] : {};
  const asked = isArray(wanted['resourceSubscriptions']) ? wanted['resourceSubscriptions'].map(String) : [];
  const flags = Object.keys(listFlags).filter((flag) => wanted[flag] === true && declares(discovered, listFlags[flag]));
  const uris = declares(discovered, 'resources.subscribe') ? asked : [];
  const watched =
    uris.length === 0
      ? merge(of([]), NEVER)
      : combineLatest(uris.map((uri) => watch(uri).pipe(map((done) => (done ? [uri] : [])))));
  const notices = rowsAt(table, revision, 'server');
  return watched.pipe(
    map((each) => each.flat()),
    switchMap((honoured) => {
      const notifications = {
        ...Object.fromEntries(flags.map((flag) => [flag, true])),
        ...(honoured.length === 0 ? undefined : { resourceSubscriptions: honoured }),
      };
      const passes = ({ method, params: said }: Notification): boolean => {
        const flag = notices.get(method)?.notice;
        if (flag === undefined) return false;
        return flag === 'resourceSubscriptions'
          ? honoured.some((uri) => covers(uri, said?.['uri']))
          : flags.includes(flag);
      };
      return concat(
        of({ method: acknowledgedMethod, params: { notifications } }),
        unsolicited.pipe(filter(passes)),
        // The session ended in good order: so does the subscription (BR-17).
        of({ result: { resultType: 'complete' } }),
      );
    }),
    takeWhile((emission) => !isAnswer(emission), true),
  );
};

/** Which capability promises what a flag of the listen filter asks for. */
const listFlags: Readonly<Record<string, string>> = {
  toolsListChanged: 'tools.listChanged',
  promptsListChanged: 'prompts.listChanged',
  resourcesListChanged: 'resources.listChanged',
};

const declares = (discovered: JsonObject, path: string | undefined): boolean =>
  path !== undefined && isObject(discovered['capabilities']) && offers(discovered['capabilities'], path);
