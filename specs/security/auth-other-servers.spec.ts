/** A token that ends up with another server than it was given for: advisories of other implementations. */
import { connect, open, remote, sse, type OpenClient } from 'rxmcp';
import { oauth } from 'rxmcp/auth';
import { firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { causeOf, fakeAs, issuer, json, server, somebody, type FakeOptions, type Place } from '../auth/fake-as.ts';
import { discovered, done } from '../transport/remote/scripted.ts';
import { revealed } from './auth-doors.ts';

const clients: OpenClient[] = [];
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));

const id = 'GHSA-5h2m-4q8j-pqpj';
const other = 'https://other.example/mcp';

/** A server that wants a token, and takes any. */
const greedy: Place = ({ headers, body = '{}' }) => {
  if (headers['authorization'] === undefined) return { status: 401, headers: { 'www-authenticate': 'Bearer' } };
  const asked = JSON.parse(body) as { readonly id?: string; readonly method?: string };
  return json({
    jsonrpc: '2.0',
    id: asked.id ?? null,
    result: asked.method === 'server/discover' ? discovered() : done,
  });
};

/** What one server says of itself. */
const described = (url: string): Readonly<Record<string, Place>> => {
  const { origin, pathname } = new URL(url);
  return {
    [`${origin}/.well-known/oauth-protected-resource${pathname}`]: () =>
      json({ resource: url, authorization_servers: [issuer] }),
  };
};

/** Logged in at the first server; whoever else there is comes with `places`. */
const loggedInAt = async (places: Readonly<Record<string, Place>>, judge: FakeOptions['judge'] = () => undefined) => {
  const as = fakeAs({ places, judge });
  const auth = oauth({ callback: somebody().callback });
  const client = await as.client(auth);
  clients.push(client);
  const mine = as.issued[0] ?? '';
  expect(mine).not.toBe('');
  /** All that went elsewhere than to the server itself. */
  const elsewhere = () => as.calls.filter(({ url }) => url !== server);
  return { as, auth, client, mine, elsewhere };
};

describe(`${id}: a token for one server`, () => {
  it.each([other, 'https://mcp.example/other', 'https://mcp.example:8443/mcp', 'https://MCP.example.evil.example/mcp'])(
    `${id}: is not for %s, though both trust the same authorization server (AUTHC-07, -44)`,
    async (url) => {
      const second = new URL(url).href;
      const { as, auth, mine, elsewhere } = await loggedInAt({ [second]: greedy, ...described(second) });
      const client = await open(remote(url, { auth, carrier: as.carrier }), { revisions: ['2026-07-28'] });
      clients.push(client);
      expect(as.asked.map(({ parameters }) => parameters['resource'])).toEqual([server, second]);
      expect(revealed(elsewhere())).not.toContain(mine);
      const proofs = as.calls.filter(({ url: at }) => at === second).map(({ headers }) => headers['authorization']);
      expect(proofs.slice(0, 2)).toEqual([undefined, `Bearer ${as.issued[1] ?? ''}`]);
      expect(revealed(as.knocks())).not.toContain(as.issued[1]);
    },
  );

  it(`${id}: nor is it asked for on behalf of a server that says it is another (AUTHC-05)`, async () => {
    const { as, auth, elsewhere, mine } = await loggedInAt({
      [other]: greedy,
      'https://other.example/.well-known/oauth-protected-resource/mcp': () =>
        json({ resource: server, authorization_servers: [issuer] }),
    });
    const error = await causeOf(open(remote(other, { auth, carrier: as.carrier }), { revisions: ['2026-07-28'] }));
    expect(error).toMatchObject({ _tag: 'LoginFailed', stage: 'discovery' });
    expect(as.asked).toHaveLength(1);
    expect(revealed(elsewhere())).not.toContain(mine);
  });

  /** What looks like the server, and is not. */
  const lookalikes = [
    other,
    'https://mcp.example.evil.example/mcp',
    'https://mcp.example@evil.example/mcp',
    'https://mcp.example:pw@evil.example/mcp',
    'https://mcp.example:8443/mcp',
    'http://mcp.example/mcp',
    '//evil.example/mcp',
    '\\\\evil.example\\mcp',
    'https:\\\\evil.example/mcp',
    'https://evil.example\\@mcp.example/mcp',
    'https://mcp.example./mcp',
  ];

  it.each(lookalikes)(`${id}: goes with no request to %s, whatever has led there`, async (lookalike) => {
    const { as, auth, mine } = await loggedInAt({});
    const { headers } = auth.authorizerFor({ url: server, carrierFor: () => as.carrier });
    const to = (url: string) => headers({ method: 'POST', url, headers: {} });
    expect(await to(server)).toEqual({ authorization: `Bearer ${mine}` });
    expect(await to(new URL(lookalike, server).href)).toEqual({});
  });

  it.each(lookalikes)(`${id}: does not follow a redirect to %s`, async (location) => {
    const target = new URL(location, server).href;
    for (const status of [301, 302, 303, 307, 308]) {
      let redirecting = false;
      const { as, client, mine, elsewhere } = await loggedInAt({ [target]: greedy }, () =>
        redirecting ? { status, headers: { location } } : undefined,
      );
      redirecting = true;
      await expect(client.callTool('echo', { message: 'x' })).rejects.toThrow('redirects');
      expect(as.calls.map(({ url }) => url)).not.toContain(target);
      expect(revealed(elsewhere())).not.toContain(mine);
    }
  });

  it.each(lookalikes)(`${id}: is not posted to an SSE endpoint at %s`, async (endpoint) => {
    const stream = 'https://old.example/sse';
    const target = new URL(endpoint, stream).href;
    const calls: string[] = [];
    const as = fakeAs({
      places: {
        ...described(stream),
        [stream]: ({ headers }) =>
          headers['authorization'] === undefined
            ? { status: 401, headers: { 'www-authenticate': 'Bearer' } }
            : { headers: { 'content-type': 'text/event-stream' }, body: `event: endpoint\ndata: ${endpoint}\n\n` },
        [target]: ({ url }) => {
          calls.push(url);
          return {};
        },
      },
    });
    const auth = oauth({ callback: somebody().callback });
    await expect(firstValueFrom(connect(sse(stream, { auth, carrier: as.carrier })))).rejects.toThrow(
      'not of its own origin',
    );
    expect(as.issued).toHaveLength(1);
    expect(calls).toEqual([]);
    expect(revealed(as.calls.filter(({ url }) => url !== stream))).not.toContain(as.issued[0]);
  });
});
