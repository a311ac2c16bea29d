/** Tokens are had once for all who need them, kept fresh, and asked for no more often than does any good. */
import { connect, remote, type OpenClient } from 'rxmcp';
import { clientCredentials, LoginFailed, memoryTokens, oauth, type OauthOptions } from 'rxmcp/auth';
import { decodeJwt } from 'jose';
import { lastValueFrom, NEVER, Subject, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { leavesNothing } from '../behaviour/leaks.ts';
import {
  causeOf,
  fakeAs,
  issuer,
  json,
  loggedIn,
  metadataOf,
  refusal,
  server,
  somebody,
  stepsOf,
  textOf,
} from './fake-as.ts';
import type { Asked, FakeAs, FakeOptions, Reply } from './fake-as.ts';

const hour = 3_600_000;
const key = `token ${server}`;

leavesNothing();
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

/** Somebody who is logged in already. */
const arrived = async (options: FakeOptions = {}, more: Partial<OauthOptions> = {}) => {
  const place = fakeAs(options);
  const who = somebody();
  const login = oauth({ callback: who.callback, ...more });
  const steps = stepsOf(login);
  const client = await place.client(login);
  return { place, who, login, steps, client };
};

const echo = (client: OpenClient, message = 'x'): Promise<unknown> => client.callTool('echo', { message });
const fifty = (client: OpenClient): Promise<unknown> =>
  Promise.all(Array.from({ length: 50 }, (_, index) => echo(client, String(index))));
const grants = ({ asked }: FakeAs) => asked.map(({ parameters }) => parameters['grant_type']);
const isRefresh = ({ parameters }: Asked): boolean => parameters['grant_type'] === 'refresh_token';
const lasting = { refresh_token: 'refresh-0' };

describe('a token', () => {
  it('goes with every request to its server, in the header alone, and nowhere else (AUTHC-43, AUTHC-44)', async () => {
    const { place, client } = await arrived();
    await echo(client);
    await client.close();
    const [first, ...later] = place.knocks();
    expect(first?.headers['authorization']).toBeUndefined();
    expect(later.length).toBeGreaterThan(1);
    for (const { headers } of later) expect(headers['authorization']).toBe('Bearer access-token-0');
    const elsewhere = place.calls.filter(({ url }) => url !== server);
    expect(JSON.stringify(elsewhere)).not.toContain('access-token');
    for (const { url } of place.calls) expect(url).not.toContain('access-token');
  });

  it('is asked for once, however many want it (fifty clients)', async () => {
    const place = fakeAs();
    const who = somebody();
    const login = oauth({ callback: who.callback });
    const clients = await Promise.all(Array.from({ length: 50 }, () => place.client(login)));
    await Promise.all(clients.map((client) => client.close()));
    expect(who.pages).toHaveLength(1);
    expect(place.asked).toHaveLength(1);
  });

  it('is kept: who has logged in before is not asked again (AUTHC-47)', async () => {
    const store = memoryTokens();
    const { client } = await arrived({}, { store });
    await client.close();
    const kept = await store.get(key);
    expect(kept).toMatchObject({ issuer, resource: server, accessToken: 'access-token-0' });
    const place = fakeAs();
    const who = somebody();
    await causeOf(place.client(oauth({ callback: who.callback, store })));
    // The other server has never heard of this token, which it was shown all the same.
    expect(place.knocks()[0]?.headers['authorization']).toBe('Bearer access-token-0');
  });

  it('is not one that was kept in another form', async () => {
    const store = memoryTokens();
    await store.set(key, { accessToken: 7 });
    const { client, who } = await arrived({}, { store });
    await client.close();
    expect(who.pages).toHaveLength(1);
  });

  it('fails the request where it is refused as soon as it was given', async () => {
    const place = fakeAs({ judge: () => ({ status: 401, headers: { 'www-authenticate': 'Bearer' } }) });
    const who = somebody();
    const error = await causeOf(place.client(oauth({ callback: who.callback })));
    expect(error).toMatchObject({ stage: 'token', message: expect.stringContaining('refuses the token') });
    expect(who.pages).toHaveLength(1);
    expect(textOf(error)).not.toContain('access-token');
  });

  it('leaves alone what no token could help', async () => {
    let forbidden = false;
    const judge = (): Reply | undefined => (forbidden ? { status: 403, body: 'go away' } : undefined);
    const { client, who } = await arrived({ judge });
    forbidden = true;
    expect(await causeOf(echo(client))).toMatchObject({ status: 403 });
    await client.close();
    expect(who.pages).toHaveLength(1);
  });
});

describe('a proof of possession (XAUTH-20)', () => {
  const nonces = ({ knocks }: FakeAs) =>
    knocks().flatMap(({ headers: { dpop } }) => (dpop === undefined ? [] : [decodeJwt(dpop)['nonce']]));

  it('holds what the server said last, be it with an answer, and after the token has been renewed', async () => {
    let said: Reply | undefined;
    const place = fakeAs({
      dpop: true,
      challenge: 'DPoP',
      granted: { refresh_token: 'again' },
      judge: () => {
        const once = said;
        said = undefined;
        return once;
      },
    });
    const client = await place.client(oauth({ callback: somebody().callback }));
    await echo(client);
    expect(nonces(place)).toEqual([undefined, 'mcp', 'mcp']);
    said = { status: 500, headers: { 'dpop-nonce': 'next' } };
    await causeOf(echo(client));
    vi.setSystemTime(Date.now() + hour);
    await echo(client);
    // It has changed its mind once more.
    expect(nonces(place).slice(3)).toEqual(['mcp', 'next', 'mcp']);
    await client.close();
  });
});

describe('renewing', () => {
  it('is done once before a token expires, however many use it', async () => {
    const { place, client, steps, who } = await arrived({ granted: lasting });
    vi.setSystemTime(Date.now() + hour - 20_000);
    await fifty(client);
    await client.close();
    expect(grants(place)).toEqual(['authorization_code', 'refresh_token']);
    expect(place.asked[1]?.parameters).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'refresh-0',
      client_id: 'client-1',
      resource: server,
    });
    expect(steps.filter(({ kind }) => kind === 'token')).toMatchObject([{ by: 'login' }, { by: 'refresh' }]);
    expect(who.pages).toHaveLength(1);
  });

  it('is not done before it is time', async () => {
    const { place, client } = await arrived({ granted: lasting });
    vi.setSystemTime(Date.now() + hour - 40_000);
    await fifty(client);
    await client.close();
    expect(grants(place)).toEqual(['authorization_code']);
  });

  it('is done once where a token is refused, however many were', async () => {
    const { place, client, who } = await arrived({ granted: lasting });
    place.withdraw();
    await fifty(client);
    await client.close();
    expect(grants(place)).toEqual(['authorization_code', 'refresh_token']);
    expect(who.pages).toHaveLength(1);
  });

  it('is done with what was given last, which another token replaces (rotation)', async () => {
    let count = 0;
    const { place, client, who } = await arrived({
      granted: () => ({ refresh_token: `refresh-${String(count++)}` }),
      token: (asked) =>
        isRefresh(asked) && asked.parameters['refresh_token'] !== `refresh-${String(count - 1)}`
          ? refusal('invalid_grant', 'used already')
          : undefined,
    });
    for (let times = 0; times < 3; times += 1) {
      vi.setSystemTime(Date.now() + hour);
      await echo(client);
    }
    await client.close();
    const sent = place.asked.filter(isRefresh).map(({ parameters }) => parameters['refresh_token']);
    expect(sent).toEqual(['refresh-0', 'refresh-1', 'refresh-2']);
    expect(who.pages).toHaveLength(1);
  });

  it('is done with the same again, where nothing replaces it', async () => {
    const { place, client, who } = await arrived({ granted: (asked) => (isRefresh(asked) ? {} : lasting) });
    for (let times = 0; times < 3; times += 1) {
      vi.setSystemTime(Date.now() + hour);
      await echo(client);
    }
    await client.close();
    const sent = place.asked.filter(isRefresh).map(({ parameters }) => parameters['refresh_token']);
    expect(sent).toEqual(['refresh-0', 'refresh-0', 'refresh-0']);
    expect(who.pages).toHaveLength(1);
  });

  it('asks somebody where it is not possible any more, once (AUTHC-48)', async () => {
    const token = (asked: Asked): Reply | undefined => (isRefresh(asked) ? refusal('invalid_grant') : undefined);
    const { place, client, who } = await arrived({ granted: lasting, token });
    place.withdraw();
    await fifty(client);
    await client.close();
    expect(grants(place)).toEqual(['authorization_code', 'refresh_token', 'authorization_code']);
    expect(who.pages).toHaveLength(2);
  });

  it('asks nobody for a token that is about to expire: the server may still take it (AUTHC-48)', async () => {
    const { client, who, place } = await arrived();
    vi.setSystemTime(Date.now() + hour);
    await fifty(client);
    await client.close();
    expect(who.pages).toHaveLength(1);
    expect(place.asked).toHaveLength(1);
  });

  it('is tried again later where nobody answers, and nobody is asked meanwhile', async () => {
    let down = true;
    const token = (asked: Asked): Reply | undefined => (isRefresh(asked) && down ? { status: 503 } : undefined);
    const { place, client, who } = await arrived({ granted: lasting, token });
    vi.setSystemTime(Date.now() + hour - 20_000);
    await echo(client);
    down = false;
    await echo(client);
    await client.close();
    expect(grants(place)).toEqual(['authorization_code', 'refresh_token', 'refresh_token']);
    expect(who.pages).toHaveLength(1);
  });

  it('asks for no more scopes than were asked for before', async () => {
    const { client, who, place, steps } = await arrived(
      { granted: lasting, challenge: 'Bearer scope="a"', resource: { scopes_supported: ['a', 'b', 'c'] } },
      {},
    );
    vi.setSystemTime(Date.now() + hour);
    await echo(client);
    await client.close();
    expect(grants(place)).toEqual(['authorization_code', 'refresh_token']);
    expect(who.pages).toHaveLength(1);
    expect(steps.filter(({ kind }) => kind === 'discovered')).toMatchObject([{ scopes: ['a'] }, { scopes: ['a'] }]);
    expect(steps.filter(({ kind }) => kind === 'token')).toMatchObject([{ scopes: ['a'] }, { scopes: ['a'] }]);
  });

  it('is done only where the token is from (AUTHC-07, AUTHC-25, AUTHC-44)', async () => {
    const moved = 'https://moved.example';
    const store = memoryTokens();
    // A client whose name is the same everywhere.
    const document = { client: { metadataUrl: 'https://app.example/client.json' }, store };
    const metadata = { client_id_metadata_document_supported: true };
    const { client } = await arrived({ granted: lasting, metadata }, document);
    await client.close();
    const place = fakeAs({
      at: moved,
      resource: { authorization_servers: [moved] },
      places: {
        [`${moved}/.well-known/oauth-authorization-server`]: () => json(metadataOf(moved, metadata)),
      },
    });
    const who = somebody();
    const later = await place.client(oauth({ callback: who.callback, ...document }));
    await later.close();
    expect(grants(place)).toEqual(['authorization_code']);
    expect(JSON.stringify(place.calls.filter(({ url }) => url !== server))).not.toContain('refresh-0');
    expect(await store.get(key)).toMatchObject({ issuer: moved });
  });
});

