/** A way to get a token: one file for each. What they have in common is done around them. */
import { allowInsecureRequests, customFetch, isDPoPNonceError, type DPoPHandle } from 'oauth4webapi';
import type { AuthorizationServer, TokenEndpointResponse } from 'oauth4webapi';
import { Observable } from 'rxjs';
import type { JsonObject } from '../frame/frame.ts';
import type { Identity } from './identity.ts';
import type { OauthFetch } from './oauth-http.ts';
import { failure } from './refusal.ts';
import type { Told } from './steps.ts';
import type { TokenStore } from './token-store.ts';

/** What is asked for, and of whom. */
export interface Order {
  readonly as: AuthorizationServer;
  /** What the token is to be for (RFC 8707). */
  readonly resource: string;
  /** Undefined: whatever the authorization server thinks fit. */
  readonly scopes: readonly string[] | undefined;
  readonly fetch: OauthFetch;
  readonly store: TokenStore;
  readonly dpop: DPoPHandle | undefined;
  readonly tell: (step: Told) => void;
}

/** A token, and who we were when we got it. */
export interface Granted {
  readonly token: TokenEndpointResponse;
  readonly identity: Identity;
}

/** A way to get a token. */
export interface Grant {
  /** Whether somebody is asked: it may take as long as people take. */
  readonly asks: boolean;
  /** Who may be asked for a token, where that was said before; the first one that the server names is taken otherwise. */
  readonly issuers?: readonly string[];
  /** The extensions of the protocol that this is. */
  readonly extensions?: Readonly<Record<string, JsonObject>>;
  /** Emits once, then completes; fails with {@link LoginFailed}. Unsubscribing gives up. */
  obtain(order: Order): Observable<Granted>;
  /** Whether a token that was kept may be ours. */
  owns(tokens: { readonly issuer: string; readonly clientId: string }): boolean;
  /** Who we are when a token is to be renewed; undefined: it cannot be, and another one is obtained. */
  identity?(order: Order, clientId: string): Promise<Identity | undefined>;
}

/** What goes with every request to a token endpoint. */
export const requestOptions = (
  { fetch, dpop }: Pick<Order, 'fetch' | 'dpop'>,
  signal: AbortSignal,
): {
  readonly [customFetch]: OauthFetch;
  readonly [allowInsecureRequests]: true;
  readonly signal: AbortSignal;
  readonly DPoP?: DPoPHandle;
} => ({
  [customFetch]: fetch,
  // Who may be asked without TLS is not for the library to say: nobody but this machine.
  [allowInsecureRequests]: true,
  signal,
  ...(dpop === undefined ? undefined : { DPoP: dpop }),
});

/** Asks a token endpoint; once more where it wants its own word in the proof of possession. */
export const asking = async (
  order: Order,
  what: string,
  ask: () => Promise<TokenEndpointResponse>,
): Promise<TokenEndpointResponse> => {
  try {
    return await ask().catch((error: unknown) => {
      if (!isDPoPNonceError(error)) throw error;
      return ask();
    });
  } catch (cause) {
    throw failure('token', `${new URL(order.as.issuer).host} ${what}`, cause);
  }
};

/** Does something that takes an AbortSignal; unsubscribing aborts it. */
export const abortable = <T>(work: (signal: AbortSignal) => Promise<T>): Observable<T> =>
  new Observable((subscriber) => {
    const controller = new AbortController();
    work(controller.signal).then(
      (value) => {
        subscriber.next(value);
        subscriber.complete();
      },
      (error: unknown) => subscriber.error(error),
    );
    return () => controller.abort();
  });
