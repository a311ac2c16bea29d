/** Programs that log in by what their platform says of them. */
import { LoginFailed, memoryTokens, workloadIdentity } from 'rxmcp/auth';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { leavesNothing } from '../behaviour/leaks.ts';
import { causeOf, fakeAs, issuer, refusal, server, stepsOf, textOf } from './fake-as.ts';

const hour = 3_600_000;
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const client = { clientId: 'nightly-report' };
/** A JWT as far as its looks go. */
const jwt = (count: number): string => `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJuaWdodGx5In0.signature-${String(count)}`;
const counted = () => {
  let count = 0;
  return () => jwt(count++);
};

leavesNothing();
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

describe('a program that its platform vouches for', () => {
  it('asks for a token for this server by what is said of it (XAUTH-18)', async () => {
    const place = fakeAs();
    const one = await place.client(workloadIdentity({ assertion: () => jwt(0), client, scopes: ['read', 'write'] }));
    expect(await one.callTool('echo', { message: 'hello' })).toMatchObject({ content: [{ text: 'hello' }] });
    await one.close();
    expect(place.asked.map(({ parameters }) => parameters)).toEqual([
      { grant_type: jwtBearer, assertion: jwt(0), client_id: 'nightly-report', resource: server, scope: 'read write' },
    ]);
    expect(place.asked[0]?.headers['authorization']).toBeUndefined();
    expect(place.registrations).toEqual([]);
  });

  it('says no other name where it has none (XAUTH-18)', async () => {
    const place = fakeAs();
    const login = workloadIdentity({ assertion: async () => jwt(0) });
    const steps = stepsOf(login);
    const one = await place.client(login);
    await one.close();
    expect(place.asked.map(({ parameters }) => parameters)).toEqual([
      { grant_type: jwtBearer, assertion: jwt(0), resource: server },
    ]);
    expect(steps.map(({ kind }) => kind)).toEqual(['asked', 'discovered', 'token']);
  });

  it('is vouched for anew each time (XAUTH-18)', async () => {
    const place = fakeAs();
    const one = await place.client(workloadIdentity({ assertion: counted(), client }));
    vi.setSystemTime(Date.now() + hour);
    await Promise.all(Array.from({ length: 50 }, (_, index) => one.callTool('echo', { message: String(index) })));
    await one.close();
    expect(place.asked.map(({ parameters }) => parameters['assertion'])).toEqual([jwt(0), jwt(1)]);
  });

  it.each(['invalid_grant', 'invalid_scope', 'unauthorized_client'])(
    'fails at once with %s, without asking again or in another way (XAUTH-18)',
    async (code) => {
      const place = fakeAs({ token: () => refusal(code, 'not you') });
      const error = await causeOf(place.client(workloadIdentity({ assertion: counted(), client })));
      expect(error).toBeInstanceOf(LoginFailed);
      expect(error).toMatchObject({ stage: 'token', code, message: expect.stringContaining('not you') });
      expect(place.asked).toHaveLength(1);
    },
  );

  it('fails once for each call where a token cannot be had any more (XAUTH-18)', async () => {
    let closed = false;
    const place = fakeAs({ token: () => (closed ? refusal('invalid_grant') : undefined) });
    const one = await place.client(workloadIdentity({ assertion: counted(), client }));
    closed = true;
    place.withdraw();
    vi.setSystemTime(Date.now() + hour);
    expect(await causeOf(one.callTool('echo', { message: 'late' }))).toMatchObject({ code: 'invalid_grant' });
    await one.close();
    expect(place.asked).toHaveLength(2);
  });

  it('says why there is nothing that vouches for it', async () => {
    const place = fakeAs();
    const none = () => Promise.reject(new Error('no file at /var/run/token'));
    const error = await causeOf(place.client(workloadIdentity({ assertion: none })));
    expect(error).toMatchObject({ stage: 'authorization', message: expect.stringContaining('/var/run/token') });
    const empty = await causeOf(place.client(workloadIdentity({ assertion: () => '' })));
    expect(empty).toMatchObject({ stage: 'authorization', message: expect.stringContaining('empty') });
    expect(place.asked).toEqual([]);
  });

  it('shows what vouches for it to nobody else, however loudly they say it back', async () => {
    const place = fakeAs({
      token: ({ parameters }) => refusal('invalid_grant', `bad: ${parameters['assertion'] ?? ''}.`),
    });
    const login = workloadIdentity({ assertion: counted(), client });
    const steps = stepsOf(login);
    const error = await causeOf(place.client(login));
    expect(textOf(error)).toContain('bad: ');
    expect(steps.at(-1)).toMatchObject({ kind: 'failed', message: expect.stringContaining('bad: ') });
    expect(`${textOf(error)} ${JSON.stringify(steps)}`).not.toContain('eyJ');
  });

  it.each([
    ['by name', { issuer: 'https://other.example' }],
    ['by its client', { client: { ...client, issuer: 'https://other.example' } }],
  ])('shows it to no other authorization server than the one that it is for, %s (AUTHC-25)', async (_, for_) => {
    const place = fakeAs();
    const error = await causeOf(place.client(workloadIdentity({ assertion: counted(), ...for_ })));
    expect(error).toMatchObject({ stage: 'registration' });
    expect(place.asked).toEqual([]);
  });

  it('shows it to no other authorization server than the first one, where it names none (AUTHC-25)', async () => {
    const store = memoryTokens();
    const first = await fakeAs().client(workloadIdentity({ assertion: counted(), store }));
    await first.close();
    const moved = 'https://moved.example';
    const metadata = { issuer: moved, token_endpoint: `${moved}/token` };
    const place = fakeAs({
      resource: { authorization_servers: [moved] },
      places: { [`${moved}/.well-known/oauth-authorization-server`]: () => ({ body: metadata }) },
    });
    expect(await causeOf(place.client(workloadIdentity({ assertion: counted(), store })))).toMatchObject({
      stage: 'registration',
      message: expect.stringContaining(issuer),
    });
    expect(place.calls.some(({ method, url }) => method === 'POST' && url !== server)).toBe(false);
  });

  it('proves that tokens are its own (XAUTH-20)', async () => {
    const place = fakeAs({ dpop: true });
    const one = await place.client(workloadIdentity({ assertion: counted(), client, dpop: true }));
    await one.callTool('echo', { message: 'one' });
    await one.close();
    // The same request once more, with the word that was wanted.
    expect(place.asked.map(({ parameters }) => parameters['assertion'])).toEqual([jwt(0), jwt(0)]);
    expect(place.knocks().at(-1)?.headers['authorization']).toBe('DPoP access-token-0');
  });
});