describe('two programs that share a store', () => {
  it('take what the other one has got (one asks, one waits)', async () => {
    const store = memoryTokens();
    const place = fakeAs();
    const people = [somebody(), somebody()] as const;
    const logins = people.map(({ callback }) => oauth({ callback, store }));
    const steps = logins.map(stepsOf);
    const clients = await Promise.all(logins.map((login) => place.client(login)));
    await Promise.all(clients.map((client) => client.close()));
    expect(people.map(({ pages }) => pages.length).sort()).toEqual([0, 1]);
    expect(place.asked).toHaveLength(1);
    expect(steps.flat().filter(({ kind }) => kind === 'waiting')).toHaveLength(1);
  });

  it('renew it once', async () => {
    const store = memoryTokens();
    const place = fakeAs({ granted: lasting });
    const logins = [somebody(), somebody()].map(({ callback }) => oauth({ callback, store }));
    const clients = await Promise.all(logins.map((login) => place.client(login)));
    vi.setSystemTime(Date.now() + hour);
    await Promise.all(clients.map(fifty));
    await Promise.all(clients.map((client) => client.close()));
    expect(grants(place)).toEqual(['authorization_code', 'refresh_token']);
  });

  it("are in nobody's way once they have given up", async () => {
    const store = memoryTokens();
    const place = fakeAs();
    const away = somebody(() => NEVER);
    const one = oauth({ callback: away.callback, store });
    const failing = causeOf(place.client(one));
    await vi.waitFor(() => expect(away.pages).toHaveLength(1));
    const who = somebody();
    const other = place.client(oauth({ callback: who.callback, store }));
    await vi.waitFor(() => expect(place.knocks()).toHaveLength(2));
    expect(who.pages).toEqual([]);
    one.cancel();
    expect(await failing).toBeInstanceOf(LoginFailed);
    await (await other).close();
    expect(who.pages).toHaveLength(1);
  });
});

