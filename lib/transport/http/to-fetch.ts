/**
 * A server as a function from a web `Request` to a `Response`: for Hono, Bun, Deno, workers, and whatever else serves by
 * web standards.
 */
import type { Served } from '../../exchange/exchange.ts';
import { codes, Misconfigured, RpcError } from '../../frame/errors.ts';
import { tooLarge } from './admit.ts';
import { refusal } from './answer.ts';
import { FetchReply, responseOf } from './fetch-reply.ts';
import type { HttpRequest, Refusal } from './message.ts';
import { mount, type MountOptions } from './mount.ts';

/** How a server is served by web standards. */
export interface ToFetchOptions extends MountOptions {
  /** Who sent a request, as whatever stands before this has established. Default: nobody is asked to prove it. */
  readonly principal?: ((request: Request) => string | undefined | Promise<string | undefined>) | undefined;
}

/** Answers requests, until it is closed. */
export interface FetchHandler {
  (request: Request): Promise<Response>;
  /** Ends subscriptions in good order, waits `drainMs` for calls under way, and answers the rest with an error. */
  close(): Promise<void>;
}

/**
 * Makes a request handler out of a server, on web standards alone, at whatever path it is put.
 *
 * The promise is kept as soon as it is known how the answer begins; what goes on is its stream, which is written as fast
 * as it is read. A request that is aborted, or whose answer is cancelled, counts as hung up.
 *
 * Requests are refused with 403 where `Host`, or without it the URL's, is neither loopback nor `host` nor in
 * `allowedHosts`, and where `Origin` is there, and neither in `allowedOrigins` nor, by default, a page of this machine;
 * with 413 where the body is longer than `maxBytes`; 415 and 406 where it is no JSON, or its answer would not be taken.
 *
 * @param exchange - a server, a connected client's exchange, or either under middleware
 * @param options - whom it lets in, what it remembers, and its bounds in bytes and milliseconds
 * @returns rejects with {@link Misconfigured} where the request's body has been read already
 * @example
 * const handler = toFetch(weather, { allowedHosts: ['mcp.example'] });
 * const answer = await handler(new Request('https://mcp.example/mcp', { method: 'DELETE' }));
 * console.log(answer.status); // 400: of which session?
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export const toFetch = (exchange: Served, options: ToFetchOptions = {}): FetchHandler => {
  const mounted = mount(exchange, options);
  const { endpoint } = mounted;

  const handle = async (request: Request): Promise<Response> => {
    const asked: HttpRequest = { method: request.method, headers: headersOf(request) };
    const refused = endpoint.admit(asked);
    if (refused !== undefined) return responseOf(refused);
    let principal: string | undefined;
    try {
      principal = await options.principal?.(request);
    } catch (error) {
      return responseOf(endpoint.readable(endpoint.unknown(error), asked));
    }
    const body = asked.method === 'POST' ? await read(request, endpoint.maxBytes) : '';
    if (typeof body !== 'string') return responseOf(endpoint.readable(body, asked));
    const reply = new FetchReply();
    reply.follow(endpoint.handle(principal === undefined ? asked : { ...asked, principal }, body, reply), request);
    return reply.response;
  };
  return Object.assign(handle, { close: () => mounted.close() });
};

/** A request that was made by hand says only in its URL whom it is for. */
const headersOf = ({ headers, url }: Request): HttpRequest['headers'] => {
  const all: Record<string, string> = Object.fromEntries(headers);
  return all['host'] === undefined ? { ...all, host: new URL(url).host } : all;
};

/** The body as text, or what its request is refused with. */
const read = async (request: Request, maxBytes: number): Promise<string | Refusal> => {
  if (request.bodyUsed)
    throw new Misconfigured({ message: 'the body of this request has been read already: read a clone of it' });
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = request.body?.getReader();
  let text = '';
  let size = 0;
  try {
    for (let piece = await reader?.read(); piece?.value !== undefined; piece = await reader?.read()) {
      size += piece.value.length;
      if (size > maxBytes) {
        // Nobody waits for what its source makes of that.
        reader?.cancel().catch(() => undefined);
        return tooLarge(maxBytes);
      }
      text += decoder.decode(piece.value, { stream: true });
    }
    return text + decoder.decode();
  } catch {
    reader?.cancel().catch(() => undefined);
    return refusal(400, new RpcError({ code: codes.parseError, message: 'the body broke off, or is not UTF-8' }));
  }
};
