/** The authorization server of these specs is one: each thing that they lean on, seen from outside. */
import * as jose from 'jose';
import * as oauth from 'oauth4webapi';
import { allowInsecureRequests } from 'oauth4webapi';
import { afterEach, expect, it, vi } from 'vitest';
import { leavesNothing } from '../behaviour/leaks.ts';
import { authorizationServer, gatekeeper, robot, visit, type AuthorizationServer, type Visitor } from './provider.ts';

const resource = 'http://127.0.0.1:9/mcp';
const redirectUri = 'http://127.0.0.1:9/callback';
const insecure = { [allowInsecureRequests]: true } as const;

leavesNothing('all');

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const discovered = async ({ issuer }: AuthorizationServer): Promise<oauth.AuthorizationServer> => {
  const url = new URL(issuer);
  return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...insecure }));
};

const registered = async (as: oauth.AuthorizationServer): Promise<oauth.Client> =>
  oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(
      as,
      {
        client_name: 'a <spec>',
        application_type: 'native',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
      },
      insecure,
    ),
  );

const login = async (provider: AuthorizationServer, scope: string, visitor: Visitor = { name: 'Ada' }) => {
  const as = await discovered(provider);
  const client = await registered(as);
  const verifier = oauth.generateRandomCodeVerifier();
  const page = new URL(as.authorization_endpoint ?? '');
  for (const [key, value] of Object.entries({
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope,
    resource,
    state: 'x',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }))
    page.searchParams.set(key, value);
  const back = await visit(page, visitor);
  const params = oauth.validateAuthResponse(as, client, back, 'x');
  const answer = await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), params, redirectUri, verifier, {
    additionalParameters: { resource },
    ...insecure,
  });
  return { as, client, tokens: await oauth.processAuthorizationCodeResponse(as, client, answer) };
};

const refresh = async ({ as, client, tokens }: Awaited<ReturnType<typeof login>>, token = tokens.refresh_token ?? '') =>
  oauth.processRefreshTokenResponse(
    as,
    client,
    await oauth.refreshTokenGrantRequest(as, client, oauth.None(), token, {
      additionalParameters: { resource },
      ...insecure,
    }),
  );

it('says what it can do, by both documents', async () => {
  await using provider = await authorizationServer();
  const as = await discovered(provider);
  expect(as).toMatchObject({
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    registration_endpoint: expect.any(String),
    introspection_endpoint: expect.any(String),
    revocation_endpoint: expect.any(String),
    dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']),
    scopes_supported: expect.arrayContaining(['mcp', 'files:read', 'files:write', 'offline_access']),
    grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token', 'client_credentials']),
  });
  expect(await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).json()).toEqual(as);
});

it('lets somebody in through its pages, with a token for one resource, and says nothing on the console', async () => {
  const said = (['log', 'info', 'warn', 'error'] as const).map((way) => vi.spyOn(console, way));
  await using provider = await authorizationServer({ accessTokenSeconds: 60 });
  const { as, tokens } = await login(provider, 'mcp files:read');
  const keys = await fetch(as.jwks_uri ?? '').then((response): Promise<jose.JSONWebKeySet> => response.json());
  const { payload, protectedHeader } = await jose.jwtVerify(tokens.access_token, jose.createLocalJWKSet(keys), {
    issuer: provider.issuer,
    audience: resource,
  });
  expect(protectedHeader).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
  expect(payload).toMatchObject({ sub: 'Ada', scope: 'mcp files:read', client_id: expect.any(String) });
  expect(tokens).toMatchObject({ expires_in: 60, refresh_token: expect.any(String) });
  expect(provider.seen).toMatchObject({
    tokenRequests: { authorization_code: 1 },
    registrations: 1,
    authorizations: ['mcp files:read'],
    failures: [],
  });
  for (const spy of said) expect(spy).not.toHaveBeenCalled();
});

it('signs with RSA where that is wanted', async () => {
  await using provider = await authorizationServer({ alg: 'RS256' });
  const { tokens } = await login(provider, 'mcp');
  expect(jose.decodeProtectedHeader(tokens.access_token)).toMatchObject({ alg: 'RS256', typ: 'at+jwt' });
});

it('sends back who is refused', async () => {
  await using provider = await authorizationServer();
  await expect(login(provider, 'mcp', { name: 'Eve', answer: 'refuse' })).rejects.toMatchObject({
    error: 'access_denied',
  });
  expect(provider.seen.failures).toEqual(['access_denied: They refused.']);
});

