import { afterEach, describe, expect, it, vi } from 'vitest';
import { decodeJwt, decodeProtectedHeader, generateKeyPair } from 'jose';
import { Misconfigured, type JsonObject } from 'rxmcp';
import { introspection, type AuthorizeOptions, type IntrospectionOptions } from 'rxmcp/auth';
import {
  admitted,
  bearing,
  claimsNow,
  guardBy,
  issuer,
  json,
  network,
  param,
  refused,
  seconds,
  type Answers,
} from './issuer.ts';

afterEach(() => {
  vi.useRealTimers();
});

const endpoint = `${issuer}/introspect`;
const active = (claims: JsonObject = {}) => json({ active: true, ...claimsNow(), ...claims });

const asking = (
  answer: Answers[string],
  options: Partial<IntrospectionOptions> = {},
  more: Partial<AuthorizeOptions> & { readonly answers?: Answers } = {},
) => {
  const { answers, ...authorizing } = more;
  const net = network({ [endpoint]: answer, ...answers });
  const failures: unknown[] = [];
  const secret = options.privateKey === undefined ? { clientSecret: 's3:cret' } : undefined;
  const verify = introspection({ endpoint, clientId: 'the-weather', ...secret, fetch: net.fetch, ...options });
  const guard = guardBy({
    verify,
    authorizationServers: [issuer],
    onFailure: (error) => failures.push(error),
    ...authorizing,
  });
  return { ...net, failures, guard };
};

const formOf = (init: RequestInit | undefined): URLSearchParams => new URLSearchParams(init?.body as URLSearchParams);
const headersOf = (init: RequestInit | undefined): Headers => new Headers(init?.headers);

describe('asking about a token', () => {
  it('lets in whom it names, and asks as whoever we are (RFC 7662)', async () => {
    const { guard, asked, sent } = asking(() => active());
    expect(await admitted(guard, bearing('opaque'))).toMatchObject({ principal: 'ada', scopes: ['mcp'] });
    expect(asked).toEqual([endpoint]);
    expect(sent[0]?.method).toBe('POST');
    expect(Object.fromEntries(formOf(sent[0]))).toEqual({ token: 'opaque', token_type_hint: 'access_token' });
    expect(headersOf(sent[0]).get('authorization')).toBe(`Basic ${btoa('the-weather:s3%3Acret')}`);
  });

  it.each<[string, JsonObject]>([
    ['is not active', { active: false }],
    ['is meant for another (AUTHS-12)', { aud: 'https://other.example' }],
    ['is meant for nobody', { aud: undefined }],
    ['has expired', { exp: seconds() }],
    ['does not hold yet', { nbf: seconds() + 60 }],
    ['refreshes others', { token_type: 'refresh_token' }],
    ['names nobody', { sub: undefined, client_id: undefined }],
  ])('refuses one that %s', async (_, claims) => {
    const { guard } = asking(() => active(claims));
    const denial = await refused(guard, bearing('opaque'));
    expect([denial.status, param(denial, 'error')]).toEqual([401, 'invalid_token']);
  });

  it.each([{ token_type: 'Bearer' }, { token_type: 'DPoP' }, { exp: undefined }, { iss: undefined }])(
    'takes one that says: %j',
    async (claims) => {
      const { guard } = asking(() => active(claims));
      expect((await admitted(guard, bearing('opaque'))).principal).toBe('ada');
    },
  );

  it('refuses those of another issuer than it was asked of', async () => {
    const { guard } = asking(() => active({ iss: 'https://evil.example' }), { issuer });
    expect((await refused(guard, bearing('opaque'))).status).toBe(401);
  });

  it.each<[string, Answers[string]]>([
    ['cannot be reached', () => Promise.reject(new TypeError('fetch failed'))],
    ['does not know us', () => json({ error: 'invalid_client' }, 401)],
    ['breaks', () => json({}, 500)],
    ['sends us elsewhere (SEC-04)', () => new Response(null, { status: 307, headers: { location: 'https://x' } })],
    ['makes no sense', () => json({ active: 'yes' })],
    ['speaks something else', () => new Response('<html>')],
    ['does not end', () => json({ active: true, more: 'x'.repeat(2_000_000) })],
  ])('of one who %s keeps people out, but does not send them to log in again', async (_, answer) => {
    const { guard, failures } = asking(answer);
    const denial = await refused(guard, bearing('secret-token'));
    expect(denial.status).toBe(503);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ _tag: 'Unreachable' });
    expect(JSON.stringify([denial, String(failures[0])])).not.toMatch(/secret-token|s3:cret/);
  });
});

