/** Somebody logs in at the authorization server, and comes back with a code. */
import { calculatePKCECodeChallenge } from 'oauth4webapi';
import { oauth, type OauthOptions } from 'rxmcp/auth';
import { throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { leavesNothing } from '../behaviour/leaks.ts';
import { causeOf, fakeAs, issuer, json, loggedIn, refusal, server, somebody, stepsOf, textOf } from './fake-as.ts';
import type { FakeOptions } from './fake-as.ts';

leavesNothing();

type Somebody = ReturnType<typeof somebody>;

/** Somebody who has logged in. */
const arrived = async (options: FakeOptions = {}, who: Somebody = somebody(), more: Partial<OauthOptions> = {}) => {
  const place = fakeAs(options);
  const login = oauth({ callback: who.callback, ...more });
  const steps = stepsOf(login);
  const one = await place.client(login);
  await one.close();
  const [page] = who.pages;
  if (page === undefined) throw new Error('nobody was shown a page');
  return { place, page, steps, sent: Object.fromEntries(page.searchParams) };
};

/** Somebody who was not let in, and why. */
const lost = async (options: FakeOptions, who: Somebody = somebody()) => {
  const place = fakeAs(options);
  const login = oauth({ callback: who.callback });
  const steps = stepsOf(login);
  const error = await causeOf(place.client(login));
  expect(who.now).toEqual({ places: 0, away: 0 });
  expect(steps.at(-1)).toMatchObject({ kind: 'failed' });
  return { place, error, steps };
};

describe('the page that somebody is shown', () => {
  it('is told what for, from whom and where to they come back (AUTHC-32, AUTHC-35, AUTHC-36, AUTHC-38)', async () => {
    const { page, sent, steps } = await arrived();
    expect(page.origin + page.pathname).toBe(`${issuer}/authorize`);
    expect(sent).toEqual({
      response_type: 'code',
      client_id: 'client-1',
      redirect_uri: 'http://127.0.0.1:4242/callback',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      state: expect.stringMatching(/^[\w-]{43}$/),
      resource: server,
    });
    expect(steps).toContainEqual(expect.objectContaining({ kind: 'visit', url: page.href }));
  });

  it('is another one each time (AUTHC-35, AUTHC-38)', async () => {
    const [one, other] = [await arrived(), await arrived()];
    expect(one.sent['state']).not.toBe(other.sent['state']);
    expect(one.sent['code_challenge']).not.toBe(other.sent['code_challenge']);
  });

  it.each([
    ['those of the challenge', 'Bearer scope="a b"', ['c', 'd'], 'a b'],
    ['else all that are offered', 'Bearer', ['c', 'd'], 'c d'],
    ['else none', 'Bearer', undefined, undefined],
  ])('is asked for scopes: %s (AUTHC-27, AUTHC-28)', async (_, challenge, offered, scope) => {
    const { sent } = await arrived({ challenge, resource: { scopes_supported: offered } });
    expect(sent['scope']).toBe(scope);
    expect(sent['prompt']).toBeUndefined();
  });

  it.each([
    ['besides those that are named', 'Bearer scope="a"', undefined, 'x a'],
    ['instead of all that are offered', 'Bearer', ['c', 'd'], 'x'],
  ])('is asked for scopes that the user wants, %s', async (_, challenge, offered, scope) => {
    const options = { challenge, resource: { scopes_supported: offered } };
    const { sent } = await arrived(options, somebody(), { scopes: ['x'] });
    expect(sent['scope']).toBe(scope);
  });

  it('is asked for a token that lasts, where there is such a thing, and for leave to use it (AUTHC-49)', async () => {
    const { sent } = await arrived({
      challenge: 'Bearer scope="a"',
      metadata: { scopes_supported: ['openid', 'offline_access'] },
    });
    expect(sent).toMatchObject({ scope: 'a offline_access', prompt: 'consent' });
  });

  it.each([[undefined], [[]], [['plain']], [['s256']]])(
    'is not shown where codes could be stolen: %j (AUTHC-37)',
    async (methods) => {
      const who = somebody();
      const { error } = await lost({ metadata: { code_challenge_methods_supported: methods } }, who);
      expect(error).toMatchObject({ stage: 'authorization', message: expect.stringContaining('S256') });
      expect(who.pages).toEqual([]);
    },
  );

  it.each([
    'javascript:alert(1)',
    'data:text/html,hello',
    'file:///etc/passwd',
    'http://auth.example/authorize',
    'https://me:word@auth.example/authorize',
    'vscode://extension',
    undefined,
  ])('is a page: %s is not (SEC-06)', async (page) => {
    const who = somebody();
    const { error } = await lost({ metadata: { authorization_endpoint: page } }, who);
    expect(error).toMatchObject({ stage: 'authorization' });
    expect(who.pages).toEqual([]);
  });

  it('keeps what is in its address already', async () => {
    const { sent } = await arrived({ metadata: { authorization_endpoint: `${issuer}/authorize?tenant=7` } });
    expect(sent).toMatchObject({ tenant: '7', response_type: 'code' });
  });

  it('may be impossible to show, which is said', async () => {
    const who = somebody(() => throwError(() => new Error('there is no browser')));
    const { error, place } = await lost({}, who);
    expect(textOf(error)).toContain('there is no browser');
    expect(place.asked).toEqual([]);
  });
});

describe('what somebody comes back with', () => {
  it('is a code, which gets a token together with what only we know (AUTHC-32, AUTHC-35, AUTHC-36)', async () => {
    const { place, sent } = await arrived();
    expect(place.asked).toHaveLength(1);
    const { code_verifier: verifier = '', ...rest } = place.asked[0]?.parameters ?? {};
    expect(rest).toEqual({
      grant_type: 'authorization_code',
      code: 'code-1',
      redirect_uri: sent['redirect_uri'],
      client_id: 'client-1',
      resource: server,
    });
    expect(await calculatePKCECodeChallenge(verifier)).toBe(sent['code_challenge']);
    // Whoever sees the page cannot know it.
    expect(JSON.stringify(sent)).not.toContain(verifier);
  });

  it.each([
    ['another state', { code: 'stolen', state: 'other' }],
    ['no state', { code: 'stolen' }],
    ['no code', {}],
  ])('is discarded with %s (AUTHC-38)', async (_, back) => {
    const who = somebody((page) =>
      'state' in back || 'code' in back ? back : { state: loggedIn(page)['state'] ?? '' },
    );
    const { place, error } = await lost({}, who);
    expect(error).toMatchObject({ stage: 'authorization' });
    expect(place.asked).toEqual([]);
    expect(textOf(error)).not.toContain('stolen');
  });

  const says = (iss: string) => somebody((page) => ({ ...loggedIn(page), iss }));
  const advertised: FakeOptions = { metadata: { authorization_response_iss_parameter_supported: true } };

  it.each([
    ['that says who it is from', advertised, says(issuer)],
    ['that says so unannounced', {}, says(issuer)],
    ['that does not say', {}, somebody()],
  ])('is taken from an answer %s (AUTHC-39, AUTHC-40)', async (_, options, who) => {
    const { place } = await arrived(options, who);
    expect(place.issued).toHaveLength(1);
  });

  it.each([
    ['from somebody else', advertised, says('https://evil.example')],
    ['from somebody else, unannounced', {}, says('https://evil.example')],
    ['that does not say, as it should', advertised, somebody()],
    ['from almost the same: a slash', {}, says(`${issuer}/`)],
    ['from almost the same: a port', {}, says('https://auth.example:443')],
    ['from almost the same: case', {}, says('https://AUTH.example')],
    ['from almost the same: percent', {}, says('https://auth%2Eexample')],
    ['from nobody', {}, says('')],
  ])('goes nowhere out of an answer %s (AUTHC-40, AUTHC-41)', async (_, options, who) => {
    const { place, error } = await lost(options, who);
    expect(error).toMatchObject({ stage: 'authorization' });
    expect(place.asked).toEqual([]);
  });

  it('is shown where it is a refusal (AUTHC-42)', async () => {
    const no = { error: 'access_denied', error_description: 'Ada said no', iss: issuer };
    const who = somebody((page) => ({ state: loggedIn(page)['state'] ?? '', ...no }));
    const { error } = await lost(advertised, who);
    expect(error).toMatchObject({
      stage: 'authorization',
      code: 'access_denied',
      message: expect.stringContaining('Ada said no'),
    });
  });

  it('is not shown where it is a refusal by somebody else (AUTHC-42)', async () => {
    const no = { error: 'access_denied', error_description: 'call 555-0100', error_uri: 'https://evil.example/help' };
    const who = somebody((page) => ({ state: loggedIn(page)['state'] ?? '', ...no, iss: 'https://evil.example' }));
    const { error, steps } = await lost(advertised, who);
    expect(error).toMatchObject({ stage: 'authorization' });
    expect(error).not.toHaveProperty('code');
    expect(`${textOf(error)} ${JSON.stringify(steps)}`).not.toMatch(/555-0100|access_denied|help/);
  });

  it('may get nothing, and is not told to anybody then', async () => {
    const who = somebody((page) => ({ ...loggedIn(page), code: 'code-of-somebody' }));
    const { error, steps } = await lost({ token: () => refusal('invalid_grant', 'too late') }, who);
    expect(error).toMatchObject({
      stage: 'token',
      code: 'invalid_grant',
      message: expect.stringContaining('too late'),
    });
    expect(`${textOf(error)} ${JSON.stringify(steps)}`).not.toContain('code-of-somebody');
  });

  it('gets a token that is bound to our key (XAUTH-20)', async () => {
    const { place } = await arrived({ dpop: true }, somebody(), { dpop: true });
    expect(place.asked).toHaveLength(2);
    expect(place.knocks().at(-1)?.headers['authorization']).toBe('DPoP access-token-0');
  });
});

describe('a place to come back to', () => {
  it('is open for no longer than it takes', async () => {
    const who = somebody();
    const counts: number[] = [];
    await arrived(
      {
        places: {
          [`${issuer}/register`]: ({ body = '{}' }) => {
            counts.push(who.now.places);
            return json({ ...(JSON.parse(body) as object), client_id: 'c' }, 201);
          },
        },
      },
      who,
    );
    expect([...counts, who.now.places]).toEqual([1, 0]);
  });
});
