/** What is a token, and is no proof: advisories of other implementations. */
import { server, tool, type JsonObject } from 'rxmcp';
import { introspection } from 'rxmcp/auth';
import { describe, expect, it } from 'vitest';
import { claimsNow, issuer, json, network, resource, seconds, sign } from '../auth/resource/issuer.ts';
import { call } from '../transport/http/desk.ts';
import { doors } from './auth-doors.ts';

let calls = 0;
const house = server(
  { name: 'house', version: '1' },
  tool('secret', {}, () => {
    calls += 1;
    return 'the secret';
  }),
);

/** What whoever brings this is answered. */
const answered = async (token: string, verify?: ReturnType<typeof introspection>) => {
  const answer = await doors(house, verify === undefined ? {} : { verify }).modern(token, call(1, 'secret'));
  return { status: answer.status, said: answer.headers.get('www-authenticate'), text: await answer.text() };
};

/** Asserts that nothing is told, and nothing done. */
const expectShut = async (asked: Promise<Awaited<ReturnType<typeof answered>>>): Promise<void> => {
  const before = calls;
  const { status, said, text } = await asked;
  expect([status, calls]).toEqual([401, before]);
  expect(said).toContain('error="invalid_token"');
  expect(text).not.toContain('the secret');
};

describe('refresh token accepted as bearer', () => {
  it('refresh token accepted as bearer: an access token is, so that the rest means something', async () => {
    const before = calls;
    expect(await answered(await sign({ typ: 'Bearer' }))).toMatchObject({ status: 200 });
    expect(calls).toBe(before + 1);
  });

  it.each<[string, JsonObject, JsonObject]>([
    ["Keycloak's refresh token", { typ: 'Refresh' }, { typ: 'JWT' }],
    ["Keycloak's offline token", { typ: 'Offline' }, { typ: 'JWT' }],
    ["Keycloak's ID token", { typ: 'ID', nonce: 'n' }, { typ: 'JWT' }],
    ["Keycloak's logout token", { typ: 'Logout' }, { typ: 'JWT' }],
    ['a refresh token without a header that says so', { typ: 'Refresh' }, { typ: undefined }],
    ['a refresh token that calls itself an access token in its header', { typ: 'Refresh' }, { typ: 'at+jwt' }],
    ['a refresh token in other words', { token_type: 'refresh_token' }, { typ: 'JWT' }],
    ['one more', { type: 'refresh' }, { typ: 'JWT' }],
    ["Cognito's refresh token", { token_use: 'refresh' }, { typ: undefined }],
    ["Cognito's ID token", { token_use: 'id' }, { typ: undefined }],
    ['a header of its own', {}, { typ: 'rt+jwt' }],
    ['a header of its own, written out', {}, { typ: 'application/rt+jwt' }],
    ['another', {}, { typ: 'refresh+jwt' }],
    ['a refresh token by its header', {}, { typ: 'Refresh' }],
    ['an ID token by its header', {}, { typ: 'id_token+jwt' }],
    ['an ID token by its nonce', { nonce: 'n' }, { typ: 'JWT' }],
    ['an ID token by the hash of an access token', { at_hash: 'h' }, { typ: undefined }],
    ['a logout token', { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }, { typ: 'logout+jwt' }],
    ['an assertion of who a client is', {}, { typ: 'client-authentication+jwt' }],
    ['an identity assertion', {}, { typ: 'oauth-id-jag+jwt' }],
    ['a proof of possession', {}, { typ: 'dpop+jwt' }],
    ['an answer of introspection', {}, { typ: 'token-introspection+jwt' }],
  ])('refresh token accepted as bearer: not %s', async (_, claims, header) => {
    await expectShut(answered(await sign(claims, header)));
  });

  it.each<[string, JsonObject]>([
    ['an opaque refresh token', { active: true, token_type: 'refresh_token' }],
    ['one of Keycloak', { active: true, typ: 'Refresh' }],
    ['one that lasts', { active: true, typ: 'Offline' }],
    ['one by its use', { active: true, token_use: 'refresh_token' }],
    ['an ID token', { active: true, token_type: 'id_token' }],
    ['one that has been used', { active: false }],
  ])('refresh token accepted as bearer: nor %s, whatever its issuer knows of it', async (_, said) => {
    const { fetch, sent } = network({
      [`${issuer}/introspect`]: () =>
        json({ sub: 'ada', aud: resource, scope: 'mcp', client_id: 'app', exp: seconds() + 60, ...said }),
    });
    const verify = introspection({
      issuer,
      endpoint: `${issuer}/introspect`,
      clientId: 'door',
      clientSecret: 's',
      fetch,
    });
    await expectShut(answered('an-opaque-token', verify));
    // It is asked as what it would have to be.
    expect(new URLSearchParams(String(sent[0]?.body)).get('token_type_hint')).toBe('access_token');
  });

  it.each<JsonObject>([{}, { active: 'true' }, { active: 1 }, { active: null }])(
    'refresh token accepted as bearer: nobody is let in where it is not said plainly: %j',
    async (said) => {
      const { fetch } = network({ [`${issuer}/introspect`]: () => json({ ...claimsNow(), ...said }) });
      const verify = introspection({
        issuer,
        endpoint: `${issuer}/introspect`,
        clientId: 'd',
        clientSecret: 's',
        fetch,
      });
      const before = calls;
      expect(await answered('an-opaque-token', verify)).toMatchObject({ status: 503 });
      expect(calls).toBe(before);
    },
  );

  it('refresh token accepted as bearer: an opaque access token is', async () => {
    const { fetch } = network({
      [`${issuer}/introspect`]: () => json({ ...claimsNow(), active: true, token_type: 'Bearer' }),
    });
    const verify = introspection({
      issuer,
      endpoint: `${issuer}/introspect`,
      clientId: 'door',
      clientSecret: 's',
      fetch,
    });
    expect(await answered('an-opaque-token', verify)).toMatchObject({ status: 200 });
  });
});
