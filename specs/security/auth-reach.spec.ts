/** Where a hostile server may have us send requests: advisories of other implementations. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as listenOn, type AddressInfo, type LookupFunction } from 'node:net';
import { open } from 'rxmcp';
import { LoginFailed, oauth, type Login } from 'rxmcp/auth';
import { remote } from 'rxmcp/node';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { leavesNothing } from '../behaviour/leaks.ts';
import { causeOf, fakeAs, issuer, somebody, type Place } from '../auth/fake-as.ts';
import { holds } from '../transport/http/desk.ts';

// Of all together, as Node closes connections some turns later.
leavesNothing('all');
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closers.splice(0)) await close();
});

const who = (trustedHosts?: readonly string[]): Login => oauth({ callback: somebody().callback, trustedHosts });

/** Addresses of this machine and of networks that we stand in, in every disguise that a URL takes. */
const disguises = [
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '0x7f.1',
  '１２７.0.0.1',
  '127。0。0。1',
  '127.0.0.1.',
  'localhost',
  'LOCALHOST.',
  'anything.localhost',
  '0.0.0.0',
  '0',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
  '100.64.0.1',
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:a9fe:a9fe]',
  '[::127.0.0.1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b::10.0.0.1]',
  '[64:ff9b::169.254.169.254]',
  '[64:ff9b:1::10.0.0.1]',
  '[2002:7f00:1::]',
  '[2002:a00:1::1]',
  '[2002:a9fe:a9fe::]',
  '[2001:0:a00:1::f5ff:fffe]',
  '[2606:4700::5efe:10.0.0.1]',
  '[fe80::1]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[fec0::1]',
  '[ff02::1]',
];

/** As headers must be. */
const isAscii = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);

/** The ways in which a server says where to send something. */
const ways: readonly [string, (host: string) => Parameters<typeof fakeAs>[0]][] = [
  ['a challenge', (host) => ({ challenge: `Bearer resource_metadata="https://${host}/meta"` })],
  ['its metadata', (host) => ({ resource: { authorization_servers: [`https://${host}`] } })],
  ['a registration endpoint', (host) => ({ metadata: { registration_endpoint: `https://${host}/register` } })],
  ['a token endpoint', (host) => ({ metadata: { token_endpoint: `https://${host}/token` } })],
];

