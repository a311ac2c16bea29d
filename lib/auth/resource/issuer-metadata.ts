/**
 * What an issuer says of itself: RFC 8414 first, then OpenID Connect Discovery.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/authorization-server-discovery
 */
import { quoted } from '../../frame/errors.ts';
import { isObject, type JsonObject } from '../../frame/frame.ts';
import { metadataPlaces } from '../well-known.ts';
import { Unreachable, type Fetch } from './bounded-fetch.ts';

/** What is there; undefined where there is nothing. */
const documentAt = async (url: string, request: Fetch): Promise<JsonObject | undefined> => {
  try {
    const response = await request(url, { headers: { accept: 'application/json' } });
    const document: unknown = await response.json().catch(() => undefined);
    return isObject(document) ? document : undefined;
  } catch (error) {
    if (error instanceof Unreachable && isNothing(error.status)) return undefined;
    throw error;
  }
};

const isNothing = (status = 0): boolean => status >= 300 && status < 500;

/**
 * Finds the metadata of an issuer that name exactly this issuer (AUTHC-11).
 *
 * @returns rejects with {@link Unreachable} where there are none
 */
export const issuerMetadata = async (issuer: string, request: Fetch): Promise<JsonObject> => {
  for (const place of metadataPlaces(new URL(issuer))) {
    const document = await documentAt(place, request);
    if (document?.['issuer'] === issuer) return document;
  }
  throw new Unreachable({ message: `there are no metadata of the issuer ${quoted(issuer)} that name it` });
};

/** A URL among metadata. */
export const urlIn = (metadata: JsonObject, member: string): string => {
  const url = metadata[member];
  if (typeof url === 'string') return url;
  throw new Unreachable({ message: `the issuer ${quoted(metadata['issuer'])} has no ${member}` });
};
