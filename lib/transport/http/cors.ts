/**
 * What a browser must be told so that a page of another origin may use this server: nothing, unless the origin is listed;
 * then that one, and only what MCP needs. Credentials that a browser would add by itself are never asked for.
 */
import type { HttpHandling, HttpHeaders, HttpReply, HttpRequest, Refusal } from './message.ts';

/** Any other would be a wildcard, which would give every page what one was meant to get (CVE-2026-34237). */
export const isListed = (origin: string, allowed: readonly string[] | undefined): boolean =>
  allowed?.some((listed) => listed.toLowerCase() === origin.toLowerCase()) === true;

export const corsHeaders = (origin: string): HttpHeaders => ({
  'access-control-allow-origin': origin,
  'access-control-expose-headers': 'Mcp-Session-Id, MCP-Protocol-Version, Retry-After, WWW-Authenticate, DPoP-Nonce',
  vary: 'Origin',
});

const requestHeaders = [
  'content-type',
  'accept',
  'authorization',
  'dpop',
  'mcp-protocol-version',
  'mcp-session-id',
  'mcp-method',
  'mcp-name',
  'last-event-id',
];

/** How long a browser may remember the answer, in seconds. */
const maxAge = '600';

/** Answers a browser that asks before it sends. */
export const preflight = (headers: HttpHeaders, allow: string, allowed: readonly string[] | undefined): Refusal => {
  const origin = headers['origin'];
  if (origin === undefined || !isListed(origin, allowed)) return { status: 204, headers: { allow }, body: '' };
  const asked = (headers['access-control-request-headers'] ?? '')
    .slice(0, 4000)
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => /^mcp-param-[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name));
  return {
    status: 204,
    headers: {
      'access-control-allow-methods': allow,
      'access-control-allow-headers': [...requestHeaders, ...asked].join(', '),
      'access-control-max-age': maxAge,
    },
    body: '',
  };
};

/** The same refusal, which the page that is refused may read where its origin is listed. */
export const readable = (
  refusal: Refusal,
  { headers: { origin } }: HttpRequest,
  allowed: readonly string[] | undefined,
): Refusal =>
  origin !== undefined && isListed(origin, allowed)
    ? { ...refusal, headers: { ...refusal.headers, ...corsHeaders(origin) } }
    : refusal;

/** The same reply, which also tells the browser that the page may read it. */
export const withCors = (reply: HttpReply, origin: string): HttpReply => {
  const more = corsHeaders(origin);
  return {
    send: (status, headers, body) => reply.send(status, { ...headers, ...more }, body),
    open: (status, headers) => reply.open(status, { ...headers, ...more }),
    write: (text) => reply.write(text),
    end: () => reply.end(),
    destroy: () => reply.destroy(),
  };
};

/** There is nothing to be told. */
export const settled: HttpHandling = { closed: () => undefined, drained: () => undefined };
