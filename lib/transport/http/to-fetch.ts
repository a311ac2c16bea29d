/**
 * A server as a function from a web `Request` to a `Response`: for Hono, Bun, Deno, workers, and whatever else serves by
 * web standards.
 */
import type { Served } from '../../exchange/exchange.ts';
import { codes, Misconfigured, RpcError } from '../../frame/errors.ts';
import { tooLarge } from './admit.ts';
import { refusal } from './answer.ts';
import { FetchReply, goneResponse, responseOf } from './fetch-reply.ts';
import type { HttpRequest, Refusal } from './message.ts';
import { mount, type MountOptions } from './mount.ts';
import { isLater, isRefusal } from './porter.ts';

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
 * What `authorize` protects asks who sends a request; its metadata are answered wherever their path is routed here.
 *
 * @param exchange - a server, a connected client's exchange, or either under middleware
 * @param options - whom it lets in, what it remembers, and its bounds in bytes and milliseconds
 * @returns rejects with {@link Misconfigured} where the request's body has been read already
 * @throws {@link Misconfigured} where both `principal` and `authorize` say who asks
 * @example
 * const handler = toFetch(weather, { allowedHosts: ['mcp.example'] });
 * const answer = await handler(new Request('https://mcp.example/mcp', { method: 'DELETE' }));
 * console.log(answer.status); // 400: of which session?
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export const toFetch = (exchange: Served, options: ToFetchOptions = {}): FetchHandler => {
  const { principal } = options;
  const mounted = mount(exchange, options, principal);
  const { endpoint, documents } = mounted;

  const named = async (asked: HttpRequest, request: Request): Promise<HttpRequest | Refusal> => {
    try {
      const sender = await principal?.(request);
      return sender === undefined ? asked : { ...asked, principal: sender };
    } catch (error) {
      return endpoint.readable(endpoint.unknown(error), asked);
    }
  };
  const identify: Whose = (asked, request) => {
    if (endpoint.identify !== undefined) return endpoint.identify(asked, pathOf(request));
    return principal === undefined ? asked : named(asked, request);
  };

  const handle = async (request: Request): Promise<Response> => {
    const asked: HttpRequest = { method: request.method, headers: headersOf(request) };
    const document = asked.method === 'POST' ? undefined : documents?.(pathOf(request), asked);
    const known = document ?? endpoint.admit(asked);
    if (known !== undefined) return responseOf(known);
    const whose = identify(asked, request);
    const identified = isLater(whose) ? await whose : whose;
    if (isRefusal(identified)) return responseOf(identified);
    // Nothing is begun for whoever has left in the meantime.
    if (isLater(whose) && request.signal.aborted) return goneResponse();
    const body = asked.method === 'POST' ? await read(request, endpoint.maxBytes) : '';
    if (typeof body !== 'string') return responseOf(endpoint.readable(body, asked));
    const reply = new FetchReply();
    reply.follow(endpoint.handle(identified, body, reply), request);
    return reply.response;
  };
  return Object.assign(handle, { close: () => mounted.close() });
};

/** Says whose a request is, or what it is refused with. */
type Whose = (asked: HttpRequest, request: Request) => HttpRequest | Refusal | Promise<HttpRequest | Refusal>;

const pathOf = ({ url }: Request): string => new URL(url).pathname;

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
