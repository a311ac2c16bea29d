/**
 * The one idea of this runtime: a request goes in, a stream comes out.
 */
import type { Observable } from 'rxjs';
import type { Frame, JsonObject, RequestId } from '../frame/frame.ts';
import type { Access, Guard } from './guard.ts';

/** A request without its envelope. What the peer says of itself (version, capabilities, progress…) is in `params._meta`. */
export interface Request {
  readonly method: string;
  readonly params?: JsonObject;
}

/** A notification without its envelope: no progress token, no subscription id. */
export interface Notification {
  readonly method: string;
  readonly params?: JsonObject;
}

/** The one and last answer of an exchange. */
export interface Answer<R = JsonObject> {
  readonly result: R;
}

/** What an exchange emits: any number of notifications, then exactly one answer. */
export type Emission<R = JsonObject> = Notification | Answer<R>;

/**
 * Tells the answer of an exchange from the notifications before it.
 *
 * @example
 * weather({ method: 'tools/list' }, {}).subscribe((emission) => {
 *   if (isAnswer(emission)) console.log(emission.result['tools']);
 * });
 */
export const isAnswer = <R>(emission: Emission<R>): emission is Answer<R> => 'result' in emission;

/** What the edge knows of a request, and the peer did not say. */
export interface Context {
  /** Who asks, as the edge has established it; undefined where nobody was asked to prove it. */
  readonly principal?: string;
  /** What they have proved, where the edge asks for a proof. */
  readonly access?: Access;
  /** The connection that the request came over: one object for each, which tells callers apart who prove nothing. */
  readonly connection?: object;
  /** HTTP headers of the carrying request, lower-case names. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Of a question: the request on whose stream it came, by its id; undefined where the transport has no such streams. */
  readonly concerning?: RequestId;
  /** Carrying it out twice does no more than once, or nothing: it may be asked again where the answer breaks. */
  readonly idempotent?: boolean;
  /** Closes the stream that carries this exchange, but not its work; the peer may come back after `retryMs`. */
  readonly hangUp?: (retryMs?: number) => void;
}

/**
 * A request goes in; notifications, then one result, come out. A JSON-RPC error travels on the error channel.
 * Unsubscribing cancels, and nothing else does.
 *
 * A server is an exchange, a connected client is an exchange, a middleware maps one to another, a gateway is made of
 * several.
 */
export type Exchange = (request: Request, context: Context) => Observable<Emission>;

/** An exchange that has something to keep for as long as it is served, as a server has its changing lists; or a guard. */
export type Served = Exchange & {
  /** Never emits. Subscribed by whoever serves. */
  readonly held$?: Observable<never>;
  /** Whom to let in. Asked by whoever serves, before anything else is. */
  readonly guard?: Guard;
};

/** Wraps an exchange in a concern: gate, timeout, retry, trace… */
export type Middleware = (next: Served) => Served;

/**
 * Makes a middleware out of what one does with requests; what the wrapped exchange wants held is still held, and whom it
 * does not want is still not let in.
 *
 * @param wrap - takes an exchange, gives the one that stands before it
 * @example
 * const logged = middleware((next) => (request, context) => {
 *   console.error(request.method);
 *   return next(request, context);
 * });
 * serve(logged(weather), stdio()).subscribe();
 */
export const middleware =
  (wrap: (next: Served) => Exchange): Middleware =>
  (next) =>
    Object.assign(
      wrap(next),
      next.held$ === undefined ? undefined : { held$: next.held$ },
      next.guard === undefined ? undefined : { guard: next.guard },
    );

/**
 * A transport: frames out, messages in. Subscribing opens it, unsubscribing closes it; completion means that the far
 * side closed, an error that the link broke. What comes in is not to be trusted before it is told apart:
 * parsed JSON, or an {@link Unreadable}.
 */
export type Channel = (outbound: Observable<Frame | readonly Frame[]>) => Observable<unknown>;

export { Unreadable } from '../frame/unreadable.ts';
