import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Guard, Knock } from 'rxmcp/auth';
import { admitted, guardBy, jkt, knock, param, proofOf, refused, sign } from './issuer.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(1_800_000_000_000);
});
afterEach(() => {
  vi.useRealTimers();
});

const tokenNow = () => sign({ cnf: { jkt } });

const proving = async (token: string, nonce?: unknown): Promise<Knock> =>
  knock({ authorization: `DPoP ${token}`, dpop: await proofOf(token, { nonce }) });

/** The nonce that somebody is told to use. */
const nonceFrom = async (guard: Guard, token: string, nonce?: unknown): Promise<string> => {
  const denial = await refused(guard, await proving(token, nonce));
  expect([denial.status, param(denial, 'error')]).toEqual([401, 'use_dpop_nonce']);
  return denial.headers['dpop-nonce'] ?? '';
};

describe('nonces of the server (RFC 9449 9)', () => {
  it('are wanted where they are asked for, and given', async () => {
    const guard = guardBy({ dpopNonce: true });
    const token = await tokenNow();
    const nonce = await nonceFrom(guard, token);
    expect(nonce).toMatch(/^[\w-]{43}$/);
    await admitted(guard, await proving(token, nonce));
    await admitted(guard, await proving(token, nonce));
    for (const wrong of ['', 'made up', 7, null, nonce.slice(1)])
      expect(await nonceFrom(guard, token, wrong)).toBe(nonce);
  });

  it('are wanted nowhere else', async () => {
    const token = await tokenNow();
    await admitted(guardBy(), await proving(token));
    await admitted(guardBy(), await proving(token, 'from elsewhere'));
  });

  it('are not asked for of those whose proof is none: what is wrong is said', async () => {
    const guard = guardBy({ dpopNonce: true });
    const token = await tokenNow();
    const dpop = await proofOf(token, { htm: 'GET' });
    const denial = await refused(guard, knock({ authorization: `DPoP ${token}`, dpop }));
    expect([param(denial, 'error'), denial.headers['dpop-nonce']]).toEqual(['invalid_dpop_proof', undefined]);
  });

  it('leave the proof unused that came without', async () => {
    const guard = guardBy({ dpopNonce: true });
    const token = await tokenNow();
    const nonce = await nonceFrom(guard, token);
    const jti = 'the same';
    await refused(guard, knock({ authorization: `DPoP ${token}`, dpop: await proofOf(token, { jti }) }));
    await admitted(guard, knock({ authorization: `DPoP ${token}`, dpop: await proofOf(token, { jti, nonce }) }));
  });

  it('change with time: the last one is still taken, the one before is not', async () => {
    const guard = guardBy({ dpopNonce: true });
    const token = await tokenNow();
    const first = await nonceFrom(guard, token);
    vi.setSystemTime(Date.now() + 120_000);
    await admitted(guard, await proving(token, first));
    const second = await nonceFrom(guard, token);
    expect(second).not.toBe(first);
    vi.setSystemTime(Date.now() + 120_000);
    await admitted(guard, await proving(token, second));
    const third = await nonceFrom(guard, token, first);
    expect(new Set([first, second, third]).size).toBe(3);
  });

  it('are those of all replicas that share a secret, and of no others', async () => {
    const token = await tokenNow();
    const dpopSecret = 'a secret that all the replicas share';
    const [one, two] = [guardBy({ dpopNonce: true, dpopSecret }), guardBy({ dpopNonce: true, dpopSecret })];
    const nonce = await nonceFrom(one, token);
    await admitted(two, await proving(token, nonce));
    const bytes = new TextEncoder().encode(dpopSecret);
    await admitted(guardBy({ dpopNonce: true, dpopSecret: bytes }), await proving(token, nonce));
    expect(await nonceFrom(guardBy({ dpopNonce: true }), token, nonce)).not.toBe(nonce);
  });
});
