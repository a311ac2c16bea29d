/**
 * A server is an exchange: its features, routed. It is built once, is a value, and holds nothing until it is subscribed.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server
 */
import { map, of, switchMap, throwError, type Observable } from 'rxjs';
import type { Context, Emission, Exchange, Request } from '../exchange/exchange.ts';
import { listenMethod } from '../exchange/envelope.ts';
import { invalidParams, methodNotFound } from '../frame/errors.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import type { Implementation, ServerCapabilities } from '../protocol/peer.ts';
import { metaKeys, modernRevisions } from '../protocol/revisions.ts';
import type { Verdict } from '../shape/shape.ts';
import { catalogue, keyOfResource, type AnyResource, type AnyTool, type Catalogue } from './catalogue.ts';
import { completing, nothing, typedIn, unknownArgument, type Completers } from './completion.ts';
import type { Feature } from './feature.ts';
import { held, listen } from './listen.ts';
import { pageOf } from './pages.ts';
import type { PromptFeature } from './prompt.ts';
import { find } from './read.ts';
import { notFound, type ResourceFeature, type TemplateFeature } from './resource.ts';
import { run } from './run.ts';
import type { Shelf } from './shelf.ts';
import { failed, type ToolFeature } from './tool.ts';

export interface ServerInfo extends Implementation {
  /** What a model should know about using this server. */
  readonly instructions?: string;
}

export interface ServerOptions {
  /** How many items a page of a list has. Default 100. */
  readonly pageSize?: number;
  /** How long, in milliseconds, changes of one list are gathered into one notification. Default 50. */
  readonly coalesceMs?: number;
  /** How long lists and reads may be kept, in milliseconds, and by whom. Default: not at all, by the caller alone. */
  readonly cache?: { readonly ttlMs: number; readonly scope: 'public' | 'private' };
  /** Whether results name this server (VER-12). Default true. */
  readonly named?: boolean;
}

/** What a client's type checker may know of a server: its tools, by name. */
export type ToolsOf<F extends readonly unknown[]> = {
  readonly [T in F[number] as T extends ToolFeature<infer N, never, unknown> ? N : never]: T extends { readonly types?: infer C } ? C : never;
};

export interface Server<Tools = unknown> extends Exchange {
  readonly info: ServerInfo;
  readonly capabilities: ServerCapabilities;
  /** Never emits. While it is subscribed, lists that come and go stay subscribed too; `serve` does so. */
  readonly held$: Observable<never>;
  /** For the type checker: see `connect<typeof server>`. */
  readonly tools?: Tools;
}

type Handler = (request: Request, context: Context) => Observable<Emission>;

/**
 * Makes a server out of features.
 *
 * @param info - its name and version, and what else it shows of itself
 * @param features - tools, resources, resource templates, prompts, lists of them that come and go, and resource updates;
 * an object of {@link ServerOptions} may come first
 * @throws Misconfigured where two features have one name
 * @example
 * const weather = server({ name: 'weather', version: '1.0.0' }, tool('forecast', { … }, ({ city }) => …))
 */
export const server = <const F extends readonly Feature[]>(info: ServerInfo, ...features: F): Server<ToolsOf<F>> => serverWith({}, info, ...features);

/** The same as {@link server}, with options. */
export const serverWith = <const F extends readonly Feature[]>(options: ServerOptions, info: ServerInfo, ...features: F): Server<ToolsOf<F>> => {
  const { pageSize = 100, coalesceMs = 50, cache = { ttlMs: 0, scope: 'private' }, named = true } = options;
  const { instructions, ...identity } = info;
  const stock = catalogue(features);
  const { capabilities } = stock;
  const meta: JsonObject = named ? { [metaKeys.serverInfo]: identity } : {};
  const hints: JsonObject = { resultType: 'complete', ttlMs: cache.ttlMs, cacheScope: cache.scope };
  const discovered: JsonObject = {
    ...hints,
    supportedVersions: modernRevisions,
    capabilities,
    ...(instructions === undefined ? undefined : { instructions }),
  };

  const handlers = new Map<string, Handler>([
    ['server/discover', () => of({ result: discovered })],
    [listenMethod, (request, context) => listen(stock, coalesceMs, request, context)],
    ...(capabilities.tools === undefined ? [] : toolHandlers(stock, hints, pageSize)),
    ...(capabilities.resources === undefined ? [] : resourceHandlers(stock, hints, pageSize)),
    ...(capabilities.prompts === undefined ? [] : promptHandlers(stock, hints, pageSize)),
    ...(capabilities.completions === undefined ? [] : completionHandlers(stock)),
  ]);

  const named$ = (emissions: Observable<Emission>): Observable<Emission> =>
    emissions.pipe(map((emission) => ('result' in emission ? { result: signed(emission.result, meta) } : emission)));
  const exchange: Exchange = (request, context) => {
    const handler = handlers.get(request.method);
    if (handler === undefined) return throwError(() => methodNotFound(request.method));
    return named ? named$(handler(request, context)) : handler(request, context);
  };
  return Object.assign(exchange, { info, capabilities, held$: held(stock) });
};

