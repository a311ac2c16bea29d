/**
 * Proofs that a token is used by whom it was given to (DPoP): signed anew for each request.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9449
 */
import { customFetch, allowInsecureRequests, DPoP, protectedResourceRequest, type DPoPHandle } from 'oauth4webapi';
import { exportJWK, generateKeyPair, importJWK, type CryptoKey } from 'jose';
import { isObject, type JsonObject } from '../frame/frame.ts';

/** A key of ours, and what it signs. */
export interface Possession {
  /** For requests to the token endpoint. */
  readonly handle: DPoPHandle;
  /** The key, to be kept with the token. */
  readonly key: JsonObject;
  /** What goes along with a request that uses a token. */
  headers(method: string, url: string, token: string): Promise<Readonly<Record<string, string>>>;
  /** A server has said what its next proofs are to hold. */
  learn(url: string, nonce: string): Promise<void>;
}

const algorithm = 'ES256';

const isKey = (key: CryptoKey | Uint8Array): key is CryptoKey => !(key instanceof Uint8Array);

/** A key pair as it was kept; undefined where it is none. */
const kept = async (key: JsonObject): Promise<CryptoKeyPair | undefined> => {
  const { d, kty, crv, x, y } = key;
  if (typeof d !== 'string' || typeof x !== 'string' || typeof y !== 'string') return undefined;
  if (kty !== 'EC' || crv !== 'P-256') return undefined;
  const point = { kty, crv, x, y };
  const privateKey = await importJWK({ ...point, d }, algorithm);
  const publicKey = await importJWK(point, algorithm, { extractable: true });
  return isKey(privateKey) && isKey(publicKey) ? { privateKey, publicKey } : undefined;
};

/** @param key - one that was kept with a token. Default: a new one */
export const possession = async (key?: unknown): Promise<Possession> => {
  // What was kept may have been spoilt: another key is as good as none, and a token is asked for anew.
  const known = isObject(key) ? await kept(key).catch(() => undefined) : undefined;
  const pair = known ?? (await generateKeyPair(algorithm, { extractable: true }));
  const handle = DPoP({}, pair);
  /** The library signs what it sends, and looks at what it gets; neither has to go anywhere. */
  const through = (method: string, url: string, token: string, fetch: (headers: Record<string, string>) => Response) =>
    protectedResourceRequest(token, method, new URL(url), undefined, undefined, {
      DPoP: handle,
      [allowInsecureRequests]: true,
      [customFetch]: (_, { headers }) => Promise.resolve(fetch(headers)),
    });
  return {
    handle,
    key: known !== undefined && isObject(key) ? key : { ...(await exportJWK(pair.privateKey)) },
    headers: async (method, url, token) => {
      let proof: Readonly<Record<string, string>> = {};
      await through(method, url, token, ({ authorization = '', dpop = '' }) => {
        proof = { authorization, dpop };
        return new Response(null);
      });
      return proof;
    },
    learn: async (url, nonce) => {
      await through('POST', url, '-', () => new Response(null, { headers: { 'dpop-nonce': nonce } }));
    },
  };
};
