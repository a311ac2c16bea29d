/**
 * A server of 2025-11-25 may refuse a call until its user has visited a page (-32042). Inside, that is a question like any
 * other; the call is made again once the server says that the visit is over, or after a while (BR-33, ELI-18).
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation#url-elicitation-required-error
 */
import {
  concatMap,
  defer,
  endWith,
  filter,
  map,
  merge,
  of,
  scan,
  take,
  throwError,
  timer,
  type Observable,
  type Subscription,
} from 'rxjs';
import type { Context, Emission, Notification, Request } from '../../exchange/exchange.ts';
import { identityOf } from '../../exchange/identity.ts';
import { inputRequired } from '../../exchange/rounds.ts';
import { invalidRequest, type RpcError } from '../../frame/errors.ts';
import { isObject, type JsonObject } from '../../frame/frame.ts';
import { missingCapability } from '../../protocol/capability.ts';
import { metaKeys } from '../../protocol/revisions.ts';
import { urlRequired } from './question-up.ts';

/** How long the server may take to say that a visit is over before it is asked again, in milliseconds. */
const patienceMs = 30_000;
/** How many calls may wait for visits; the oldest are forgotten, and then begin anew. */
const most = 100;

export interface Visits {
  /** The error as a question; undefined for any other. */
  readonly asked: (error: unknown, request: Request, context: Context) => Emission | undefined;
  /** Goes on with such a call; undefined where it is none. */
  readonly again: (
    request: Request,
    context: Context,
    ask: () => Observable<Emission>,
  ) => Observable<Emission> | undefined;
}

interface Visit {
  readonly identity: string;
  readonly inputRequests: JsonObject;
  readonly ids: readonly string[];
  /** Those of them that the server has said to be over. */
  readonly over: Set<string>;
}

export const visits = (unsolicited: Observable<Notification>): Visits => {
  const waiting = new Map<string, Visit>();
  const completed$ = unsolicited.pipe(
    filter(({ method }) => method === 'notifications/elicitation/complete'),
    map(({ params }) => String(params?.['elicitationId'])),
  );
  let listening: Subscription | undefined;
  const forget = (handle: string): void => {
    waiting.delete(handle);
    if (waiting.size > 0) return;
    listening?.unsubscribe();
    listening = undefined;
  };
  return {
    asked: (error, request, context) => {
      const required = urlRequired(error);
      if (required === undefined || unvisited(error, request.params) !== undefined) return undefined;
      const { ids, inputRequests } = required;
      const handle = crypto.randomUUID();
      const [oldest] = waiting.keys();
      if (waiting.size >= most && oldest !== undefined) forget(oldest);
      waiting.set(handle, { identity: identityOf(request, context), inputRequests, ids, over: new Set() });
      // A visit may be over before its call comes back.
      listening ??= completed$.subscribe({
        next: (id) => {
          for (const { ids, over } of waiting.values()) if (ids.includes(id)) over.add(id);
        },
        error: () => undefined,
      });
      return { result: inputRequired(inputRequests, handle) };
    },
    again: (request, context, ask) => {
      const handle = String(request.params?.['requestState']);
      const visit = waiting.get(handle);
      if (visit?.identity !== identityOf(request, context)) return undefined;
      const responses = request.params?.['inputResponses'];
      const given = isObject(responses) ? responses : {};
      const answers = Object.keys(visit.inputRequests).map((key) =>
        Object.hasOwn(given, key) ? given[key] : undefined,
      );
      // What is still open is asked once more (MRTR-15).
      if (answers.includes(undefined)) return of({ result: inputRequired(visit.inputRequests, handle) });
      if (answers.some((response) => !isObject(response) || response['action'] !== 'accept')) {
        forget(handle);
        return throwError(() =>
          invalidRequest(`${request.method} needs a page to be visited first, which was declined`),
        );
      }
      const { ids, over } = visit;
      return defer(() => {
        const rest = ids.filter((id) => !over.has(id));
        forget(handle);
        if (rest.length === 0) return ask();
        const all$ = completed$.pipe(
          scan((open, id) => open.filter((one) => one !== id), rest),
          filter((open) => open.length === 0),
          // Once the connection has ended nobody says so any more; asking tells why.
          endWith(rest),
        );
        return merge(all$, timer(patienceMs)).pipe(take(1), concatMap(ask));
      });
    },
  };
};

/**
 * Why somebody whom this client stands in for cannot be told of the pages that an error names: they did not declare that
 * they can visit any. Undefined for any other error, and for those who did.
 */
export const unvisited = (error: unknown, params: JsonObject | undefined): RpcError | undefined => {
  const meta = params?.['_meta'];
  const declared = isObject(meta) ? meta[metaKeys.clientCapabilities] : undefined;
  return isObject(declared) && urlRequired(error) !== undefined
    ? missingCapability(declared, { elicitation: { url: {} } }, 'a page to be visited first')
    : undefined;
};