describe.each(['NAT64/6to4 SSRF bypass', 'OAuth-discovery SSRF with redirects (vercel/ai#20578)'])('%s', (id) => {
  it.each(ways)(
    `${id}: nothing is sent to a private address that is named by %s (SEC-01, SEC-03)`,
    async (_, options) => {
      for (const host of disguises.filter(isAscii)) {
        const as = fakeAs(options(host));
        expect(await causeOf(as.client(who())), host).toMatchObject({ _tag: 'LoginFailed', stage: 'network' });
        const hosts = new Set(as.calls.map(({ url }) => new URL(url).hostname));
        expect(
          [...hosts].filter((name) => name !== 'mcp.example' && name !== 'auth.example'),
          host,
        ).toEqual([]);
      }
    },
  );

  it(`${id}: nor one that is written in full width`, async () => {
    for (const host of disguises.filter((each) => !isAscii(each))) {
      const as = fakeAs({ resource: { authorization_servers: [`https://${host}`] } });
      expect(await causeOf(as.client(who())), host).toMatchObject({ _tag: 'LoginFailed', stage: 'network' });
      expect(as.calls.map(({ url }) => new URL(url).hostname)).not.toContain('127.0.0.1');
    }
  });

  it.each([301, 302, 303, 307, 308])(`${id}: nor by a redirect with %s, at any step (SEC-04)`, async (status) => {
    const targets = [
      ...disguises.map((host) => `https://${host}/x`),
      'http://auth.example/x',
      'https://other.example/x',
    ];
    const steps = [
      'https://mcp.example/.well-known/oauth-protected-resource/mcp',
      `${issuer}/.well-known/oauth-authorization-server`,
      `${issuer}/register`,
      `${issuer}/token`,
    ];
    for (const step of steps)
      for (const location of targets) {
        const as = fakeAs({ places: { [step]: () => ({ status, headers: { location } }) } });
        const error = await causeOf(as.client(who()));
        expect(error, location).toBeInstanceOf(LoginFailed);
        const target = new URL(location);
        const reached = as.calls.filter(({ url }) => new URL(url).origin === target.origin || url === location);
        expect(
          reached.map(({ url }) => url),
          `${step} → ${location}`,
        ).toEqual([]);
      }
  });

  it(`${id}: nor is a redirect followed for ever within one origin`, async () => {
    let hops = 0;
    const place: Place = () => ({ status: 302, headers: { location: `${issuer}/.well-known/hop` } });
    const as = fakeAs({
      places: {
        [`${issuer}/.well-known/oauth-authorization-server`]: place,
        [`${issuer}/.well-known/hop`]: (call) => {
          hops += 1;
          return place(call);
        },
      },
    });
    expect(await causeOf(as.client(who()))).toMatchObject({ stage: 'network' });
    expect(hops).toBeLessThanOrEqual(3);
  });

  it(`${id}: an answer is read to a bound, and given up`, async () => {
    const body = JSON.stringify({ resource: 'https://mcp.example/mcp', filler: 'x'.repeat(1024 * 1024) });
    const as = fakeAs({ places: { 'https://mcp.example/.well-known/oauth-protected-resource/mcp': () => ({ body }) } });
    expect(await causeOf(as.client(who()))).toMatchObject({
      stage: 'network',
      message: expect.stringContaining('characters'),
    });
  });

  it(`${id}: who does not answer is waited for so long, and no longer`, async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const silent = new Promise<never>(() => undefined);
    const place = `${issuer}/.well-known/oauth-authorization-server`;
    const as = fakeAs({ places: { [place]: () => silent } });
    const failing = causeOf(as.client(who()));
    await holds(() => as.calls.some(({ url }) => url === place));
    vi.advanceTimersByTime(9_999);
    const early = await Promise.race([failing, new Promise((resolve) => setImmediate(resolve, 'waits'))]);
    expect(early).toBe('waits');
    vi.advanceTimersByTime(1);
    expect(await failing).toMatchObject({ stage: 'network', message: expect.stringContaining('10000 ms') });
  });
});

/** Something on this machine that nobody should reach, which counts who does. */
const victim = async (host = '127.0.0.1') => {
  let connections = 0;
  const listener = listenOn((socket) => {
    connections += 1;
    socket.on('error', () => undefined);
    socket.destroy();
  });
  listener.listen(0, host);
  await once(listener, 'listening');
  closers.push(() => new Promise((resolve) => listener.close(resolve)));
  return { port: (listener.address() as AddressInfo).port, connections: () => connections };
};

/** Says that this machine is `far.example`. */
const certificate = (): { readonly key: string; readonly cert: string } => {
  const made = execFileSync(
    'openssl',
    [
      ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=far.example'.split(' '),
      ...'-addext subjectAltName=DNS:far.example -keyout - -out -'.split(' '),
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  ).toString();
  const [key = '', cert = ''] = [
    /-----BEGIN PRIVATE[^]*?END PRIVATE KEY-----/,
    /-----BEGIN CERT[^]*?END CERTIFICATE-----/,
  ].map((block) => block.exec(made)?.[0]);
  return { key, cert };
};
const far = certificate();

/** A hostile server on a socket; with TLS, it is `far.example`. */
const hostile = async (respond: RequestListener, isFar: boolean): Promise<number> => {
  const listener = isFar ? createTlsServer(far, respond) : createServer(respond);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  closers.push(async () => {
    listener.closeAllConnections();
    await new Promise((resolve) => listener.close(resolve));
  });
  return (listener.address() as AddressInfo).port;
};

/** Names that stand for whatever they are said to; `far.example` is the server itself. */
const resolving = (addresses: readonly string[]) => {
  const asked: string[] = [];
  const lookup: LookupFunction = (name, options, callback) => {
    asked.push(name);
    const all = (name === 'far.example' ? ['127.0.0.1'] : addresses).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }));
    const [first] = all;
    if (options.all === true) callback(null, all);
    else callback(null, first?.address ?? '', first?.family);
  };
  return { lookup, asked };
};

