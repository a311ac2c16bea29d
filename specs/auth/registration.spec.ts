/** Who we are to an authorization server. */
import { generateKeyPair } from 'jose';
import { Misconfigured } from 'rxmcp';
import { memoryTokens, oauth, type ClientOptions, type LoginStep, type TokenStore } from 'rxmcp/auth';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { leavesNothing } from '../behaviour/leaks.ts';
import { causeOf, fakeAs, issuer, json, loggedIn, metadataOf, refusal, server, somebody, stepsOf } from './fake-as.ts';
import type { FakeAs, FakeOptions } from './fake-as.ts';

const day = 86_400_000;
const document = 'https://app.example/client.json';
const loopback = 'http://127.0.0.1:4242/callback';

leavesNothing();
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

interface Arrival {
  readonly registered: Extract<LoginStep, { kind: 'registered' }> | undefined;
  readonly known: readonly (readonly string[])[];
}

/** Somebody who has logged in, and how we were known. */
const arrived = async (
  place: FakeAs,
  client: ClientOptions = {},
  store: TokenStore = memoryTokens(),
  redirectUri = loopback,
): Promise<Arrival> => {
  const who = somebody(loggedIn, redirectUri);
  const login = oauth({ callback: who.callback, client, store });
  const steps = stepsOf(login);
  const one = await place.client(login);
  await one.close();
  await store.set(`token ${server}`, undefined);
  return { registered: steps.find((step) => step.kind === 'registered'), known: who.known };
};

/** Somebody who was not logged in, and why; nobody was shown a page. */
const turnedAway = async (place: FakeAs, client: ClientOptions = {}, store?: TokenStore): Promise<unknown> => {
  const who = somebody();
  const error = await causeOf(place.client(oauth({ callback: who.callback, client, store })));
  expect(who.pages).toEqual([]);
  expect(who.now).toEqual({ places: 0, away: 0 });
  return error;
};

const known = { clientId: 'known-there' };
const documents: FakeOptions = { metadata: { client_id_metadata_document_supported: true } };
const unregistering: FakeOptions = { metadata: { registration_endpoint: undefined } };

describe('a client', () => {
  it.each([
    ['as it was told before', documents, { known, metadataUrl: document }, 'given', 'known-there'],
    ['by its document', documents, { metadataUrl: document }, 'document', document],
    ['by registering, where documents are not read', {}, { metadataUrl: document }, 'dynamic', 'client-1'],
    ['by registering', {}, {}, 'dynamic', 'client-1'],
    ['as somebody says', unregistering, { ask: async () => known }, 'given', 'known-there'],
  ] as const)('is known %s (AUTHC-15, -16, -17, -18, -21, -22)', async (_, options, client, how, clientId) => {
    const place = fakeAs(options);
    const { registered } = await arrived(place, client);
    expect(registered).toMatchObject({ how, clientId, issuer });
    expect(place.asked[0]?.parameters['client_id']).toBe(clientId);
    expect(place.registrations).toHaveLength(how === 'dynamic' ? 1 : 0);
  });

  it.each([
    unregistering,
    { metadata: { registration_endpoint: undefined, client_id_metadata_document_supported: false } },
  ])('says what is missing where nobody knows it, and shows nobody a page (AUTHC-15, AUTHC-16)', async (options) => {
    const error = await turnedAway(fakeAs(options), { metadataUrl: document, ask: async () => undefined });
    expect(error).toMatchObject({ stage: 'registration', message: expect.stringContaining('client.known') });
  });

  it.each([
    'http://app.example/client.json',
    'https://app.example',
    'https://app.example/',
    `${document}#it`,
    'client',
  ])('has no document at %s (AUTHC-19)', (metadataUrl) => {
    expect(() => oauth({ callback: somebody().callback, client: { metadataUrl } })).toThrow(Misconfigured);
  });

  it('proves that its document is its own (AUTHC-20)', async () => {
    const { privateKey: key } = await generateKeyPair('ES256');
    const place = fakeAs(documents);
    await arrived(place, { metadataUrl: document, privateKey: { key } });
    expect(place.asked[0]?.parameters).toMatchObject({ client_assertion: expect.stringMatching(/^ey/) });
  });
});

