/**
 * What anybody may read of a protected server: where to get what it lets in by.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/authorization-server-discovery
 */
import type { Guard } from '../../exchange/guard.ts';
import { visitors, type VisitorOptions } from './admit.ts';
import { jsonHeaders } from './answer.ts';
import { readable } from './cors.ts';
import type { HttpHeaders, HttpRequest, Refusal } from './message.ts';

/** How long they may be kept, in seconds: not long, as whoever has moved wants to be found. */
const maxAge = 300;

const headers: HttpHeaders = { ...jsonHeaders, 'cache-control': `max-age=${maxAge}` };

/** What a request for a path is answered with, a refusal included; undefined where there is nothing to read. */
export type Documents = (path: string, request: HttpRequest) => Refusal | undefined;

/** Answers with the documents of a guard. */
export const documents = (guard: Guard, options: Omit<VisitorOptions, 'methods'>): Documents => {
  const refused = visitors({ ...options, methods: ['GET'] });
  return (path, request) => {
    const body = guard.document(path);
    if (body === undefined) return undefined;
    return readable(refused(request) ?? { status: 200, headers, body }, request, options.allowedOrigins);
  };
};
