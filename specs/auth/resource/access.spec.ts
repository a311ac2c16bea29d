import { describe, expect, it } from 'vitest';
import type { AuthorizeOptions, Verifier } from 'rxmcp/auth';
import type { JsonObject } from 'rxmcp';
import { bearing, guardBy } from './issuer.ts';

const saying = (claims: JsonObject, issuers: readonly string[] = ['https://one.example']): Verifier => ({
  issuers,
  verify: () => Promise.resolve({ claims }),
});

const nameOf = async (claims: JsonObject, issuers?: readonly string[], more: Partial<AuthorizeOptions> = {}) => {
  const answer = await guardBy({ verify: saying(claims, issuers), ...more }).admit(bearing('opaque'));
  return 'status' in answer ? answer.status : answer.principal;
};

const two = ['https://one.example', 'https://two.example'];

describe('who asks', () => {
  it('is the subject', async () => {
    expect(await nameOf({ sub: 'ada', client_id: 'app' })).toBe('ada');
  });

  it('is the subject of its issuer, where several are trusted', async () => {
    expect(await nameOf({ iss: two[1], sub: 'ada' }, two)).toBe('https://two.example ada');
    expect(await nameOf({ sub: 'ada' }, two)).toBe(401);
    expect(await nameOf({ iss: 'https://one.example a', sub: 'b' }, two)).toBe(401);
  });

  it('is several issuers’ where only the authorization servers are known to be several', async () => {
    const verify: Verifier = { verify: () => Promise.resolve({ claims: { iss: two[0], sub: 'ada' } }) };
    const answer = await guardBy({ verify, authorizationServers: two }).admit(bearing('opaque'));
    expect(answer).toMatchObject({ principal: 'https://one.example ada' });
  });

  it('is the application, where nobody uses it, and never taken for somebody (SEC-15)', async () => {
    const names = [
      await nameOf({ client_id: 'app' }),
      await nameOf({ sub: 'client app' }),
      await nameOf({ sub: 'sub client app' }),
      await nameOf({ sub: 'app' }),
    ];
    expect(names[0]).toBe('client app');
    expect(new Set(names).size).toBe(4);
  });

  it('is somebody: without a name, nobody gets in', async () => {
    for (const claims of [{}, { sub: '' }, { sub: ' ' }, { sub: '', client_id: 'app' }, { sub: 7 }, { client_id: '' }])
      expect(await nameOf(claims)).toBe(401);
  });

  it('is whom the server says', async () => {
    const principal = (claims: JsonObject): string => `${String(claims['tenant'])}/${String(claims['sub'])}`;
    expect(await nameOf({ tenant: 't', sub: 'ada' }, two, { principal })).toBe('t/ada');
  });

  it.each([
    ['nothing', () => ''],
    ['no text', () => undefined as unknown as string],
    [
      'an error',
      () => {
        throw new Error('no');
      },
    ],
  ])('is nobody where the server says %s', async (_, principal) => {
    expect(await nameOf({ sub: 'ada' }, undefined, { principal })).toBe(401);
  });
});

describe('a token that is bound to what nobody can see here', () => {
  it.each([{ 'x5t#S256': 'abc' }, { jkt: 7 }, { jkt: null }])('lets nobody in: %j', async (cnf) => {
    expect(await nameOf({ sub: 'ada', cnf })).toBe(401);
  });
});
