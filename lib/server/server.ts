/**
 * A server is an exchange: its features, routed. It is built once, is a value, and holds nothing until it is subscribed.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server
 */
import { from, of, Subject, switchMap, throwError, type Observable } from 'rxjs';
import type { Context, Emission, Exchange, Request } from '../exchange/exchange.ts';
import { listenMethod } from '../exchange/envelope.ts';
import { invalidParams, methodNotFound, Misconfigured, quoted } from '../frame/errors.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import type { Implementation, ServerCapabilities } from '../protocol/peer.ts';
import { metaKeys, modernRevisions } from '../protocol/revisions.ts';
import type { Verdict } from '../shape/shape.ts';
import { blunder } from './blunder.ts';
import { catalogue, keyOfResource, type AnyResource, type AnyTool, type Catalogue } from './catalogue.ts';
import { completing, nothing, typedIn, unknownArgument, type Completers } from './completion.ts';
import type { Feature } from './feature.ts';
import { held, listening } from './listen.ts';
import { misheaded } from './misheaded.ts';
import { pageOf } from './pages.ts';
import type { PromptFeature } from './prompt.ts';
import { find } from './read.ts';
import { notFound, type ResourceFeature, type TemplateFeature } from './resource.ts';
import { run, type Bench, type Sign } from './run.ts';
import { reportOf, warning, type Report } from './report.ts';
import type { Shelf } from './shelf.ts';
import { seal, type StateOptions } from './state.ts';
import { failed, type ToolFeature } from './tool.ts';

/** What a server says of itself: its name and version, and what else it shows. */
export interface ServerInfo extends Implementation {
  /** What a model should know about using this server. */
  readonly instructions?: string;
}

/** How a server lists and names what it offers; see {@link serverWith}. */
export interface ServerOptions {
  /** How many items a page of a list has. Default 100. */
  readonly pageSize?: number;
  /** How long, in milliseconds, changes of one list are gathered into one notification. Default 50. */
  readonly coalesceMs?: number;
  /** How long lists and reads may be kept, in milliseconds, and by whom. Default: not at all, by the caller alone. */
  readonly cache?: { readonly ttlMs: number; readonly scope: 'public' | 'private' };
  /** Whether results name this server (VER-12). Default true. */
  readonly named?: boolean;
  /** How what a request keeps while it waits for input is protected. */
  readonly state?: StateOptions;
}

/** What a client's type checker may know of a server: its tools, by name. */
export type ToolsOf<F extends readonly unknown[]> = {
  readonly [T in F[number] as T extends ToolFeature<infer N> ? N : never]: T extends { readonly types?: infer C }
    ? C
    : never;
};

/** A server as a value: an exchange that knows its features. It holds nothing until it is asked or served. */
export interface Server<Tools = unknown> extends Exchange {
  readonly info: ServerInfo;
  readonly capabilities: ServerCapabilities;
  /** Never emits. While it is subscribed, lists that come and go stay subscribed too; `serve` does so. */
  readonly held$: Observable<never>;
  /**
   * Every failure of this server, for its operator's log: what handlers, schemas and lists threw, whatever the peer was
   * told; warnings. What a handler answers with an {@link RpcError} is no failure. It is hot,
   * never fails and never completes.
   */
  readonly errors$: Observable<Report>;
  /** For the type checker: see `connect<typeof server>`. */
  readonly tools?: Tools;
}

type Handler = (request: Request, context: Context) => Observable<Emission>;

/**
 * Makes a server out of features. It is built once, is a value, and holds nothing until it is asked or served.
 *
 * As an exchange it emits, for each request, notices and then one result; it fails with an {@link RpcError}, or with
 * whatever a handler of a resource or prompt threw, which a peer hears of as an internal error.
 *
 * @param info - its name and version, and what else it shows of itself
 * @param features - tools, resources, resource templates, prompts, lists of them that come and go, and resource updates
 * @throws {@link Misconfigured} where two features have one name, or one URI
 * @example
 * const clock = server(
 *   { name: 'clock', version: '1.0.0' },
 *   tool('now', { description: 'What time it is' }, () => new Date().toISOString()),
 * );
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server
 */
export const server = <const F extends readonly Feature[]>(info: ServerInfo, ...features: F): Server<ToolsOf<F>> =>
  serverWith({}, info, ...features);

/**
 * The same as {@link server}, with options: the size of pages, how changes are gathered, how long answers may be kept.
 *
 * @param options - see {@link ServerOptions}; times are in milliseconds
 * @param info - its name and version, and what else it shows of itself
 * @param features - what it offers
 * @throws {@link Misconfigured} where two features have one name, or one URI
 * @example
 * const clock = serverWith(
 *   { pageSize: 20, cache: { ttlMs: 60_000, scope: 'public' } },
 *   { name: 'clock', version: '1.0.0' },
 *   tool('now', { description: 'What time it is' }, () => new Date().toISOString()),
 * );
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination
 */
