/** Where what has been given to us is kept: tokens, and who we are known as. */
import { Observable } from 'rxjs';
import type { JsonObject } from '../frame/frame.ts';

/**
 * Keeps credentials, by key. What is kept is JSON, and secret. A store may be shared, by programs too: whoever is going to
 * change what is under a key locks it first.
 */
export interface TokenStore {
  /** What is kept under a key; undefined where there is nothing. */
  get(key: string): Promise<JsonObject | undefined>;
  /** Keeps this under a key, instead of what was there; undefined: nothing. */
  set(key: string, value: JsonObject | undefined): Promise<void>;
  /**
   * Emits `held` once the key is ours, before that `waiting` where it is somebody else's; ours it is until this is
   * unsubscribed. Never completes. Whoever has died holds nothing.
   */
  lock(key: string): Observable<'waiting' | 'held'>;
}

/**
 * Keeps tokens for as long as the program runs.
 *
 * @example
 * const store = memoryTokens();
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/security-considerations#token-theft
 */
export const memoryTokens = (): TokenStore => {
  const kept = new Map<string, JsonObject>();
  /** Those who wait for a key, in their order; the first one holds it. */
  const lines = new Map<string, (() => void)[]>();
  return {
    get: (key) => Promise.resolve(kept.get(key)),
    set: (key, value) => {
      if (value === undefined) kept.delete(key);
      else kept.set(key, value);
      return Promise.resolve();
    },
    lock: (key) =>
      new Observable((subscriber) => {
        const line = lines.get(key) ?? [];
        lines.set(key, line);
        const turn = (): void => subscriber.next('held');
        subscriber.add(() => {
          const first = line[0] === turn;
          line.splice(line.indexOf(turn), 1);
          if (line.length === 0) lines.delete(key);
          else if (first) line[0]?.();
        });
        line.push(turn);
        if (line[0] === turn) turn();
        else subscriber.next('waiting');
      }),
  };
};