describe.each(['NAT64/6to4 SSRF bypass', 'OAuth-discovery SSRF with redirects (vercel/ai#20578)'])(
  '%s, over sockets',
  (id) => {
    const challenging = (url: string) =>
      hostile(
        (_, response) => response.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${url}"` }).end(),
        true,
      );
    const failure = (port: number, lookup: LookupFunction, auth = who()) => {
      const options = { auth, lookup, proxy: false, tls: { ca: far.cert } } as const;
      return causeOf(open(remote(`https://far.example:${String(port)}/mcp`, options), { revisions: ['2026-07-28'] }));
    };
    /** All that can be read in an error and in what it is due to. */
    const messages = (error: unknown): string =>
      error instanceof Error ? `${error.message} ${messages(error.cause)}` : '';

    it.each([
      [['127.0.0.1']],
      [['::ffff:127.0.0.1']],
      [['9.9.9.9', '127.0.0.1']],
      [['127.0.0.1', '9.9.9.9']],
      [['64:ff9b::7f00:1']],
      [['2002:7f00:1::1']],
      [['0.0.0.0']],
      [['::']],
      [['::1']],
    ])(`${id}: a name that stands for %j is not connected to (SEC-05)`, async (addresses) => {
      const target = await victim();
      const { lookup, asked } = resolving(addresses);
      const port = await challenging(`https://rebind.example:${String(target.port)}/meta`);
      const error = await failure(port, lookup);
      expect(messages(error)).toMatch(/"rebind\.example" stands for/);
      expect(asked).toContain('rebind.example');
      expect(target.connections()).toBe(0);
    });

    it(`${id}: is so because of that: who is trusted is connected to`, async () => {
      const target = await victim();
      const { lookup } = resolving(['127.0.0.1']);
      const port = await challenging(`https://rebind.example:${String(target.port)}/meta`);
      await failure(port, lookup, who(['rebind.example']));
      expect(target.connections()).toBe(1);
    });

    it(`${id}: a name that changes its mind is asked for once (SEC-05)`, async () => {
      const target = await victim();
      let times = 0;
      const { lookup } = resolving([]);
      const changing: LookupFunction = (name, options, callback) => {
        if (name === 'far.example') return lookup(name, options, callback);
        times += 1;
        resolving([times === 1 ? '127.0.0.1' : '9.9.9.9']).lookup(name, options, callback);
      };
      const port = await challenging(`https://rebind.example:${String(target.port)}/meta`);
      await failure(port, changing);
      expect([times, target.connections()]).toEqual([1, 0]);
    });

    it.each(
      disguises.filter(isAscii).filter((host) => /^(?:127|2130|0x7f|0177|localhost|LOCAL|any|0|\[::)/.test(host)),
    )(`${id}: no disguise of this machine is connected to: %s (SEC-03)`, async (host) => {
      const target = await victim();
      const { lookup } = resolving(['127.0.0.1']);
      const port = await challenging(`https://${host}:${String(target.port)}/meta`);
      expect(await failure(port, lookup)).toBeInstanceOf(LoginFailed);
      expect(target.connections()).toBe(0);
    });

    it(`${id}: nor is another port of this machine by a redirect, where the server is on it (SEC-04)`, async () => {
      const target = await victim();
      const location = `http://127.0.0.1:${String(target.port)}/meta`;
      const port = await hostile((request, response) => {
        if (request.method === 'POST') response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
        else response.writeHead(302, { location }).end();
      }, false);
      const auth = who();
      const error = await causeOf(
        open(remote(`http://127.0.0.1:${String(port)}/mcp`, { auth, proxy: false }), { revisions: ['2026-07-28'] }),
      );
      expect(error).toMatchObject({ _tag: 'LoginFailed', message: expect.stringContaining('redirects') });
      expect(target.connections()).toBe(0);
    });
  },
);

describe('OAuth-discovery SSRF with redirects (vercel/ai#20578)', () => {
  it('OAuth-discovery SSRF with redirects (vercel/ai#20578): logging out sends nothing there either', async () => {
    const as = fakeAs({ metadata: { revocation_endpoint: 'https://169.254.169.254/revoke' } });
    const auth = who();
    const client = await as.client(auth);
    await auth.logout('https://mcp.example/mcp').catch(() => undefined);
    await client.close();
    expect(as.calls.map(({ url }) => new URL(url).hostname)).not.toContain('169.254.169.254');
  });
});
