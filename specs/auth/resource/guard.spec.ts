import fc from 'fast-check';
import { base64url } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import type { Verifier } from 'rxmcp/auth';
import {
  admitted,
  bearing,
  challengeOf,
  guardBy,
  isDenial,
  jkt,
  knock,
  param,
  proofOf,
  refused,
  resource,
  sign,
} from './issuer.ts';

const metadataUrl = 'https://mcp.example/.well-known/oauth-protected-resource/mcp';

describe('whoever comes without a token', () => {
  it('is told where to get one, for what, and no error (AUTHS-01, AUTHS-04, AUTHS-06)', async () => {
    const denial = await refused(guardBy({ scopes: ['mcp', 'read'], dpop: false }), knock());
    expect(denial.status).toBe(401);
    expect(denial.headers).toEqual({
      'www-authenticate': `Bearer scope="mcp read", resource_metadata="${metadataUrl}"`,
    });
  });

  it('is told so at once', () => {
    expect(guardBy().admit(knock())).toMatchObject({ status: 401 });
  });

  it.each([
    ['nothing', {}],
    ['another scheme', { authorization: 'Basic YWRhOnB3' }],
    ['a scheme whose name begins alike', { authorization: 'Bearer-Extended abc' }],
    ['an empty header', { authorization: '' }],
    ['a proof alone', { dpop: 'x' }],
  ])('is whoever comes with %s', async (_, headers) => {
    const denial = await refused(guardBy(), knock(headers));
    expect(denial.status).toBe(401);
    expect(param(denial, 'error')).toBeUndefined();
  });

  it('is whoever comes with one in the query (AUTHC-43)', async () => {
    const denial = await refused(guardBy(), knock({}, { path: `/mcp?access_token=${await sign()}` }));
    expect(denial.status).toBe(401);
  });

  it('is told of DPoP where that is allowed, and of nothing else where it is required', async () => {
    const allowed = challengeOf(await refused(guardBy({ scopes: ['mcp'] }), knock()));
    expect(allowed).toMatch(/^Bearer scope="mcp", resource_metadata="[^"]+", DPoP algs="ES256 [^"]+"$/);
    const required = challengeOf(await refused(guardBy({ dpop: 'required' }), knock()));
    expect(required).toMatch(/^DPoP resource_metadata="[^"]+", algs="ES256 [^"]+"$/);
  });
});

describe('a header that cannot be read', () => {
  it.each([
    'Bearer',
    'bearer  ',
    'DPoP',
    'Bearer a b',
    'Bearer one, Bearer two',
    'Bearer one,two',
    'Bearer "one"',
    'Bearer ä',
    'Bearer a=b',
    'Bearer\ttoken',
    `Bearer ${'a'.repeat(20_000)}`,
  ])('is a bad request: %s (AUTHS-02)', async (authorization) => {
    const denial = await refused(guardBy(), knock({ authorization }));
    expect([denial.status, param(denial, 'error')]).toEqual([400, 'invalid_request']);
  });
});

describe('a token', () => {
  it('lets in whom it names, under any spelling of its scheme (AUTHS-11)', async () => {
    const token = await sign({ scope: 'mcp read', jti: 'x' });
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      expect(await guardBy().admit(knock({ authorization: `${scheme} ${token}` }))).toMatchObject({
        principal: 'ada',
        clientId: 'app',
        scopes: ['mcp', 'read'],
        expiresAt: expect.any(Number) as unknown,
        claims: { jti: 'x', sub: 'ada' },
      });
  });

  it('that does not hold is told so, and never repeated (AUTHS-02)', async () => {
    const token = await sign({ aud: 'https://other.example' });
    const denial = await refused(guardBy({ scopes: ['mcp'] }), bearing(token));
    expect(denial.status).toBe(401);
    expect(param(denial, 'error')).toBe('invalid_token');
    expect(param(denial, 'error_description')).toBe('the token is not meant for this resource');
    expect(param(denial, 'resource_metadata')).toBe(metadataUrl);
    expect(param(denial, 'scope')).toBe('mcp');
    expect(JSON.stringify(denial)).not.toContain(token.slice(-20));
  });

  it('without the scopes for everything is told so at once (AUTHS-07)', async () => {
    const denial = await refused(guardBy({ scopes: ['mcp', 'read'] }), bearing(await sign({ scope: 'mcp' })));
    expect(denial.status).toBe(403);
    expect(param(denial, 'error')).toBe('insufficient_scope');
    expect(param(denial, 'scope')).toBe('mcp read');
    expect(challengeOf(denial)).toMatch(/^Bearer /);
  });

  it('is kept from whoever reads what was proved', async () => {
    const verify: Verifier = {
      issuers: ['https://auth.example'],
      verify: (token) => Promise.resolve({ claims: { sub: 'ada', access_token: token } }),
    };
    const access = await admitted(guardBy({ verify }), bearing('secret-token'));
    expect(JSON.stringify(access)).not.toContain('secret-token');
  });

  it('is shared by all requests, so nobody can change what it says', async () => {
    const access = await admitted(guardBy(), bearing(await sign({ roles: { list: ['a'] } })));
    expect(Object.isFrozen(access)).toBe(true);
    expect(Object.isFrozen(access.scopes)).toBe(true);
    expect(Object.isFrozen(access.claims['roles'])).toBe(true);
    expect(Object.isFrozen((access.claims['roles'] as { readonly list: unknown }).list)).toBe(true);
  });
});