describe('registering', () => {
  it.each([
    [loopback, 'native'],
    ['http://localhost:1/x', 'native'],
    ['http://[::1]:1/x', 'native'],
    ['https://app.example/callback', 'web'],
  ])('says where people come back to, and what kind that is: %s (AUTHC-23, AUTHC-45, AMB-29)', async (uri, kind) => {
    const place = fakeAs();
    await arrived(place, { name: 'Weather watcher', uri: 'https://app.example' }, memoryTokens(), uri);
    expect(place.registrations).toEqual([
      {
        client_name: 'Weather watcher',
        client_uri: 'https://app.example',
        redirect_uris: [uri],
        application_type: kind,
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      },
    ]);
  });

  it.each(['http://app.example/callback', 'http://127.0.0.1.evil.example/'])(
    'does not say that people come back to where others listen: %s (AUTHC-45)',
    async (uri) => {
      const place = fakeAs();
      const who = somebody(loggedIn, uri);
      expect(await causeOf(place.client(oauth({ callback: who.callback })))).toMatchObject({ stage: 'authorization' });
      expect(place.registrations).toEqual([]);
      expect(who.pages).toEqual([]);
    },
  );

  it('says besides what the user wants said', async () => {
    const place = fakeAs();
    await arrived(place, { registration: { software_id: 'abc', application_type: 'web' } });
    expect(place.registrations[0]).toMatchObject({ software_id: 'abc', application_type: 'web' });
  });

  it('may be refused, for where people come back to as well, which is said (AUTHC-24)', async () => {
    const place = fakeAs({
      places: { [`${issuer}/register`]: () => refusal('invalid_redirect_uri', 'no loopback here') },
    });
    expect(await turnedAway(place)).toMatchObject({
      stage: 'registration',
      code: 'invalid_redirect_uri',
      message: expect.stringContaining('no loopback here'),
    });
  });

  it('is done once; what was said is remembered (AUTHC-25)', async () => {
    const place = fakeAs();
    const store = memoryTokens();
    await arrived(place, {}, store);
    const { registered, known } = await arrived(place, {}, store);
    expect(registered).toMatchObject({ how: 'remembered', clientId: 'client-1' });
    expect(place.registrations).toHaveLength(1);
    // Whoever opens a place to come back to may choose one that is known.
    expect(known).toEqual([[loopback]]);
  });

  it('is done anew where people come back to another place (AUTHC-45)', async () => {
    const place = fakeAs();
    const store = memoryTokens();
    await arrived(place, {}, store);
    const { registered } = await arrived(place, {}, store, 'http://127.0.0.1:9/callback');
    expect(registered).toMatchObject({ how: 'dynamic', clientId: 'client-2' });
  });

  it('is done anew with another authorization server, which learns nothing of the first (AUTHC-25)', async () => {
    const moved = 'https://moved.example';
    const store = memoryTokens();
    await arrived(
      fakeAs({ places: { [`${issuer}/register`]: () => json({ client_id: 'first-id' }, 201) } }),
      {},
      store,
    );
    const place = fakeAs({
      at: moved,
      resource: { authorization_servers: [moved] },
      places: {
        [`${moved}/.well-known/oauth-authorization-server`]: () =>
          json(metadataOf(moved, { registration_endpoint: `${moved}/register` })),
      },
    });
    const { registered } = await arrived(place, {}, store);
    expect(registered).toMatchObject({ how: 'dynamic', issuer: moved, clientId: 'client-1' });
    expect(JSON.stringify(place.calls)).not.toContain('first-id');
  });

  it('is done anew where the authorization server has forgotten us (AUTHC-25)', async () => {
    let forgotten = false;
    const place = fakeAs({ token: () => (forgotten ? refusal('invalid_client', undefined, 401) : undefined) });
    const store = memoryTokens();
    await arrived(place, {}, store);
    forgotten = true;
    const who = somebody();
    const error = await causeOf(place.client(oauth({ callback: who.callback, store })));
    expect(error).toMatchObject({ code: 'invalid_client' });
    forgotten = false;
    expect((await arrived(place, {}, store)).registered).toMatchObject({ how: 'dynamic', clientId: 'client-2' });
  });

  it('is done anew where its secret has expired', async () => {
    const expires = Math.floor((Date.now() + day) / 1000);
    let count = 0;
    const place = fakeAs({
      places: {
        [`${issuer}/register`]: () => {
          const client_id = `secretive-${String(++count)}`;
          return json({ client_id, client_secret: 's', client_secret_expires_at: expires }, 201);
        },
      },
    });
    const store = memoryTokens();
    await arrived(place, {}, store);
    expect((await arrived(place, {}, store)).registered).toMatchObject({ clientId: 'secretive-1' });
    vi.setSystemTime(Date.now() + day);
    expect((await arrived(place, {}, store)).registered).toMatchObject({ clientId: 'secretive-2' });
  });
});

describe('a client that is known beforehand', () => {
  it('is known to one authorization server; another one is not told (AUTHC-26)', async () => {
    const store = memoryTokens();
    await arrived(fakeAs(), { known: { clientId: 'mine', clientSecret: 'hush' } }, store);
    const moved = 'https://moved.example';
    const place = fakeAs({
      resource: { authorization_servers: [moved] },
      places: {
        [`${moved}/.well-known/oauth-authorization-server`]: () =>
          json({ issuer: moved, token_endpoint: `${moved}/token` }),
      },
    });
    const error = await turnedAway(place, { known: { clientId: 'mine', clientSecret: 'hush' } }, store);
    expect(error).toMatchObject({ stage: 'registration', message: expect.stringContaining(moved) });
  });

  it('may be known under another name in each place (AUTHC-22, AUTHC-25)', async () => {
    const place = fakeAs();
    const { registered } = await arrived(place, {
      known: [
        { clientId: 'elsewhere', issuer: 'https://other.example' },
        { clientId: 'here', issuer },
      ],
    });
    expect(registered).toMatchObject({ how: 'given', clientId: 'here' });
  });
});
