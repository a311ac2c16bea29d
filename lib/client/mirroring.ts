/**
 * Over HTTP, a call repeats in headers those of its arguments that the tool names for it. Which they are is learnt from
 * every list of tools that passes by, whoever asked for it.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#client-behavior
 */
import {
  catchError,
  defer,
  EMPTY,
  endWith,
  expand,
  filter,
  ignoreElements,
  map,
  Observable,
  share,
  switchMap,
  throwError,
  type Subscriber,
} from 'rxjs';
import { isAnswer, type Context, type Emission, type Exchange, type Request } from '../exchange/exchange.ts';
import { canonical } from '../frame/canonical.ts';
import { codes, quoted, RpcError } from '../frame/errors.ts';
import { isArray, isObject } from '../frame/frame.ts';
import { headerPlan, type Mirrored } from '../protocol/header-annotation.ts';
import { paramHeaders } from '../protocol/header-param.ts';
import { misheaded } from '../server/misheaded.ts';

/** Of how many tools it is known which headers they want. Of others it is found out when they refuse a call. */
const mostPlans = 10_000;

/** How many different warnings are given. */
const mostWarnings = 1000;

/** How many pages of a list are read again for a call that was refused. */
const mostPages = 100;

const none: Readonly<Record<string, string>> = {};

/**
 * Wraps the exchange of a connection over HTTP. Lists of tools come out without those whose annotations cannot work
 * (HTTP26-49); calls go in with the headers that the newest list wants (HTTP26-60), in place of those that came with them.
 * A call passed on for somebody whose own headers say something else is refused (HTTP26-35). One that is refused for its headers is made once more, if the list, read again, wants others (HTTP26-61).
 *
 * @param warn - hears of each tool that is left out, once
 */
export const mirroring = (next: Exchange, warn: (message: string) => void = () => undefined): Exchange => {
  const plans = new Map<string, readonly Mirrored[]>();
  const warned = new Set<string>();

  const isSound = (tool: unknown): boolean => {
    if (!isObject(tool) || typeof tool['name'] !== 'string' || !isObject(tool['inputSchema'])) return true;
    const plan = headerPlan(tool['inputSchema']);
    plans.delete(tool['name']);
    if ('fault' in plan) {
      const message = `tool ${quoted(tool['name'])} is left out: ${plan.fault}`;
      if (warned.has(message) || warned.size >= mostWarnings) return false;
      warned.add(message);
      warn(message);
      return false;
    }
    if (plan.length > 0) plans.set(tool['name'], plan);
    for (const oldest of plans.keys()) {
      if (plans.size <= mostPlans) break;
      plans.delete(oldest);
    }
    return true;
  };
  const learnt = (emission: Emission): Emission => {
    if (!isAnswer(emission) || !isArray(emission.result['tools'])) return emission;
    const { tools } = emission.result;
    const sound = tools.filter(isSound);
    return sound.length === tools.length ? emission : { result: { ...emission.result, tools: sound } };
  };
  const list: Exchange = (request, context) => next(request, context).pipe(map(learnt));

  const page = (cursor?: unknown): Observable<unknown> =>
    list({ method: 'tools/list', ...(cursor === undefined ? undefined : { params: { cursor } }) }, {}).pipe(
      filter(isAnswer),
      map(({ result }) => result['nextCursor'] ?? undefined),
    );
  /** For all calls that are refused at a time. */
  const listed$ = defer(page).pipe(
    expand((cursor, read) => (cursor === undefined || read + 1 >= mostPages ? EMPTY : page(cursor))),
    ignoreElements(),
    endWith(undefined),
    share(),
  );

  const headersOf = ({ params }: Request): Readonly<Record<string, string>> => {
    const plan = plans.get(String(params?.['name']));
    return plan === undefined ? none : paramHeaders(plan, params?.['arguments']);
  };
  /** What is wrong with the headers that came with a call that is passed on (HTTP26-35): nobody else compares them. */
  const differing = (request: Request, context: Context): RpcError | undefined => {
    const plan = plans.get(String(request.params?.['name']));
    return plan === undefined ? undefined : misheaded(plan, request, context);
  };
  const under = (context: Context, headers: Readonly<Record<string, string>>): Context =>
    headers === none && context.headers === undefined ? context : { ...context, headers };
  /** The call once more, if the newest list wants other headers for it. */
  const corrected = (request: Request, context: Context, headers: object, refusal: unknown): Observable<Emission> =>
    listed$.pipe(
      catchError(() => throwError(() => refusal)),
      switchMap(() => {
        const wrong = differing(request, context);
        if (wrong !== undefined) return throwError(() => wrong);
        const wanted = headersOf(request);
        const same = canonical(wanted) === canonical(headers);
        return same ? throwError(() => refusal) : next(request, under(context, wanted));
      }),
    );
  const correct = (corrected$: Observable<Emission>, subscriber: Subscriber<Emission>): void =>
    subscriber.add(corrected$.subscribe(subscriber));
  // By hand: every call goes through this, and hardly any is refused.
  const call = (request: Request, context: Context): Observable<Emission> =>
    new Observable((subscriber) => {
      const wrong = context.headers === undefined ? undefined : differing(request, context);
      if (wrong !== undefined) return subscriber.error(wrong);
      const headers = headersOf(request);
      let heard = false;
      return next(request, under(context, headers)).subscribe({
        next: (emission) => {
          heard = true;
          subscriber.next(emission);
        },
        error: (error: unknown) => {
          const refused = error instanceof RpcError && error.code === codes.headerMismatch;
          // What has been heard of is under way, and not to be done twice.
          if (!refused || heard) subscriber.error(error);
          else correct(corrected(request, context, headers, error), subscriber);
        },
        complete: () => subscriber.complete(),
      });
    });

  return (request, context) => {
    if (request.method === 'tools/call') return call(request, context);
    // Headers of whoever asks through this client, its credentials among them, are not for the server behind.
    const bare = context.headers === undefined ? context : { ...context, headers: {} };
    return (request.method === 'tools/list' ? list : next)(request, bare);
  };
};