it('wants a challenge (PKCE) of everybody', async () => {
  await using provider = await authorizationServer();
  const as = await discovered(provider);
  const { client_id } = await registered(as);
  const page = new URL(as.authorization_endpoint ?? '');
  page.search = String(new URLSearchParams({ client_id, redirect_uri: redirectUri, response_type: 'code', resource }));
  const back = await visit(page, { name: 'Ada' });
  expect(back.searchParams.get('error')).toBe('invalid_request');
  expect(back.searchParams.get('error_description')).toMatch(/PKCE/);
});

it('refreshes, each token once', async () => {
  await using provider = await authorizationServer();
  const session = await login(provider, 'mcp');
  const again = await refresh(session);
  expect(again.refresh_token).not.toBe(session.tokens.refresh_token);
  await expect(refresh(session)).rejects.toMatchObject({ error: 'invalid_grant' });
  expect(provider.seen).toMatchObject({
    refreshes: 1,
    tokenRequests: { refresh_token: 2 },
    failures: [expect.stringMatching(/invalid_grant/)],
  });
});

it('refreshes no more what has been withdrawn', async () => {
  await using provider = await authorizationServer();
  const session = await login(provider, 'mcp');
  provider.withdraw('refresh');
  await expect(refresh(session)).rejects.toMatchObject({ error: 'invalid_grant' });
});

it('gives refresh tokens for offline access only, where it is so', async () => {
  await using provider = await authorizationServer({ refreshTokens: 'offline_access' });
  expect((await login(provider, 'mcp')).tokens.refresh_token).toBeUndefined();
});

const introspected = async ({ as, tokens }: Awaited<ReturnType<typeof login>>) => {
  const client = { client_id: gatekeeper.id };
  const asked = await oauth.introspectionRequest(
    as,
    client,
    oauth.ClientSecretBasic(gatekeeper.secret),
    tokens.access_token,
    insecure,
  );
  return oauth.processIntrospectionResponse(as, client, asked);
};

it('tells a resource of tokens, until they are withdrawn or have expired', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  await using provider = await authorizationServer({ format: 'opaque', accessTokenSeconds: 60 });
  const first = await login(provider, 'mcp');
  expect(await introspected(first)).toMatchObject({ active: true, sub: 'Ada', aud: resource, scope: 'mcp' });
  provider.withdraw('access');
  expect(await introspected(first)).toEqual({ active: false });
  const second = await login(provider, 'mcp');
  expect(await introspected(second)).toMatchObject({ active: true });
  vi.setSystemTime(Date.now() + 61_000);
  expect(await introspected(second)).toEqual({ active: false });
  expect(provider.seen.introspections).toBe(4);
});

it('takes the word of an application that acts for itself', async () => {
  await using provider = await authorizationServer();
  const as = await discovered(provider);
  const client = { client_id: robot.id };
  const asked = await oauth.clientCredentialsGrantRequest(
    as,
    client,
    oauth.ClientSecretBasic(robot.secret),
    { resource, scope: 'mcp' },
    insecure,
  );
  const tokens = await oauth.processClientCredentialsResponse(as, client, asked);
  expect(jose.decodeJwt(tokens.access_token)).toMatchObject({ sub: robot.id, aud: resource, scope: 'mcp' });
});

it('binds tokens to a key, and may want a nonce', async () => {
  await using provider = await authorizationServer({ dpopNonces: true });
  const as = await discovered(provider);
  const client = { client_id: robot.id };
  const key = await oauth.generateKeyPair('ES256');
  const proof = oauth.DPoP({}, key);
  const ask = async () =>
    oauth.processClientCredentialsResponse(
      as,
      client,
      await oauth.clientCredentialsGrantRequest(
        as,
        client,
        oauth.ClientSecretBasic(robot.secret),
        { resource, scope: 'mcp' },
        { DPoP: proof, ...insecure },
      ),
    );
  const refused: unknown = await ask().catch((error: unknown) => error);
  expect(oauth.isDPoPNonceError(refused)).toBe(true);
  const tokens = await ask();
  expect(tokens.token_type).toBe('dpop');
  expect(jose.decodeJwt(tokens.access_token)['cnf']).toMatchObject({ jkt: expect.any(String) });
});

it('knows nothing of what another one has given out', async () => {
  await using one = await authorizationServer();
  await using other = await authorizationServer();
  const session = await login(one, 'mcp');
  const elsewhere = await discovered(other);
  await expect(refresh({ ...session, as: elsewhere })).rejects.toMatchObject({ error: 'invalid_client' });
});
