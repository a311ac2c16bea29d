/** The seam between requests over HTTP and whatever proves who makes them. */
import type { Observable } from 'rxjs';
import type { JsonObject } from '../../frame/frame.ts';
import type { Carrier, HttpCall } from './carrier.ts';

/** A server that wants a proof, and the way to those who give them out. */
export interface Resource {
  /** Of the server, as its user gave it. */
  readonly url: string;
  /** Makes requests to others on its account, where the connection itself is not to be used. */
  readonly carrierFor: (reach: Reach) => Carrier;
}

/** Whom requests may go to that nobody but a server has asked for. */
export interface Reach {
  /** Why nothing may be sent to this URL; undefined: it may. */
  urlProblem(url: URL): string | undefined;
  /** Why this address, which a name turned out to stand for, may not be connected to; undefined: it may. */
  addressProblem(address: string, name: string): string | undefined;
}

/** What a request was refused with. */
export interface Challenge {
  readonly status: number;
  /** Looks up a header by its name in lower case. */
  readonly header: (name: string) => string | undefined;
}

/** Proves to one server who asks. */
export interface Authorizer {
  /** What is to go along with a request; at once where it is known. */
  headers(call: HttpCall): Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;
  /**
   * A request was refused: emits whether to make it once more, then completes; fails where there is no hope. What it takes
   * is done while this is subscribed, once for all who wait for the same.
   *
   * @param attempt - how often this request has been refused before
   */
  refused(call: HttpCall, challenge: Challenge, attempt: number): Observable<boolean>;
  /** Hears what comes with each answer, refusals included. */
  heard?(call: HttpCall, header: Challenge['header']): void;
  /** Whether somebody is being asked: clocks stand still meanwhile. Emits at once. */
  readonly held$: Observable<boolean>;
}

/** Proves to servers who asks: the option `auth` of `remote` and `sse`. */
export interface Authorization {
  /** Called once for each server. */
  readonly authorizerFor: (resource: Resource) => Authorizer;
  /** The extensions of the protocol that this is, to be declared. */
  readonly extensions?: Readonly<Record<string, JsonObject>>;
}
