/** One client over all the connections that follow each other. */
import {
  asapScheduler,
  catchError,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  fromEvent,
  map,
  merge,
  mergeMap,
  Observable,
  of,
  shareReplay,
  startWith,
  Subject,
  subscribeOn,
  Subscription,
  switchMap,
  take,
  tap,
  throwError,
  throwIfEmpty,
  type MonoTypeOperatorFunction,
  type OperatorFunction,
} from 'rxjs';
import { ConnectionClosed } from '../frame/errors.ts';
import type { ReadResourceResult } from '../protocol/resources.ts';
import type { Client } from './client.ts';
import { reasonOf } from './request.ts';

/**
 * A {@link Client} that outlives its connections: `revision`, `server`, `capabilities` and `instructions` are those of
 * the newest, and `state$` says whether there is one now.
 */
export type SteadyClient<Tools = unknown> = Client<Tools>;

/**
 * Makes one client of all that its source emits: it emits that client at the first connection, and stays.
 *
 * While there is no connection, calls and requests wait for the next one; their time limits run from when they are sent.
 * What was under way when a connection broke fails with {@link ConnectionClosed} and is never repeated by itself: it may
 * have been done. Live lists, watched resources, `logs$` and `listen` go on with the next connection: lists and resources
 * keep their latest value meanwhile and are fetched again, and each `listen` is asked anew, so that another
 * acknowledgement comes; one that the server ends goes on with the next connection too.
 *
 * When the source ends, or is unsubscribed, everything ends as on a closed connection: what waits, and what is asked
 * later, fails with {@link ConnectionClosed}; streams complete.
 *
 * @returns an operator that emits one client, and completes or fails with its source
 * @example
 * connect(spawn('node', ['weather.js']))
 *   .pipe(
 *     restart(),
 *     steady(),
 *     switchMap((client) => client.tools$),
 *   )
 *   .subscribe((list) => console.log(list.map(({ name }) => name)));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
export const steady =
  <T = unknown>(): OperatorFunction<Client<T>, SteadyClient<T>> =>
  (source) =>
    new Observable((subscriber) => {
      let relay: Relay<T> | undefined;
      let failure: unknown;
      // Before the connection goes: who asks again because it does must not wait for another.
      subscriber.add(() => relay?.close());
      source
        .pipe(
          tap({ error: (error: unknown) => (failure = error) }),
          mergeMap((client) => {
            if (relay !== undefined) return relay.connected(client);
            relay = relayOf(client, () => failure);
            return of(steadyClient(relay));
          }),
        )
        .subscribe(subscriber);
      // After it: what it ends by itself need not be called off.
      subscriber.add(() => relay?.end());
    });

/** Where things go: to a connection, or nowhere for now, or nowhere any more. */
type Whereabouts<T> = Client<T> | 'reconnecting' | 'closed';

/** Passes on to whichever connection there is. */
type Relay<T> = ReturnType<typeof relayOf<T>>;

const relayOf = <T>(first: Client<T>, failure: () => unknown) => {
  let newest = first;
  let at: Whereabouts<T> = first;
  const watching = new Subscription();
  const moved = new Subject<void>();
  // The variable is read when news arrive: where one listener's reaction moves on, the next must not hear old news last.
  const at$ = defer(() =>
    moved.pipe(
      startWith(undefined),
      map(() => at),
      distinctUntilChanged(),
    ),
  );
  const next$ = at$.pipe(
    filter((now) => typeof now === 'object'),
    take(1),
    throwIfEmpty(() => closedFor(failure())),
  );

  const move = (to: Whereabouts<T>): void => {
    at = to;
    moved.next();
  };
  /** Moves on when this connection has gone, unless another has come before that. */
  const watch = (client: Client<T>): void => {
    const gone = (): void => {
      if (at === client) move('reconnecting');
    };
    watching.add(client.state$.pipe(filter((state) => state === 'closed')).subscribe({ next: gone, error: gone }));
  };
  watch(first);

  /**
   * A connection fails its calls before it says that it has gone. Who asks again at once is to find that it has, or
   * would be sent back to it for ever.
   */
  const afterTheNews =
    <R>(client: Client<T>): MonoTypeOperatorFunction<R> =>
    (source) =>
      source.pipe(
        catchError((error: unknown) => {
          const failed$ = throwError(() => error);
          return error instanceof ConnectionClosed && at === client
            ? failed$.pipe(subscribeOn(asapScheduler))
            : failed$;
        }),
      );

  return {
    newest: (): Client<T> => newest,
    at$,
    /** Asks the connection that there is, or the next one; ends with it. */
    asked: <R>(ask: (client: Client<T>) => Observable<R>): Observable<R> => {
      const asking = (client: Client<T>): Observable<R> => ask(client).pipe(afterTheNews(client));
      return defer(() => (typeof at === 'object' ? asking(at) : next$.pipe(switchMap(asking))));
    },
    /** The same for what is awaited. */
    promised: <R>(ask: (client: Client<T>) => Promise<R>, signal?: AbortSignal): Promise<R> =>
      typeof at === 'object'
        ? ask(at)
        : new Promise((resolve, reject) => {
            merge(abortOf(signal), next$).pipe(take(1), map(ask)).forEach(resolve).catch(reject);
          }),
    /** Looks through each connection in turn. */
    through: <R>(look: (client: Client<T>) => Observable<R>): Observable<R> =>
      at$.pipe(switchMap((now) => (typeof now === 'object' ? look(now).pipe(afterTheNews(now)) : EMPTY))),
    /** Goes on with this connection. */
    connected: (client: Client<T>): Observable<never> => {
      newest = client;
      move(client);
      watch(client);
      return EMPTY;
    },
    /** From now on there is no connection to wait for. */
    close: (): void => {
      at = 'closed';
      watching.unsubscribe();
    },
    /** Ends whatever waits or looks. */
    end: (): void => {
      moved.next();
      moved.complete();
    },
  };
};

