/**
 * Resources: content that clients read by URI, and may watch.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/resources
 */
import type { Answering } from '../exchange/bridge.ts';
import { invalidParams, Misconfigured, quoted, type RpcError } from '../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import type { Resource, ResourceContents } from '../protocol/content.ts';
import type { ResourceTemplate } from '../protocol/resources.ts';
import { uriTemplate, type UriTemplate } from '../protocol/uri-template.ts';
import type { Call } from './call.ts';
import type { Completers } from './completion.ts';
import { presented, type ResourcePresentation } from './feature.ts';
import type { Fresh, Work } from './run.ts';

interface Watching {
  /**
   * The handler's Observable tells of changes: its first value is what a read gets, and while somebody subscribes to the
   * resource every later one is an update. Default false.
   */
  readonly live?: boolean;
}

/** How a resource presents itself, and whether it is watched through its handler. */
export interface ResourceOptions extends ResourcePresentation, Watching {
  /** A name for programs. Default: the last part of the URI. */
  readonly name?: string;
  /** In bytes, before any encoding. */
  readonly size?: number;
}

/** How a resource template presents itself, and how its variables are completed. */
export interface TemplateOptions<V extends string> extends ResourcePresentation, Watching {
  /** A name for programs. Default: the template. */
  readonly name?: string;
  /** Suggests values for the template's variables. */
  readonly complete?: Completers<V>;
}

/** What a handler may answer a read with: text, bytes, or contents written out. Nothing means: not found. */
export type Contents = string | Uint8Array | ResourceContents | readonly ResourceContents[] | undefined;

export interface ResourceFeature {
  readonly kind: 'resource';
  readonly uri: string;
  readonly definition: Resource;
  readonly live: boolean;
  readonly work: Work<Read>;
}

/** What is read: a URI, and what a template made of it. */
export interface Read {
  readonly uri: string;
  readonly variables: Variables;
}

export type Variables = Readonly<Record<string, string | readonly string[]>>;

export interface TemplateFeature {
  readonly kind: 'template';
  readonly template: UriTemplate;
  readonly definition: ResourceTemplate;
  readonly live: boolean;
  readonly complete: Completers<string>;
  readonly work: Work<Read>;
}

/**
 * Offers a resource under a fixed URI: content that clients read, and may watch.
 *
 * With `live: true` the handler's stream is the resource: its first value is what a read gets, every later one tells
 * subscribers of an update. What the handler throws becomes an error response that says nothing but the method; an
 * {@link RpcError} goes out as it is.
 *
 * @param uri - absolute (RFC 3986); `https:` only for what a client can fetch by itself (RES-18)
 * @param options - its type, size (in bytes) and presentation
 * @param handler - returns text, bytes or contents, in any of the ways of answering; of a stream the first value
 * counts. `undefined` means: not found
 * @throws {@link Misconfigured} where the URI is none
 * @example
 * const tail$ = interval(1000).pipe(map((second) => `${second} s up`));
 * resource('log:///uptime', { mimeType: 'text/plain', live: true }, () => tail$);
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/resources
 */
export const resource = (
  uri: string,
  options: ResourceOptions,
  handler: (call: Call) => Answering<Contents>,
): ResourceFeature => {
  const where = `resource ${JSON.stringify(uri)}`;
  if (!absolute.test(uri))
    throw new Misconfigured({ message: `${where}: a URI begins with a scheme, as in "file:///log"` });
  const { name = lastPart(uri), size, live = false } = options;
  return {
    kind: 'resource',
    uri,
    definition: { uri, name, ...presentedResource(options, where), ...(size === undefined ? undefined : { size }) },
    live,
    work: {
      handle: (_, call) => handler(call),
      finish: (value) => contents(value, uri, options.mimeType),
      pick: 'first',
    },
  };
};

/**
 * Offers all resources whose URIs fit a template (RFC 6570).
 *
 * A fixed resource comes before any template, and templates are tried in the order in which they were given. They are
 * on a list of their own; what fits them is on no list.
 *
 * @param template - the URI with variables in it: `notes:///{name}`, `file:///{+path}`
 * @param options - its type and presentation, and completers for its variables
 * @param handler - gets the template's variables, decoded, the {@link Call} and the URI; whatever they name, it must
 * stay within what it means to serve (RES-22). `undefined` means: not found
 * @throws {@link Misconfigured} where the template is malformed, or lacks a variable that is to be completed
 * @example
 * const notes = new Map([['todo', 'Buy milk'], ['done', 'Nothing']]);
 * resourceTemplate(
 *   'notes:///{name}',
 *   { complete: { name: (typed) => [...notes.keys()].filter((name) => name.startsWith(typed)) } },
 *   ({ name }) => notes.get(String(name)),
 * );
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/resources#resource-templates
 */
export const resourceTemplate = <V extends string = string>(
  template: string,
  options: TemplateOptions<V>,
  handler: (variables: Variables, call: Call, uri: string) => Answering<Contents>,
): TemplateFeature => {
  const where = `resource template ${JSON.stringify(template)}`;
  const parsed = uriTemplate(template);
  const { name = template, complete = {}, live = false, mimeType } = options;
  const unknown = Object.keys(complete).filter((variable) => !parsed.variables.includes(variable));
  if (unknown.length > 0)
    throw new Misconfigured({ message: `${where}: has no variable ${unknown.join(', ')} to complete` });
  return {
    kind: 'template',
    template: parsed,
    definition: { uriTemplate: template, name, ...presentedResource(options, where) },
    live,
    complete,
    work: {
      handle: ({ uri, variables }, call) => handler(variables, call, uri),
      finish: (value, { uri }) => contents(value, uri, mimeType),
      pick: 'first',
    },
  };
};

const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:\S*$/;

const lastPart = (uri: string): string => uri.split('/').findLast((part) => part !== '') ?? uri;

const presentedResource = ({ mimeType, annotations, ...rest }: ResourcePresentation, where: string): JsonObject => ({
  ...presented(rest, where),
  ...(mimeType === undefined ? undefined : { mimeType }),
  ...(annotations === undefined ? undefined : { annotations }),
});

/**
 * The error that says that there is no such resource, in the code that each revision has for it (RES-07, RES-08).
 *
 * @param uri - what was asked for
 * @example
 * resourceTemplate('notes:///{name}', {}, ({ name }, call, uri) => {
 *   if (name !== 'todo') throw notFound(uri);
 *   return 'Buy milk';
 * });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/resources#error-handling
 */
export const notFound = (uri: string): RpcError => invalidParams(`resource not found: ${quoted(uri)}`, { uri });

/** A read's value as its result. */
const contents = (value: unknown, uri: string, mimeType: string | undefined): Fresh => {
  if (value === undefined) throw notFound(uri);
  const typed = mimeType === undefined ? undefined : { mimeType };
  const list = isArray(value) ? value : [value];
  return { contents: list.map((one: unknown) => content(one, uri, typed)) };
};

const content = (value: unknown, uri: string, typed: { readonly mimeType: string } | undefined): unknown => {
  if (typeof value === 'string') return { uri, ...typed, text: value };
  if (value instanceof Uint8Array) return { uri, ...typed, blob: base64(value) };
  if (isObject(value) && (typeof value['text'] === 'string' || typeof value['blob'] === 'string'))
    return { uri, ...typed, ...value };
  throw new Misconfigured({ message: `the resource ${uri} answered with neither text, nor bytes, nor contents` });
};

/** In steps, because the arguments of one call are limited. */
const base64 = (bytes: Uint8Array): string => {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
};
