import { afterEach, describe, expect, it, vi } from 'vitest';
import { base64url, calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Guard, Knock } from 'rxmcp/auth';
import type { JsonObject } from 'rxmcp';
import {
  admitted,
  bearing,
  challengeOf,
  guardBy,
  holder,
  jkt,
  keysFor,
  knock,
  param,
  proofOf,
  refused,
  resource,
  seconds,
  sign,
} from './issuer.ts';

afterEach(() => {
  vi.useRealTimers();
});

const token = await sign({ cnf: { jkt } });

const proving = (dpop: string | undefined, more: Partial<Knock> = {}, of = token): Knock =>
  knock({ authorization: `DPoP ${of}`, dpop }, more);

const refusal = async (guard: Guard, at: Knock): Promise<unknown> => {
  const denial = await refused(guard, at);
  expect(denial.status).toBe(401);
  expect(challengeOf(denial)).toMatch(/^DPoP error="[^"]+".*, algs="ES256 /);
  return `${param(denial, 'error')}: ${param(denial, 'error_description')}`;
};

describe('a token that is bound to a key', () => {
  it('lets in whoever has the key, each time with a new proof (XAUTH-21)', async () => {
    const guard = guardBy({ scopes: ['mcp'] });
    const first = await admitted(guard, proving(await proofOf(token)));
    expect(first.principal).toBe('ada');
    expect(await admitted(guard, proving(await proofOf(token)))).toBe(first);
    expect(await admitted(guard, knock({ authorization: `dpop ${token}`, dpop: await proofOf(token) }))).toBe(first);
  });

  it('is no bearer, known or not', async () => {
    const guard = guardBy();
    for (let n = 0; n < 2; n += 1) {
      const denial = await refused(guard, bearing(token));
      expect([denial.status, param(denial, 'error')]).toEqual([401, 'invalid_token']);
      await admitted(guard, proving(await proofOf(token)));
    }
    expect((await refused(guardBy({ dpop: false }), bearing(token))).status).toBe(401);
  });

  it('is nothing to a server that knows no proofs', async () => {
    const denial = await refused(guardBy({ dpop: false }), proving(await proofOf(token)));
    expect(denial.status).toBe(401);
    expect(challengeOf(denial)).toMatch(/^Bearer (?!.*DPoP)/);
  });

  it('must hold, too (XAUTH-21, AUTHS-12)', async () => {
    const other = await sign({ cnf: { jkt }, aud: 'https://other.example' });
    expect(await refusal(guardBy(), proving(await proofOf(other), {}, other))).toMatch(/^invalid_token: .*not meant/);
  });

  it('must have the scopes', async () => {
    const denial = await refused(guardBy({ scopes: ['admin'] }), proving(await proofOf(token)));
    expect([denial.status, param(denial, 'scope')]).toEqual([403, 'admin']);
  });
});

describe('a token that is bound to none', () => {
  it('needs no proof, and cannot be proved', async () => {
    const unbound = await sign();
    await admitted(guardBy(), bearing(unbound));
    expect(await refusal(guardBy(), proving(await proofOf(unbound), {}, unbound))).toMatch(/^invalid_token: .*no key/);
  });

  it('is not taken where proofs are required', async () => {
    const denial = await refused(guardBy({ dpop: 'required' }), bearing(await sign()));
    expect(denial.status).toBe(401);
    expect(challengeOf(denial)).toMatch(/^DPoP error="invalid_token"/);
  });
});

