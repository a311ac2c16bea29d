/**
 * Proves to one server who asks: with the token that there is, one that renews it, or one that is asked for anew. However
 * many requests need the same, it is done once for all of them, in all programs that share a store.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
 */
import {
  asyncScheduler,
  BehaviorSubject,
  catchError,
  defer,
  filter,
  finalize,
  firstValueFrom,
  from,
  map,
  Observable,
  of,
  race,
  share,
  Subscription,
  switchMap,
  throwError,
} from 'rxjs';
import { quoted } from '../frame/errors.ts';
import { LoginFailed } from '../frame/login-failed.ts';
import type { Authorizer, Challenge, Resource } from '../transport/remote/authorizer.ts';
import type { HttpCall } from '../transport/remote/carrier.ts';
import { wantedBy, type Wanted } from './challenge.ts';
import type { Grant } from './grant.ts';
import { issue, revoke, type Issuing, type Wish } from './issue.ts';
import { oauthFetch } from './oauth-http.ts';
import { possession, type Possession } from './possession.ts';
import { reachOf } from './reach.ts';
import type { LoginStep, Told } from './steps.ts';
import type { TokenStore } from './token-store.ts';
import { keyOf, tokensIn, type Tokens } from './tokens.ts';

/** What all servers have in common that the same program logs in to. */
export interface AuthorizerSetting extends Pick<Issuing, 'scopes' | 'dpop'> {
  readonly grant: Grant;
  readonly store: TokenStore;
  readonly trustedHosts: readonly string[];
  readonly tell: (step: LoginStep) => void;
  /** Emits when whoever waits is to give up. */
  readonly cancel$: Observable<LoginFailed>;
}

/** Proves to one server, until it is to forget. */
export interface ServerAuthorizer extends Authorizer {
  /** Forgets the token, and has it revoked where that can be. */
  forget(): Promise<void>;
}

/** How often one request is made again, all in all. */
const mostAttempts = 4;
/** How many operations are remembered for which no scopes have been enough. */
const mostHopeless = 100;

/** How long a renewal waits for somebody else's, in milliseconds. */
const renewalMs = 2_000;

const busy = (): LoginFailed =>
  new LoginFailed({ stage: 'token', message: 'somebody else is getting a token', passing: true });

type Proof = Readonly<Record<string, string>>;
const nothing: Proof = {};

/** Another token than this one is needed, and what it is to be good for. */
interface Need extends Pick<Wish, 'wanted' | 'ways'> {
  readonly used: string | undefined;
  /** Whether somebody has refused the one there is. */
  readonly refused: boolean;
}

/** What a need was met by. */
type Met = 'elsewhere' | 'refresh' | 'login';

/** What is known of one request that may be made several times. */
interface Story {
  token?: string;
  /** What it has got in the course of it. */
  readonly met: Met[];
  /** The scopes that have been asked for on its account. */
  readonly stepped: string[];
  /** Why its token could not be renewed. */
  failed?: LoginFailed;
}

/** A key that signs, by what tells it from others. */
interface Signing {
  readonly x: unknown;
  readonly key: Promise<Possession>;
}

