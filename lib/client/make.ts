/** Makes a client out of a connection. */
import {
  concat,
  defer,
  EMPTY,
  endWith,
  expand,
  filter,
  ignoreElements,
  finalize,
  map,
  of,
  retry,
  tap,
  throwError,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import type { Connection } from '../era/dial.ts';
import { isAnswer, type Context, type Notification } from '../exchange/exchange.ts';
import { listenMethod } from '../exchange/envelope.ts';
import { logMethod } from '../exchange/notice.ts';
import { codes, InvalidAnswer, NotSupported, RpcError } from '../frame/errors.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import type { Resource } from '../protocol/content.ts';
import type { LoggingLevel } from '../protocol/level.ts';
import { methods, type MethodTable, type ResultOf } from '../protocol/methods.ts';
import type { Implementation, ServerCapabilities } from '../protocol/peer.ts';
import type { Prompt } from '../protocol/prompts.ts';
import type { ReadResourceResult, ResourceTemplate } from '../protocol/resources.ts';
import { cache, type CacheOptions } from '../middleware/cache.ts';
import { demand } from '../middleware/demand.ts';
import { metaKeys } from '../protocol/revisions.ts';
import type { SubscriptionFilter } from '../protocol/subscription.ts';
import type { Tool } from '../protocol/tool.ts';
import { answersOf, outputSchemas } from './answers.ts';
import type { CallOptions, Client, ConnectionState, PromiseOptions } from './client.ts';
import type { Deadlines, Limits } from './deadline.ts';
import { live, onceOf } from './live.ts';
import type { Local } from './local.ts';
import { answererOf } from './rounds.ts';
import { logEvent, requestEvents, requestPromise, type Asking, type ResultCheck } from './request.ts';

/** What holds for every call of a connection. */
export interface ClientOptions extends Limits {
  /** The least severe log lines that every call hears of. Default: none. */
  readonly logLevel?: LoggingLevel;
  /** How much of what the server lets us keep is kept; false keeps nothing. Default: 500 answers, 16 Mi characters. */
  readonly cache?: Pick<CacheOptions, 'entries' | 'bytes'> | false;
  readonly table?: MethodTable;
  /** For tests in virtual time. */
  readonly scheduler?: SchedulerLike;
}

export const clientOf = <Tools>(
  connection: Connection,
  options: ClientOptions,
  deadlines: Deadlines,
  local: Pick<Local, 'exchange' | 'capabilities'>,
): Client<Tools> => {
  const { discovered, stray, revision } = connection;
  const table: MethodTable = options.table ?? methods;
  const capabilities: ServerCapabilities = isObject(discovered['capabilities']) ? discovered['capabilities'] : {};
  const demanding = demand({ ...capabilities }, table);
  const fresh = demanding(connection.exchange);
  const { cache: keeping = {}, scheduler } = options;
  const keep = keeping === false ? undefined : cache({ ...keeping, table, ...(scheduler && { scheduler }) });
  const exchange = keep === undefined ? fresh : demanding(keep(connection.exchange));
  const outputs = outputSchemas();
  /** The tools that may be called twice instead of once, as they say themselves. */
  const harmless = new Set<string>();
  const learn = (tools: readonly Tool[]): void => {
    outputs.learn(tools);
    for (const { name, annotations } of tools)
      if (annotations?.readOnlyHint === true || annotations?.idempotentHint === true) harmless.add(name);
      else harmless.delete(name);
  };
  const checks = new Map<string, ResultCheck>();

  const checkOf = (method: string): ResultCheck => {
    const known = checks.get(method);
    if (known !== undefined) return known;
    const row = table[method];
    if (row === undefined) throw new NotSupported({ method, message: `there is no method ${method}` });
    if (row.longLived === true)
      throw new NotSupported({ method, message: `${method} has no answer to wait for: use listen` });
    const check = answersOf(method, row);
    checks.set(method, check);
    return check;
  };

  const named = serverOf(discovered);
  const name = named === undefined ? undefined : `${named.name} ${named.version}`;
  const over$ = stray.pipe(ignoreElements(), endWith(undefined));
  const answerers = new Map(
    Object.entries(table).flatMap(([method, { asks }]) =>
      asks === true ? [[method, { answer: answererOf(method, local, over$), most: mostRounds }]] : [],
    ),
  );

  const asking = (method: string, params: JsonObject, given: CallOptions = {}, check = checkOf(method)): Asking => {
    const known = answerers.get(method);
    const rounds = known === undefined || given.rounds === undefined ? known : { ...known, most: given.rounds };
    const _meta = metaOf(given.meta, given.logLevel ?? options.logLevel, table[method]?.progress === true);
    return {
      exchange: given.fresh === true ? fresh : exchange,
      context: (given.idempotent ?? table[method]?.cacheable === true) ? repeatable : once,
      deadlines,
      server: name,
      limits: limitsOf(given, options),
      check,
      rounds,
      request: {
        method,
        params: given.again === undefined ? { _meta, ...params } : { _meta, ...params, ...given.again },
      },
    };
  };

  const checkCall = checkOf('tools/call');
  const calling = (name: string, args: unknown, own: CallOptions | undefined): Asking => {
    const given = own?.idempotent === undefined && harmless.has(name) ? { ...own, idempotent: true } : own;
    return asking('tools/call', { name, arguments: args }, given, (result) => {
      const complete = checkCall(result);
      outputs.check(name, complete);
      return complete;
    });
  };

  const pages = <T>(method: string, member: string, given: CallOptions | undefined): Observable<readonly T[]> => {
    const page = (cursor?: unknown): Observable<JsonObject> =>
      requestEvents<JsonObject>(asking(method, cursor === undefined ? {} : { cursor }, given)).pipe(
        filter((event) => event.kind === 'result'),
        map(({ result }) => result),
      );
    return defer(() => {
      const seen = new Set<unknown>();
      return page().pipe(
        // Only an absent cursor ends a list; an empty one is a cursor like any other (PAG-04).
        expand(({ nextCursor }) => {
          if (nextCursor === undefined || nextCursor === null) return EMPTY;
          if (seen.has(nextCursor) || seen.size >= mostPages)
            return throwError(
              () => new InvalidAnswer({ method, message: `${method}: the pages of this list do not end` }),
            );
          seen.add(nextCursor);
          return page(nextCursor);
        }),
        // The shape of a list's result has been checked.
        map((result) => result[member] as readonly T[]),
      );
    });
  };
  const listTools = (given?: CallOptions): Observable<readonly Tool[]> =>
    pages<Tool>('tools/list', 'tools', given).pipe(tap(learn));
  const listPrompts = (given?: CallOptions): Observable<readonly Prompt[]> => pages('prompts/list', 'prompts', given);
  const listResources = (given?: CallOptions): Observable<readonly Resource[]> =>
    pages('resources/list', 'resources', given);
  const listTemplates = (given?: CallOptions): Observable<readonly ResourceTemplate[]> =>
    pages('resources/templates/list', 'resourceTemplates', given);

  const once$ = onceOf(stray);
  const watched = new Map<string, Observable<ReadResourceResult>>();
  /** One for all who look at a resource, until the last has gone. */
  const watch = (uri: string): Observable<ReadResourceResult> => {
    const changes$ = capabilities.resources?.subscribe === true ? listen({ resourceSubscriptions: [uri] }) : once$;
    const shared = live(changes$.pipe(finalize(() => watched.delete(uri))), read$(uri));
    watched.set(uri, shared);
    return shared;
  };

  const listen = (wanted: SubscriptionFilter): Observable<Notification> =>
    exchange({ method: listenMethod, params: { notifications: wanted, _meta: {} } }, {}).pipe(
      filter((emission): emission is Notification => !isAnswer(emission)),
    );

  const liveList = <T>(
    capability: Listed | undefined,
    wanted: SubscriptionFilter,
    pages$: Observable<readonly T[]>,
  ): Observable<readonly T[]> => {
    if (capability === undefined) return live(once$, whole(EMPTY));
    return live(capability.listChanged === true ? listen(wanted) : once$, whole(pages$));
  };
  const readResource = (uri: string, given?: PromiseOptions): Promise<ReadResourceResult> =>
    requestPromise(asking('resources/read', { uri }, given), given?.signal);
  const read$ = (uri: string): Observable<ReadResourceResult> =>
    requestEvents<ReadResourceResult>(asking('resources/read', { uri })).pipe(
      filter((event) => event.kind === 'result'),
      map(({ result }) => result),
    );

  return {
    revision,
    server: named,
    capabilities,
    instructions: typeof discovered['instructions'] === 'string' ? discovered['instructions'] : undefined,
    exchange: connection.exchange,
    state$: concat(of<ConnectionState>('connected'), stray.pipe(ignoreElements()), of<ConnectionState>('closed')),
    call: (name, ...[args = {}, given]) => requestEvents(calling(name, args, given)),
    callTool: (name, ...[args = {}, given]) => requestPromise(calling(name, args, given), given?.signal),
    request: (method, params, given) =>
      defer(() => {
        const { _meta, ...rest }: JsonObject = { ...params };
        const meta = { ...(isObject(_meta) ? _meta : undefined), ...given?.meta };
        return requestEvents<ResultOf<typeof method>>(asking(method, rest, { ...given, meta }));
      }),
    readResource,
    getPrompt: (name, args = {}, given) =>
      requestPromise(asking('prompts/get', { name, arguments: args }, given), given?.signal),
    complete: async (ref, argument, typed, resolved, given) => {
      const context = resolved === undefined ? {} : { context: { arguments: resolved } };
      const params = { ref, argument: { name: argument, value: typed }, ...context };
      const { completion } = await requestPromise<ResultOf<'completion/complete'>>(
        asking('completion/complete', params, given),
        given?.signal,
      );
      return completion;
    },
    listTools: (given) => listTools(given),
    listPrompts,
    listResources,
    listTemplates,
    tools$: liveList(capabilities.tools, { toolsListChanged: true }, listTools()),
    prompts$: liveList(capabilities.prompts, { promptsListChanged: true }, listPrompts()),
    resources$: liveList(capabilities.resources, { resourcesListChanged: true }, listResources()),
    templates$: liveList(capabilities.resources, { resourcesListChanged: true }, listTemplates()),
    resource$: (uri) => defer(() => watched.get(uri) ?? watch(uri)),
    logs$: stray.pipe(
      filter(({ method, params }) => method === logMethod && params !== undefined),
      map(({ params = {} }) => logEvent(params)),
    ),
    listen,
  };
};

type Listed = { readonly listChanged?: boolean };

/** How many rounds of questions a call goes through (MRTR-25). */
const mostRounds = 10;

/** How many pages of a list are read before it is taken for endless. */
const mostPages = 10_000;

const whole = <T>(pages$: Observable<readonly T[]>): Observable<readonly T[]> =>
  defer(() => {
    const all: T[] = [];
    return pages$.pipe(
      tap((page) => all.push(...page)),
      ignoreElements(),
      endWith(all),
    );
  }).pipe(
    // A cursor goes stale with the page that it was on; the list is then read from its beginning, once (CACHE-15).
    retry({ count: 1, delay: (error: unknown) => (isRefusedCursor(error) ? of(undefined) : throwError(() => error)) }),
  );

const isRefusedCursor = (error: unknown): boolean => error instanceof RpcError && error.code === codes.invalidParams;

const limitsOf = (given: Limits, usual: Limits): Limits => {
  const idleMs = given.idleMs ?? usual.idleMs;
  const totalMs = given.totalMs ?? usual.totalMs;
  return { ...(idleMs === undefined ? undefined : { idleMs }), ...(totalMs === undefined ? undefined : { totalMs }) };
};

/** A token asks for progress, which keeps the idle clock from running out; its value is the edge's to choose. */
const metaOf = (meta: JsonObject | undefined, level: LoggingLevel | undefined, progress: boolean): JsonObject => {
  const wanted = progress ? wantsProgress : wantsNothing;
  if (meta === undefined && level === undefined) return wanted;
  return { ...wanted, ...meta, ...(level === undefined ? undefined : { [metaKeys.logLevel]: level }) };
};

const once: Context = {};
const repeatable: Context = { idempotent: true };

const wantsProgress: JsonObject = { progressToken: 0 };
const wantsNothing: JsonObject = {};

const isNamed = (value: unknown): value is Implementation =>
  isObject(value) && typeof value['name'] === 'string' && typeof value['version'] === 'string';

const serverOf = ({ _meta }: JsonObject): Implementation | undefined => {
  const named = isObject(_meta) ? _meta[metaKeys.serverInfo] : undefined;
  return isNamed(named) ? named : undefined;
};
