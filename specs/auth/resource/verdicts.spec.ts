import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AuthorizeOptions, Verified } from 'rxmcp/auth';
import { admitted, bearing, guardBy, knock, refused } from './issuer.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A guard whose verifier knows all tokens but bad ones, and how often it was asked about each. */
const counting = (verdict: Partial<Verified> = {}, options: Partial<AuthorizeOptions> = {}) => {
  const asked: string[] = [];
  const guard = guardBy({
    verify: {
      issuers: ['https://auth.example'],
      verify: (token) => {
        asked.push(token);
        if (token.startsWith('bad')) return Promise.resolve({ refused: 'bad' });
        return Promise.resolve({ claims: { sub: token }, expiresAt: Date.now() + 60_000, ...verdict });
      },
    },
    ...options,
  });
  return { guard, asked };
};

describe('a token that is known', () => {
  it('is let in at once, as the same', async () => {
    const { guard, asked } = counting();
    const access = await admitted(guard, bearing('ada'));
    expect(guard.admit(bearing('ada'))).toBe(access);
    expect(guard.admit(bearing('ada'))).toBe(access);
    expect(asked).toEqual(['ada']);
  });

  it('is let in until it expires, and not at that moment any more', async () => {
    const { guard, asked } = counting();
    await admitted(guard, bearing('ada'));
    vi.setSystemTime(Date.now() + 59_999);
    expect(guard.admit(bearing('ada'))).toMatchObject({ principal: 'ada' });
    vi.setSystemTime(Date.now() + 1);
    expect(guard.admit(bearing('ada'))).toBeInstanceOf(Promise);
    expect(asked).toHaveLength(2);
  });

  it('is known for as long as was said, whatever its end', async () => {
    const { guard, asked } = counting({}, { cacheMs: 1000 });
    await admitted(guard, bearing('ada'));
    vi.setSystemTime(Date.now() + 999);
    await admitted(guard, bearing('ada'));
    expect(asked).toHaveLength(1);
    vi.setSystemTime(Date.now() + 1);
    await admitted(guard, bearing('ada'));
    expect(asked).toHaveLength(2);
  });

  it.each([0, -1, Number.NaN])('is known no longer than for the moment with a cacheMs of %s', async (cacheMs) => {
    const { guard, asked } = counting({}, { cacheMs });
    for (let n = 0; n < 3; n += 1) await admitted(guard, bearing('ada'));
    expect(asked).toHaveLength(3);
  });

  it('that has no end is remembered only where somebody has said for how long', async () => {
    const endless = { expiresAt: undefined } as never;
    const unsaid = counting(endless);
    const said = counting(endless, { cacheMs: 1000 });
    for (const { guard } of [unsaid, said, unsaid, said]) await admitted(guard, bearing('ada'));
    expect([unsaid.asked.length, said.asked.length]).toEqual([2, 1]);
  });

  it('lacks the same scopes the next time, at once', async () => {
    const { guard } = counting({ claims: { sub: 'ada' } }, { scopes: ['mcp'] });
    expect((await refused(guard, bearing('ada'))).status).toBe(403);
    expect(guard.admit(bearing('ada'))).toMatchObject({ status: 403 });
  });

  it('is not let in at once where it is bound to a key, or must be', async () => {
    const bound = counting({ claims: { sub: 'ada', cnf: { jkt: 'x' } } });
    expect((await refused(bound.guard, bearing('ada'))).status).toBe(401);
    expect((await refused(bound.guard, bearing('ada'))).status).toBe(401);
    const required = counting({}, { dpop: 'required' });
    expect((await refused(required.guard, bearing('ada'))).status).toBe(401);
    expect((await refused(required.guard, bearing('ada'))).status).toBe(401);
    expect([...bound.asked, ...required.asked]).toEqual(['ada', 'ada']);
  });
});

describe('a token that does not hold', () => {
  it('is asked about each time: it may hold soon', async () => {
    const { guard, asked } = counting();
    for (let n = 0; n < 2; n += 1) await refused(guard, bearing('bad'));
    expect(asked).toEqual(['bad', 'bad']);
  });
});

describe('tokens that come at the same time', () => {
  it('are asked about once each', async () => {
    const { guard, asked } = counting();
    const names = ['ada', 'bob', 'bad'].flatMap((name) => [name, name, name]);
    await Promise.all(names.map(async (name) => guard.admit(bearing(name))));
    await guard.admit(knock({ authorization: 'bearer ada' }));
    expect(asked).toEqual(['ada', 'bob', 'bad']);
  });
});

describe('many tokens', () => {
  it('are remembered up to a bound: those that come again stay', async () => {
    const { guard, asked } = counting({}, { maxCached: 3 });
    for (const name of ['a', 'b', 'c']) await admitted(guard, bearing(name));
    for (let n = 0; n < 20; n += 1) {
      await admitted(guard, bearing('a'));
      await admitted(guard, bearing(`passing${n}`));
    }
    expect(asked.filter((name) => name === 'a')).toHaveLength(1);
    await admitted(guard, bearing('b'));
    expect(asked.filter((name) => name === 'b')).toHaveLength(2);
  });

  it('are remembered by nobody where there is no room', async () => {
    const { guard, asked } = counting({}, { maxCached: 0 });
    for (let n = 0; n < 2; n += 1) await admitted(guard, bearing('a'));
    expect(asked).toHaveLength(2);
  });

  it('are a bound even where all come again', async () => {
    const { guard, asked } = counting({}, { maxCached: 2 });
    for (let round = 0; round < 3; round += 1)
      for (const name of ['a', 'b', 'c']) {
        await admitted(guard, bearing(name));
        await admitted(guard, bearing(name));
      }
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.length).toBeLessThan(18);
  });
});
