/** What would lock somebody out, log them in again and again, or lose what they have been given. */
import { connect, Misconfigured, open, remote, restart, sse, type Carrier } from 'rxmcp';
import { clientCredentials, LoginFailed, memoryTokens, oauth } from 'rxmcp/auth';
import { NEVER } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { leavesNothing } from '../behaviour/leaks.ts';
import { follow, shaken } from '../transport/remote/scripted.ts';
import { causeOf, fakeAs, issuer, json, loggedIn, notFound, refusal, server, somebody } from './fake-as.ts';
import type { Asked, Reply } from './fake-as.ts';

const hour = 3_600_000;
const key = `token ${server}`;
const lasting = { refresh_token: 'refresh-0' };
const isRefresh = ({ parameters }: Asked): boolean => parameters['grant_type'] === 'refresh_token';

leavesNothing();
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

describe('what can be used only once', () => {
  /** A token that is renewed while its only caller leaves, or the login is cancelled. */
  const scene = async () => {
    let answer: (reply: Reply) => void = () => undefined;
    const token = (asked: Asked): Promise<Reply> | undefined =>
      isRefresh(asked) ? new Promise((resolve) => (answer = resolve)) : undefined;
    const place = fakeAs({ granted: lasting, token });
    const store = memoryTokens();
    const login = oauth({ callback: somebody().callback, store });
    const client = await place.client(login);
    place.withdraw();
    const call = follow(client.call('echo', { message: 'x' }));
    await vi.waitFor(() => expect(place.asked.filter(isRefresh)).toHaveLength(1));
    const renewed = { access_token: 'renewed', token_type: 'Bearer', refresh_token: 'refresh-1' };
    return { place, store, login, client, call, answered: () => answer(json(renewed)) };
  };
  const kept = { accessToken: 'renewed', refreshToken: 'refresh-1' };

  it('is not lost where its caller leaves while it is spent (rotation)', async () => {
    const { store, client, call, answered } = await scene();
    call.stop();
    const locked: string[] = [];
    const waiting = store.lock(key).subscribe((state) => locked.push(state));
    answered();
    await vi.waitFor(async () => expect(await store.get(key)).toMatchObject(kept));
    await vi.waitFor(() => expect(locked).toEqual(['waiting', 'held']));
    waiting.unsubscribe();
    await client.close();
  });

  it('is not lost where the login is given up meanwhile, which fails whoever waits', async () => {
    const { store, login, client, call, answered } = await scene();
    login.cancel();
    answered();
    await vi.waitFor(() => expect(call.seen.error).toMatchObject({ cause: { message: 'the login was cancelled' } }));
    expect(await store.get(key)).toMatchObject(kept);
    await client.close();
  });
});

describe('an authorization server that cannot be reached', () => {
  it('is not gone back to by itself with a code that may be used up: somebody has to log in again', async () => {
    const place = fakeAs({ token: () => ({ status: 503 }) });
    const who = somebody();
    const error = await causeOf(place.client(oauth({ callback: who.callback })));
    expect(error).toMatchObject({ _tag: 'LoginFailed', stage: 'token' });
    expect(error).not.toHaveProperty('passing', true);
    expect(who.pages).toHaveLength(1);
  });
});

describe('a token that is to be bound to a key of ours', () => {
  it('is asked for anew where the one that is kept is not (XAUTH-20)', async () => {
    const store = memoryTokens();
    const place = fakeAs();
    await (await place.client(oauth({ callback: somebody().callback, store }))).close();
    const who = somebody();
    await causeOf(place.client(oauth({ callback: who.callback, store, dpop: true })));
    expect(who.pages).toHaveLength(1);
  });
});

