/**
 * Handshake revisions without sessions: every request is by itself, as if a handshake had just been. Nothing is
 * remembered, nobody can be asked, and nothing is told that is about no request.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
 */
import { map, throwError } from 'rxjs';
import { isAnswer, type Emission, type Exchange } from '../../exchange/exchange.ts';
import { methodNotFound } from '../../frame/errors.ts';
import { isObject, type JsonObject } from '../../frame/frame.ts';

/** What needs somebody who stays. */
const needsSession: ReadonlySet<string> = new Set(['resources/subscribe', 'resources/unsubscribe']);

/** What a session answers whose every request is the only one. A level may be set, which clients do first, and is forgotten. */
export const alone =
  (door: Exchange): Exchange =>
  (request, context) => {
    const { method } = request;
    if (needsSession.has(method)) return throwError(() => methodNotFound(method));
    const answer = door(request, context);
    return method === 'initialize' ? answer.pipe(map(modest)) : answer;
  };

/** Promises nothing that would need a session. */
const modest = (emission: Emission): Emission => {
  if (!isAnswer(emission) || !isObject(emission.result['capabilities'])) return emission;
  const capabilities = Object.fromEntries(
    Object.entries(emission.result['capabilities']).map(([name, value]) => [
      name,
      isObject(value) ? kept(value) : value,
    ]),
  );
  return { result: { ...emission.result, capabilities } };
};

const kept = ({ subscribe: _, listChanged: __, ...rest }: JsonObject): JsonObject => rest;
