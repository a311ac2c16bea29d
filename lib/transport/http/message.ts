/**
 * HTTP as far as MCP needs it, whatever carries it: what Node's server and web standards have in common. An adapter makes
 * these of its own objects, and knows nothing of the protocol.
 */

import type { Access } from '../../exchange/guard.ts';

/** Names in lower case. */
export type HttpHeaders = Readonly<Record<string, string | undefined>>;

/** A request without its body. */
export interface HttpRequest {
  /** In upper case. */
  readonly method: string;
  readonly headers: HttpHeaders;
  /** Who sent it, as the adapter has established; undefined where nobody was asked to prove it. */
  readonly principal?: string | undefined;
  /** What they have proved to the guard, whose headers then are without the proof. */
  readonly access?: Access | undefined;
}

/** The way to answer one request: `send`, or `open`, any number of `write`s and `end`. */
export interface HttpReply {
  /** Answers at once. */
  send(status: number, headers: HttpHeaders, body: string): void;
  /** Begins an answer that comes in parts. */
  open(status: number, headers: HttpHeaders): void;
  /** False says: no more before {@link HttpHandling.drained}. */
  write(text: string): boolean;
  end(): void;
  /** Breaks off: the peer must not take what it has got for all there is. */
  destroy(): void;
}

/** What goes on with a request that has been taken. */
export interface HttpHandling {
  /** Called once, if the peer has gone before its answer was complete. */
  closed(): void;
  /** The way out takes more again. */
  drained(): void;
}

/** An answer that is known at once. */
export interface Refusal {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: string;
}
