/** Who may come back from a login, and what they are shown: advisories of other implementations. */
import fc from 'fast-check';
import { Subject } from 'rxjs';
import { LoginFailed, oauth, type Callback } from 'rxmcp/auth';
import { loopback } from 'rxmcp/node';
import { afterEach, describe, expect, it } from 'vitest';
import { leavesNothing } from '../behaviour/leaks.ts';
import { causeOf, fakeAs, loggedIn, somebody, textOf } from '../auth/fake-as.ts';
import { next } from '../node/next.ts';
import { holds } from '../transport/http/desk.ts';

// Of all together, as Node closes connections some turns later.
leavesNothing('all');
const open: { unsubscribe: () => void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.unsubscribe();
});

/** Goes where a browser would; its connection is not kept. */
const browse = async (url: string, method = 'GET') => {
  const answer = await fetch(url, { method, headers: { connection: 'close' } });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
};

/** A place to come back to. */
const placed = async (): Promise<Callback> => {
  const places = new Subject<Callback>();
  const place = next(places);
  open.push(loopback({ onUrl: () => undefined })([]).subscribe(places));
  return place;
};

describe('CVE-2025-62800: the page that somebody comes back to', () => {
  const hostile = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "';alert(1);//",
    'javascript:alert(1)',
    '</title></style><svg onload=alert(1)>',
    '{{7*7}}${7*7}',
    '\r\nset-cookie: a=b\r\n\r\n<b>',
  ];
  const names = ['code', 'error', 'error_description', 'error_uri', 'iss', 'scope', 'client_name', hostile[0] ?? ''];

  it('CVE-2025-62800: is one of a few that never change, whatever comes along (SEC-09)', async () => {
    const callback = await placed();
    const bare = await browse(callback.redirectUri);
    let made = 0;
    const known = async (query: Record<string, string>) => {
      made += 1;
      const state = `s${String(made)}`;
      open.push(callback.visit(new URL(`https://auth.example/?state=${state}`)).subscribe({ error: () => undefined }));
      return browse(`${callback.redirectUri}?${new URLSearchParams({ ...query, state }).toString()}`);
    };
    const [success, failure] = [(await known({ code: 'c' })).text, (await known({ error: 'access_denied' })).text];
    const pages = new Set([bare.text, success, failure]);
    expect(pages.size).toBe(3);
    const value = fc.oneof(fc.constantFrom(...hostile), fc.string());
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), value), fc.boolean(), async (query, awaited) => {
        const parameters = new URLSearchParams({ ...query, state: hostile[0] ?? '' });
        const page = awaited ? await known(query) : await browse(`${callback.redirectUri}?${parameters.toString()}`);
        expect(pages).toContain(page.text);
        expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'unsafe-inline'$/);
        expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
        expect(page.headers.get('x-content-type-options')).toBe('nosniff');
        expect(page.headers.get('set-cookie')).toBeNull();
        expect(page.headers.get('location')).toBeNull();
      }),
      { numRuns: 60 },
    );
    for (const page of pages) expect(page).not.toMatch(/<script|<form|<a\b|\bon[a-z]+=|https?:/i);
  });

  it.each(['/<script>alert(1)</script>', '/callback/%3Cscript%3E', '//evil.example/callback', '/callback%00'])(
    'CVE-2025-62800: nor is it anywhere else: %s',
    async (path) => {
      const callback = await placed();
      const page = await browse(`${new URL(callback.redirectUri).origin}${path}`);
      expect(page.status).toBe(404);
      expect(page.text).toBe((await browse(callback.redirectUri)).text);
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    },
  );
});

