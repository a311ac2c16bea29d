/**
 * A server of 2025-11-25 may refuse a call until its user has visited a page (-32042). Inside, that is a question like any
 * other; the call is made again once the server says that the visit is over, or after a while (BR-33, ELI-18).
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation#url-elicitation-required-error
 */
import {
  concatMap,
  defer,
  filter,
  map,
  merge,
  scan,
  take,
  throwError,
  timer,
  type Observable,
  type Subscription,
} from 'rxjs';
import type { Context, Emission, Notification, Request } from '../../exchange/exchange.ts';
import { identityOf } from '../../exchange/identity.ts';
import { invalidRequest } from '../../frame/errors.ts';
import { isObject } from '../../frame/frame.ts';
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
      if (required === undefined) return undefined;
      const handle = crypto.randomUUID();
      const [oldest] = waiting.keys();
      if (waiting.size >= most && oldest !== undefined) forget(oldest);
      waiting.set(handle, { identity: identityOf(request, context), ids: required.ids, over: new Set() });
      // A visit may be over before its call comes back.
      listening ??= completed$.subscribe({
        next: (id) => {
          for (const { ids, over } of waiting.values()) if (ids.includes(id)) over.add(id);
        },
        error: () => undefined,
      });
      return {
        result: { resultType: 'input_required', inputRequests: required.inputRequests, requestState: handle },
      };
    },
    again: (request, context, ask) => {
      const handle = String(request.params?.['requestState']);
      const visit = waiting.get(handle);
      if (visit?.identity !== identityOf(request, context)) return undefined;
      const responses = request.params?.['inputResponses'];
      const given = isObject(responses) ? Object.values(responses) : [];
      if (given.some((response) => !isObject(response) || response['action'] !== 'accept')) {
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
        );
        return merge(all$, timer(patienceMs)).pipe(take(1), concatMap(ask));
      });
    },
  };
};
