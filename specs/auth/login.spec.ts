/**
 * Logging in, end to end: our client, our server, a real authorization server (`oidc-provider`), and somebody with a real
 * browser.
 */
import { Subscription } from 'rxjs';
import { connect, open, Schema, server, tool, type OpenClient } from 'rxmcp';
import { memoryTokens, oauth, type LoginStep, type OauthOptions, type TokenStore } from 'rxmcp/auth';
import { loopback, remote } from 'rxmcp/node';
import { afterEach, expect, it, vi } from 'vitest';
import { everything } from '../../demos/everything/everything.ts';
import { leavesNothing } from '../behaviour/leaks.ts';
import { inChromium, patienceMs, windows } from '../browser/chromium.ts';
import { person, type Person } from './login-people.ts';
import { scene } from './login-scene.ts';

const revisions = ['2026-07-28', '2025-11-25'] as const;
const minutes = 60_000;

/** A store that remembers every secret that it was ever given. */
const watchedStore = (): TokenStore & { readonly secrets: () => readonly string[] } => {
  const store = memoryTokens();
  const secrets = new Set<string>();
  const gather = (value: unknown, name: string): void => {
    if (typeof value === 'string' && /token|secret|verifier/i.test(name) && value.length > 20) secrets.add(value);
    if (typeof value === 'object' && value !== null)
      for (const [key, inner] of Object.entries(value)) gather(inner, key);
  };
  return {
    ...store,
    set: (key, value) => {
      gather(value, '');
      return store.set(key, value);
    },
    secrets: () => [...secrets],
  };
};

