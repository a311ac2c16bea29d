/** Nonces for proofs of possession that nobody has to remember: each period has its own, which only a secret tells. */
import { base64url } from 'jose';
import { Misconfigured } from '../../frame/errors.ts';

/** For how long a nonce is given out, in milliseconds; it is taken for as long again. */
const periodMs = 120_000;

/** In bytes. */
const shortest = 32;

/** Gives out nonces, and knows them again. */
export interface Nonces {
  /** The one to be used now. */
  current(): Promise<string>;
  /** Whether it is the one of now, or the one before it. */
  holds(nonce: unknown): Promise<boolean>;
}

const random = (): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(shortest));

/**
 * Makes nonces that change with time.
 *
 * @param secret - shared by all who are to take each other's nonces; 32 bytes at least
 */
export const rotatingNonces = (secret: string | Uint8Array | undefined): Nonces => {
  const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : new Uint8Array(secret ?? random());
  if (bytes.length < shortest) throw new Misconfigured({ message: `dpopSecret must have ${shortest} bytes at least` });
  let key: Promise<CryptoKey> | undefined;
  const made = new Map<number, Promise<string>>();

  const nonceOf = async (period: number): Promise<string> => {
    key ??= crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    const text = new TextEncoder().encode(`rxmcp dpop nonce ${period}`);
    return base64url.encode(new Uint8Array(await crypto.subtle.sign('HMAC', await key, text)));
  };

  const of = (period: number): Promise<string> => {
    const known = made.get(period);
    if (known !== undefined) return known;
    for (const other of made.keys()) if (Math.abs(other - period) > 1) made.delete(other);
    const nonce = nonceOf(period);
    made.set(period, nonce);
    return nonce;
  };

  const now = (): number => Math.floor(Date.now() / periodMs);
  return {
    current: () => of(now()),
    holds: async (nonce) => nonce === (await of(now())) || nonce === (await of(now() - 1)),
  };
};
