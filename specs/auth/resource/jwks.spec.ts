import { afterEach, describe, expect, it, vi } from 'vitest';
import { UnsecuredJWT, SignJWT, exportJWK, generateKeyPair } from 'jose';
import { Misconfigured } from 'rxmcp';
import { jwks, type JwksOptions } from 'rxmcp/auth';
import {
  admitted,
  bearing,
  claimsNow,
  guardBy,
  issuer,
  json,
  keys,
  keysFor,
  keySet,
  network,
  param,
  refused,
  resource,
  seconds,
  sign,
  type Answers,
} from './issuer.ts';

afterEach(() => {
  vi.useRealTimers();
});

const local = (options: Partial<JwksOptions> = {}) => guardBy({ verify: jwks({ issuer, keys: keySet, ...options }) });

/** The status of a token, and what is said of it. */
const verdictOn = async (token: string, guard = local()): Promise<unknown> => {
  const answer = await guard.admit(bearing(token));
  return 'status' in answer ? (param(answer, 'error_description') ?? answer.status) : 'let in';
};

describe('claims', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['another issuer', { iss: 'https://evil.example' }, 'an issuer that is not trusted'],
    ['nearly the issuer', { iss: `${issuer}/` }, 'an issuer that is not trusted'],
    ['no issuer', { iss: undefined }, 'an issuer that is not trusted'],
    ['issuers', { iss: [issuer] }, 'an issuer that is not trusted'],
    ['another audience (AUTHS-12, SEC-10)', { aud: 'https://mcp.example/other' }, 'not meant for this resource'],
    ['part of the resource', { aud: 'https://mcp.example' }, 'not meant for this resource'],
    ['the path in another case', { aud: 'https://mcp.example/MCP' }, 'not meant for this resource'],
    ['two slashes', { aud: `${resource}//` }, 'not meant for this resource'],
    ['more of a path', { aud: `${resource}/x` }, 'not meant for this resource'],
    ['no audience', { aud: undefined }, 'not meant for this resource'],
    ['no audiences', { aud: [] }, 'not meant for this resource'],
    ['a strange audience', { aud: { [resource]: true } }, 'not meant for this resource'],
    ['an end that has come', { exp: seconds() }, 'has expired'],
    ['no end', { exp: undefined }, 'does not say when it expires'],
    ['an end that is no number', { exp: '4000000000' }, 'has expired'],
    ['a beginning to come', { nbf: seconds() + 60 }, 'does not hold yet'],
    ['a beginning that is none', { nbf: 'now' }, 'does not hold yet'],
    ['a date to come', { iat: seconds() + 60 }, 'from the future'],
  ])('with %s are refused', async (_, claims, why) => {
    expect(await verdictOn(await sign(claims))).toContain(why);
  });

  it.each([
    ['the resource among others', { aud: ['https://other.example', resource] }],
    ['its host in another case, and a slash (AMB-30, AUTHS-19)', { aud: 'HTTPS://MCP.Example/mcp/' }],
    ['clocks that differ a little', { iat: seconds() + 3, nbf: seconds() + 3 }],
  ])('with %s will do', async (_, claims) => {
    expect(await verdictOn(await sign(claims))).toBe('let in');
  });

  it('may name another audience, where one was agreed on, to the letter', async () => {
    const guard = local({ audience: ['api://weather'] });
    expect(await verdictOn(await sign({ aud: 'api://weather' }), guard)).toBe('let in');
    expect(await verdictOn(await sign({ aud: resource }), guard)).toBe('let in');
    expect(await verdictOn(await sign({ aud: 'api://Weather' }), guard)).toContain('not meant');
  });

  it('may be a little late or early, where that was agreed on; then they hold as long', async () => {
    const guard = local({ clockToleranceS: 60 });
    const exp = seconds() - 30;
    expect(await admitted(guard, bearing(await sign({ exp })))).toMatchObject({ expiresAt: (exp + 60) * 1000 });
    expect(await verdictOn(await sign({ exp: seconds() - 61 }), guard)).toContain('expired');
    expect(await verdictOn(await sign({ nbf: seconds() + 50, iat: seconds() + 50 }), guard)).toBe('let in');
    expect(await verdictOn(await sign({ nbf: seconds() + 90 }), guard)).toContain('not hold yet');
  });
});

