/** HTTP by `node:http` and `node:https`, over connections that are used again. */
import { Agent, request as httpRequest, type ClientRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { ConnectionClosed } from '../frame/errors.ts';
import type { Carrier, HttpCall, HttpSink } from '../transport/remote/carrier.ts';
import { neverConnected } from '../transport/remote/fetch-carrier.ts';

/** Which connections are used. */
export interface AgentCarrierOptions {
  /** Makes and keeps connections, proxies included. Default: one of its own. */
  readonly agent?: Agent | undefined;
  /** For `https:`, as for `tls.connect`: `ca`, `cert`, `key`… */
  readonly tls?: ConnectionOptions | undefined;
  /**
   * The URL of a proxy; false uses none. Default: what the environment says, in `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`
   * and `NO_PROXY`, in upper or lower case.
   */
  readonly proxy?: string | false | undefined;
  /**
   * Finds the addresses of a name, as for `net.connect`. Where a proxy is used it is the proxy that looks names up, and this
   * is not asked. Default: the system's.
   */
  readonly lookup?: LookupFunction | undefined;
}

/**
 * How long a connection is kept while nobody uses it, in milliseconds: less than the 5 s after which a server in Node
 * closes it, which might be while the next request is on its way.
 */
const idleMs = 4_000;

/**
 * Makes HTTP requests over connections that are kept open and used again; the default of `remote` and `sse` in
 * `rxmcp/node`. An idle connection keeps no process alive.
 *
 * @param options - see {@link AgentCarrierOptions}
 * @example
 * import { readFileSync } from 'node:fs';
 *
 * const carrier = agentCarrier({ tls: { ca: readFileSync('ca.pem') } });
 * connect(remote('https://weather.internal/mcp', { carrier })).subscribe(({ revision }) => console.log(revision));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export const agentCarrier = (options: AgentCarrierOptions = {}): Carrier => {
  const routes = new Map<string, Route | Promise<Route>>();
  const agents = agentsOf(options);
  const { lookup } = options;
  const routeTo = (url: string): Route | Promise<Route> => {
    const known = routes.get(url);
    if (known !== undefined) return known;
    const { origin } = new URL(url);
    const agent = agents(origin);
    const made =
      agent instanceof Promise ? agent.then((each) => routeOf(url, each, lookup)) : routeOf(url, agent, lookup);
    // Servers name other URLs, in redirects and old transports; not without end.
    if (routes.size >= mostRoutes) routes.clear();
    routes.set(url, made);
    if (made instanceof Promise) made.then((route) => routes.set(url, route)).catch(() => routes.delete(url));
    return made;
  };
  return (call, sink) => {
    const route = routeTo(call.url);
    if (!(route instanceof Promise)) return carry(route, call, sink);
    let abort: (() => void) | undefined;
    let stopped = false;
    route
      .then((ready) => {
        if (!stopped) abort = carry(ready, call, sink);
      })
      .catch((cause: unknown) => {
        if (!stopped) sink.failed(failure('the proxy cannot be used', cause, true));
      });
    return () => {
      stopped = true;
      abort?.();
    };
  };
};

const mostRoutes = 100;

/** How requests to one URL are made; worked out once. */
interface Route {
  readonly request: (options: RequestOptions) => ClientRequest;
  readonly fixed: RequestOptions;
  /** Given in one piece, headers cost less; an agent that rewrites requests needs them one by one. */
  readonly host: string | undefined;
}

const routeOf = (
  url: string,
  { agent, own }: { readonly agent: Agent; readonly own: boolean },
  lookup: LookupFunction | undefined,
): Route => {
  const { protocol, hostname, port, pathname, search, host } = new URL(url);
  const fixed = {
    protocol,
    hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    path: `${pathname}${search}`,
    agent,
    // Here rather than at our own agents, so that somebody else's keeps to it too.
    ...(lookup === undefined ? undefined : { lookup }),
  };
  return { request: protocol === 'https:' ? httpsRequest : httpRequest, fixed, host: own ? host : undefined };
};

type Agents = (
  origin: string,
) => { readonly agent: Agent; readonly own: boolean } | Promise<{ readonly agent: Agent; readonly own: boolean }>;

const agentsOf = ({ agent: given, tls, proxy }: AgentCarrierOptions): Agents => {
  if (given !== undefined) return () => ({ agent: given, own: false });
  const kept = { keepAlive: true, timeout: idleMs, ...tls };
  const direct = new Map<string, Agent>();
  const plain = (origin: string): { readonly agent: Agent; readonly own: boolean } => {
    const secure = origin.startsWith('https:');
    const key = secure ? 'https' : 'http';
    const agent = direct.get(key) ?? (secure ? new HttpsAgent(kept) : new Agent({ keepAlive: true, timeout: idleMs }));
    direct.set(key, agent);
    return { agent, own: true };
  };
  return (origin) => {
    if (proxy === false || (proxy === undefined && !environmentNamesProxy())) return plain(origin);
    return proxied(origin, proxy, kept).then((agent) => (agent === undefined ? plain(origin) : { agent, own: false }));
  };
};

const environmentNamesProxy = (): boolean =>
  ['http_proxy', 'https_proxy', 'all_proxy'].some((name) => process.env[name] || process.env[name.toUpperCase()]);

/** Loaded only where a proxy is named. */
const proxied = async (origin: string, given: string | undefined, kept: object): Promise<Agent | undefined> => {
  const through = given ?? (await import('proxy-from-env')).getProxyForUrl(origin);
  if (through === '') return undefined;
  return origin.startsWith('https:')
    ? new (await import('https-proxy-agent')).HttpsProxyAgent(through, kept)
    : new (await import('http-proxy-agent')).HttpProxyAgent(through, kept);
};

const carry = ({ request, fixed, host }: Route, { method, headers, body }: HttpCall, sink: HttpSink): (() => void) => {
  let outgoing: ClientRequest;
  let stopped = false;
  let begun = false;
  const failed = (cause: Error): void => {
    if (stopped) return;
    stopped = true;
    sink.failed(failure(begun ? 'the HTTP answer broke off' : 'the HTTP request failed', cause));
  };
  try {
    outgoing = request({
      ...fixed,
      method,
      headers: host === undefined ? sized(headers, body) : flat(headers, host, body),
    });
  } catch (cause) {
    // What no header may hold.
    queueMicrotask(() => failed(cause instanceof Error ? cause : new Error(String(cause))));
    return () => (stopped = true);
  }
  outgoing.on('error', failed);
  outgoing.on('response', (response) => {
    if (stopped) return;
    begun = true;
    sink.head(response.statusCode ?? 0, (name) => {
      const value = response.headers[name];
      return typeof value === 'object' ? value.join(', ') : value;
    });
    response.setEncoding('utf8');
    response.on('data', (part: string) => {
      if (!stopped) sink.text(part);
    });
    response.on('end', () => {
      if (stopped) return;
      stopped = true;
      sink.end();
    });
    response.on('error', failed);
  });
  // With another protocol there is neither an answer nor an error.
  outgoing.on('close', () => {
    if (!begun) failed(new Error('the connection was closed without an answer'));
  });
  outgoing.end(body);
  return () => {
    if (stopped) return;
    stopped = true;
    outgoing.destroy();
  };
};

type Headers = Readonly<Record<string, string>>;

const sized = (headers: Headers, body: string | undefined): Record<string, string> =>
  body === undefined ? { ...headers } : { ...headers, 'content-length': String(Buffer.byteLength(body)) };

/** Names and values in turn, as Node takes them without looking at each. */
const flat = (headers: Headers, host: string, body: string | undefined): string[] => {
  const made = ['host', host];
  for (const name in headers) made.push(name, headers[name] ?? '');
  if (body !== undefined) made.push('content-length', String(Buffer.byteLength(body)));
  return made;
};

const failure = (what: string, cause: unknown, unopened = false): ConnectionClosed => {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const why = cause instanceof Error && cause.message !== '' ? cause.message : code || String(cause);
  return new ConnectionClosed({
    message: `${what}: ${why}`,
    cause,
    ...(unopened || neverConnected.has(code) ? { unopened: true } : undefined),
  });
};