export const serverWith = <const F extends readonly Feature[]>(
  options: ServerOptions,
  info: ServerInfo,
  ...features: F
): Server<ToolsOf<F>> => {
  const { pageSize = 100, coalesceMs = 50, cache = { ttlMs: 0, scope: 'private' }, named = true, state = {} } = options;
  if (!Number.isSafeInteger(cache.ttlMs) || cache.ttlMs < 0)
    throw new Misconfigured({ message: `cache.ttlMs must be an integer of at least 0, got ${cache.ttlMs} (CACHE-03)` });
  const { instructions, ...identity } = info;
  const stock = catalogue(features);
  const { capabilities } = stock;
  const meta: JsonObject | undefined = named ? { [metaKeys.serverInfo]: identity } : undefined;
  const hints: JsonObject = {
    resultType: 'complete',
    ttlMs: cache.ttlMs,
    cacheScope: cache.scope,
    ...(meta === undefined ? undefined : { _meta: meta }),
  };
  const discovered: JsonObject = {
    ...hints,
    supportedVersions: modernRevisions,
    capabilities,
    ...(instructions === undefined ? undefined : { instructions }),
  };
  const errors$ = new Subject<Report>();
  const desk: Desk = {
    stock,
    hints,
    pageSize,
    sign: signWith(meta),
    seal: seal(identity.name, state, (message) => errors$.next(warning(identity.name, message))),
    failed: (error, request) => errors$.next(reportOf(identity.name, request, error)),
  };
  const handlers = new Map<string, Handler>([
    ['server/discover', () => of({ result: discovered })],
    [listenMethod, listening(stock, coalesceMs)],
    ...(capabilities.tools === undefined ? [] : toolHandlers(desk)),
    ...(capabilities.resources === undefined ? [] : resourceHandlers(desk)),
    ...(capabilities.prompts === undefined ? [] : promptHandlers(desk)),
    ...(capabilities.completions === undefined ? [] : completionHandlers(desk)),
  ]);
  const exchange: Exchange = (request, context) => {
    const handler = handlers.get(request.method);
    if (handler === undefined) return throwError(() => methodNotFound(request.method));
    try {
      return handler(request, context);
    } catch (error) {
      // An exchange fails on its error channel, and nowhere else.
      return throwError(() => error);
    }
  };
  return Object.assign(exchange, { info, capabilities, held$: held(stock), errors$: errors$.asObservable() });
};

/** What answers requests: the stock, and what handlers work with. */
interface Desk extends Bench {
  readonly stock: Catalogue;
  /** What every list and read begins with. */
  readonly hints: JsonObject;
  readonly pageSize: number;
}

/** The server's name on a result, beside whatever its handler says in `_meta`. */
const signWith =
  (meta: JsonObject | undefined): Sign =>
  (result) => {
    if (meta === undefined) return result;
    const own = result['_meta'];
    result['_meta'] = isObject(own) ? { ...meta, ...own } : meta;
    return result;
  };

const listing =
  <O>(
    shelf: Shelf<O>,
    pick: (offer: O) => boolean,
    key: (offer: O) => string,
    define: (offer: O) => unknown,
    member: string,
    { hints, pageSize }: Desk,
  ): Handler =>
  ({ params }) =>
    shelf.look(({ all }) => {
      const { items, nextCursor } = pageOf(all.filter(pick), key, pageSize, params?.['cursor']);
      return of({
        result: { ...hints, [member]: items.map(define), ...(nextCursor === undefined ? undefined : { nextCursor }) },
      });
    });

const all = (): boolean => true;

const toolHandlers = (desk: Desk): readonly (readonly [string, Handler])[] => [
  [
    'tools/list',
    listing(
      desk.stock.tools,
      all,
      ({ name }) => name,
      ({ definition }) => definition,
      'tools',
      desk,
    ),
  ],
  [
    'tools/call',
    (request, context) =>
      desk.stock.tools.look(({ byKey }) =>
        callTool(byKey.get(String(request.params?.['name'])), desk, request, context),
      ),
  ],
];