describe('a server that wants more for one operation', () => {
  /** Wants more for tools than what the first token has been asked for with. */
  const scene = async (isEnough: (token: string) => boolean) => {
    const challenge = 'Bearer error="insufficient_scope", scope="files:write"';
    return arrived({
      challenge: 'Bearer scope="base"',
      judge: ({ headers }, token) =>
        headers['mcp-method'] !== 'tools/call' || isEnough(token)
          ? undefined
          : { status: 403, headers: { 'www-authenticate': challenge } },
    });
  };

  it('is asked with all that was asked before besides, once for all (AUTHC-29, AUTHC-30)', async () => {
    const { client, who, steps } = await scene((token) => token !== 'access-token-0');
    await fifty(client);
    await client.close();
    expect(who.pages.map(({ searchParams }) => searchParams.get('scope'))).toEqual(['base', 'base files:write']);
    expect(steps.filter(({ kind }) => kind === 'asked')).toMatchObject([
      { scopes: ['base'] },
      { scopes: ['files:write'] },
    ]);
  });

  it('is not asked again where that was no help, for this operation (AUTHC-31, SEC-26)', async () => {
    const { client, who } = await scene(() => false);
    expect(await causeOf(echo(client))).toMatchObject({
      stage: 'scope',
      message: expect.stringContaining('files:write'),
    });
    expect(who.pages).toHaveLength(2);
    expect(await causeOf(echo(client))).toMatchObject({ stage: 'scope' });
    expect(who.pages).toHaveLength(2);
    // What has nothing to do with it goes on.
    await lastValueFrom(client.listTools().pipe(toArray()));
    await client.close();
    expect(who.pages).toHaveLength(2);
  });
});

