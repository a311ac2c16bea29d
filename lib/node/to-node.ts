/** A server as a request handler of Node's, for frameworks and HTTP servers of one's own. */
import type { ServerResponse } from 'node:http';
import type { Served } from '../exchange/exchange.ts';
import { mount, type MountOptions } from '../transport/http/mount.ts';
import { answersWith, takeRequest, type NodeRequest } from './node-reply.ts';

/** How a server is served inside another one of Node's. */
export interface ToNodeOptions extends MountOptions {
  /** Who sent a request, as whatever stands before this has established. Default: nobody is asked to prove it. */
  readonly principal?: ((request: NodeRequest) => string | undefined) | undefined;
}

/** A request handler, to be closed when its HTTP server is. */
export interface NodeHandler {
  (request: NodeRequest, response: ServerResponse): void;
  /** Ends subscriptions in good order, waits `drainMs` for calls under way, and answers the rest with an error. */
  close(): Promise<void>;
}

/**
 * Makes a request handler out of a server, for `http.createServer`, Express, Fastify or anything else that has Node's own
 * requests and responses, at whatever path it is put. Reads and writes them directly; a body that a framework has parsed
 * already is taken as it is.
 *
 * Requests are refused with 403 where `Host` is neither loopback nor `host` nor in `allowedHosts`, and where `Origin` is
 * there, and neither in `allowedOrigins` nor, by default, a page of this machine; with 413 where the body is longer than
 * `maxBytes`; 415 and 406 where it is no JSON, or its answer would not be taken. What `authorize` protects asks who sends a
 * request; its metadata are answered wherever their path is routed here.
 *
 * @param exchange - a server, a connected client's exchange, or either under middleware
 * @param options - whom it lets in, what it remembers, and its bounds in bytes and milliseconds
 * @throws {@link Misconfigured} where both `principal` and `authorize` say who asks
 * @example
 * import { createServer } from 'node:http';
 *
 * const handler = toNode(weather);
 * createServer(handler).listen(4000, '127.0.0.1');
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export const toNode = (exchange: Served, options: ToNodeOptions = {}): NodeHandler => {
  const { principal } = options;
  const mounted = mount(exchange, options, principal);
  const { endpoint, documents } = mounted;
  const handle = (request: NodeRequest, response: ServerResponse): void => {
    if (documents !== undefined && request.method !== 'POST' && answersWith(documents, request, response)) return;
    takeRequest(endpoint, request, response, principal);
  };
  return Object.assign(handle, { close: () => mounted.close() });
};
