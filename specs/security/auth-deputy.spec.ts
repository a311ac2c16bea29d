/** Tokens and secrets that end up with whom they were not meant for: advisories of other implementations. */
import { open, remote, type Carrier, type HttpCall, type OpenClient } from 'rxmcp';
import { memoryTokens, oauth } from 'rxmcp/auth';
import { afterEach, describe, expect, it } from 'vitest';
import { authorize, jwks } from 'rxmcp/auth';
import { causeOf, fakeAs, json, loggedIn, somebody, textOf, type Place } from '../auth/fake-as.ts';
import { issuer as keeper, keySet, resource, sign } from '../auth/resource/issuer.ts';
import { call, request } from '../transport/http/desk.ts';
import { discovered, done } from '../transport/remote/scripted.ts';
import { doors, revealed } from './auth-doors.ts';

const clients: OpenClient[] = [];
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));

const answering: Place = ({ body = '{}' }) => {
  const { id, method } = JSON.parse(body) as { readonly id?: string; readonly method?: string };
  return json({ jsonrpc: '2.0', id: id ?? null, result: method === 'server/discover' ? discovered() : done });
};

/** A server further up, what it was sent, and a client of it. */
const upstream = async () => {
  const calls: HttpCall[] = [];
  const carrier: Carrier = (asked, sink) => {
    calls.push(asked);
    void Promise.resolve(answering(asked)).then(({ body }) => {
      sink.head(200, (name) => (name === 'content-type' ? 'application/json' : undefined));
      sink.text(JSON.stringify(body));
      sink.end();
    });
    return () => undefined;
  };
  const client = await open(remote('https://upstream.example/mcp', { carrier }), { revisions: ['2026-07-28'] });
  clients.push(client);
  return { client, calls };
};

const deputy = 'GHSA-c2jp-c369-7pvx';

describe(`${deputy}: a server that stands before another`, () => {
  it.each(['2026-07-28', '2025-11-25'])(
    `${deputy}: never passes on what its callers prove themselves with, at %s`,
    async (revision) => {
      const { client, calls } = await upstream();
      const { modern, post, session } = doors(client.exchange);
      const token = await sign();
      // Whatever else could be a proof is kept back as well.
      const proofs = {
        cookie: 'session=a-cookie-of-hers',
        'proxy-authorization': 'Basic a-proxy-proof',
        dpop: 'a-dpop-proof',
      };
      const before = calls.length;
      const asked = call(1, 'anything', { text: 'x' });
      const answer =
        revision === '2026-07-28'
          ? await modern(token, asked, proofs)
          : await post(token, asked, { ...(await session(token)), ...proofs });
      expect(await answer.text()).toContain('"done"');
      expect(calls.length).toBeGreaterThan(before);
      expect(calls.at(-1)?.body).toContain('tools/call');
      const sent = revealed(calls);
      for (const secret of [token, ...Object.values(proofs), 'a-cookie-of-hers', 'a-proxy-proof'])
        expect(sent).not.toContain(secret);
      expect(calls.flatMap(({ headers }) => Object.keys(headers))).not.toContain('authorization');
    },
  );

  it(`${deputy}: proves itself further up with a token of its own, and never with its callers'`, async () => {
    const as = fakeAs();
    const client = await as.client(oauth({ callback: somebody().callback }));
    clients.push(client);
    const token = await sign();
    const { modern } = doors(client.exchange);
    const answer = await modern(token, call(1, 'echo', { message: 'hello' }));
    expect(await answer.text()).toContain('hello');
    expect(revealed([as.calls, as.asked])).not.toContain(token);
    const proofs = as.knocks().map(({ headers }) => headers['authorization']);
    expect(proofs.at(-1)).toBe('Bearer access-token-0');
  });

  it.each<[string, unknown]>([
    ['the server further up', 'https://upstream.example/mcp'],
    ['several, but not this one', ['https://upstream.example/mcp', 'https://mcp.example/other']],
    ['another path', 'https://mcp.example/mcp/admin'],
    ['another port', 'https://mcp.example:8443/mcp'],
    ['one whose name begins alike', 'https://mcp.example.evil.example/mcp'],
    ['the application', 'app'],
    ['nobody', undefined],
    ['nobody, in a list', []],
    ['what is no name', { 0: resource }],
  ])(`${deputy}: takes no token that is meant for %s (AUTHS-12, SEC-10)`, async (_, aud) => {
    const { client, calls } = await upstream();
    const { modern } = doors(client.exchange);
    const before = calls.length;
    expect(
      (await modern(await sign({ aud: aud === undefined ? undefined : JSON.parse(JSON.stringify(aud)) }), call(1, 'x')))
        .status,
    ).toBe(401);
    expect(calls).toHaveLength(before);
  });

  it(`${deputy}: is asked by nobody over an edge that takes no proofs`, async () => {
    const { client, calls } = await upstream();
    const before = calls.length;
    const failure = await new Promise((resolve) => {
      const protectedServer = authorize({ resource, verify: jwks({ issuer: keeper, keys: keySet }) })(client.exchange);
      protectedServer(request(1, 'tools/list') as never, {}).subscribe({ next: resolve, error: resolve });
    });
    expect(failure).toMatchObject({ code: -32600 });
    expect(calls).toHaveLength(before);
  });
});