const callTool = (
  tool: AnyTool | undefined,
  bench: Bench,
  request: Request,
  context: Context,
): Observable<Emission> => {
  const { params } = request;
  if (tool === undefined) return throwError(() => invalidParams(`unknown tool: ${quoted(params?.['name'])}`));
  const refusal = tool.mirrored === undefined ? undefined : misheaded(tool.mirrored, request, context);
  if (refusal !== undefined) return throwError(() => refusal);
  const work = (verdict: Verdict): Observable<Emission> =>
    verdict.ok
      ? run(tool.work, verdict.value, bench, request, context)
      : of({ result: bench.sign(failed(`invalid arguments for ${tool.name}: ${verdict.problem}`)) });
  // What user code in a schema throws is the tool's failure, like what its handler throws.
  const broken = (error: unknown): Verdict => {
    bench.failed(error, request);
    return { ok: false, problem: blunder(error) ?? 'they could not be read' };
  };
  let verdict: Verdict | Promise<Verdict>;
  try {
    verdict = tool.decode(params?.['arguments'] ?? {});
  } catch (error) {
    return work(broken(error));
  }
  return verdict instanceof Promise ? from(verdict.catch(broken)).pipe(switchMap(work)) : work(verdict);
};

const resourceHandlers = (desk: Desk): readonly (readonly [string, Handler])[] => {
  const { resources } = desk.stock;
  const reading: Bench = {
    ...desk,
    // Only what is complete may be kept (CACHE-02).
    sign: (result) => desk.sign(result['resultType'] === undefined ? { ...desk.hints, ...result } : result),
  };
  const isFixed = (offer: AnyResource): offer is ResourceFeature => offer.kind === 'resource';
  const isTemplate = (offer: AnyResource): offer is TemplateFeature => offer.kind === 'template';
  const definition = (offer: AnyResource): unknown => offer.definition;
  return [
    ['resources/list', listing(resources, isFixed, keyOfResource, definition, 'resources', desk)],
    ['resources/templates/list', listing(resources, isTemplate, keyOfResource, definition, 'resourceTemplates', desk)],
    [
      'resources/read',
      (request, context) =>
        resources.look((stock) => {
          const uri = String(request.params?.['uri']);
          const found = find(stock, uri);
          if (found === undefined) return throwError(() => notFound(uri));
          return run(found.offer.work, found.read, reading, request, context);
        }),
    ],
  ];
};

const promptHandlers = (desk: Desk): readonly (readonly [string, Handler])[] => [
  [
    'prompts/list',
    listing(
      desk.stock.prompts,
      all,
      ({ name }) => name,
      ({ definition }) => definition,
      'prompts',
      desk,
    ),
  ],
  [
    'prompts/get',
    (request, context) =>
      desk.stock.prompts.look(({ byKey }) =>
        getPrompt(byKey.get(String(request.params?.['name'])), desk, request, context),
      ),
  ],
];

const getPrompt = (
  prompt: PromptFeature | undefined,
  bench: Bench,
  request: Request,
  context: Context,
): Observable<Emission> => {
  const { params } = request;
  if (prompt === undefined) return throwError(() => invalidParams(`unknown prompt: ${quoted(params?.['name'])}`));
  const given = isObject(params?.['arguments']) ? params['arguments'] : {};
  const problem = prompt.problem(given);
  return problem === undefined
    ? run(prompt.work, given as Readonly<Record<string, string>>, bench, request, context)
    : throwError(() => problem);
};

const completionHandlers = (desk: Desk): readonly (readonly [string, Handler])[] => {
  const { prompts, resources } = desk.stock;
  const complete = (
    completers: Completers<string>,
    known: readonly string[],
    request: Request,
    context: Context,
  ): Observable<Emission> => {
    const { name, typed, resolved } = typedIn(request.params ?? {});
    if (!known.includes(name)) return throwError(() => unknownArgument(name, known));
    return run(
      completing,
      { completer: (Object.hasOwn(completers, name) ? completers[name] : undefined) ?? nothing, typed, resolved },
      desk,
      request,
      context,
      'silent',
    );
  };
  const handler: Handler = (request, context) => {
    const ref = isObject(request.params?.['ref']) ? request.params['ref'] : {};
    if (ref['type'] === 'ref/prompt')
      return prompts.look(({ byKey }) => {
        const prompt = byKey.get(String(ref['name']));
        if (prompt === undefined) return throwError(() => invalidParams(`unknown prompt: ${quoted(ref['name'])}`));
        return complete(
          prompt.complete,
          (prompt.definition.arguments ?? []).map(({ name }) => name),
          request,
          context,
        );
      });
    return resources.look((stock) => {
      const uri = String(ref['uri']);
      const offer = stock.byKey.get(uri) ?? find(stock, uri)?.offer;
      if (offer === undefined) return throwError(() => notFound(uri));
      return offer.kind === 'template'
        ? complete(offer.complete, offer.template.variables, request, context)
        : complete({}, [], request, context);
    });
  };
  return [['completion/complete', handler]];
};
