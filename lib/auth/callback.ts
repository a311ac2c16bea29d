/** The way of a person to an authorization server, and back. */
import type { Observable } from 'rxjs';

/** Somewhere to come back to. */
export interface Callback {
  /** Where the authorization server sends them back to: a loopback address, or `https:`. */
  readonly redirectUri: string;
  /**
   * Shows somebody the page where they log in. Emits once what they came back with, then completes; fails where they
   * cannot be shown it. Unsubscribing gives up waiting.
   *
   * @param url - of the page: `https:`, or `http:` on a loopback address; its parameter `state` comes back with them
   */
  visit(url: URL): Observable<URLSearchParams>;
}

/**
 * Makes ready for somebody to come back: emits one {@link Callback}, which is there until this is unsubscribed.
 *
 * @param known - redirect URIs that an authorization server knows of us; one of them is taken where that can be
 */
export type Callbacks = (known: readonly string[]) => Observable<Callback>;