describe('an authorization server that has forgotten us', () => {
  it('is registered with anew where it does not renew a token for us (AUTHC-25)', async () => {
    const token = (asked: Asked): Reply | undefined =>
      isRefresh(asked) ? refusal('invalid_client', undefined, 401) : undefined;
    const place = fakeAs({ granted: lasting, token });
    const who = somebody();
    const client = await place.client(oauth({ callback: who.callback }));
    place.withdraw();
    await client.callTool('echo', { message: 'x' });
    await client.close();
    expect(who.pages.map(({ searchParams }) => searchParams.get('client_id'))).toEqual(['client-1', 'client-2']);
  });

  it('sends nobody back: the next login is as somebody new', async () => {
    const place = fakeAs();
    const store = memoryTokens();
    const again = async (who = somebody()) => {
      await store.set(key, undefined);
      const login = oauth({ callback: who.callback, store });
      const error = causeOf(place.client(login).then((client) => client.close()));
      await vi.waitFor(() => expect(who.pages).toHaveLength(1));
      if (who.now.away > 0) login.cancel();
      await error;
      return who.pages[0]?.searchParams.get('client_id');
    };
    expect(await again()).toBe('client-1');
    expect(await again(somebody(() => NEVER))).toBe('client-1');
    expect(await again()).toBe('client-2');
  });
});

describe('several servers of one authorization server', () => {
  it('are logged in to at the same time, and each token is renewed by whom it was given to (AUTHC-25)', async () => {
    const place = fakeAs({ granted: lasting });
    const store = memoryTokens();
    const one = await place.client(oauth({ callback: somebody().callback, store }));
    // Another place to come back to, as the first one was taken.
    const who = somebody(loggedIn, 'http://127.0.0.1:9/callback');
    const other = fakeAs({ places: { [`${issuer}/register`]: () => json({ client_id: 'other' }, 201) } });
    const kept = await store.get(key);
    await store.set(key, undefined);
    await (await other.client(oauth({ callback: who.callback, store }))).close();
    expect(await store.get(key)).toMatchObject({ clientId: 'other' });
    await store.set(key, kept);
    vi.setSystemTime(Date.now() + hour);
    await one.callTool('echo', { message: 'x' });
    await one.close();
    expect(place.asked.filter(isRefresh).map(({ parameters }) => parameters['client_id'])).toEqual(['client-1']);
  });

  it('who know a client by no name of theirs: only the first one is shown its secret (AUTHC-25, AUTHC-26)', async () => {
    const moved = 'https://moved.example';
    const metadata = () => json({ issuer: moved, token_endpoint: `${moved}/token` });
    const places = { [`${moved}/.well-known/oauth-authorization-server`]: metadata };
    const other = 'https://mcp.example/other';
    const place = fakeAs({
      places: {
        ...places,
        [other]: () => ({ status: 401, headers: { 'www-authenticate': 'Bearer' } }),
        'https://mcp.example/.well-known/oauth-protected-resource/other': () =>
          json({ resource: other, authorization_servers: [moved] }),
      },
    });
    const login = clientCredentials({ client: { clientId: 'program', clientSecret: 'hush' } });
    const ends = [server, other].map((url) => causeOf(open(remote(url, { auth: login, carrier: place.carrier }))));
    const [good, bad] = await Promise.all(ends);
    const errors = [good, bad].filter((end) => end instanceof LoginFailed);
    expect(errors).toMatchObject([{ stage: 'registration' }]);
    expect(place.calls.filter(({ method, url }) => method === 'POST' && url === `${moved}/token`)).toHaveLength(0);
  });
});

describe('a client that somebody had to be asked for', () => {
  it('is asked for once, and known when a token is to be renewed', async () => {
    const place = fakeAs({ granted: lasting, metadata: { registration_endpoint: undefined } });
    const ask = vi.fn(() => Promise.resolve({ clientId: 'told', clientSecret: 'hush' }));
    const store = memoryTokens();
    const dial = () => place.client(oauth({ callback: somebody().callback, client: { ask }, store }));
    await (await dial()).close();
    vi.setSystemTime(Date.now() + hour);
    await (await dial()).close();
    await store.set(key, undefined);
    await (await dial()).close();
    expect(ask).toHaveBeenCalledTimes(1);
    expect(place.asked.map(({ parameters }) => parameters['grant_type'])).toEqual([
      'authorization_code',
      'refresh_token',
      'authorization_code',
    ]);
  });
});

