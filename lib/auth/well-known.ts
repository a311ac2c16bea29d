/**
 * Where metadata are looked for, by clients and servers alike.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/authorization-server-discovery
 */

/** Of a protected resource: before its path, or alone (RFC 9728, section 3.1). */
export const protectedResource = '/.well-known/oauth-protected-resource';

/** Where the metadata of an authorization server may be, in the order of looking (AUTHC-10). */
export const metadataPlaces = (issuer: URL): readonly string[] => {
  const { origin } = issuer;
  const path = issuer.pathname.replace(/\/$/, '');
  const oauth = `${origin}/.well-known/oauth-authorization-server${path}`;
  const openid = `${origin}/.well-known/openid-configuration${path}`;
  return path === '' ? [oauth, openid] : [oauth, openid, `${origin}${path}/.well-known/openid-configuration`];
};