inChromium('somebody who logs in with a browser', { timeout: patienceMs }, () => {
  // Looks before there is a browser, and after it has gone.
  leavesNothing('all');
  const visit = windows();
  const clients: OpenClient[] = [];
  afterEach(async () => {
    vi.useRealTimers();
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });

  const ada = (): Person => person(visit, 'Ada');

  /** A client of the server at this URL, and everything that its login says. */
  const arriving = (url: string, somebody: Person, store = watchedStore(), more: Pick<OauthOptions, 'dpop'> = {}) => {
    const steps: LoginStep[] = [];
    const auth = oauth({ callback: loopback({ onUrl: somebody.show }), store, client: { name: 'the spec' }, ...more });
    auth.login$.subscribe((step) => steps.push(step));
    const connected = async (revision: (typeof revisions)[number] = '2026-07-28'): Promise<OpenClient> => {
      const client = await open(remote(url, { auth }), { revisions: [revision] });
      clients.push(client);
      return client;
    };
    return { auth, steps, store, connected };
  };

  it.each(revisions)('is let in, and is known by name, at %s (AUTHC-02, -32, AUTHS-13)', async (revision) => {
    await using place = await scene();
    const somebody = ada();
    const { steps, store, connected } = arriving(place.url, somebody);
    const client = await connected(revision);
    const answer = await client.callTool('echo', { message: 'hello' });
    expect(answer).toMatchObject({ content: [{ type: 'text', text: 'hello' }] });
    await somebody.done();

    expect(steps.map(({ kind }) => kind)).toEqual(['asked', 'discovered', 'registered', 'visit', 'code', 'token']);
    expect(steps).toMatchObject([
      { scopes: ['mcp'] },
      { issuer: place.provider.issuer, resource: place.url },
      { how: 'dynamic', clientId: expect.any(String) },
      { url: somebody.shown[0], redirectUri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\//) },
      { issuer: place.provider.issuer },
      { by: 'login', renewable: true, scopes: expect.arrayContaining(['mcp']) },
    ]);
    expect(somebody.shown).toHaveLength(1);
    expect(place.provider.seen).toMatchObject({ registrations: 1, tokenRequests: { authorization_code: 1 } });
    expect(new Set(place.seen.map(({ principal }) => principal))).toEqual(new Set(['Ada']));

    // Nobody sees a token but who needs it: no handler, and no one who is shown the steps.
    const secrets = [...place.proofs, ...store.secrets()];
    expect(place.proofs.size).toBe(1);
    expect(secrets.length).toBeGreaterThan(1);
    const told = [...place.seen.map(({ text }) => text), JSON.stringify(steps)];
    for (const secret of secrets) expect(told.filter((text) => text.includes(secret))).toEqual([]);
  });

  it.each(revisions)('is what a handler calls them, at %s', async (revision) => {
    const made = server(
      { name: 'house', version: '1.0.0' },
      tool('whoami', { input: Schema.Struct({}) }, (_given, call) => call.principal ?? 'nobody'),
    );
    await using place = await scene({}, made);
    const { connected } = arriving(place.url, ada());
    const client = await connected(revision);
    expect(await client.callTool('whoami', {})).toMatchObject({ content: [{ text: 'Ada' }] });
  });

  it.each(revisions)(
    'stays logged in: fifty calls at once renew one token once, at %s (AUTHC-48)',
    async (revision) => {
      vi.useFakeTimers({ toFake: ['Date'] });
      await using place = await scene({ accessTokenSeconds: 300 });
      const somebody = ada();
      const { steps, connected } = arriving(place.url, somebody);
      const client = await connected(revision);
      await client.callTool('echo', { message: 'before' });
      vi.setSystemTime(Date.now() + 6 * minutes);

      const calls = Array.from({ length: 50 }, (_, index) => String(index));
      const answers = await Promise.all(calls.map((message) => client.callTool('echo', { message })));
      expect(answers.map(({ content: [block] }) => block)).toEqual(calls.map((text) => ({ type: 'text', text })));
      expect(place.provider.seen).toMatchObject({
        refreshes: 1,
        tokenRequests: { authorization_code: 1, refresh_token: 1 },
        failures: [],
      });
      expect(somebody.shown).toHaveLength(1);
      expect(steps.filter(({ kind }) => kind === 'token')).toMatchObject([{ by: 'login' }, { by: 'refresh' }]);
      expect(place.proofs.size).toBe(2);
    },
  );

  it.each(revisions)('stays logged in: fifty calls that are refused at once renew it once, at %s', async (revision) => {
    await using place = await scene({ format: 'opaque' });
    const somebody = ada();
    const { connected } = arriving(place.url, somebody);
    const client = await connected(revision);
    await client.callTool('echo', { message: 'before' });
    place.provider.withdraw('access');

    const calls = Array.from({ length: 50 }, (_, index) => String(index));
    const answers = await Promise.all(calls.map((message) => client.callTool('echo', { message })));
    expect(answers.map(({ content: [block] }) => block)).toEqual(calls.map((text) => ({ type: 'text', text })));
    expect(place.provider.seen).toMatchObject({ refreshes: 1, failures: [] });
    expect(somebody.shown).toHaveLength(1);
  });

  it('stays logged in where that must be asked for (AUTHC-49)', async () => {
    await using place = await scene({ refreshTokens: 'offline_access' });
    const { steps, connected } = arriving(place.url, ada());
    await connected();
    expect(steps.at(-1)).toMatchObject({ kind: 'token', renewable: true });
    expect(place.provider.seen.authorizations).toMatchObject([expect.stringContaining('offline_access')]);
  });

  it('is asked once where two clients share what is known of them', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await using place = await scene({ accessTokenSeconds: 300 });
    const somebody = ada();
    const store = watchedStore();
    const [one, other] = await Promise.all([
      arriving(place.url, somebody, store).connected(),
      arriving(place.url, somebody, store).connected(),
    ]);
    await Promise.all([one, other].map((client) => client.callTool('echo', { message: 'x' })));
    expect(somebody.shown).toHaveLength(1);
    vi.setSystemTime(Date.now() + 6 * minutes);
    await Promise.all([one, other].map((client) => client.callTool('echo', { message: 'x' })));
    expect(place.provider.seen).toMatchObject({ registrations: 1, refreshes: 1, failures: [] });
  });

  it.each(revisions)(
    'is asked again, once each, for what takes more, at %s (AUTHC-29, -30, AUTHS-07)',
    async (revision) => {
      await using place = await scene();
      const somebody = ada();
      const { steps, connected } = arriving(place.url, somebody);
      const client = await connected(revision);
      await client.callTool('echo', { message: 'x' });
      expect(place.provider.seen.authorizations.map((scope) => scope.split(' ').includes('files:read'))).toEqual([
        false,
      ]);

      expect(await client.callTool('test_simple_text', {})).toMatchObject({ content: [{ type: 'text' }] });
      expect(await client.callTool('test_image_content', {})).toMatchObject({ content: [{ type: 'image' }] });
      // What was allowed before still is: nobody is asked for it in turns.
      await client.callTool('test_simple_text', {});
      await somebody.done();
      const [, second, third, ...more] = place.provider.seen.authorizations.map((scope) => scope.split(' '));
      expect(second).toEqual(expect.arrayContaining(['mcp', 'files:read']));
      expect(second).not.toContain('files:write');
      expect(third).toEqual(expect.arrayContaining(['mcp', 'files:read', 'files:write']));
      expect(more).toEqual([]);
      expect(place.provider.seen.registrations).toBe(1);
      expect(steps.filter(({ kind }) => kind === 'asked')).toMatchObject([
        { scopes: ['mcp'] },
        { scopes: expect.arrayContaining(['files:read']) },
        { scopes: expect.arrayContaining(['files:write']) },
      ]);
      expect(place.statuses.filter((status) => status === 403)).toHaveLength(2);
    },
  );

  it.each(revisions)('who does not want that loses nothing but that call, at %s (AUTHC-30)', async (revision) => {
    await using place = await scene();
    const somebody = ada();
    const { steps, connected } = arriving(place.url, somebody);
    const client = await connected(revision);
    await client.callTool('echo', { message: 'x' });
    somebody.answer = 'refuse';

    await expect(client.callTool('test_simple_text', {})).rejects.toThrow(/access_denied|refused/i);
    expect(steps.at(-1)).toMatchObject({ kind: 'failed', message: expect.any(String) });
    expect(await client.callTool('echo', { message: 'still' })).toMatchObject({ content: [{ text: 'still' }] });
    expect(place.provider.seen.authorizations).toHaveLength(1);
  });

  it.each(revisions)(
    'whose token is withdrawn is out at once, and logs in again, at %s (AUTHS-02)',
    async (revision) => {
      await using place = await scene({ format: 'opaque' });
      const somebody = ada();
      const { steps, connected } = arriving(place.url, somebody);
      const client = await connected(revision);
      await client.callTool('echo', { message: 'x' });
      const before = place.seen.length;
      place.provider.withdraw('everything');

      expect(await client.callTool('echo', { message: 'again' })).toMatchObject({ content: [{ text: 'again' }] });
      await somebody.done();
      expect(place.statuses.filter((status) => status === 401).length).toBeGreaterThan(0);
      expect(somebody.shown).toHaveLength(2);
      expect(place.provider.seen.failures).toEqual([expect.stringMatching(/invalid_grant/)]);
      expect(steps.filter(({ kind }) => kind === 'token')).toMatchObject([{ by: 'login' }, { by: 'login' }]);
      // What was refused came to no handler.
      const calls = place.seen.slice(before).filter(({ method }) => method === 'tools/call');
      expect(calls).toMatchObject([{ principal: 'Ada' }]);
    },
  );

  it('whose token is withdrawn, and who does not want to log in again, is told so', async () => {
    await using place = await scene({ format: 'opaque' });
    const somebody = ada();
    const { connected } = arriving(place.url, somebody);
    const client = await connected();
    place.provider.withdraw('everything');
    somebody.answer = 'refuse';
    await expect(client.callTool('echo', { message: 'x' })).rejects.toThrow(/access_denied|refused/i);
  });

  /** Somebody who looks at the page, and does nothing. */
  const idle = (): { readonly looked: Promise<void> } & Pick<Person, 'show'> => {
    let seen = (): void => undefined;
    const looked = new Promise<void>((resolve) => (seen = resolve));
    return { looked, show: () => seen() };
  };

  it('who does not come back is not waited for forever', async () => {
    await using place = await scene();
    const auth = oauth({ callback: loopback({ onUrl: () => undefined, waitMs: 20 }) });
    await expect(open(remote(place.url, { auth }))).rejects.toMatchObject({
      message: expect.stringMatching(/nobody came back within 20 ms/),
      cause: { _tag: 'LoginFailed', stage: 'authorization' },
    });
    expect(place.seen).toEqual([]);
  });

  it('need not come back where the login is given up: nothing of it is left', async () => {
    await using place = await scene();
    const { looked, show } = idle();
    const auth = oauth({ callback: loopback({ onUrl: show }) });
    const kinds: string[] = [];
    auth.login$.subscribe(({ kind }) => kinds.push(kind));
    const opening = open(remote(place.url, { auth }));
    await looked;
    auth.cancel();
    await expect(opening).rejects.toThrow(/cancelled/);
    expect(kinds).toEqual(['asked', 'discovered', 'registered', 'visit', 'failed']);
  });

  it('need not come back to who has left: nothing of it is left', async () => {
    await using place = await scene();
    const { looked, show } = idle();
    const uris: string[] = [];
    const auth = oauth({ callback: loopback({ onUrl: show }) });
    auth.login$.subscribe((step) => {
      if (step.kind === 'visit') uris.push(step.redirectUri);
    });
    const connecting = connect(remote(place.url, { auth })).subscribe();
    await looked;
    connecting.unsubscribe();
    const [uri = ''] = uris;
    await expect
      .poll(() => fetch(uri).catch((error: unknown) => error))
      .toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });

  it.each(revisions)('proves with each request that the token is theirs (DPoP), at %s', async (revision) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    await using place = await scene({ dpopNonces: true, accessTokenSeconds: 300 }, everything(), {
      dpop: 'required',
      dpopNonce: true,
    });
    const { connected } = arriving(place.url, ada(), watchedStore(), { dpop: true });
    const client = await connected(revision);
    expect(await client.callTool('echo', { message: 'x' })).toMatchObject({ content: [{ text: 'x' }] });
    vi.setSystemTime(Date.now() + 6 * minutes);
    expect(await client.callTool('echo', { message: 'y' })).toMatchObject({ content: [{ text: 'y' }] });
    expect(place.provider.seen).toMatchObject({ refreshes: 1, registrations: 1 });
    expect(place.schemes).toEqual(new Set(['DPoP']));
  });

  it.each(revisions)('leaves nothing at work, at %s', async (revision) => {
    await using place = await scene();
    const client = await arriving(place.url, ada()).connected(revision);
    const working = new Subscription();
    await new Promise<void>((resolve) => {
      working.add(client.call('sleep', { ms: 60 * minutes }).subscribe(() => resolve()));
    });
    expect(place.ledger.live).toMatchObject({ 'tools/call': 1 });
    working.unsubscribe();
    await client.close();
    await place.ledger.idle();
    expect(place.ledger.live).toEqual({});
  });
});