describe("CVE-2026-27124: a code of somebody else's login", () => {
  /** A login of ours that is under way, with a loopback to come back to. */
  const underWay = async () => {
    const as = fakeAs();
    const urls: string[] = [];
    const auth = oauth({ callback: loopback({ onUrl: (url) => void urls.push(url) }) });
    const connecting = as.client(auth);
    await holds(() => urls.length > 0);
    const page = new URL(urls[0] ?? '');
    const back = (query: Record<string, string>, method = 'GET', more = '') =>
      browse(`${page.searchParams.get('redirect_uri') ?? ''}?${new URLSearchParams(query).toString()}${more}`, method);
    return { as, auth, connecting, back, state: page.searchParams.get('state') ?? '' };
  };

  it('CVE-2026-27124: ends nothing at our callback, and is redeemed nowhere (AUTHC-38)', async () => {
    const { as, connecting, back, state } = await underWay();
    expect(state).toMatch(/^[\w-]{32,}$/);
    for (const query of [
      { code: 'of-mallory' },
      { code: 'of-mallory', state: '' },
      { code: 'of-mallory', state: 'of-mallory' },
      { code: 'of-mallory', state: state.toUpperCase() },
      { code: 'of-mallory', state: `${state} ` },
      { code: 'of-mallory', state: state.slice(0, -1) },
      { error: 'access_denied' },
      { error: 'access_denied', state: 'of-mallory' },
    ])
      expect((await back(query)).status).toBe(400);
    // Nor does a form of a hostile page.
    expect((await back({ code: 'of-mallory', state }, 'POST')).status).toBe(405);
    expect(as.asked).toEqual([]);
    expect((await back({ code: 'of-ann', state })).status).toBe(200);
    const client = await connecting;
    expect(as.asked.map(({ parameters }) => parameters['code'])).toEqual(['of-ann']);
    await client.close();
  });

  it('CVE-2026-27124: is not taken beside another, or with two states: nobody guesses', async () => {
    const { as, auth, connecting, back, state } = await underWay();
    for (const more of ['code=of-mallory&code=of-ann', 'code=of-ann&state=of-mallory'])
      expect((await back({ state }, 'GET', `&${more}`)).status).toBe(400);
    const failed = causeOf(connecting);
    auth.cancel();
    expect(await failed).toBeInstanceOf(LoginFailed);
    expect(as.asked).toEqual([]);
  });

  it('CVE-2026-27124: nor is the state of a login that is over (AUTHC-38)', async () => {
    const { as, connecting, back, state } = await underWay();
    await back({ code: 'of-ann', state });
    const client = await connecting;
    await expect(back({ code: 'of-mallory', state })).rejects.toThrow();
    expect(as.asked).toHaveLength(1);
    await client.close();
  });

  it.each<[string, (page: URL) => Readonly<Record<string, string>>]>([
    ['no state', () => ({ code: 'of-mallory' })],
    ['an empty one', () => ({ code: 'of-mallory', state: '' })],
    ['another one', () => ({ code: 'of-mallory', state: 'of-mallory' })],
    ['one that is cut short', (page) => ({ ...loggedIn(page), state: loggedIn(page)['state']?.slice(1) ?? '' })],
    ["somebody else's issuer", (page) => ({ ...loggedIn(page), iss: 'https://evil.example' })],
  ])(
    'CVE-2026-27124: is refused from a callback that knows nothing of states, with %s (AUTHC-38, -40)',
    async (_, back) => {
      const as = fakeAs();
      const error = await causeOf(as.client(oauth({ callback: somebody(back).callback })));
      expect(error).toMatchObject({ _tag: 'LoginFailed', stage: 'authorization' });
      expect(textOf(error)).not.toContain('of-mallory');
      expect(as.asked).toEqual([]);
    },
  );

  it('CVE-2026-27124: is of no use even so: what proves whose login it was never leaves us (AUTHC-35)', async () => {
    const as = fakeAs();
    const pages = await Promise.all(
      [somebody(), somebody()].map(async ({ callback, pages: shown }) => {
        const client = await as.client(oauth({ callback }));
        await client.close();
        return shown[0];
      }),
    );
    const [one, two] = as.asked.map(({ parameters }) => parameters['code_verifier'] ?? '');
    expect(one).toMatch(/^[\w-]{43,128}$/);
    expect(one).not.toBe(two);
    for (const page of pages)
      expect([page?.href.includes(one ?? ''), page?.href.includes(two ?? '')]).toEqual([false, false]);
    expect(pages[0]?.searchParams.get('state')).not.toBe(pages[1]?.searchParams.get('state'));
  });
});