describe(`${deputy}: what a client proves itself with`, () => {
  const evil = 'https://evil.example';
  /** An authorization server of somebody else's, which keeps all that it is sent. */
  const evilPlaces = (heard: HttpCall[]): Readonly<Record<string, Place>> => {
    const hear =
      (reply: Place): Place =>
      (asked) => {
        heard.push(asked);
        return reply(asked);
      };
    return {
      [`${evil}/.well-known/oauth-authorization-server`]: hear(() =>
        json({
          issuer: evil,
          authorization_endpoint: `${evil}/authorize`,
          token_endpoint: `${evil}/token`,
          registration_endpoint: `${evil}/register`,
          revocation_endpoint: `${evil}/revoke`,
          code_challenge_methods_supported: ['S256'],
          token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
        }),
      ),
      [`${evil}/register`]: hear(() => json({ client_id: 'known-to-evil', redirect_uris: [] }, 201)),
      [`${evil}/token`]: hear(() => json({ access_token: 'evil-token', token_type: 'Bearer' })),
      [`${evil}/revoke`]: hear(() => json({})),
    };
  };
  const secrets = ['app-of-ours', 'secret-of-ours', 'refresh-of-ours', 'access-token-0'];
  const heardNothing = (heard: readonly HttpCall[]): void => {
    const text = revealed(heard);
    const basic = Buffer.from('app-of-ours:secret-of-ours').toString('base64');
    for (const secret of [...secrets, basic]) expect(text).not.toContain(secret);
  };

  it.each([
    ['that names no authorization server', { clientId: 'app-of-ours', clientSecret: 'secret-of-ours' }],
    ['that names its own', { clientId: 'app-of-ours', clientSecret: 'secret-of-ours', issuer: 'https://auth.example' }],
    ['that it has registered', undefined],
  ])(
    `${deputy}: goes to nobody when its server moves to another authorization server: %s (AUTHC-25, -26)`,
    async (_, known) => {
      const heard: HttpCall[] = [];
      let named = 'https://auth.example';
      const as = fakeAs({
        granted: { refresh_token: 'refresh-of-ours' },
        places: {
          'https://mcp.example/.well-known/oauth-protected-resource/mcp': () =>
            json({ resource: 'https://mcp.example/mcp', authorization_servers: [named] }),
          'https://auth.example/register': () =>
            json({ client_id: 'app-of-ours', client_secret: 'secret-of-ours', client_secret_expires_at: 0 }, 201),
          ...evilPlaces(heard),
        },
      });
      const store = memoryTokens();
      const auth = oauth({
        callback: somebody().callback,
        store,
        client: { ...(known === undefined ? {} : { known }) },
      });
      const client = await as.client(auth);
      clients.push(client);
      expect(as.asked).toHaveLength(1);
      named = evil;
      as.withdraw();
      await causeOf(client.callTool('echo', { message: 'x' }));
      await auth.logout('https://mcp.example/mcp').catch(() => undefined);
      expect(heard.length).toBeGreaterThan(0);
      heardNothing(heard);
    },
  );

  it.each<[string, Readonly<Record<string, string>>, boolean]>([
    ['which says that it was somebody else', { iss: evil }, false],
    ['which says so almost to the letter', { iss: 'https://auth.example/' }, false],
    ['which does not say who, where it always does', {}, true],
  ])(`${deputy}: a code goes nowhere from an answer %s (mix-up; AUTHC-40, -41)`, async (_, more, promised) => {
    const as = fakeAs({
      metadata: { authorization_response_iss_parameter_supported: promised },
    });
    const back = (page: URL) => ({ ...loggedIn(page), code: 'code-of-honest', ...more });
    const error = await causeOf(as.client(oauth({ callback: somebody(back).callback })));
    expect(error).toMatchObject({ _tag: 'LoginFailed', stage: 'authorization' });
    expect(revealed(as.calls)).not.toContain('code-of-honest');
    expect(textOf(error)).not.toContain('code-of-honest');
  });

  it(`${deputy}: a token endpoint that calls itself by another's name is sent nothing (AUTHC-11)`, async () => {
    const heard: HttpCall[] = [];
    const as = fakeAs({
      resource: { authorization_servers: [evil] },
      places: {
        ...evilPlaces(heard),
        [`${evil}/.well-known/oauth-authorization-server`]: () =>
          json({
            issuer: 'https://auth.example',
            token_endpoint: `${evil}/token`,
            authorization_endpoint: `${evil}/a`,
          }),
      },
    });
    const known = { clientId: 'app-of-ours', clientSecret: 'secret-of-ours', issuer: 'https://auth.example' };
    const { callback, pages } = somebody();
    expect(await causeOf(as.client(oauth({ callback, client: { known } })))).toMatchObject({ stage: 'discovery' });
    expect([heard, pages]).toEqual([[], []]);
  });
});