describe('giving up', () => {
  it('is possible while somebody is asked: all who wait fail, and nothing is left', async () => {
    const place = fakeAs();
    const who = somebody(() => NEVER);
    const login = oauth({ callback: who.callback });
    const steps = stepsOf(login);
    const waiting = [causeOf(place.client(login)), causeOf(place.client(login))];
    await vi.waitFor(() => expect(who.pages).toHaveLength(1));
    expect(who.now).toEqual({ places: 1, away: 1 });
    login.cancel();
    for (const error of await Promise.all(waiting)) {
      expect(error).toBeInstanceOf(LoginFailed);
      expect(error).toMatchObject({ stage: 'authorization', message: expect.stringContaining('cancelled') });
    }
    expect(who.now).toEqual({ places: 0, away: 0 });
    expect(steps.at(-1)).toMatchObject({ kind: 'failed' });
    expect(place.asked).toEqual([]);
  });

  it('is unsubscribing, and done once nobody waits any more', async () => {
    const place = fakeAs();
    const store = memoryTokens();
    const who = somebody(() => NEVER);
    const login = oauth({ callback: who.callback, store });
    const dial = () => connect(remote(server, { auth: login, carrier: place.carrier })).subscribe();
    const [one, other] = [dial(), dial()];
    await vi.waitFor(() => expect(who.now.away).toBe(1));
    one.unsubscribe();
    expect(who.now).toEqual({ places: 1, away: 1 });
    other.unsubscribe();
    expect(who.now).toEqual({ places: 0, away: 0 });
    // Nobody holds the lock any more.
    const states: string[] = [];
    store
      .lock(key)
      .subscribe((state) => states.push(state))
      .unsubscribe();
    expect(states).toEqual(['held']);
    expect(await store.get(key)).toBeUndefined();
  });

  it('gives up a request to the authorization server as well', async () => {
    const answer = new Promise<Reply>(() => undefined);
    const place = fakeAs({ token: () => answer });
    const aborted: string[] = [];
    const carrier: typeof place.carrier = (call, sink) => {
      const abort = place.carrier(call, sink);
      return () => {
        aborted.push(call.url);
        abort();
      };
    };
    const login = clientCredentials({ client: { clientId: 'program', clientSecret: 'secret' } });
    const dialling = connect(remote(server, { auth: login, carrier })).subscribe();
    await vi.waitFor(() => expect(place.asked).toHaveLength(1));
    dialling.unsubscribe();
    expect(aborted).toContain(`${issuer}/token`);
  });
});

describe('while somebody is asked', () => {
  it('no call is late, and afterwards clocks run on', async () => {
    vi.useRealTimers();
    vi.useFakeTimers();
    const back$ = new Subject<URLSearchParams>();
    const place = fakeAs();
    const who = somebody((page) => (who.pages.length === 1 ? loggedIn(page) : back$));
    const login = oauth({ callback: who.callback });
    const client = await place.client(login);
    place.withdraw();
    const answer = client.callTool('echo', { message: 'patient' }, { idleMs: 1_000 });
    const settled = vi.fn();
    void answer.then(settled, settled);
    await vi.waitFor(() => expect(who.now.away).toBe(1));
    await vi.advanceTimersByTimeAsync(600_000);
    expect(settled).not.toHaveBeenCalled();
    const [, page = new URL(server)] = who.pages;
    back$.next(new URLSearchParams(loggedIn(page)));
    expect(await answer).toMatchObject({ content: [{ text: 'patient' }] });
    await client.close();
  });
});