/** The server's name on a result, beside whatever its handler says there. */
const signed = (result: JsonObject, meta: JsonObject): JsonObject =>
  Object.assign({}, result, { _meta: isObject(result['_meta']) ? { ...meta, ...result['_meta'] } : meta });

const listing =
  <O>(shelf: Shelf<O>, pick: (offer: O) => boolean, key: (offer: O) => string, define: (offer: O) => unknown, member: string, hints: JsonObject, size: number): Handler =>
  ({ params }) =>
    shelf.look(({ all }) => {
      const { items, nextCursor } = pageOf(all.filter(pick), key, size, params?.['cursor']);
      return of({ result: { ...hints, [member]: items.map(define), ...(nextCursor === undefined ? undefined : { nextCursor }) } });
    });

const all = (): boolean => true;

const toolHandlers = ({ tools }: Catalogue, hints: JsonObject, size: number): readonly (readonly [string, Handler])[] => [
  ['tools/list', listing(tools, all, ({ name }) => name, ({ definition }) => definition, 'tools', hints, size)],
  ['tools/call', (request, context) => tools.look(({ byKey }) => callTool(byKey.get(String(request.params?.['name'])), request, context))],
];

const callTool = (tool: AnyTool | undefined, request: Request, context: Context): Observable<Emission> => {
  const { params } = request;
  if (tool === undefined) return throwError(() => invalidParams(`unknown tool: ${String(params?.['name'])}`));
  const work = (verdict: Verdict): Observable<Emission> =>
    verdict.ok ? run(tool.work, verdict.value, request, context) : of({ result: failed(`invalid arguments for ${tool.name}: ${verdict.problem}`) });
  const verdict = tool.decode(params?.['arguments'] ?? {});
  return verdict instanceof Promise ? of(verdict).pipe(switchMap((late) => late), switchMap(work)) : work(verdict);
};

const resourceHandlers = ({ resources }: Catalogue, hints: JsonObject, size: number): readonly (readonly [string, Handler])[] => {
  const isFixed = (offer: AnyResource): offer is ResourceFeature => offer.kind === 'resource';
  const isTemplate = (offer: AnyResource): offer is TemplateFeature => offer.kind === 'template';
  const definition = (offer: AnyResource): unknown => offer.definition;
  return [
    ['resources/list', listing(resources, isFixed, keyOfResource, definition, 'resources', hints, size)],
    ['resources/templates/list', listing(resources, isTemplate, keyOfResource, definition, 'resourceTemplates', hints, size)],
    [
      'resources/read',
      (request, context) =>
        resources.look((stock) => {
          const uri = String(request.params?.['uri']);
          const found = find(stock, uri);
          if (found === undefined) return throwError(() => notFound(uri));
          return run(found.offer.work, found.read, request, context).pipe(
            map((emission) => ('result' in emission ? { result: { ...hints, ...emission.result } } : emission)),
          );
        }),
    ],
  ];
};

const promptHandlers = ({ prompts }: Catalogue, hints: JsonObject, size: number): readonly (readonly [string, Handler])[] => [
  ['prompts/list', listing(prompts, all, ({ name }) => name, ({ definition }) => definition, 'prompts', hints, size)],
  ['prompts/get', (request, context) => prompts.look(({ byKey }) => getPrompt(byKey.get(String(request.params?.['name'])), request, context))],
];

const getPrompt = (prompt: PromptFeature | undefined, request: Request, context: Context): Observable<Emission> => {
  const { params } = request;
  if (prompt === undefined) return throwError(() => invalidParams(`unknown prompt: ${String(params?.['name'])}`));
  const given = isObject(params?.['arguments']) ? params['arguments'] : {};
  const problem = prompt.problem(given);
  return problem === undefined ? run(prompt.work, given as Readonly<Record<string, string>>, request, context) : throwError(() => problem);
};

const completionHandlers = ({ prompts, resources }: Catalogue): readonly (readonly [string, Handler])[] => {
  const complete = (completers: Completers<string>, known: readonly string[], request: Request, context: Context): Observable<Emission> => {
    const { name, typed, resolved } = typedIn(request.params ?? {});
    if (!known.includes(name)) return throwError(() => unknownArgument(name, known));
    return run(completing, { completer: completers[name] ?? nothing, typed, resolved }, request, context);
  };
  const handler: Handler = (request, context) => {
    const ref = isObject(request.params?.['ref']) ? request.params['ref'] : {};
    if (ref['type'] === 'ref/prompt')
      return prompts.look(({ byKey }) => {
        const prompt = byKey.get(String(ref['name']));
        if (prompt === undefined) return throwError(() => invalidParams(`unknown prompt: ${String(ref['name'])}`));
        return complete(prompt.complete, (prompt.definition.arguments ?? []).map(({ name }) => name), request, context);
      });
    return resources.look((stock) => {
      const uri = String(ref['uri']);
      const offer = stock.byKey.get(uri) ?? find(stock, uri)?.offer;
      if (offer === undefined) return throwError(() => notFound(uri));
      return offer.kind === 'template' ? complete(offer.complete, offer.template.variables, request, context) : complete({}, [], request, context);
    });
  };
  return [['completion/complete', handler]];
};
