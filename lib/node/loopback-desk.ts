/** Who waits for whom to come back, and what those see who come. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Observable, type Subscriber } from 'rxjs';
import { LoginFailed } from '../frame/login-failed.ts';
import { pageFor, show, type Return } from './loopback-page.ts';

/** Pages by how somebody has come back, instead of our own. */
export type Pages = Partial<Readonly<Record<Return, string | undefined>>>;

/**
 * Takes those back who bring along the `state` of a login, once each. Anybody else is sent away, and nobody's wait ends.
 */
export class Desk {
  readonly #redirectUri: (port: number) => URL;
  readonly #pages: Pages;
  /** By the state that they are to bring along. */
  readonly #waiting = new Map<string, Subscriber<URLSearchParams>>();
  readonly #done = new Set<string>();

  /** @param redirectUri - where they come back to, by the port that it is at */
  constructor(redirectUri: (port: number) => URL, pages: Pages = {}) {
    this.#redirectUri = redirectUri;
    this.#pages = pages;
  }

  /** Emits once what somebody comes back with who brings this along. */
  returned(state: string): Observable<URLSearchParams> {
    return new Observable((subscriber) => {
      if (this.#waiting.has(state) || this.#done.has(state))
        return subscriber.error(failed('the page to log in at was visited before'));
      this.#waiting.set(state, subscriber);
      return () => this.#waiting.delete(state);
    });
  }

  /** Nobody can come back any more. */
  close(): void {
    for (const waiting of [...this.#waiting.values()]) waiting.error(failed('the place to come back to was closed'));
  }

  readonly listener: RequestListener = (request, response) => {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) return this.#show(response, refusal, 'unknown');
    const brought = new URLSearchParams(queryOf(request));
    const names = [...brought.keys()];
    const state = brought.get('state') ?? '';
    // Which of two would be meant is anybody's guess.
    if (new Set(names).size < names.length) return this.#show(response, 400, 'unknown');
    if (this.#done.has(state)) return this.#show(response, 200, 'again');
    const waiting = this.#waiting.get(state);
    if (waiting === undefined) return this.#show(response, 400, 'unknown');
    this.#done.add(state);
    // Whoever is told may close this place at once: only after the page has gone out, or cannot any more.
    const tell = (): void => {
      this.#waiting.delete(state);
      waiting.next(brought);
      waiting.complete();
    };
    response.once('finish', tell).once('close', tell);
    this.#show(response, 200, brought.has('code') && !brought.has('error') ? 'success' : 'failure');
  };

  /** The status that says why this is not somebody who comes back. */
  #refusal({ headers, method, url = '', socket }: IncomingMessage): number | undefined {
    const { host, pathname } = this.#redirectUri(socket.localPort ?? 0);
    // A page that has a name of its own resolve to this machine would be asking under that name.
    if (headers.host?.toLowerCase() !== host) return 403;
    if (url.split('?', 1)[0] !== pathname) return 404;
    return method === 'GET' ? undefined : 405;
  }

  #show(response: ServerResponse, status: number, how: Return): void {
    show(response, status, this.#pages[how] ?? pageFor(how));
  }
}

const queryOf = ({ url = '' }: IncomingMessage): string => (url.includes('?') ? url.slice(url.indexOf('?')) : '');

const failed = (message: string): LoginFailed => new LoginFailed({ stage: 'authorization', message });
