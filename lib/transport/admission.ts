/**
 * Who may knock at a local server: names and origins. A page that a browser shows can reach whatever its machine can, and
 * by DNS rebinding under a name of its own; what the `Host` and `Origin` headers say gives it away.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#security-warning
 */

/** Whom a server lets in besides those whom nobody has to name. */
export interface AdmissionOptions {
  /** Origins of pages that may connect, exactly: `https://app.example`. Default: none but those of this machine. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Names that the server may be called by, without port: `mcp.example`. Default: what it is bound to, and loopback. */
  readonly allowedHosts?: readonly string[] | undefined;
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?|\[?::ffff:127(?:\.\d{1,3}){3}\]?)$/i;
const wildcard = /^(?:0\.0\.0\.0|\[?::\]?|)$/;
const host = /^(\[[\da-f:.]+\]|[^\s:/?#@\\[\]]+)(?::\d{1,5})?$/i;
const origin = /^https?:\/\/(\[[\da-f:.]+\]|[^\s:/?#@\\[\]]+)(?::\d{1,5})?$/i;

/** Whether this address or name is of this machine, and cannot be another's. */
export const isLoopback = (name: string): boolean => loopback.test(name);

/** An address as it stands in a URL. */
const bracketed = (name: string): string => (name.includes(':') && !name.startsWith('[') ? `[${name}]` : name);

/**
 * Whether a request may be meant for this server.
 *
 * @param header - `Host`, as it came
 * @param bound - the address or name that the server is bound to
 */
export const hostAdmitted = (header: string | undefined, bound: string, options: AdmissionOptions): boolean => {
  const name = host.exec(header ?? '')?.[1]?.toLowerCase();
  if (name === undefined) return false;
  if (isLoopback(name)) return true;
  // Everything and nothing is called 0.0.0.0.
  if (!wildcard.test(bound) && name === bracketed(bound).toLowerCase()) return true;
  return options.allowedHosts?.some((allowed) => allowed.toLowerCase() === name) === true;
};

/**
 * Whether whoever sent this may connect: no browser, a page of this machine, or a page that was allowed by name.
 *
 * @param header - `Origin`, as it came
 * @param bound - the address or name that the server is bound to
 */
export const originAdmitted = (header: string | undefined, bound: string, options: AdmissionOptions): boolean => {
  if (header === undefined) return true;
  if (options.allowedOrigins?.some((allowed) => allowed.toLowerCase() === header.toLowerCase()) === true) return true;
  const name = origin.exec(header)?.[1];
  return name !== undefined && isLoopback(bound) && isLoopback(name);
};
