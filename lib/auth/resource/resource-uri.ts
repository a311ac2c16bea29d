/** What a resource is called, and where its metadata are. */
import { Misconfigured, quoted } from '../../frame/errors.ts';
import { isLoopback } from '../../transport/admission.ts';
import { protectedResource } from '../well-known.ts';

/** Whether nobody on the way can read along: TLS, or a way that does not leave this machine. */
export const isPrivateWay = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));

/** A URL that somebody wrote, fit to carry credentials. */
export const secureUrl = (what: string, given: string): URL => {
  if (!URL.canParse(given)) throw new Misconfigured({ message: `${what} ${quoted(given)} is no URL` });
  const url = new URL(given);
  if (!isPrivateWay(url))
    throw new Misconfigured({ message: `${what} ${quoted(given)} must be https:, or http: on a loopback address` });
  if (url.username !== '' || url.password !== '')
    throw new Misconfigured({ message: `${what} must hold no credentials` });
  if (given.includes('#')) throw new Misconfigured({ message: `${what} ${quoted(given)} must have no fragment` });
  return url;
};

/** A resource: what it is called, and what follows from that. */
export interface ResourceUri {
  /** Its one name: scheme and host in lower case, no slash after a bare host. */
  readonly uri: string;
  readonly origin: string;
  /** Of its metadata, RFC 9728 section 3.1. */
  readonly metadataUrl: string;
  /** Where its metadata are asked for: under its path, and at the root (AUTHS-05). */
  readonly metadataPaths: readonly string[];
}

/**
 * The canonical name of a resource, RFC 8707 section 2.
 *
 * @throws Misconfigured where it cannot be one
 */
export const resourceUri = (given: string): ResourceUri => {
  const { href, origin, pathname, search } = secureUrl('resource', given);
  if (search !== '') throw new Misconfigured({ message: `resource ${quoted(given)} must have no query` });
  const path = pathname === '/' ? '' : pathname;
  return {
    uri: path === '' ? href.slice(0, -1) : href,
    origin,
    metadataUrl: `${origin}${protectedResource}${path}`,
    metadataPaths: path === '' ? [protectedResource] : [`${protectedResource}${path}`, protectedResource],
  };
};

/** Looks up the resource: the same object for as long as it is called the same. */
export const resourceLookup = (given: string | (() => string)): (() => ResourceUri) => {
  if (typeof given === 'string') {
    const fixed = resourceUri(given);
    return () => fixed;
  }
  let last: string | undefined;
  let known: ResourceUri | undefined;
  return () => {
    const now = given();
    if (known === undefined || now !== last) {
      known = resourceUri(now);
      last = now;
    }
    return known;
  };
};

/** The case of scheme and host says nothing, and one slash at the end is overlooked; nothing else is (AMB-30). */
const comparable = (uri: string): string => {
  const [, site, path] = /^([a-z][a-z\d+.-]*:\/\/[^/?#]*)([^?#]*)$/i.exec(uri) ?? [];
  if (site === undefined || path === undefined) return uri;
  return site.toLowerCase() + (path.endsWith('/') ? path.slice(0, -1) : path);
};

/** Whether two URIs name one resource (AMB-30, AUTHS-19). */
export const namesSame = (one: string, other: string): boolean =>
  one === other || comparable(one) === comparable(other);