describe('two who share a store', () => {
  it('are not taken for each other where they are known by different names', async () => {
    const place = fakeAs();
    const store = memoryTokens();
    const ids = ['ada', 'bob'];
    for (const clientId of ids) {
      const login = clientCredentials({ client: { clientId, clientSecret: 'hush' }, store });
      await (await place.client(login)).close();
    }
    expect(place.asked.map(({ headers }) => atob((headers['authorization'] ?? '').slice(6)))).toEqual([
      'ada:hush',
      'bob:hush',
    ]);
    const seen = place.knocks().map(({ headers }) => headers['authorization']);
    expect(new Set(seen.slice(2))).toEqual(new Set([undefined, 'Bearer access-token-1']));
  });

  it('forget what was there before this run of the program, too', async () => {
    const store = memoryTokens();
    const place = fakeAs();
    await (await place.client(oauth({ callback: somebody().callback, store }))).close();
    await oauth({ callback: somebody().callback, store }).logout(`${server}#top`);
    expect(await store.get(key)).toBeUndefined();
  });
});

describe('somebody who says no', () => {
  const denied = (page: URL) => ({ error: 'access_denied', state: page.searchParams.get('state') ?? '' });

  it('to a server of the oldest kind is not asked again by restart', async () => {
    const place = fakeAs();
    const who = somebody(denied);
    const login = oauth({ callback: who.callback });
    const { seen } = follow(
      connect(sse(server, { auth: login, carrier: place.carrier })).pipe(restart({ initialMs: 1 })),
    );
    await vi.waitFor(() => expect(seen.error).toMatchObject({ cause: { code: 'access_denied' } }));
    expect(who.pages).toHaveLength(1);
  });

  it('is what the failure is due to, where only the oldest transport asks', async () => {
    const place = fakeAs({ judge: () => ({ status: 404 }) });
    const who = somebody(denied);
    const auth = oauth({ callback: who.callback });
    // Posts are not known here; the stream wants a login.
    const carrier: Carrier = (call, sink) =>
      place.carrier(call.url === server && call.method === 'POST' ? { ...call, url: `${issuer}/nothing` } : call, sink);
    const error = await causeOf(open(remote(server, { auth, carrier })));
    expect(error).toMatchObject({ code: 'access_denied' });
    expect(who.pages).toHaveLength(1);
  });
});

describe('nobody is asked', () => {
  it('to log in for a goodbye', async () => {
    const gone = fakeAs();
    let known = true;
    const carrier: Carrier = (call, sink) => {
      const body = call.body ?? '{}';
      if (call.url !== server) return gone.carrier(call, sink);
      queueMicrotask(() => {
        const { id, method } = JSON.parse(body) as { id?: number; method?: string };
        const isIn = known && call.headers['authorization'] !== undefined;
        const opens = isIn && method === 'initialize';
        sink.head(isIn ? (opens ? 200 : call.method === 'GET' ? 405 : 202) : 401, (name) =>
          name === 'content-type' ? 'application/json' : name === 'mcp-session-id' ? 's' : undefined,
        );
        if (opens) sink.text(JSON.stringify({ jsonrpc: '2.0', id, result: shaken('2025-11-25') }));
        sink.end();
      });
      return () => undefined;
    };
    const who = somebody();
    const auth = oauth({ callback: who.callback });
    const client = await open(remote(server, { auth, carrier }), { revisions: ['2025-11-25'] });
    expect(who.pages).toHaveLength(1);
    known = false;
    await client.close();
    expect(who.pages).toHaveLength(1);
  });
});

