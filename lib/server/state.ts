/**
 * The state of a request that waits for input travels through the client, which may look at none of it and change
 * nothing: it is encrypted and authenticated, expires, and opens only for the same request of the same principal.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr#security-considerations
 */
import type { Context, Request } from '../exchange/exchange.ts';
import { identityOf } from '../exchange/identity.ts';
import { invalidParams, Misconfigured } from '../frame/errors.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';

/** What one round hands to the next. */
export interface Kept {
  /** A mark of each question that was asked, by key; undefined in the first round. */
  readonly asked?: JsonObject;
  readonly answers: JsonObject;
  readonly steps: JsonObject;
}

export const nothingKept: Kept = { answers: {}, steps: {} };

/** How state is protected; see {@link serverWith}. */
export interface StateOptions {
  /**
   * Secrets of at least 32 characters: the first protects, all are tried in turn, so that they can be changed one at a
   * time. Default: one made when it is first needed, which a restart forgets; so do not answers that are under way.
   */
  readonly keys?: readonly string[];
  /** How long, in milliseconds, a question may wait for its answer. Default 900000. */
  readonly ttlMs?: number;
  /** How long state may be, in characters. Default 65536. */
  readonly maxLength?: number;
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
}

/** Seals what a request must keep, and opens it for that request only. */
export interface Seal {
  readonly close: (kept: Kept, request: Request, context: Context) => Promise<string>;
  /** @throws RpcError -32602 where it was changed, has expired, or belongs to another request or principal (MRTR-10) */
  readonly open: (state: string, request: Request, context: Context) => Promise<Kept>;
}

const shortest = 32;
const ivBytes = 12;
const version = 1;

/**
 * @param server - its name: keys may be shared by servers, state is not
 * @param warn - hears once that there is no key but one of this process
 */
export const seal = (server: string, options: StateOptions, warn: (message: string) => void): Seal => {
  const { keys, ttlMs = 900_000, maxLength = 65_536, now = Date.now } = options;
  if (keys !== undefined && (keys.length === 0 || keys.some((key) => key.length < shortest)))
    throw new Misconfigured({ message: `state.keys: a key has at least ${shortest} characters` });
  // JSON has no word for a time without end.
  if (!(ttlMs > 0 && ttlMs < Infinity))
    throw new Misconfigured({ message: `state.ttlMs: a question waits for a while, not for ${ttlMs} ms` });
  let made: Promise<readonly CryptoKey[]> | undefined;
  const keysOnce = (): Promise<readonly CryptoKey[]> => {
    if (made !== undefined) return made;
    if (keys === undefined)
      warn('state.keys is not set: questions that wait for an answer are lost when this process ends');
    made = Promise.all(keys === undefined ? [random()] : keys.map(derived));
    return made;
  };
  /** What the state is bound to: it opens with exactly this, or not at all (MRTR-11). */
  const binding = (request: Request, context: Context): Uint8Array<ArrayBuffer> =>
    encoder.encode(`${version} ${JSON.stringify(server)} ${identityOf(request, context)}`);
  const refused = () =>
    invalidParams('requestState is not valid for this request, or has expired: make the request anew');

  return {
    close: async (kept, request, context) => {
      const [key] = await keysOnce();
      if (key === undefined) throw new Misconfigured({ message: 'state.keys is empty' });
      const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
      const plain = encoder.encode(JSON.stringify([now() + ttlMs, kept.asked ?? {}, kept.answers, kept.steps]));
      const sealed = await crypto.subtle.encrypt(
        { name: 'AES-GCM', iv, additionalData: binding(request, context) },
        key,
        plain,
      );
      const state = base64([...iv, ...new Uint8Array(sealed)]);
      if (state.length > maxLength)
        throw new Misconfigured({
          message: `what ${request.method} keeps for its next round has ${state.length} characters; ${maxLength} are allowed (state.maxLength)`,
        });
      return state;
    },
    open: async (state, request, context) => {
      const bytes = state.length > maxLength ? undefined : bytesOf(state);
      if (bytes === undefined || bytes.length <= ivBytes) throw refused();
      const params = { name: 'AES-GCM', iv: bytes.subarray(0, ivBytes), additionalData: binding(request, context) };
      for (const key of await keysOnce()) {
        const plain = await crypto.subtle.decrypt(params, key, bytes.subarray(ivBytes)).catch(() => undefined);
        if (plain === undefined) continue;
        const [expires, asked, answers, steps] = JSON.parse(decoder.decode(plain)) as readonly unknown[];
        if (typeof expires !== 'number' || expires < now()) throw refused();
        if (!isObject(asked) || !isObject(answers) || !isObject(steps)) throw refused();
        return { asked, answers, steps };
      }
      throw refused();
    },
  };
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const random = (): Promise<CryptoKey> => crypto.subtle.generateKey(algorithm, false, uses);
const derived = async (secret: string): Promise<CryptoKey> =>
  crypto.subtle.importKey(
    'raw',
    await crypto.subtle.digest('SHA-256', encoder.encode(`rxmcp request state ${secret}`)),
    algorithm,
    false,
    uses,
  );

const algorithm = { name: 'AES-GCM', length: 256 } as const;
const uses: KeyUsage[] = ['encrypt', 'decrypt'];

const base64 = (bytes: Iterable<number>): string => {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
};

/** The bytes of a state as we have written it: `atob` alone forgives blanks, padding and stray bits. */
const bytesOf = (text: string): Uint8Array<ArrayBuffer> | undefined => {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
    return base64(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
};