describe('a proof', () => {
  it.each<[string, JsonObject, JsonObject, string]>([
    ['is for another method', { htm: 'GET' }, {}, 'another method'],
    ['is for a method in another case', { htm: 'post' }, {}, 'another method'],
    ['is for another path', { htu: 'https://mcp.example/other' }, {}, 'another URL'],
    ['is for another host', { htu: 'https://evil.example/mcp' }, {}, 'another URL'],
    ['is for another scheme', { htu: 'http://mcp.example/mcp' }, {}, 'another URL'],
    ['is for another port', { htu: 'https://mcp.example:8443/mcp' }, {}, 'another URL'],
    ['is for no URL', { htu: '/mcp' }, {}, 'another URL'],
    ['is for nothing', { htu: undefined }, {}, 'another URL'],
    ['is too old', { iat: seconds() - 310 }, {}, 'not of now'],
    ['is too new', { iat: seconds() + 310 }, {}, 'not of now'],
    ['has no date', { iat: undefined }, {}, 'key of the token|not of now'],
    ['has no name', { jti: undefined }, {}, 'no fit jti'],
    ['has an empty name', { jti: '' }, {}, 'no fit jti'],
    ['has a very long name', { jti: 'x'.repeat(300) }, {}, 'no fit jti'],
    ['is for no token', { ath: undefined }, {}, 'another token'],
    ['is for another token', { ath: 'x' }, {}, 'another token'],
    ['is of another type', {}, { typ: 'JWT' }, 'not made with the key'],
    ['is of no type', {}, { typ: undefined }, 'not made with the key'],
    ['has no key', {}, { jwk: undefined }, 'not made with the key'],
  ])('that %s is none (RFC 9449 4.3)', async (_, claims, header, why) => {
    expect(await refusal(guardBy(), proving(await proofOf(token, claims, header)))).toMatch(
      new RegExp(`^invalid_dpop_proof: .*(?:${why})`),
    );
  });

  it.each([
    ['the host in another case', 'https://MCP.example:443/mcp'],
    ['a query and a fragment, which do not count', `${resource}?a=1#b`],
  ])('may name %s', async (_, htu) => {
    await admitted(guardBy(), proving(await proofOf(token, { htu })));
  });

  it('is about what was asked for; behind a proxy that may have another path inside', async () => {
    const guard = guardBy();
    await admitted(guard, proving(await proofOf(token), { path: '/inner' }));
    await admitted(guard, proving(await proofOf(token, { htu: 'https://mcp.example/inner' }), { path: '/inner' }));
    expect(await refusal(guard, proving(await proofOf(token, { htm: 'POST' }), { method: 'GET' }))).toMatch(/method/);
    await refusal(guard, proving(await proofOf(token, { htu: 'https://mcp.example/inner' }), { path: '/mcp' }));
  });

  it('is needed, and only one', async () => {
    const one = await proofOf(token);
    expect(await refusal(guardBy(), proving(undefined))).toMatch(/is needed/);
    for (const dpop of [`${one}, ${await proofOf(token)}`, `${one},`, 'x', '..', `${one}${'A'.repeat(9000)}`])
      expect(await refusal(guardBy(), proving(dpop))).toMatch(/must be one proof/);
  });

  it('is made with the key of the token, and no other', async () => {
    const other = await keysFor();
    expect(await refusal(guardBy(), proving(await proofOf(token, {}, {}, other)))).toMatch(/key of the token/);
    // With the right key in its header, but another one’s signature.
    const forged = await proofOf(token, {}, {}, { privateKey: other.privateKey, jwk: holder.jwk });
    expect(await refusal(guardBy(), proving(forged))).toMatch(/key of the token/);
  });

  it('does not give away the key', async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const [whole, jwk] = [await exportJWK(pair.privateKey), await exportJWK(pair.publicKey)];
    const bound = await sign({ cnf: { jkt: await calculateJwkThumbprint(jwk) } });
    const keys = { privateKey: pair.privateKey, jwk };
    await admitted(guardBy(), proving(await proofOf(bound, {}, {}, keys), {}, bound));
    for (const leaky of [whole, { ...jwk, dp: 'AA' }])
      expect(await refusal(guardBy(), proving(await proofOf(bound, {}, { jwk: leaky }, keys), {}, bound))).toMatch(
        /key of the token/,
      );
  });

  it('is no matter of a shared secret', async () => {
    const secret = new Uint8Array(32).fill(7);
    const jwk = { kty: 'oct', k: base64url.encode(secret) };
    const bound = await sign({ cnf: { jkt: await calculateJwkThumbprint(jwk) } });
    const proof = await new SignJWT({ htm: 'POST', htu: resource, iat: seconds(), jti: 'a' })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'HS256', jwk })
      .sign(secret);
    expect(await refusal(guardBy(), proving(proof, {}, bound))).toMatch(/key of the token/);
  });

  it('is taken once', async () => {
    const guard = guardBy();
    const proof = await proofOf(token);
    await admitted(guard, proving(proof));
    expect(await refusal(guard, proving(proof))).toMatch(/used before/);
  });

  it('is taken once, by one of those who come at the same time', async () => {
    const guard = guardBy();
    const proof = await proofOf(token);
    const answers = await Promise.all(Array.from({ length: 10 }, async () => guard.admit(proving(proof))));
    expect(answers.filter((answer) => !('status' in answer))).toHaveLength(1);
  });

  it('is taken once for as long as it could be, and from clocks that are ahead', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const guard = guardBy();
    const early = await proofOf(token, { iat: seconds() + 299 });
    await admitted(guard, proving(early));
    for (const later of [100, 300, 598]) {
      vi.setSystemTime(Date.now() + 1000);
      await admitted(guard, proving(await proofOf(token)));
      const now = Date.now();
      vi.setSystemTime(now + later * 1000 - 1000);
      expect(await refusal(guard, proving(early))).toMatch(/used before|not of now/);
      vi.setSystemTime(now);
    }
  });

  it('of another key may have the same name', async () => {
    const guard = guardBy();
    const other = await keysFor();
    const theirs = await sign({ cnf: { jkt: await calculateJwkThumbprint(other.jwk) } });
    await admitted(guard, proving(await proofOf(token, { jti: 'one' })));
    await admitted(guard, proving(await proofOf(theirs, { jti: 'one' }, {}, other), {}, theirs));
  });

  it('that was refused is not used up', async () => {
    const guard = guardBy();
    const proof = await proofOf(token);
    await refusal(guard, proving(proof, { method: 'GET' }));
    await admitted(guard, proving(proof));
  });
});
