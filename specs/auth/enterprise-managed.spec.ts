/** People who are logged in where they work, and thereby wherever they may go. */
import { Misconfigured } from 'rxmcp';
import { enterpriseManaged, LoginFailed, type EnterpriseManagedOptions } from 'rxmcp/auth';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { leavesNothing } from '../behaviour/leaks.ts';
import { causeOf, fakeAs, issuer, json, refusal, server, stepsOf, textOf } from './fake-as.ts';
import type { Asked, FakeOptions, Place, Reply } from './fake-as.ts';

const hour = 3_600_000;
const type = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`;
const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const work = 'https://login.work.example';
const client = { clientId: 'editor-there', clientSecret: 'editor-secret' };
const atWork = { clientId: 'editor-at-work', clientSecret: 'work-secret' };
const basic = ({ clientId, clientSecret }: typeof client): string => `Basic ${btoa(`${clientId}:${clientSecret}`)}`;
const idToken = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.id';
const jag = (count: number): string =>
  `eyJhbGciOiJFUzI1NiIsInR5cCI6Im9hdXRoLWlkLWphZytqd3QifQ.e30.jag-${String(count)}`;

leavesNothing();
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

/** An identity provider that says yes, unless it has something else to say. */
const office = (answer: (asked: Asked, count: number) => Reply | undefined = () => undefined) => {
  const asked: Asked[] = [];
  const token: Place = ({ url, headers, body = '' }) => {
    const request: Asked = { url, headers, parameters: Object.fromEntries(new URLSearchParams(body)) };
    asked.push(request);
    const said = answer(request, asked.length);
    if (said !== undefined) return said;
    const issued = request.parameters['requested_token_type'] ?? '';
    const isJag = issued === type('id-jag');
    const access_token = isJag ? jag(asked.length) : `lasting-${String(asked.length)}`;
    return json({ access_token, issued_token_type: issued, token_type: 'N_A', expires_in: 300 });
  };
  const places: FakeOptions['places'] = {
    [`${work}/.well-known/openid-configuration`]: () => json({ issuer: work, token_endpoint: `${work}/exchange` }),
    [`${work}/exchange`]: token,
  };
  return { asked, places };
};

const managed = (options: Partial<EnterpriseManagedOptions> = {}) =>
  enterpriseManaged({
    identityProvider: { issuer: work, client: atWork },
    assertion: () => idToken,
    client,
    ...options,
  });

describe('somebody whom their organization vouches for', () => {
  it('is vouched for to the authorization server of the server that they want (XAUTH-08, -09, AMB-26, -27)', async () => {
    const { asked, places } = office();
    const place = fakeAs({ places });
    const one = await place.client(managed({ scopes: ['read', 'write'] }));
    expect(await one.callTool('echo', { message: 'hello' })).toMatchObject({ content: [{ text: 'hello' }] });
    await one.close();
    expect(asked.map(({ parameters }) => parameters)).toEqual([
      {
        grant_type: exchange,
        requested_token_type: type('id-jag'),
        subject_token: idToken,
        subject_token_type: type('id_token'),
        audience: issuer,
        resource: server,
        scope: 'read write',
      },
    ]);
    expect(asked[0]?.headers['authorization']).toBe(basic(atWork));
  });

  it('is given a token for that word, by a client as it is registered there (XAUTH-10, AMB-27)', async () => {
    const { places } = office();
    const place = fakeAs({ places });
    const one = await place.client(managed({ scopes: ['read'] }));
    await one.close();
    expect(place.asked.map(({ parameters }) => parameters)).toEqual([
      { grant_type: jwtBearer, assertion: jag(1), resource: server, scope: 'read' },
    ]);
    expect(place.asked[0]?.headers['authorization']).toBe(basic(client));
    expect(place.registrations).toEqual([]);
  });

  it('may be asked for by a client that is a document (XAUTH-10)', async () => {
    const document = 'https://editor.example/client.json';
    const { places } = office();
    const place = fakeAs({ places });
    const login = managed({ client: { clientId: document } });
    const steps = stepsOf(login);
    const one = await place.client(login);
    await one.close();
    expect(place.asked[0]?.parameters).toMatchObject({ client_id: document });
    expect(steps).toContainEqual(expect.objectContaining({ kind: 'registered', how: 'document', clientId: document }));
  });

  it('is said to be so to servers (XAUTH-02)', async () => {
    const place = fakeAs({ places: office().places });
    const one = await place.client(managed());
    await one.close();
    expect(place.knocks()[0]?.body).toContain('"io.modelcontextprotocol/enterprise-managed-authorization":{}');
  });

  it('is vouched for where tokens are exchanged, without looking for metadata', async () => {
    const { asked, places } = office();
    const place = fakeAs({ places });
    const one = await place.client(
      managed({ identityProvider: { tokenEndpoint: `${work}/exchange`, client: atWork } }),
    );
    await one.close();
    expect(asked).toHaveLength(1);
    expect(place.looked().some((url) => url.startsWith(work))).toBe(false);
  });

  it('is vouched for by a provider that takes clients by their name alone', async () => {
    const { asked, places } = office();
    const place = fakeAs({ places });
    const one = await place.client(managed({ identityProvider: { issuer: work, client: { clientId: 'bare' } } }));
    await one.close();
    expect(asked[0]?.parameters).toMatchObject({ client_id: 'bare' });
  });

  it('is vouched for anew whenever a token expires, and asked nothing, once for all (XAUTH-10)', async () => {
    const { asked, places } = office();
    const place = fakeAs({ places });
    const one = await place.client(managed());
    vi.setSystemTime(Date.now() + hour - 20_000);
    await Promise.all(Array.from({ length: 50 }, (_, index) => one.callTool('echo', { message: String(index) })));
    await one.close();
    // A word that was used already would be refused as a replay.
    expect(asked).toHaveLength(2);
    expect(place.asked.map(({ parameters }) => parameters['assertion'])).toEqual([jag(1), jag(2)]);
  });

  it('is told what happens, and none of what is said of them (XAUTH-12)', async () => {
    const place = fakeAs({ places: office().places });
    const login = managed();
    const steps = stepsOf(login);
    const one = await place.client(login);
    await one.close();
    expect(steps.map(({ kind }) => kind)).toEqual(['asked', 'discovered', 'registered', 'exchanged', 'token']);
    expect(steps[3]).toEqual({ kind: 'exchanged', server, issuer: work });
    const told = JSON.stringify(steps);
    for (const hidden of [idToken, jag(1), 'editor-secret', 'work-secret', ...place.issued])
      expect(told).not.toContain(hidden);
    // None of it is ever in a URL either.
    for (const { url } of place.calls) expect(url).not.toMatch(/eyJ|secret|access-token/);
  });

  it.each([
    ['their provider', 'invalid_grant', 0],
    ['the authorization server', 'invalid_grant', 1],
  ])('fails where %s refuses, and says why without what is said of them (XAUTH-12)', async (_, code, refuses) => {
    const echoing = ({ parameters }: Asked): Reply =>
      refusal(code, `no: ${parameters['subject_token'] ?? parameters['assertion'] ?? ''}`);
    const { places } = office(refuses === 0 ? echoing : undefined);
    const place = fakeAs({ places, ...(refuses === 1 ? { token: echoing } : {}) });
    const error = await causeOf(place.client(managed()));
    expect(error).toBeInstanceOf(LoginFailed);
    expect(error).toMatchObject({ stage: 'token', code });
    expect(textOf(error)).toContain(refuses === 0 ? 'login.work.example' : 'auth.example');
    expect(textOf(error)).toContain('no: ');
    expect(textOf(error)).not.toMatch(/eyJ|secret/);
    expect(place.asked).toHaveLength(refuses);
  });

  it.each([type('access_token'), undefined])(
    'takes nothing for such a word that is none: %s (XAUTH-08)',
    async (issued) => {
      const { places } = office(() =>
        json({
          access_token: jag(0),
          token_type: 'Bearer',
          ...(issued === undefined ? {} : { issued_token_type: issued }),
        }),
      );
      const place = fakeAs({ places });
      const error = await causeOf(place.client(managed()));
      expect(error).toMatchObject({ stage: 'token', message: expect.stringContaining('id-jag') });
      expect(textOf(error)).not.toContain('eyJ');
      expect(place.asked).toEqual([]);
    },
  );

  it('asks no provider where the authorization server takes no word of one (XAUTH-07)', async () => {
    const { asked, places } = office();
    const place = fakeAs({ places, metadata: { authorization_grant_profiles_supported: ['urn:other'] } });
    expect(await causeOf(place.client(managed()))).toMatchObject({ stage: 'discovery' });
    expect(asked).toEqual([]);
    const profile = 'urn:ietf:params:oauth:grant-profile:id-jag';
    const taking = fakeAs({ places, metadata: { authorization_grant_profiles_supported: [profile] } });
    const one = await taking.client(managed());
    await one.close();
    expect(asked).toHaveLength(1);
  });

  it('exchanges an assertion of SAML for what lasts first, and keeps that (XAUTH-11)', async () => {
    const { asked, places } = office();
    const place = fakeAs({ places });
    const assertion = vi.fn(() => 'PHNhbWw+');
    const one = await place.client(managed({ assertion, assertionType: 'saml2' }));
    expect(asked.map(({ parameters }) => parameters)).toMatchObject([
      {
        grant_type: exchange,
        requested_token_type: type('refresh_token'),
        subject_token: 'PHNhbWw+',
        subject_token_type: type('saml2'),
        scope: 'openid offline_access',
      },
      {
        grant_type: exchange,
        requested_token_type: type('id-jag'),
        subject_token: 'lasting-1',
        subject_token_type: type('refresh_token'),
        audience: issuer,
        resource: server,
      },
    ]);
    vi.setSystemTime(Date.now() + hour);
    await one.callTool('echo', { message: 'later' });
    await one.close();
    expect(asked[2]?.parameters).toMatchObject({ subject_token: 'lasting-1' });
    expect(asked).toHaveLength(3);
    expect(assertion).toHaveBeenCalledTimes(1);
  });

  it('keeps what lasts while the provider has trouble (XAUTH-11)', async () => {
    const { asked, places } = office((_, count) => (count === 3 ? { status: 503 } : undefined));
    const place = fakeAs({ places });
    const assertion = vi.fn(() => 'PHNhbWw+');
    const one = await place.client(managed({ assertion, assertionType: 'saml2' }));
    vi.setSystemTime(Date.now() + hour - 20_000);
    await one.callTool('echo', { message: 'with the old one' });
    await one.callTool('echo', { message: 'with a new one' });
    await one.close();
    expect(asked.map(({ parameters }) => parameters['subject_token'])).toEqual([
      'PHNhbWw+',
      ...['lasting-1', 'lasting-1', 'lasting-1'],
    ]);
    expect(assertion).toHaveBeenCalledTimes(1);
  });

  it('begins again with SAML where what was to last does not (XAUTH-11)', async () => {
    const { asked, places } = office((_, count) => (count === 3 ? refusal('invalid_grant') : undefined));
    const place = fakeAs({ places });
    const one = await place.client(managed({ assertion: () => 'PHNhbWw+', assertionType: 'saml2' }));
    vi.setSystemTime(Date.now() + hour);
    await one.callTool('echo', { message: 'later' });
    await one.close();
    expect(asked.slice(2).map(({ parameters }) => parameters['subject_token'])).toEqual([
      'lasting-1',
      'PHNhbWw+',
      'lasting-4',
    ]);
  });

  it('is vouched for by a provider in a private network, which is named by its user', async () => {
    const { asked, places } = office();
    const own = 'https://10.0.0.7';
    const place = fakeAs({ places: { [`${own}/exchange`]: places?.[`${work}/exchange`] ?? (() => ({})) } });
    const one = await place.client(managed({ identityProvider: { tokenEndpoint: `${own}/exchange`, client: atWork } }));
    await one.close();
    expect(asked).toHaveLength(1);
  });

  it.each(['http://login.work.example', 'nowhere', 'https://me:secret@login.work.example'])(
    'is vouched for over TLS only: %s (XAUTH-12)',
    (bad) => {
      expect(() => managed({ identityProvider: { issuer: bad, client: atWork } })).toThrow(Misconfigured);
      expect(() => managed({ identityProvider: { tokenEndpoint: bad, client: atWork } })).toThrow(Misconfigured);
    },
  );

  it('goes nowhere without TLS, even where the provider says so itself (XAUTH-12)', async () => {
    const { places } = office();
    const plain = { issuer: work, token_endpoint: 'http://login.work.example/exchange' };
    const place = fakeAs({
      places: { ...places, [`${work}/.well-known/openid-configuration`]: () => json(plain) },
    });
    expect(await causeOf(place.client(managed()))).toMatchObject({ stage: 'network' });
    expect(JSON.stringify(place.calls)).not.toContain('eyJ');
  });

  it('proves that tokens are its own to the authorization server, and not to the provider (XAUTH-20)', async () => {
    const { asked, places } = office();
    const place = fakeAs({ places, dpop: true });
    const one = await place.client(managed({ dpop: true }));
    await one.callTool('echo', { message: 'one' });
    await one.close();
    expect(asked).toHaveLength(1);
    expect(asked[0]?.headers['dpop']).toBeUndefined();
    expect(place.asked).toHaveLength(2);
    expect(place.knocks().at(-1)?.headers['authorization']).toBe('DPoP access-token-0');
  });
});