/** Makes the authorizer of one server. */
export const authorizerOf = ({ url: server, carrierFor }: Resource, setting: AuthorizerSetting): ServerAuthorizer => {
  const { grant, store, scopes, dpop } = setting;
  const { origin, host } = new URL(server);
  const reach = reachOf(server, setting.trustedHosts);
  const key = keyOf(server);
  const tell = (step: Told): void => setting.tell({ ...step, server });
  const issuing: Issuing = { server, grant, store, scopes, dpop, tell, fetch: oauthFetch(carrierFor(reach), reach) };

  /** The token as it was read last, and what it puts on requests where that is always the same; undefined: not read yet. */
  let current: { readonly tokens: Tokens | undefined; readonly proof: Proof | undefined } | undefined;
  /** The key that signs; what servers say of its proofs is kept with it. */
  let signing: Signing | undefined;
  let learnt: Promise<void> = Promise.resolve();
  const stories = new WeakMap<HttpCall, Story>();
  const underway = new Map<string, Observable<Met>>();
  const hopeless = new Set<string>();
  const held$ = new BehaviorSubject(false);
  let holding = 0;

  const keep = (tokens: Tokens | undefined): Tokens | undefined => {
    const isBearer = tokens !== undefined && tokens.dpopKey === undefined;
    current = { tokens, proof: isBearer ? { authorization: `Bearer ${tokens.accessToken}` } : undefined };
    return tokens;
  };
  const read = async (): Promise<Tokens | undefined> => {
    const kept = tokensIn(await store.get(key));
    // Somebody else's, who keeps it in the same place, would let us in as them.
    const isOurs = kept !== undefined && grant.owns(kept) && (dpop !== true || kept.dpopKey !== undefined);
    return keep(isOurs ? kept : undefined);
  };
  const write = async (tokens: Tokens | undefined): Promise<void> => {
    keep(tokens);
    await store.set(key, tokens);
  };

  const storyOf = (call: HttpCall): Story => {
    const known = stories.get(call);
    if (known !== undefined) return known;
    const story: Story = { met: [], stepped: [] };
    stories.set(call, story);
    return story;
  };

  const isLate = ({ renewAt = Infinity, refreshToken }: Tokens): boolean =>
    Date.now() >= renewAt && (refreshToken !== undefined || !grant.asks);

  /** Somebody is being asked while this is subscribed: a person, or an authorization server that takes its time. */
  const holdingUp = <T>(work$: Observable<T>): Observable<T> =>
    defer(() => {
      holding += 1;
      held$.next(true);
      return work$;
    }).pipe(
      finalize(() => {
        holding -= 1;
        if (holding === 0) held$.next(false);
      }),
    );

  /**
   * Does this while nobody else does anything about the token.
   *
   * @param patienceMs - how long to wait for whoever does
   */
  const alone = <T>(work$: Observable<T>, patienceMs?: number): Observable<T> =>
    new Observable((subscriber) => {
      const impatient = new Subscription();
      subscriber.add(impatient);
      const begin = (state: 'waiting' | 'held'): void => {
        if (state === 'waiting') {
          tell({ kind: 'waiting' });
          if (patienceMs !== undefined)
            impatient.add(asyncScheduler.schedule(() => subscriber.error(busy()), patienceMs));
        } else {
          impatient.unsubscribe();
          subscriber.add(work$.subscribe(subscriber));
        }
      };
      subscriber.add(store.lock(key).subscribe({ next: begin, error: (error: unknown) => subscriber.error(error) }));
    });

  /** Gets what is needed, unless somebody else has got it meanwhile. */
  const got = ({ used, wanted, ways, refused }: Need, spending: Wish['spending']): Observable<Met> =>
    defer(() => from(read())).pipe(
      switchMap((tokens) => {
        const isOther = tokens !== undefined && tokens.accessToken !== used && !isLate(tokens);
        const isEnough = wanted.scopes?.every((scope) => tokens?.requested.includes(scope)) ?? true;
        if (isOther && isEnough) return of<Met>('elsewhere');
        if (refused) tell({ kind: 'asked', scopes: wanted.scopes ?? [] });
        return issue(issuing, { wanted, tokens, ways, spending }).pipe(
          switchMap(async ({ tokens: given, by }): Promise<Met> => {
            await write(given).finally(() => spending(false));
            const { expiresAt, refreshToken } = given;
            const until = expiresAt === undefined ? {} : { expiresAt };
            const renewable = refreshToken !== undefined || !grant.asks;
            tell({ kind: 'token', by, scopes: given.scopes, renewable, ...until });
            return by;
          }),
        );
      }),
    );

  /** The same for all who need the same; given up when none of them waits any more. */
  const meet = (need: Need): Observable<Met> => {
    const name = JSON.stringify([need.used ?? '', need.ways, need.wanted.scopes ?? []]);
    const known = underway.get(name);
    if (known !== undefined) return known;
    const spending$ = new BehaviorSubject(false);
    const settled$ = spending$.pipe(filter((is) => !is));
    const cancelled$ = setting.cancel$.pipe(
      switchMap((error) => settled$.pipe(switchMap(() => throwError(() => error)))),
    );
    // Who is at it may be waiting for somebody to log in; the token that there is may well do until then.
    const patienceMs = grant.asks && need.ways === 'renew' ? renewalMs : undefined;
    const work$ = race(
      alone(
        got(need, (is) => spending$.next(is)),
        patienceMs,
      ),
      cancelled$,
    ).pipe(
      catchError((error: unknown) => {
        if (need.refused) tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
        return throwError(() => error);
      }),
      finalize(() => underway.delete(name)),
    );
    const shared = holdingUp(work$).pipe(share({ resetOnRefCountZero: () => settled$ }));
    underway.set(name, shared);
    return shared;
  };

  /** Renews a token that is about to expire. Where that fails, the server may still take it. */
  const renewedEarly = async (tokens: Tokens, story: Story): Promise<Tokens> => {
    const need: Need = {
      used: tokens.accessToken,
      wanted: { dpop: tokens.dpopKey !== undefined },
      ways: 'renew',
      refused: false,
    };
    try {
      await firstValueFrom(meet(need), { defaultValue: undefined });
    } catch (error) {
      const isPassing = error instanceof LoginFailed && error.passing === true;
      if (error instanceof LoginFailed) story.failed = error;
      const { refreshToken: _, renewAt: __, ...rest } = tokens;
      // It is of no use any more; without it, nobody tries again before the server asks.
      if (!isPassing && current?.tokens?.accessToken === tokens.accessToken) keep(rest);
    }
    return current?.tokens ?? tokens;
  };

  /** What goes with a request, where it is not known at once. */
  const prove = async (call: HttpCall): Promise<Proof> => {
    let tokens = current === undefined ? await read() : current.tokens;
    if (tokens !== undefined && isLate(tokens)) tokens = await renewedEarly(tokens, storyOf(call));
    if (tokens === undefined) return nothing;
    const { accessToken, dpopKey } = tokens;
    storyOf(call).token = accessToken;
    if (dpopKey === undefined) return current?.proof ?? nothing;
    const { x } = dpopKey;
    const own: Signing = signing !== undefined && signing.x === x ? signing : { x, key: possession(dpopKey) };
    signing = own;
    await learnt;
    return (await own.key).headers(call.method, call.url, accessToken);
  };

  /** Another token, after the one that there is was refused. */
  const another = (story: Story, wanted: Wanted): Observable<boolean> => {
    // What was asked for just now is no better than what would be asked for again.
    if (story.met.includes('login'))
      return throwError(
        () => new LoginFailed({ stage: 'token', message: `${host} refuses the token that it asked for` }),
      );
    // Where nobody is asked, whoever has just refused would refuse again.
    const { failed } = story;
    if (failed !== undefined && !grant.asks) {
      tell({ kind: 'failed', message: failed.message });
      return throwError(() => failed);
    }
    const ways = story.met.includes('refresh') ? 'ask' : 'either';
    return meet({ used: story.token, wanted, ways, refused: true }).pipe(
      map((met) => {
        story.met.push(met);
        return true;
      }),
    );
  };

  /** A token that allows more (AUTHC-29 to -31). */
  const more = (call: HttpCall, story: Story, wanted: Wanted): Observable<boolean> => {
    const { scopes: missing = [] } = wanted;
    if (missing.length === 0) return of(false);
    const named = [...missing].sort().join(' ');
    const operation = `${call.headers['mcp-method'] ?? ''} ${call.headers['mcp-name'] ?? ''} ${named}`;
    if (story.stepped.includes(named)) {
      if (hopeless.size >= mostHopeless) hopeless.clear();
      hopeless.add(operation);
    }
    if (hopeless.has(operation))
      return throwError(
        () =>
          new LoginFailed({
            stage: 'scope',
            message: `${host} still wants ${quoted(named)}, after that was asked for`,
          }),
      );
    return meet({ used: story.token, wanted, ways: 'ask', refused: true }).pipe(
      map((met) => {
        // What somebody else has asked for meanwhile may not have been granted to them.
        if (met !== 'elsewhere') story.stepped.push(named);
        return true;
      }),
    );
  };

  const answered = (call: HttpCall, { status, header }: Challenge, wanted: Wanted): Observable<boolean> => {
    const story = storyOf(call);
    // What it is to hold has been heard already.
    if (wanted.error === 'use_dpop_nonce' && header('dpop-nonce') !== undefined && signing !== undefined)
      return from(learnt).pipe(map(() => true));
    // Nobody logs in to say goodbye.
    if (call.method === 'DELETE') return of(false);
    if (status === 401) return another(story, wanted);
    return wanted.error === 'insufficient_scope' ? more(call, story, wanted) : of(false);
  };

  return {
    held$,
    heard: ({ url }, header) => {
      const nonce = signing === undefined ? undefined : header('dpop-nonce');
      if (nonce === undefined || signing === undefined) return;
      const { key: own } = signing;
      // One that cannot be used is asked for again.
      learnt = own.then((known) => known.learn(url, nonce)).catch(() => undefined);
    },
    headers: (call) => {
      if (call.url !== server && new URL(call.url).origin !== origin) return nothing;
      if (current === undefined) return prove(call);
      const { tokens, proof } = current;
      if (tokens === undefined) return nothing;
      if (proof === undefined || isLate(tokens)) return prove(call);
      storyOf(call).token = tokens.accessToken;
      return proof;
    },
    refused: (call, challenge, attempt) => {
      if (attempt >= mostAttempts) return of(false);
      return defer(() => from(wantedBy(challenge.header('www-authenticate')))).pipe(
        switchMap((wanted) => answered(call, challenge, wanted)),
      );
    },
    forget: async () => {
      const forgetting$ = defer(() => from(read())).pipe(
        switchMap(async (tokens) => {
          hopeless.clear();
          if (tokens === undefined) return;
          await write(undefined);
          await revoke(issuing, tokens);
        }),
      );
      await firstValueFrom(alone(forgetting$), { defaultValue: undefined });
    },
  };
};
