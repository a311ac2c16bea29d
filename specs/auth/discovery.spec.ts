/** Who gives out the proofs that a server takes. */
import { clientCredentials, LoginFailed, oauth } from 'rxmcp/auth';
import { describe, expect, it } from 'vitest';
import { leavesNothing } from '../behaviour/leaks.ts';
import { causeOf, fakeAs, issuer, json, notFound, server, somebody, stepsOf } from './fake-as.ts';
import type { FakeAs, FakeOptions } from './fake-as.ts';

leavesNothing();

const client = { clientId: 'program', clientSecret: 'secret' };
const prm = 'https://mcp.example/.well-known/oauth-protected-resource';

/** A program that has logged in, and what it was told; what was looked for is kept by whoever was asked. */
const arrived = async (options: FakeOptions): Promise<FakeAs> => {
  const place = fakeAs(options);
  const one = await place.client(clientCredentials({ client }));
  await one.close();
  return place;
};

/** A program that finds nobody, and why. */
const lost = async (options: FakeOptions): Promise<{ readonly place: FakeAs; readonly error: LoginFailed }> => {
  const place = fakeAs(options);
  const error = await causeOf(place.client(clientCredentials({ client })));
  if (!(error instanceof LoginFailed)) throw error;
  expect(place.asked).toEqual([]);
  return { place, error };
};

describe('what a server says of how it is protected', () => {
  it('is read where its challenge says so (AUTHC-02, AUTHC-03, AUTHC-04)', async () => {
    const named = 'https://mcp.example/elsewhere/metadata';
    const document = json({ resource: server, authorization_servers: [issuer] });
    const place = await arrived({
      challenge: `Bearer realm="x", resource_metadata="${named}"`,
      resource: 'silent',
      places: { [named]: () => document },
    });
    expect(place.calls.map(({ url }) => url).slice(0, 2)).toEqual([server, named]);
    expect(place.looked()).toEqual([`${issuer}/.well-known/oauth-authorization-server`]);
  });

  it.each(['Bearer', 'Bearer error="invalid_token"', 'Basic realm="x"', ''])(
    'is looked for beside its path, where its challenge does not say: %s (AUTHC-04)',
    async (challenge) => {
      const place = await arrived({ challenge });
      expect(place.looked()[0]).toBe(`${prm}/mcp`);
    },
  );

  it('is looked for at the root then (AUTHC-04)', async () => {
    const place = await arrived({
      challenge: 'Bearer',
      resource: 'silent',
      places: { [prm]: () => json({ resource: 'https://mcp.example', authorization_servers: [issuer] }) },
    });
    expect(place.looked().slice(0, 2)).toEqual([`${prm}/mcp`, prm]);
    expect(place.asked[0]?.parameters['resource']).toBe('https://mcp.example');
  });

  it.each([
    'https://mcp.example/other',
    'https://mcp.example/mc',
    'https://mcp.example/mcp/deeper',
    'https://evil.example/mcp',
    'http://mcp.example/mcp',
    'https://mcp.example:8443/mcp',
    'https://mcp.example/mcp#part',
    'mcp',
    7,
  ])('is not for another server: %s (AUTHC-05)', async (resource) => {
    const { error } = await lost({ resource: { resource } });
    expect(error).toMatchObject({ stage: 'discovery', message: expect.stringContaining('another server') });
  });

  it.each(['https://mcp.example', 'https://mcp.example/', 'HTTPS://MCP.EXAMPLE/mcp', 'https://mcp.example/mcp/'])(
    'is for it, or what it is a part of, and asked for as it says: %s (AUTHC-33, AUTHC-34, AMB-30)',
    async (resource) => {
      const place = await arrived({ resource: { resource } });
      expect(place.asked[0]?.parameters['resource']).toBe(resource);
    },
  );

  it.each([[[]], [undefined], ['https://auth.example'], [[7]]])(
    'names somebody who gives out proofs: %j (AUTHC-02)',
    async (servers) => {
      const { error } = await lost({ resource: { authorization_servers: servers } });
      expect(error).toMatchObject({ stage: 'discovery', message: expect.stringContaining('authorization_servers') });
    },
  );

  it('may name several; the first one is asked (AUTHC-06)', async () => {
    const place = await arrived({ resource: { authorization_servers: [issuer, 'https://other.example'] } });
    expect(place.calls.some(({ url }) => url.startsWith('https://other.example'))).toBe(false);
  });

  it('may be unsaid for now, which is no reason to look elsewhere', async () => {
    const { place, error } = await lost({ places: { [`${prm}/mcp`]: () => ({ status: 502 }) } });
    expect(error).toMatchObject({ stage: 'discovery', passing: true });
    expect(place.looked()).toEqual([`${prm}/mcp`]);
  });
});

