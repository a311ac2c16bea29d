/** Programs that log in as themselves. */
import { exportPKCS8, generateKeyPair, jwtVerify } from 'jose';
import { Misconfigured } from 'rxmcp';
import { clientCredentials, LoginFailed, memoryTokens } from 'rxmcp/auth';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { leavesNothing } from '../behaviour/leaks.ts';
import { causeOf, fakeAs, issuer, refusal, server, stepsOf, textOf } from './fake-as.ts';

const hour = 3_600_000;
const secret = 'a secret: of 30% & more';
const client = { clientId: 'nightly-report', clientSecret: secret };

leavesNothing();
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

describe('a program that logs in as itself', () => {
  it('asks for a token for this server, by its secret in the header (XAUTH-03, XAUTH-04, AMB-28)', async () => {
    const place = fakeAs();
    const one = await place.client(clientCredentials({ client, scopes: ['read', 'write'] }));
    expect(await one.callTool('echo', { message: 'hello' })).toMatchObject({ content: [{ text: 'hello' }] });
    await one.close();
    expect(place.asked).toHaveLength(1);
    expect(place.asked[0]?.parameters).toEqual({
      grant_type: 'client_credentials',
      resource: server,
      scope: 'read write',
    });
    const basic = `nightly-report:${new URLSearchParams({ '': secret }).toString().slice(1)}`;
    expect(place.asked[0]?.headers['authorization']).toBe(`Basic ${btoa(basic)}`);
    expect(place.registrations).toEqual([]);
  });

  it('proves itself in the body where that is what is taken (AMB-28)', async () => {
    const place = fakeAs({ metadata: { token_endpoint_auth_methods_supported: ['client_secret_post'] } });
    const one = await place.client(clientCredentials({ client }));
    await one.close();
    expect(place.asked[0]?.parameters).toEqual({
      grant_type: 'client_credentials',
      client_id: 'nightly-report',
      client_secret: secret,
      resource: server,
    });
    expect(place.asked[0]?.headers['authorization']).toBeUndefined();
  });

  it('proves itself by its key, and says only there who it is (XAUTH-04)', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const place = fakeAs({ metadata: { token_endpoint_auth_methods_supported: ['private_key_jwt'] } });
    const pem = await exportPKCS8(privateKey);
    const known = { clientId: 'nightly-report', privateKey: { pem, algorithm: 'ES256', kid: 'k1' } };
    const one = await place.client(clientCredentials({ client: known }));
    await one.close();
    const { client_assertion: assertion = '', ...rest } = place.asked[0]?.parameters ?? {};
    expect(rest).toEqual({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      resource: server,
    });
    const { payload, protectedHeader } = await jwtVerify(assertion, publicKey, { audience: issuer });
    expect(payload).toMatchObject({ iss: 'nightly-report', sub: 'nightly-report', jti: expect.any(String) });
    expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: 'k1' });
  });

  it('prefers its key to its secret', async () => {
    const { privateKey: key } = await generateKeyPair('ES256');
    const place = fakeAs();
    const one = await place.client(clientCredentials({ client: { ...client, privateKey: { key } } }));
    await one.close();
    expect(place.asked[0]?.parameters).toHaveProperty('client_assertion');
    expect(JSON.stringify(place.calls)).not.toContain(btoa(secret));
  });

  it('says to servers that it does so (XAUTH-02)', async () => {
    const place = fakeAs();
    const one = await place.client(clientCredentials({ client }));
    await one.close();
    expect(place.knocks()[0]?.body).toContain('"io.modelcontextprotocol/oauth-client-credentials":{}');
  });

  it('is never without a token: another one is had before the old one expires, once for all (XAUTH-06)', async () => {
    const place = fakeAs({ granted: { refresh_token: 'never-used' } });
    const login = clientCredentials({ client });
    const steps = stepsOf(login);
    const one = await place.client(login);
    vi.setSystemTime(Date.now() + hour - 20_000);
    const before = place.knocks().length;
    const calls = Array.from({ length: 50 }, (_, index) => one.callTool('echo', { message: String(index) }));
    await Promise.all(calls);
    await one.close();
    expect(place.asked.map(({ parameters }) => parameters['grant_type'])).toEqual([
      'client_credentials',
      'client_credentials',
    ]);
    const proofs = place
      .knocks()
      .slice(before)
      .map(({ headers }) => headers['authorization']);
    expect(new Set(proofs)).toEqual(new Set(['Bearer access-token-1']));
    expect(steps.filter(({ kind }) => kind === 'token')).toMatchObject([{ renewable: true }, { renewable: true }]);
  });

  it('gets another one where a server refuses the old one, once for all who were refused (XAUTH-06)', async () => {
    const place = fakeAs();
    const one = await place.client(clientCredentials({ client }));
    place.withdraw();
    await Promise.all(Array.from({ length: 50 }, (_, index) => one.callTool('echo', { message: String(index) })));
    await one.close();
    expect(place.asked).toHaveLength(2);
  });

  it('tells what happens, and no secret', async () => {
    const place = fakeAs();
    const login = clientCredentials({ client });
    const steps = stepsOf(login);
    const one = await place.client(login);
    await one.close();
    expect(steps).toMatchObject([
      { kind: 'asked' },
      { kind: 'discovered', issuer, resource: server },
      { kind: 'registered', clientId: 'nightly-report', how: 'given' },
      { kind: 'token', by: 'login', renewable: true },
    ]);
    for (const hidden of [secret, ...place.issued]) expect(JSON.stringify(steps)).not.toContain(hidden);
  });

  it('fails where it is not known, and says why without its secret', async () => {
    const place = fakeAs({ token: () => refusal('invalid_client', 'no such client', 401) });
    const login = clientCredentials({ client });
    const steps = stepsOf(login);
    const error = await causeOf(place.client(login));
    expect(error).toBeInstanceOf(LoginFailed);
    expect(error).toMatchObject({ stage: 'token', code: 'invalid_client' });
    expect(textOf(error)).toContain('no such client');
    expect(textOf(error)).not.toContain(secret);
    expect(textOf(error)).not.toContain(btoa(secret).slice(4, 20));
    expect(steps.at(-1)).toMatchObject({ kind: 'failed' });
    expect(place.asked).toHaveLength(1);
  });

  it('asks once for each call that is refused where no other token can be had, and not for ever', async () => {
    let closed = false;
    const place = fakeAs({ token: () => (closed ? refusal('unauthorized_client') : undefined) });
    const one = await place.client(clientCredentials({ client }));
    closed = true;
    vi.setSystemTime(Date.now() + hour);
    place.withdraw();
    const error = await causeOf(one.callTool('echo', { message: 'late' }));
    expect(error).toMatchObject({ stage: 'token', code: 'unauthorized_client' });
    expect(place.asked).toHaveLength(2);
    await causeOf(one.callTool('echo', { message: 'later' }));
    expect(place.asked).toHaveLength(3);
    await one.close();
  });

  it('goes on with the token that it has where nobody answers who gives them out', async () => {
    let down = false;
    const place = fakeAs({ token: () => (down ? { status: 503 } : undefined) });
    const one = await place.client(clientCredentials({ client }));
    down = true;
    vi.setSystemTime(Date.now() + hour - 10_000);
    expect(await one.callTool('echo', { message: 'still' })).toMatchObject({ content: [{ text: 'still' }] });
    down = false;
    await one.callTool('echo', { message: 'again' });
    expect(place.issued).toHaveLength(2);
    await one.close();
  });

  it('shows its secret to the authorization server that it is for, and to no other (AUTHC-25, AUTHC-26)', async () => {
    const elsewhere = { ...client, issuer: 'https://other.example' };
    const place = fakeAs();
    const error = await causeOf(place.client(clientCredentials({ client: elsewhere })));
    expect(error).toMatchObject({ stage: 'registration' });
    expect(place.asked).toEqual([]);
  });

  it('chooses the authorization server that knows it, among those that a server names (AUTHC-06)', async () => {
    const place = fakeAs({ resource: { authorization_servers: ['https://other.example', issuer] } });
    const one = await place.client(clientCredentials({ client: { ...client, issuer } }));
    await one.close();
    expect(place.calls.some(({ url }) => url.startsWith('https://other.example'))).toBe(false);
  });

  it('is for the first authorization server that it is used with, where it says nothing (AUTHC-25)', async () => {
    const store = memoryTokens();
    await store.set('issuer of nightly-report', { issuer: 'https://other.example' });
    const place = fakeAs();
    const error = await causeOf(place.client(clientCredentials({ client, store })));
    expect(error).toMatchObject({ stage: 'registration' });
    expect(place.asked).toEqual([]);
  });

  it('proves that tokens are its own, in the words of whoever reads the proof (XAUTH-20)', async () => {
    const place = fakeAs({ dpop: true });
    const one = await place.client(clientCredentials({ client, dpop: true }));
    await one.callTool('echo', { message: 'one' });
    const knocks = place.knocks().length;
    await one.callTool('echo', { message: 'two' });
    await one.close();
    // Asked once in vain, once with the word; at the server the word is remembered.
    expect(place.asked).toHaveLength(2);
    expect(place.issued).toHaveLength(1);
    const last = place.knocks().slice(knocks);
    expect(last).toHaveLength(1);
    expect(last[0]?.headers['authorization']).toBe('DPoP access-token-0');
  });

  it('takes no token that anybody could use, where it wants one of its own (XAUTH-20)', async () => {
    const place = fakeAs();
    const error = await causeOf(place.client(clientCredentials({ client, dpop: true })));
    expect(error).toMatchObject({ stage: 'token' });
    expect(textOf(error)).toContain('DPoP');
  });

  it('has its token taken back when it logs out', async () => {
    const revoked: string[] = [];
    const place = fakeAs({
      metadata: { revocation_endpoint: `${issuer}/revoke` },
      places: {
        [`${issuer}/revoke`]: ({ body = '' }) => {
          revoked.push(new URLSearchParams(body).get('token') ?? '');
          return {};
        },
      },
    });
    const login = clientCredentials({ client });
    const one = await place.client(login);
    await login.logout(server);
    expect(revoked).toEqual(['access-token-0']);
    await one.callTool('echo', { message: 'anew' });
    expect(place.issued).toHaveLength(2);
    await one.close();
  });

  it('must have something to prove itself with', () => {
    expect(() => clientCredentials({ client: { clientId: 'bare' } })).toThrow(Misconfigured);
  });
});
