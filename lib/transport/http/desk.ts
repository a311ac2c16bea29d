/** What takes the requests of one path, as an adapter sees it: nothing of what is behind. */
import type { HttpHandling, HttpReply, HttpRequest, Refusal } from './message.ts';

/** What takes the requests of one path. */
export interface HttpDesk {
  /** What a request is refused with before its body is read; undefined: read on. */
  admit(request: HttpRequest): Refusal | undefined;
  /** Asks who sends a request that was admitted, before its body is read; undefined: nobody is asked to prove it. */
  readonly identify?: Identify | undefined;
  /** Takes a request that was admitted. */
  handle(request: HttpRequest, body: string, reply: HttpReply): HttpHandling;
  /** What a request is refused with where nobody could say whose it is; the host is told why. */
  unknown(error: unknown): Refusal;
  /** The refusal of an adapter's own, as its sender may read it. */
  readable(refusal: Refusal, request: HttpRequest): Refusal;
  /** The longest body taken, in bytes. */
  readonly maxBytes: number;
}

/**
 * Says whose a request is, without the proof that it came with, or what it is refused with. At once where that is known
 * already; neither throws nor rejects.
 *
 * @param path - of its URL, from the first slash, without a query
 */
export type Identify = (request: HttpRequest, path: string) => Identified | Promise<Identified>;

type Identified = HttpRequest | Refusal;

/** What ends in good order. */
export interface Closing {
  /** Requests under way that are no subscriptions. */
  readonly busy: number;
  /** Takes nothing more, and ends subscriptions and the streams of sessions in good order. */
  conclude(): void;
  /** Answers what is under way with an error, and forgets everything. */
  close(): void;
}
