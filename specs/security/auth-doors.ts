/** A protected server without sockets, and callers with whatever tokens they have. */
import { inspect } from 'node:util';
import type { JsonObject, Served } from 'rxmcp';
import { toFetch, type FetchHandler } from 'rxmcp';
import { authorize, jwks, type AuthorizeOptions } from 'rxmcp/auth';
import { afterEach } from 'vitest';
import { issuer, keySet, resource } from '../auth/resource/issuer.ts';
import { both, headersOf, initialize, modernized, notice } from '../transport/http/desk.ts';

const handlers: FetchHandler[] = [];
afterEach(() => Promise.all(handlers.splice(0).map((handler) => handler.close())));

type Headers = Readonly<Record<string, string>>;

/** Whoever has this token. */
const bearer = (token: string | undefined): Headers =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

/** Protects a server, and asks it. */
export const doors = (served: Served, options: Partial<AuthorizeOptions> = {}) => {
  const verify = options.verify ?? jwks({ issuer, keys: keySet });
  const handler = toFetch(authorize({ resource, ...options, verify })(served), {
    allowedHosts: ['mcp.example'],
    drainMs: 0,
  });
  handlers.push(handler);
  const ask = (method: string, token: string | undefined, headers: Headers, body?: unknown): Promise<Response> =>
    handler(
      new Request(resource, {
        method,
        headers: { 'content-type': 'application/json', accept: both, ...bearer(token), ...headers },
        ...(body === undefined ? undefined : { body: JSON.stringify(body) }),
      }),
    );
  const post = (token: string | undefined, frame: unknown, headers: Headers = {}): Promise<Response> =>
    ask('POST', token, headers, frame);
  return {
    post,
    /** A request of the newest revision. */
    modern: (token: string | undefined, frame: JsonObject, headers: Headers = {}): Promise<Response> => {
      const whole = modernized(frame);
      return post(token, whole, { ...headersOf(whole), ...headers });
    },
    listen: (token: string | undefined, headers: Headers): Promise<Response> =>
      ask('GET', token, { accept: 'text/event-stream', ...headers }),
    remove: (token: string | undefined, headers: Headers): Promise<Response> => ask('DELETE', token, headers),
    /** Opens a session of an older revision; the headers of whatever follows in it. */
    session: async (token: string, revision = '2025-11-25'): Promise<Headers> => {
      const opened = await post(token, initialize(revision, { elicitation: {} }));
      await opened.text();
      const headers = {
        'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
        'mcp-protocol-version': revision,
      };
      await post(token, notice('notifications/initialized'), headers);
      return headers;
    },
  };
};

/** What anybody could find in a value, however deep: as text, through getters and what is not enumerable. */
export const revealed = (value: unknown): string => {
  const seen = new Set<unknown>();
  const parts: string[] = [inspect(value, { depth: Infinity, showHidden: true, getters: true, maxStringLength: null })];
  const walk = (one: unknown): void => {
    if (typeof one === 'string') parts.push(one);
    if ((typeof one !== 'object' && typeof one !== 'function') || one === null || seen.has(one)) return;
    seen.add(one);
    if (one instanceof Map || one instanceof Set) for (const each of one) walk(each);
    for (const key of Reflect.ownKeys(one)) {
      parts.push(String(key));
      const property = Object.getOwnPropertyDescriptor(one, key);
      walk(property?.get === undefined ? property?.value : property.get.call(one));
    }
  };
  walk(value);
  return parts.join('\n');
};
