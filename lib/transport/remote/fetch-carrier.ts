/** HTTP by the platform's own `fetch`: in browsers, workers, Deno, Bun. */
import { ConnectionClosed } from '../../frame/errors.ts';
import type { Carrier, HttpSink } from './carrier.ts';

/** Which `fetch`, and what browsers want to know. */
export interface FetchCarrierOptions {
  /** Default: the platform's own, looked up at each request. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Whether cookies go along, in browsers. Default `same-origin`. */
  readonly credentials?: RequestCredentials | undefined;
}

/**
 * Makes HTTP requests by `fetch`. The default of `remote` and `sse` in `rxmcp`; those of `rxmcp/node` use an agent, which
 * costs an eighth of the CPU.
 *
 * @param options - see {@link FetchCarrierOptions}
 * @example
 * connect(remote('https://weather.example/mcp', { carrier: fetchCarrier({ credentials: 'include' }) })).subscribe(
 *   ({ revision }) => console.log(revision),
 * );
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export const fetchCarrier =
  ({ fetch, credentials = 'same-origin' }: FetchCarrierOptions = {}): Carrier =>
  ({ method, url, headers, body }, sink) => {
    const controller = new AbortController();
    const { signal } = controller;
    const carry = async (): Promise<void> => {
      const response = await (fetch ?? globalThis.fetch)(url, {
        method,
        headers,
        ...(body === undefined ? undefined : { body }),
        signal,
        credentials,
        redirect: 'manual',
        cache: 'no-store',
      });
      if (signal.aborted) return;
      // A browser tells nothing of where a redirect leads, and follows it or not.
      if (response.type === 'opaqueredirect')
        return sink.failed(new ConnectionClosed({ message: 'the server redirects elsewhere: give the final URL' }));
      sink.head(response.status, (name) => response.headers.get(name) ?? undefined);
      await read(response.body, signal, sink);
      if (!signal.aborted) sink.end();
    };
    carry().catch((cause: unknown) => {
      if (!signal.aborted) sink.failed(brokenBy(cause));
    });
    return () => controller.abort();
  };

const read = async (body: ReadableStream<Uint8Array> | null, signal: AbortSignal, sink: HttpSink): Promise<void> => {
  if (body === null) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (signal.aborted) return;
    const text = decoder.decode(value, { stream: !done });
    if (text !== '') sink.text(text);
    if (done) return;
  }
};

/** What failed, as far as a platform tells: browsers say nothing, Node has it in a cause. */
const brokenBy = (cause: unknown): ConnectionClosed => {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const message = `the HTTP request failed: ${inner instanceof Error ? inner.message : String(inner)}`;
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : '';
  return new ConnectionClosed({ message, cause, ...(neverConnected.has(code) ? { unopened: true } : undefined) });
};

/** Nothing can have been sent. */
export const neverConnected: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
