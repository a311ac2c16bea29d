/** The seam between MCP over HTTP and whatever makes HTTP requests: `fetch`, or an agent of Node. */
import type { ConnectionClosed } from '../../frame/errors.ts';

/** One HTTP request. */
export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** Takes what comes back: the head, then text, then exactly one of `end` and `failed`. */
export interface HttpSink {
  /**
   * @param status - any, redirects included: a carrier follows none
   * @param header - looks up a header by its name in lower case; several of one name are joined by commas
   */
  head(status: number, header: (name: string) => string | undefined): void;
  /** A part of the body, decoded from UTF-8; may break anywhere between characters. */
  text(part: string): void;
  end(): void;
  /** The connection could not be made (`unopened`), or broke. */
  failed(error: ConnectionClosed): void;
}

/**
 * Makes one HTTP request and hands over what comes back, as it comes. Never throws; the sink hears of nothing before this
 * has returned. It follows no redirects: credentials must not go where nobody meant to send them.
 *
 * @returns gives the request up: the connection that carries it is closed, and the sink hears nothing more
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export type Carrier = (call: HttpCall, sink: HttpSink) => () => void;