const steadyClient = <T>({ newest, at$, asked, promised, through }: Relay<T>): SteadyClient<T> => {
  const shared = <R>(look: (client: Client<T>) => Observable<R>): Observable<R> =>
    through(look).pipe(shareReplay({ bufferSize: 1, refCount: true }));
  const resources = new Map<string, Observable<ReadResourceResult>>();
  const resource = (uri: string): Observable<ReadResourceResult> => {
    // Forgotten before anybody hears of the end: who looks again then looks anew.
    const forget = (): void => void resources.delete(uri);
    return through((client) => client.resource$(uri)).pipe(
      tap({ error: forget, complete: forget, unsubscribe: forget }),
      shareReplay({ bufferSize: 1, refCount: true }),
    );
  };

  return {
    get revision() {
      return newest().revision;
    },
    get server() {
      return newest().server;
    },
    get capabilities() {
      return newest().capabilities;
    },
    get instructions() {
      return newest().instructions;
    },
    exchange: (request, context) => asked((client) => client.exchange(request, context)),
    state$: at$.pipe(
      map((now) => (typeof now === 'object' ? 'connected' : now)),
      distinctUntilChanged(),
    ),
    call: (name, ...given) => asked((client) => client.call(name, ...given)),
    callTool: (name, ...given) => {
      const [, options] = given;
      return promised((client) => client.callTool(name, ...given), options?.signal);
    },
    request: (method, params, options) => asked((client) => client.request(method, params, options)),
    readResource: (uri, options) => promised((client) => client.readResource(uri, options), options?.signal),
    getPrompt: (name, args, options) => promised((client) => client.getPrompt(name, args, options), options?.signal),
    complete: (ref, argument, typed, resolved, options) =>
      promised((client) => client.complete(ref, argument, typed, resolved, options), options?.signal),
    listTools: (options) => asked((client) => client.listTools(options)),
    listPrompts: (options) => asked((client) => client.listPrompts(options)),
    listResources: (options) => asked((client) => client.listResources(options)),
    listTemplates: (options) => asked((client) => client.listTemplates(options)),
    tools$: shared((client) => client.tools$),
    prompts$: shared((client) => client.prompts$),
    resources$: shared((client) => client.resources$),
    templates$: shared((client) => client.templates$),
    resource$: (uri) =>
      defer(() => {
        const known = resources.get(uri) ?? resource(uri);
        resources.set(uri, known);
        return known;
      }),
    logs$: through((client) => client.logs$),
    listen: (wanted) => through((client) => client.listen(wanted)),
  };
};

const closedFor = (cause: unknown): ConnectionClosed =>
  cause instanceof ConnectionClosed
    ? cause
    : new ConnectionClosed({ message: 'the connection has gone, and none will follow', cause });

/** Fails once the signal is aborted, with its reason. */
const abortOf = (signal: AbortSignal | undefined): Observable<never> =>
  signal === undefined
    ? EMPTY
    : defer(() => (signal.aborted ? of(undefined) : fromEvent(signal, 'abort'))).pipe(
        mergeMap(() => throwError(() => reasonOf(signal))),
      );