describe('a verifier of one’s own', () => {
  const issuers = ['https://auth.example'];
  const by = (verify: Verifier['verify']): Verifier => ({ issuers, verify });

  it('is told which resource it is about, and its end is kept', async () => {
    const asked: string[] = [];
    const verify = by((_, about) => {
      asked.push(about);
      return Promise.resolve({ claims: { sub: 'ada', exp: 4_000_000_000 } });
    });
    const access = await admitted(guardBy({ verify }), bearing('opaque'));
    expect([asked, access.expiresAt]).toEqual([[resource], 4_000_000_000_000]);
  });

  it.each<[string, Verifier['verify']]>([
    ['rejects', () => Promise.reject(new Error('down'))],
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
    ['says nothing', () => Promise.resolve(undefined as never)],
    ['has no claims', () => Promise.resolve({} as never)],
  ])('that %s does not send people to log in again, and its owner is told', async (_, verify) => {
    const failures: unknown[] = [];
    const guard = guardBy({ verify: by(verify), onFailure: (error) => failures.push(error) });
    const denial = await refused(guard, bearing('opaque'));
    expect(denial.status).toBe(503);
    expect(Number(denial.headers['retry-after'])).toBeGreaterThan(0);
    expect(denial.headers['www-authenticate']).toBeUndefined();
    expect(failures).toHaveLength(1);
  });

  it('that never says anything keeps nobody waiting for ever', async () => {
    vi.useFakeTimers();
    const guard = guardBy({ verify: by(() => new Promise(() => undefined)) });
    const denied = [refused(guard, bearing('opaque')), refused(guard, bearing('opaque'))];
    await vi.advanceTimersByTimeAsync(15_000);
    expect((await Promise.all(denied)).map(({ status }) => status)).toEqual([503, 503]);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('does not get a token into an answer', async () => {
    const verify = by((token) => Promise.resolve({ refused: `bad: ${token}` }));
    expect(JSON.stringify(await refused(guardBy({ verify }), bearing('secret-token')))).not.toContain('secret-token');
  });

  it('does not get more than a sentence into a header', async () => {
    const verify = by(() => Promise.resolve({ refused: 'a"b\\c\r\nset-cookie: x=1; ü' + 'x'.repeat(5000) }));
    const header = challengeOf(await refused(guardBy({ verify }), bearing('opaque')));
    expect(header).toMatch(/^[\x20-\x7e]{1,800}$/);
    expect(header).toMatch(/^Bearer error="invalid_token", error_description="a'b'c\?\?set-cookie/);
  });

  it('that says a token has expired already lets nobody in', async () => {
    const verify = by(() => Promise.resolve({ claims: { sub: 'ada' }, expiresAt: Date.now() }));
    expect((await refused(guardBy({ verify }), bearing('opaque'))).status).toBe(401);
  });
});

describe('a resource that cannot be named', () => {
  it('lets nobody in, and sends nobody away for good', async () => {
    const token = await sign();
    const guard = guardBy({ resource: () => 'nonsense' });
    expect((await refused(guard, bearing(token))).status).toBe(503);
    expect((await refused(guard, knock())).status).toBe(503);
  });

  it('is another one where its name is another: what was meant for the first is not meant for it (AUTHS-12)', async () => {
    let port = 1;
    const guard = guardBy({ resource: () => `http://127.0.0.1:${port}/mcp` });
    const token = await sign({ aud: 'http://127.0.0.1:1/mcp' });
    await admitted(guard, bearing(token));
    port = 2;
    expect((await refused(guard, bearing(token))).status).toBe(401);
  });
});

describe('whatever comes', () => {
  const scheme = fc.constantFrom('Bearer ', 'bearer ', 'DPoP ', 'dpop ', 'Basic ', '', ' Bearer\t', 'Bearer,');
  const part = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.base64String(),
    fc.json().map((text) => base64url.encode(text)),
    fc.constantFrom('eyJhbGciOiJub25lIn0', 'eyJhbGciOiJIUzI1NiJ9', 'e30', '\r\nx: y', '"', '\\', '\u0000'),
  );
  const text = fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.'));
  const hostile = fc.tuple(scheme, text).map((both) => both.join(''));

  it('is never let in, breaks nothing, and gets nothing into a header (SEC-11)', async () => {
    const guards = [
      guardBy({ scopes: ['mcp'] }),
      guardBy({ dpop: 'required', dpopNonce: true }),
      guardBy({ dpop: false }),
    ];
    await fc.assert(
      fc.asyncProperty(hostile, text, fc.string(), async (authorization, dpop, path) => {
        for (const guard of guards) {
          const answer = await guard.admit({ method: 'POST', path, headers: { authorization, dpop } });
          expect(isDenial(answer)).toBe(true);
          const denial = answer as { readonly status: number; readonly headers: Record<string, string> };
          expect([400, 401]).toContain(denial.status);
          for (const value of Object.values(denial.headers)) expect(value).toMatch(/^[\x20-\x7e]+$/);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('as a proof with a token that is bound gets nobody in either', async () => {
    const guard = guardBy();
    const token = await sign({ cnf: { jkt } });
    const good = await proofOf(token);
    const spoilt = fc.tuple(fc.nat(good.length - 1), fc.string({ minLength: 1, maxLength: 3 })).map(([at, other]) => {
      const proof = good.slice(0, at) + other + good.slice(at + other.length);
      return proof === good ? '' : proof;
    });
    await fc.assert(
      fc.asyncProperty(fc.oneof(spoilt, text), async (dpop) => {
        const answer = await guard.admit(knock({ authorization: `DPoP ${token}`, dpop }));
        // The last character of a signature has bits that say nothing.
        fc.pre(dpop.slice(0, -1) !== good.slice(0, -1));
        expect(answer).toMatchObject({ status: 401 });
      }),
      { numRuns: 200 },
    );
  });
});
