/** What a server said over HTTP instead of answering: the cause of a {@link ConnectionClosed}. */
import { TaggedError } from 'effect/Data';

/**
 * An HTTP status that is no success, and what came with it. It is the `cause` of the `ConnectionClosed` that a call or a
 * connection fails with.
 *
 * @example
 * connect(remote('https://weather.example/mcp')).subscribe({
 *   error: ({ cause }: Error) => {
 *     if (cause instanceof HttpRefusal && cause.status === 401) console.log(cause.wwwAuthenticate);
 *   },
 * });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export class HttpRefusal extends TaggedError('HttpRefusal')<{
  readonly message: string;
  readonly status: number;
  /** The beginning of what came with it, as text. */
  readonly body: string;
  /** How long the server wants to be left alone, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The header `WWW-Authenticate`: how one may prove who one is. */
  readonly wwwAuthenticate?: string;
  /** The server does not know the session that the request named, and so did nothing about it. */
  readonly unknownSession?: true;
}> {}

/** What an error says of HTTP, if it does. */
export const refusalIn = (error: unknown): HttpRefusal | undefined =>
  error instanceof Error && error.cause instanceof HttpRefusal ? error.cause : undefined;