describe('what an authorization server says of itself', () => {
  const at = (name: string, path = ''): string => `https://login.example${path}/.well-known/${name}`;
  const metadata = (name: string) => json({ issuer: name, token_endpoint: `${issuer}/token` });

  it('is looked for in two places, one after the other (AUTHC-08, AUTHC-09, AUTHC-10)', async () => {
    const { place, error } = await lost({ resource: { authorization_servers: ['https://login.example'] } });
    expect(place.looked().slice(1)).toEqual([at('oauth-authorization-server'), at('openid-configuration')]);
    expect(error).toMatchObject({ stage: 'discovery', message: expect.stringContaining('no metadata') });
  });

  it('is looked for in three, where its name has a path (AUTHC-10)', async () => {
    const { place } = await lost({ resource: { authorization_servers: ['https://login.example/tenant/1'] } });
    expect(place.looked().slice(1)).toEqual([
      `${at('oauth-authorization-server')}/tenant/1`,
      `${at('openid-configuration')}/tenant/1`,
      at('openid-configuration', '/tenant/1'),
    ]);
  });

  it.each([
    ['https://login.example', at('oauth-authorization-server')],
    ['https://login.example', at('openid-configuration')],
    ['https://login.example/t', `${at('oauth-authorization-server')}/t`],
    ['https://login.example/t', `${at('openid-configuration')}/t`],
    ['https://login.example/t', at('openid-configuration', '/t')],
  ])('is taken of %s at %s (AUTHC-08, AUTHC-09, AUTHC-10)', async (name, url) => {
    const place = await arrived({
      resource: { authorization_servers: [name] },
      places: { [url]: () => metadata(name) },
    });
    expect(place.looked().at(-1)).toBe(url);
    expect(place.asked).toHaveLength(1);
  });

  it.each([
    'https://login.example/',
    'https://LOGIN.example',
    'https://evil.example',
    'https://login.example:443',
    undefined,
  ])('is of exactly whom the server names: %s is not (AUTHC-11)', async (name) => {
    const { place, error } = await lost({
      resource: { authorization_servers: ['https://login.example'] },
      places: {
        [at('oauth-authorization-server')]: () => json({ issuer: name, token_endpoint: `${issuer}/token` }),
        [at('openid-configuration')]: () => metadata('https://login.example'),
      },
    });
    expect(error).toMatchObject({ stage: 'discovery', message: expect.stringContaining('and not of') });
    // Whoever lies in one place is not asked in another.
    expect(place.looked().at(-1)).toBe(at('oauth-authorization-server'));
  });

  it('is looked for elsewhere where there is a page that is something else', async () => {
    const place = await arrived({
      places: {
        [`${issuer}/.well-known/oauth-authorization-server`]: () => ({ body: '<html>welcome</html>' }),
        [`${issuer}/.well-known/openid-configuration`]: () => metadata(issuer),
      },
    });
    expect(place.asked).toHaveLength(1);
  });

  it.each([{ token_endpoint: 7 }, { token_endpoint: 'nowhere' }, { scopes_supported: 'all' }])(
    'must make sense: %j',
    async (metadata) => {
      const { error } = await lost({ metadata });
      expect(error).toMatchObject({ stage: 'discovery', message: expect.stringContaining('malformed') });
    },
  );

  it.each(['https://login.example?x=1', 'https://login.example#part', 'login'])(
    'is not looked for where it is no name of one: %s',
    async (name) => {
      const { place, error } = await lost({ resource: { authorization_servers: [name] } });
      expect(error.stage).toBe('discovery');
      expect(place.looked()).toHaveLength(1);
    },
  );

  it('is not followed to another origin', async () => {
    const { place, error } = await lost({
      places: {
        [`${issuer}/.well-known/oauth-authorization-server`]: () => ({
          status: 302,
          headers: { location: 'https://evil.example/metadata' },
        }),
      },
    });
    expect(error).toMatchObject({ stage: 'network', message: expect.stringContaining('redirects') });
    expect(place.calls.some(({ url }) => url.includes('evil'))).toBe(false);
  });

  it.each(['http://login.example', 'https://10.0.0.1', 'https://169.254.169.254', 'https://localhost'])(
    'is not asked for where a server must not send us: %s',
    async (name) => {
      const { place, error } = await lost({ resource: { authorization_servers: [name] } });
      expect(error.stage).toBe('network');
      expect(place.looked()).toHaveLength(1);
    },
  );
});

describe('a server that says nothing of itself, as those of 2025-03-26', () => {
  const root = 'https://mcp.example';
  const metadataUrl = `${root}/.well-known/oauth-authorization-server`;

  it('is its own authorization server, at the root; there it is asked in its own revision (AUTHC-12, AUTHC-14)', async () => {
    const place = await arrived({
      challenge: 'Bearer',
      resource: 'silent',
      places: { [metadataUrl]: () => json({ issuer: root, token_endpoint: `${issuer}/token` }) },
    });
    expect(place.looked()).toEqual([`${prm}/mcp`, prm, metadataUrl]);
    expect(place.calls.find(({ url }) => url === metadataUrl)?.headers['mcp-protocol-version']).toBe('2025-03-26');
    expect(place.asked[0]?.parameters['resource']).toBe(server);
  });

  it('has its endpoints where they always were, where it says nothing of these either (AUTHC-13)', async () => {
    const silent = { challenge: 'Bearer', resource: 'silent' } as const;
    const place = fakeAs({ ...silent, at: root, places: { [metadataUrl]: () => notFound } });
    const who = somebody();
    const login = oauth({ callback: who.callback });
    const steps = stepsOf(login);
    const one = await place.client(login);
    await one.close();
    expect(who.pages.map(({ origin, pathname }) => origin + pathname)).toEqual([`${root}/authorize`]);
    expect(place.registrations).toHaveLength(1);
    expect(place.asked.map(({ url }) => url)).toEqual([`${root}/token`]);
    expect(steps).toContainEqual(expect.objectContaining({ kind: 'discovered', issuer: root, resource: server }));
    // Only after it was looked for.
    expect(place.looked()).toContain(metadataUrl);
  });

  it('is not assumed to have them where another one is named (AUTHC-13)', async () => {
    const { place } = await lost({ places: { [`${issuer}/.well-known/oauth-authorization-server`]: () => notFound } });
    expect(place.calls.every(({ method, url }) => method === 'GET' || url === server)).toBe(true);
  });
});