describe('what a server says of itself', () => {
  const root = 'https://mcp.example';
  const metadataUrl = `${root}/.well-known/oauth-authorization-server`;

  it('may end its own name in a slash, where it says nothing else (2025-03-26, AUTHC-12)', async () => {
    const metadata = {
      issuer: `${root}/`,
      authorization_endpoint: `${root}/authorize`,
      token_endpoint: `${issuer}/token`,
      registration_endpoint: `${issuer}/register`,
      code_challenge_methods_supported: ['S256'],
      revocation_endpoint: null,
    };
    const place = fakeAs({ resource: 'silent', challenge: 'Bearer', places: { [metadataUrl]: () => json(metadata) } });
    const login = oauth({ callback: somebody().callback });
    await (await place.client(login)).close();
    expect(place.asked).toHaveLength(1);
    await login.logout(server);
  });

  it.each([
    ['is not there although it was named', notFound, undefined],
    ['is not to be had now', { status: 429 }, true],
  ] as const)('is no reason to take it for one of 2025-03-26: %s (AUTHC-13)', async (_, reply, passing) => {
    const named = `${root}/.well-known/oauth-protected-resource/mcp`;
    const place = fakeAs({ resource: 'silent', places: { [named]: () => reply } });
    const error = await causeOf(place.client(oauth({ callback: somebody().callback })));
    expect(error).toMatchObject({ stage: 'discovery' });
    expect(error instanceof LoginFailed && error.passing).toBe(passing);
    expect(place.looked()).not.toContain(metadataUrl);
  });

  it('names no scopes: those that it gives then are not replaced by offline_access alone (AUTHC-27)', async () => {
    const who = somebody();
    const place = fakeAs({ metadata: { scopes_supported: ['read', 'offline_access'] } });
    await (await place.client(oauth({ callback: who.callback }))).close();
    expect(who.pages[0]?.searchParams.get('scope')).toBeNull();
  });
});

describe('an authorization server that takes its time', () => {
  it('does not make a server seem old: no clock of the connection runs', async () => {
    vi.useRealTimers();
    vi.useFakeTimers();
    const slow = (reply: Reply | undefined): Promise<Reply | undefined> =>
      new Promise((resolve) => setTimeout(() => resolve(reply), 8_000));
    const place = fakeAs({
      token: () => slow(undefined),
      places: {
        'https://mcp.example/.well-known/oauth-protected-resource/mcp': async () =>
          (await slow(json({ resource: server, authorization_servers: [issuer] }))) ?? notFound,
      },
    });
    const auth = clientCredentials({ client: { clientId: 'program', clientSecret: 'hush' } });
    const dialled = open(remote(server, { auth, carrier: place.carrier }));
    await vi.advanceTimersByTimeAsync(20_000);
    const client = await dialled;
    expect(client.revision).toBe('2026-07-28');
    expect(place.asked).toHaveLength(1);
    await client.close();
  });
});

describe('a renewal', () => {
  it('does not wait for whoever is logging in for something else: the token that there is may well do', async () => {
    vi.useRealTimers();
    vi.useFakeTimers();
    const place = fakeAs({ granted: lasting });
    const store = memoryTokens();
    const client = await place.client(oauth({ callback: somebody().callback, store }));
    vi.setSystemTime(Date.now() + hour - 20_000);
    const elsewhere = store.lock(key).subscribe();
    const call = client.callTool('echo', { message: 'x' });
    await vi.advanceTimersByTimeAsync(2_000);
    await call;
    expect(place.asked.filter(isRefresh)).toEqual([]);
    elsewhere.unsubscribe();
    await client.callTool('echo', { message: 'x' });
    expect(place.asked.filter(isRefresh)).toHaveLength(1);
    await client.close();
  });
});

describe('a place for tokens that cannot be used', () => {
  it('is said to be so, and not tried again and again', async () => {
    const place = fakeAs();
    const broken = new Misconfigured({ message: 'tokens.json does not hold tokens' });
    const store = { ...memoryTokens(), get: () => Promise.reject(broken) };
    const auth = oauth({ callback: somebody().callback, store });
    const { seen } = follow(connect(remote(server, { auth, carrier: place.carrier })).pipe(restart({ initialMs: 1 })));
    await vi.waitFor(() => expect(seen.error).toMatchObject({ message: broken.message, cause: broken }));
    expect(place.calls).toEqual([]);
  });
});

describe('what a refusal says', () => {
  it('is for people, whatever somebody comes back with', async () => {
    const error = `\u001b[2J${'x'.repeat(500)}`;
    const who = somebody((page) => ({ error, state: page.searchParams.get('state') ?? '' }));
    const failure = await causeOf(fakeAs().client(oauth({ callback: who.callback })));
    const { message } = failure instanceof LoginFailed ? failure : { message: '' };
    expect(message).toContain('\\u001b[');
    expect(message.length).toBeLessThan(300);
  });
});