describe('what is no access token', () => {
  it.each([
    { typ: 'Refresh' },
    { typ: 'Offline' },
    { typ: 'ID' },
    { typ: 'Logout' },
    { token_use: 'id' },
    { token_use: 'refresh' },
    { token_use: null },
    { token_type: 'refresh_token' },
    { type: 'refresh' },
    { nonce: 'n' },
    { at_hash: 'h' },
    { c_hash: 'h' },
    { events: {} },
  ])('is no bearer: %j', async (claims) => {
    expect(await verdictOn(await sign(claims))).toBe('this is no access token');
  });

  it.each(['jose', 'dpop+jwt', 'logout+jwt', 'oauth-id-jag+jwt', 'id+jwt', ''])(
    'is no bearer by its header either: %j',
    async (typ) => {
      expect(await verdictOn(await sign({}, { typ }))).toBe('this is no access token');
    },
  );

  it.each([
    { typ: 'Bearer' },
    { typ: 'DPoP' },
    { token_use: 'access' },
    { token_type: 'Bearer' },
    { type: 'identity' },
  ])('is not one that says it is: %j', async (claims) => {
    expect(await verdictOn(await sign(claims))).toBe('let in');
  });

  it.each([
    ['at+jwt', 'let in', 'let in'],
    ['application/AT+JWT', 'let in', 'let in'],
    ['JWT', 'let in', 'this is no access token'],
    [undefined, 'let in', 'this is no access token'],
  ])('depends, in its header, on how strict one is: %s', async (typ, lax, strict) => {
    const token = await sign({}, { typ });
    expect(await verdictOn(token)).toBe(lax);
    expect(await verdictOn(token, local({ strict: true }))).toBe(strict);
  });
});

describe('signatures', () => {
  const unsigned = 'the token is not signed as it must be';

  it('must be', async () => {
    const none = new UnsecuredJWT({ ...claimsNow() }).encode();
    expect(await verdictOn(none)).toBe(unsigned);
    const [header, claims] = (await sign()).split('.');
    expect(await verdictOn(`${header}.${claims}.AAAA`)).toBe(unsigned);
    expect(await verdictOn('opaque')).toBe('the token is no signed JWT');
  });

  it('must be of the issuer', async () => {
    expect(await verdictOn(await sign({}, {}, await keysFor()))).toBe(unsigned);
    expect(await verdictOn(await sign({}, { kid: 'two' }))).toBe(unsigned);
  });

  it('must be asymmetric: a public key is no secret', async () => {
    const rsa = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(rsa.publicKey)), kid: 'rsa' };
    const secret = new TextEncoder().encode(JSON.stringify(jwk));
    const forged = await new SignJWT({ ...claimsNow() }).setProtectedHeader({ alg: 'HS256', kid: 'rsa' }).sign(secret);
    expect(await verdictOn(forged, local({ keys: { keys: [jwk] } }))).toBe(unsigned);
    for (const algorithm of ['HS256', 'none', 'made-up'])
      expect(() => jwks({ issuer, algorithms: ['ES256', algorithm] })).toThrow(Misconfigured);
  });

  it('must be of a kind that was agreed on', async () => {
    expect(await verdictOn(await sign(), local({ algorithms: ['RS256'] }))).toBe(unsigned);
  });

  it('with headers that nobody understands are none', async () => {
    const token = await new SignJWT({ ...claimsNow() })
      .setProtectedHeader({ alg: 'ES256', kid: 'one', typ: 'at+jwt', crit: ['x'], x: true })
      .sign(keys.privateKey, { crit: { x: true } });
    expect(await verdictOn(token)).toBe(unsigned);
  });

  it('may be of any of several keys without names', async () => {
    const all = await Promise.all([keysFor(), keysFor(), keysFor()]);
    const guard = local({ keys: { keys: all.map(({ jwk }) => jwk) } });
    for (const one of all) expect(await verdictOn(await sign({}, { kid: undefined }, one), guard)).toBe('let in');
    expect(await verdictOn(await sign({}, { kid: undefined }, await keysFor()), guard)).toBe(unsigned);
  });
});