describe('the issuer’s metadata', () => {
  const place = `${issuer}/.well-known/oauth-authorization-server`;
  const methods = 'introspection_endpoint_auth_methods_supported';

  it.each([
    [undefined, 'basic'],
    [['client_secret_post', 'client_secret_basic'], 'basic'],
    [['client_secret_post'], 'post'],
  ])('say where to ask, and how: %j is %s (AMB-28)', async (supported, how) => {
    const answers = { [place]: () => json({ issuer, introspection_endpoint: endpoint, [methods]: supported }) };
    const { guard, asked, sent } = asking(() => active(), { endpoint: undefined, issuer } as never, { answers });
    await admitted(guard, bearing('opaque'));
    await admitted(guard, bearing('opaque'));
    expect(asked).toEqual([place, endpoint, endpoint]);
    expect(headersOf(sent[1]).has('authorization')).toBe(how === 'basic');
    expect(formOf(sent[1]).get('client_secret')).toBe(how === 'post' ? 's3:cret' : null);
  });

  it('are asked again where they could not be had', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    let broken = true;
    const answers = { [place]: () => (broken ? json({}, 500) : json({ issuer, introspection_endpoint: endpoint })) };
    const { guard, asked } = asking(() => active(), { endpoint: undefined, issuer } as never, { answers });
    for (let n = 0; n < 3; n += 1) expect((await refused(guard, bearing('opaque'))).status).toBe(503);
    expect(asked).toEqual([place]);
    broken = false;
    vi.setSystemTime(Date.now() + 1000);
    await admitted(guard, bearing('opaque'));
  });

  it('may not lead anywhere in the clear (SEC-02)', async () => {
    const answers = { [place]: () => json({ issuer, introspection_endpoint: 'http://auth.example/introspect' }) };
    const { guard, asked } = asking(() => active(), { endpoint: undefined, issuer } as never, { answers });
    expect((await refused(guard, bearing('opaque'))).status).toBe(503);
    expect(asked).toEqual([place]);
  });
});

describe('who asks', () => {
  it('may prove it with a key', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const { guard, sent } = asking(() => active(), { privateKey: { key: privateKey, kid: 'k' }, issuer });
    await admitted(guard, bearing('opaque'));
    const assertion = formOf(sent[0]).get('client_assertion') ?? '';
    expect(decodeProtectedHeader(assertion)).toMatchObject({ alg: 'ES256', kid: 'k' });
    expect(decodeJwt(assertion)).toMatchObject({ iss: 'the-weather', sub: 'the-weather', aud: issuer });
  });

  it('may have to send a secret in the body', async () => {
    const { guard, sent } = asking(() => active(), { method: 'client_secret_post' });
    await admitted(guard, bearing('opaque'));
    expect(formOf(sent[0]).get('client_secret')).toBe('s3:cret');
  });

  it('may be on one machine with whoever answers', async () => {
    const near = 'http://127.0.0.1:4000/introspect';
    const { guard } = asking(() => active(), { endpoint: near }, { answers: { [near]: () => active() } });
    await admitted(guard, bearing('opaque'));
  });

  it.each<[string, Partial<IntrospectionOptions>]>([
    ['asks nobody', { clientSecret: 'x' }],
    ['proves nothing', { endpoint }],
    ['asks in the clear', { endpoint: 'http://auth.example', clientSecret: 'x' }],
    ['asks an issuer in the clear', { issuer: 'http://auth.example', clientSecret: 'x' }],
  ])('is refused at once where it %s', (_, options) => {
    expect(() => introspection({ clientId: 'the-weather', ...options })).toThrow(Misconfigured);
  });
});

describe('revocation', () => {
  it('is seen at once', async () => {
    let revoked = false;
    const { guard, asked } = asking(() => (revoked ? json({ active: false }) : active()));
    await admitted(guard, bearing('opaque'));
    revoked = true;
    expect((await refused(guard, bearing('opaque'))).status).toBe(401);
    expect(asked).toHaveLength(2);
  });

  it('is seen after a while, where that was chosen', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    let revoked = false;
    const { guard, asked } = asking(() => (revoked ? json({ active: false }) : active()), {}, { cacheMs: 10_000 });
    await admitted(guard, bearing('opaque'));
    revoked = true;
    vi.setSystemTime(Date.now() + 9_999);
    await admitted(guard, bearing('opaque'));
    vi.setSystemTime(Date.now() + 1);
    expect((await refused(guard, bearing('opaque'))).status).toBe(401);
    expect(asked).toHaveLength(2);
  });

  it('takes one question for all who come at the same time', async () => {
    const { guard, asked } = asking(() => active());
    await Promise.all(Array.from({ length: 50 }, () => admitted(guard, bearing('opaque'))));
    await admitted(guard, bearing('opaque'));
    expect(asked).toHaveLength(2);
  });
});
