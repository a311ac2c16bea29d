/** Servers at a URL, reached from Node. */
import type { Endpoint, HandshakeChannel } from '../era/dial.ts';
import type { Resource } from '../transport/remote/authorizer.ts';
import { remoteOver, type RemoteOptions } from '../transport/remote/remote.ts';
import { sseChannel, type SseOptions } from '../transport/remote/sse.ts';
import { wireOf } from '../transport/remote/wire.ts';
import { guardedLookup } from './guarded-lookup.ts';
import { agentCarrier, type AgentCarrierOptions } from './remote-agent.ts';

/** How a server is reached over HTTP, over which connections, and the bounds. */
export type NodeRemoteOptions = RemoteOptions & AgentCarrierOptions;

/** How an old server is reached over HTTP, over which connections, and the bounds. */
export type NodeSseOptions = SseOptions & AgentCarrierOptions;

/**
 * The same as `remote` of `rxmcp`, over connections that are kept open and used again, which takes an eighth of the CPU of
 * `fetch`; proxies are used as the environment says.
 *
 * @param url - `http:` or `https:`
 * @param options - see {@link NodeRemoteOptions}; times are in milliseconds
 * @throws {@link Misconfigured} for any other URL, or one with credentials in it
 * @example
 * connect(remote('http://127.0.0.1:3000/mcp')).subscribe(({ revision }) => console.log(revision));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export const remote = (url: string | URL, options: NodeRemoteOptions = {}): Endpoint =>
  remoteOver(url, options, options.carrier ?? agentCarrier(options), carrierForOf(options));

/**
 * The same as `sse` of `rxmcp`, over connections as those of {@link remote}.
 *
 * @param url - of the stream; `http:` or `https:`
 * @param options - see {@link NodeSseOptions}; times are in milliseconds
 * @throws {@link Misconfigured} for any other URL
 * @example
 * connect(sse('http://127.0.0.1:3000/sse')).subscribe(({ revision }) => console.log(revision));
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
export const sse = (url: string | URL, options: NodeSseOptions = {}): HandshakeChannel =>
  sseChannel(wireOf(url, options, options.carrier ?? agentCarrier(options), carrierForOf(options)));

/** What carries requests to those whom only the server has named. */
const carrierForOf =
  (options: NodeRemoteOptions): Resource['carrierFor'] =>
  (reach) =>
    options.carrier ?? agentCarrier({ ...options, lookup: guardedLookup(reach, options.lookup) });