describe('options', () => {
  it.each<[string, JwksOptions]>([
    ['no issuer', { issuer: [] }],
    ['an issuer in the clear', { issuer: 'http://auth.example' }],
    ['an issuer that is no URL', { issuer: 'auth.example' }],
    ['keys in the clear', { issuer, jwksUri: 'http://auth.example/keys' }],
    ['one set of keys for several issuers', { issuer: [issuer, 'https://two.example'], keys: keySet }],
    ['one place of keys for several issuers', { issuer: [issuer, 'https://two.example'], jwksUri: `${issuer}/k` }],
  ])('with %s are refused where they are written', (_, options) => {
    expect(() => jwks(options)).toThrow(Misconfigured);
  });
});

describe('keys over the network', () => {
  it('are waited for no longer than 5 s, and nothing ticks on after they have come', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
    const silent = async (_: string, { signal }: RequestInit): Promise<Response> =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error));
      });
    const token = await sign();
    const waiting = refused(
      guardBy({ verify: jwks({ issuer, jwksUri: `${issuer}/keys`, fetch: silent }) }),
      bearing(token),
    );
    await vi.advanceTimersByTimeAsync(4999);
    // That of the request, and the one that every verifier has over it.
    expect(vi.getTimerCount()).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    expect((await waiting).status).toBe(503);
    const timeout = vi.spyOn(AbortSignal, 'timeout');
    await admitted(remote(usual).guard, bearing(token));
    expect(vi.getTimerCount()).toBe(0);
    for (const [ms] of timeout.mock.calls) expect(ms).toBe(0);
    timeout.mockRestore();
  });

  const metadata = `${issuer}/.well-known/oauth-authorization-server`;
  const place = `${issuer}/keys`;
  const usual: Answers = {
    [metadata]: () => json({ issuer, jwks_uri: place }),
    [place]: () => json(keySet),
  };
  const remote = (answers: Answers, options: Partial<JwksOptions> = {}) => {
    const net = network(answers);
    const failures: unknown[] = [];
    const verify = jwks({ issuer, fetch: net.fetch, ...options });
    return { ...net, failures, guard: guardBy({ verify, cacheMs: 0, onFailure: (error) => failures.push(error) }) };
  };

  it('are fetched when they are first needed, once for all', async () => {
    const { guard, asked, sent } = remote(usual);
    expect(asked).toEqual([]);
    const tokens = await Promise.all([1, 2, 3].map((n) => sign({ jti: String(n) })));
    await Promise.all(tokens.map((token) => admitted(guard, bearing(token))));
    await admitted(guard, bearing(tokens[0] ?? ''));
    expect(asked).toEqual([metadata, place]);
    for (const init of sent) expect(init.redirect).toBe('manual');
    for (const init of sent) expect(init.signal).toBeInstanceOf(AbortSignal);
  });

  it('are fetched by nobody for what would not do anyhow', async () => {
    const { guard, asked } = remote(usual);
    for (const claims of [{ iss: 'https://evil.example' }, { aud: 'x' }, { exp: 1 }, { typ: 'Refresh' }])
      await refused(guard, bearing(await sign(claims)));
    await refused(guard, bearing('a.b.c'));
    expect(asked).toEqual([]);
  });

  it('are found where the issuer says, in the order of the specification (AUTHC-10)', async () => {
    const tenant = 'https://auth.example/tenant';
    const { guard, asked } = remote(
      {
        'https://auth.example/tenant/.well-known/openid-configuration': () => json({ issuer: tenant, jwks_uri: place }),
        [place]: () => json(keySet),
      },
      { issuer: tenant },
    );
    await admitted(guard, bearing(await sign({ iss: tenant })));
    expect(asked).toEqual([
      'https://auth.example/.well-known/oauth-authorization-server/tenant',
      'https://auth.example/.well-known/openid-configuration/tenant',
      'https://auth.example/tenant/.well-known/openid-configuration',
      place,
    ]);
  });

  it('are those of an issuer with a slash', async () => {
    const slashed = `${issuer}/`;
    const { guard } = remote(
      { ...usual, [metadata]: () => json({ issuer: slashed, jwks_uri: place }) },
      { issuer: slashed },
    );
    await admitted(guard, bearing(await sign({ iss: slashed })));
  });

  it('are not those of whoever calls himself otherwise (AUTHC-11)', async () => {
    const { guard, asked } = remote({ ...usual, [metadata]: () => json({ issuer: `${issuer}/`, jwks_uri: place }) });
    expect((await refused(guard, bearing(await sign()))).status).toBe(503);
    expect(asked).not.toContain(place);
  });

  it('are where one says oneself', async () => {
    const { guard, asked } = remote(usual, { jwksUri: place });
    await admitted(guard, bearing(await sign()));
    expect(asked).toEqual([place]);
  });

  it('are fetched again when a token names a new one, but not for each such token', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const next = await keysFor('ES256', 'two');
    let set = keySet;
    const { guard, asked } = remote({ ...usual, [place]: () => json(set) });
    await admitted(guard, bearing(await sign()));
    set = { keys: [next.jwk] };
    const token = await sign({}, { kid: 'two' }, next);
    expect((await refused(guard, bearing(token))).status).toBe(401);
    expect(asked.filter((url) => url === place)).toHaveLength(1);
    vi.setSystemTime(Date.now() + 31_000);
    await admitted(guard, bearing(token));
    for (const kid of ['x', 'y', 'z']) await refused(guard, bearing(await sign({}, { kid })));
    expect(asked.filter((url) => url === place)).toHaveLength(2);
  });

  it.each<[string, Answers]>([
    ['cannot be found', {}],
    ['are nowhere', { [metadata]: () => json({ issuer }) }],
    ['are in the clear (SEC-02)', { [metadata]: () => json({ issuer, jwks_uri: 'http://auth.example/keys' }) }],
    ['are no file of this machine', { [metadata]: () => json({ issuer, jwks_uri: 'file:///etc/keys' }) }],
    [
      'have moved (SEC-04)',
      { ...usual, [place]: () => new Response(null, { status: 302, headers: { location: '/x' } }) },
    ],
    ['are not to be had', { ...usual, [place]: () => new Response('no', { status: 500 }) }],
    ['are no keys', { ...usual, [place]: () => json({ keys: 'none' }) }],
    ['are no JSON', { ...usual, [place]: () => new Response('<html>') }],
    ['are endless', { ...usual, [place]: () => json({ keys: [], more: 'x'.repeat(2_000_000) }) }],
    ['cannot be reached', { ...usual, [place]: () => Promise.reject(new TypeError('fetch failed')) }],
    ['depend on one who cannot be', { [metadata]: () => Promise.reject(new TypeError('fetch failed')) }],
  ])('that %s keep people out, but do not send them to log in again', async (_, answers) => {
    const { guard, failures } = remote(answers);
    const token = await sign();
    const denial = await refused(guard, bearing(token));
    expect(denial.status).toBe(503);
    expect(denial.headers['retry-after']).toBeDefined();
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ _tag: 'Unreachable' });
    expect(String(failures[0])).not.toContain(token);
  });

  it('that could not be had are tried again, but not at once', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    let broken = true;
    const { guard, asked } = remote({ ...usual, [place]: () => (broken ? json({}, 500) : json(keySet)) });
    const token = await sign();
    for (let n = 0; n < 5; n += 1) await refused(guard, bearing(token));
    expect(asked).toEqual([metadata, place]);
    broken = false;
    vi.setSystemTime(Date.now() + 1000);
    await admitted(guard, bearing(token));
  });

  it('are found anew where they have moved', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const moved = `${issuer}/moved`;
    let at = place;
    const answers: Answers = {
      [metadata]: () => json({ issuer, jwks_uri: at }),
      [place]: () => (at === place ? json(keySet) : json({}, 410)),
      [moved]: () => json(keySet),
    };
    const { guard } = remote(answers);
    const token = await sign();
    await admitted(guard, bearing(token));
    at = moved;
    vi.setSystemTime(Date.now() + 601_000);
    expect((await refused(guard, bearing(token))).status).toBe(503);
    await admitted(guard, bearing(token));
  });

  it('of one issuer are not for another', async () => {
    const other = 'https://two.example';
    const theirs = await keysFor('ES256', 'one');
    const { guard } = remote(
      {
        ...usual,
        [`${other}/.well-known/oauth-authorization-server`]: () => json({ issuer: other, jwks_uri: `${other}/keys` }),
        [`${other}/keys`]: () => json({ keys: [theirs.jwk] }),
      },
      { issuer: [issuer, other] },
    );
    expect((await admitted(guard, bearing(await sign()))).principal).toBe(`${issuer} ada`);
    expect((await admitted(guard, bearing(await sign({ iss: other }, {}, theirs)))).principal).toBe(`${other} ada`);
    expect((await refused(guard, bearing(await sign({ iss: issuer }, {}, theirs)))).status).toBe(401);
  });
});
