import { once } from 'node:events';
import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Subject, type Subscription } from 'rxjs';
import { Misconfigured } from 'rxmcp';
import { LoginFailed, type Callback } from 'rxmcp/auth';
import { loopback, type LoopbackOptions } from 'rxmcp/node';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { leavesNothing } from '../behaviour/leaks.ts';
import { next } from './next.ts';

leavesNothing();
const open: Subscription[] = [];
const servers: Server[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const subscription of open.splice(0)) subscription.unsubscribe();
  for (const server of servers.splice(0)) server.close();
});

const page = new URL('https://login.example/authorize?client_id=x&state=s1');

/** A place to come back to, and the URLs that were shown. */
const opened = async (options: Partial<LoopbackOptions> = {}, known: readonly string[] = []) => {
  const urls: string[] = [];
  const onUrl = (url: string): void => void urls.push(url);
  const places = new Subject<Callback>();
  const place = next(places);
  const subscription = loopback({ onUrl, ...options })(known).subscribe(places);
  open.push(subscription);
  const callback = await place;
  return { callback, urls, subscription, redirect: new URL(callback.redirectUri) };
};

/** What a visit comes to. */
const visiting = (callback: Callback, url = page) => {
  const log: { brought?: string; error?: unknown; completed: boolean } = { completed: false };
  const ended = new Subject<void>();
  const end = next(ended);
  const subscription = callback.visit(url).subscribe({
    next: (params) => (log.brought = params.toString()),
    error: (error: unknown) => {
      log.error = error;
      ended.next();
    },
    complete: () => {
      log.completed = true;
      ended.next();
    },
  });
  open.push(subscription);
  return { log, end, subscription };
};

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const ask = (url: URL | string, options: { method?: string; headers?: Record<string, string> } = {}) =>
  new Promise<Answer>((resolve, reject) => {
    request(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
    })
      .on('error', reject)
      .end();
  });

const back = (callback: Callback, query: string) => ask(`${callback.redirectUri}?${query}`);

/** Somebody else's server. */
const occupied = async (host = '127.0.0.1'): Promise<number> => {
  const server = createServer().listen(0, host);
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

describe('loopback', () => {
  it('shows the page, takes whoever comes back, and is gone', async () => {
    const { callback, urls, redirect, subscription } = await opened();
    expect(redirect.href).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
    const { log, end } = visiting(callback);
    expect(urls).toEqual([page.href]);
    const answer = await back(callback, 'code=c1&state=s1&iss=https%3A%2F%2Flogin.example');
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('You are logged in') });
    await end;
    expect(log).toEqual({ completed: true, brought: 'code=c1&state=s1&iss=https%3A%2F%2Flogin.example' });
    subscription.unsubscribe();
    await expect(back(callback, 'code=c1&state=s1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('shows the page in full although whoever waits closes at once', async () => {
    const { callback, subscription } = await opened({ page: { success: 'x'.repeat(100_000) } });
    callback.visit(page).subscribe(() => subscription.unsubscribe());
    expect((await back(callback, 'code=c1&state=s1')).text).toHaveLength(100_000);
    expect(subscription.closed).toBe(true);
  });

  it('says that somebody is not logged in', async () => {
    const { callback } = await opened();
    const { log, end } = visiting(callback);
    const { status, text } = await back(callback, 'error=access_denied&state=s1');
    expect(status).toBe(200);
    expect(text).toContain('You are not logged in');
    await end;
    expect(log).toEqual({ completed: true, brought: 'error=access_denied&state=s1' });
  });

  it('is not ended by anything but the state it waits for (SEC-20)', async () => {
    const { callback, redirect } = await opened();
    const { log } = visiting(callback);
    const good = `${redirect.pathname}?code=c1&state=s1`;
    const at = (path: string): URL => new URL(path, redirect);
    const statuses = {
      'no state': (await back(callback, 'code=c1')).status,
      'an empty state': (await back(callback, 'code=c1&state=')).status,
      'another state': (await back(callback, 'code=c1&state=s2')).status,
      'two states': (await back(callback, 'code=c1&state=s1&state=s1')).status,
      'two codes': (await back(callback, 'code=c1&code=c2&state=s1')).status,
      'another path': (await ask(at('/callback/?code=c1&state=s1'))).status,
      'a picture': (await ask(at('/favicon.ico'))).status,
      'a path without query': (await ask(at('/callback'))).status,
      'another method': (await ask(at(good), { method: 'POST' })).status,
      'a look ahead': (await ask(at(good), { method: 'HEAD' })).status,
      'a name that was bound anew': (await ask(at(good), { headers: { host: `evil.example:${redirect.port}` } }))
        .status,
      'another name of ours': (await ask(at(good), { headers: { host: `localhost:${redirect.port}` } })).status,
      'another port': (await ask(at(good), { headers: { host: '127.0.0.1' } })).status,
    };
    expect(statuses).toEqual({
      'no state': 400,
      'an empty state': 400,
      'another state': 400,
      'two states': 400,
      'two codes': 400,
      'another path': 404,
      'a picture': 404,
      'a path without query': 400,
      'another method': 405,
      'a look ahead': 405,
      'a name that was bound anew': 403,
      'another name of ours': 403,
      'another port': 403,
    });
    expect(log).toEqual({ completed: false });
    expect((await back(callback, 'code=c1&state=s1')).status).toBe(200);
    expect(log.brought).toBe('code=c1&state=s1');
  });

  it.each(['http://evil.example/callback?code=c1&state=s1', '//evil.example/callback?code=c1&state=s1', '*', '?'])(
    'does not take %s for its own path',
    async (target) => {
      const { callback, redirect } = await opened();
      const { log } = visiting(callback);
      const socket = connect(Number(redirect.port), '127.0.0.1');
      socket.end(`GET ${target} HTTP/1.1\r\nhost: ${redirect.host}\r\n\r\n`);
      let text = '';
      socket.setEncoding('utf8').on('data', (part: string) => (text += part));
      await once(socket, 'close');
      expect(text).toMatch(/^HTTP\/1\.1 40[04] /);
      expect(log).toEqual({ completed: false });
    },
  );

  it('tells whoever comes a second time that it is done', async () => {
    const { callback } = await opened();
    const { log } = visiting(callback);
    await back(callback, 'code=c1&state=s1');
    expect(await back(callback, 'code=c2&state=s1')).toMatchObject({
      status: 200,
      text: expect.stringContaining('This login is done'),
    });
    expect(log.brought).toBe('code=c1&state=s1');
  });

  it('never says what it was told, runs no script and is kept nowhere (CVE-2025-62800)', async () => {
    const { callback, redirect } = await opened();
    const hostile = encodeURIComponent('"><script>alert(1)</script>');
    visiting(callback, new URL(`https://login.example/authorize?state=${hostile}`));
    const answers = [
      await back(callback, `state=${hostile}x&code=${hostile}`),
      await back(callback, `state=${hostile}&error=${hostile}&error_description=${hostile}&${hostile}=1`),
      await back(callback, `state=${hostile}&error=${hostile}`),
      await ask(new URL(`/${hostile}`, redirect)),
      await ask(redirect, { method: 'DELETE' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 200, 200, 404, 405]);
    for (const { headers, text } of answers) {
      expect(text).not.toMatch(/<script|alert|%3C|login\.example/i);
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        connection: 'close',
      });
    }
  });

  it("shows its user's own pages", async () => {
    const { callback } = await opened({ page: { success: '<p>Welcome', failure: '<p>Sorry' } });
    for (const state of ['s1', 's2']) visiting(callback, new URL(`https://login.example/?state=${state}`));
    expect((await back(callback, 'code=c&state=s1')).text).toBe('<p>Welcome');
    expect((await back(callback, 'error=x&state=s2')).text).toBe('<p>Sorry');
  });

  it.each([
    'javascript:alert(1)//?state=s1',
    'file:///etc/passwd?state=s1',
    'data:text/html,x?state=s1',
    'vbscript:x?state=s1',
    'http://login.example/?state=s1',
    'https://user:secret@login.example/?state=s1',
    'https://login.example/',
    'https://login.example/?state=',
    'https://login.example/?state=s1&state=s2',
  ])('does not show %s to anybody (CVE-2025-6514, SEC-06)', async (url) => {
    const { callback, urls } = await opened();
    const { log } = visiting(callback, new URL(url));
    expect(log.error).toBeInstanceOf(LoginFailed);
    expect(log.error).toMatchObject({ stage: 'authorization' });
    expect(urls).toEqual([]);
  });

  it('shows a page of this machine in plain text (SEC-06)', async () => {
    const { callback, urls } = await opened();
    visiting(callback, new URL('http://localhost:9000/authorize?state=s1'));
    expect(urls).toEqual(['http://localhost:9000/authorize?state=s1']);
  });

  it.each([
    ['throws', (url: string) => Promise.reject(new Error(`no browser for ${url}`))],
    [
      'throws at once',
      (url: string) => {
        throw new Error(`no browser for ${url}`);
      },
    ],
  ])('fails where showing the page %s, and does not repeat its URL', async (_, onUrl) => {
    const { callback } = await opened({ onUrl });
    const { log, end } = visiting(callback);
    await Promise.race([end, new Promise((resolve) => setImmediate(resolve))]);
    expect(log.error).toBeInstanceOf(LoginFailed);
    expect(log.error).toMatchObject({
      stage: 'authorization',
      message: 'the page to log in at could not be shown: no browser for …',
      cause: { message: `no browser for ${page.href}` },
    });
    expect((await back(callback, 'code=c1&state=s1')).status).toBe(400);
  });

  it('takes somebody back while the page is still being shown', async () => {
    const { callback } = await opened({ onUrl: () => new Promise<void>(() => undefined) });
    const { log, end } = visiting(callback);
    await back(callback, 'code=c1&state=s1');
    await end;
    expect(log).toEqual({ completed: true, brought: 'code=c1&state=s1' });
  });

  it('waits for so long, and no longer', async () => {
    const { callback } = await opened({ waitMs: 1_000 });
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
    const { log } = visiting(callback);
    vi.advanceTimersByTime(999);
    expect(log).toEqual({ completed: false });
    vi.advanceTimersByTime(1);
    expect(log.error).toBeInstanceOf(LoginFailed);
    expect(log.error).toMatchObject({ stage: 'authorization', message: 'nobody came back within 1000 ms' });
  });

  it.each([Infinity, 2 ** 40])('may wait for %s ms', async (waitMs) => {
    const { callback } = await opened({ waitMs });
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
    const { log } = visiting(callback);
    vi.advanceTimersByTime(86_400_000);
    expect(log).toEqual({ completed: false });
  });

  it('forgets a visit that was given up, and may wait for another one', async () => {
    const { callback } = await opened();
    visiting(callback).subscription.unsubscribe();
    expect((await back(callback, 'code=c1&state=s1')).status).toBe(400);
    const { log, end } = visiting(callback, new URL('https://login.example/?state=s2'));
    await back(callback, 'code=c2&state=s2');
    await end;
    expect(log.brought).toBe('code=c2&state=s2');
  });

  it('does not wait for one state twice', async () => {
    const { callback } = await opened();
    const first = visiting(callback);
    expect(visiting(callback).log.error).toBeInstanceOf(LoginFailed);
    await back(callback, 'code=c1&state=s1');
    expect(first.log.brought).toBe('code=c1&state=s1');
    expect(visiting(callback).log.error).toBeInstanceOf(LoginFailed);
  });

  it('closes at once, connections and visits included', async () => {
    const { callback, redirect, subscription } = await opened();
    const { log } = visiting(callback);
    const socket = connect(Number(redirect.port), '127.0.0.1');
    await once(socket, 'connect');
    // It is among the connections once it has had an answer to half a request.
    socket.write(`GET /callback HTTP/1.1\r\nhost: ${redirect.host}\r\nconnection: keep-alive\r\n\r\nGET /call`);
    await once(socket, 'data');
    subscription.unsubscribe();
    socket.resume().on('error', () => undefined);
    if (!socket.closed) await once(socket, 'close');
    expect(log.error).toMatchObject({ _tag: 'LoginFailed', message: 'the place to come back to was closed' });
  });

  it('opens nothing before it is subscribed, and a place for each subscription', async () => {
    const callbacks = loopback({ onUrl: () => undefined });
    expect(process.getActiveResourcesInfo().filter((name) => name.startsWith('TCPServer'))).toEqual([]);
    const places = [callbacks([]), callbacks([])].map((place$) => {
      const places = new Subject<Callback>();
      const place = next(places);
      open.push(place$.subscribe(places));
      return place;
    });
    const [first, second] = await Promise.all(places);
    expect(first?.redirectUri).not.toBe(second?.redirectUri);
  });

  it('leaves nothing open where it was given up before it listened', async () => {
    const subscription = loopback({ onUrl: () => undefined })([]).subscribe();
    subscription.unsubscribe();
    await new Promise((resolve) => setImmediate(resolve));
    expect(process.getActiveResourcesInfo().filter((name) => name.startsWith('TCPServer'))).toEqual([]);
  });
});

describe('the port of a loopback', () => {
  const freePort = async (): Promise<number> => {
    const port = await occupied();
    await new Promise((resolve) => servers.pop()?.close(resolve));
    return port;
  };

  it('is one that an authorization server knows, where it is ours and free', async () => {
    const port = await freePort();
    const known = [
      'not a URL',
      `https://app.example:${port + 1}/callback`,
      `http://localhost:${port + 1}/callback`,
      `http://127.0.0.1:${port + 1}/other`,
      `http://127.0.0.1:${port}/callback`,
    ];
    expect((await opened({}, known)).redirect.port).toBe(`${port}`);
  });

  it('is the next one that is known, or any, where one is taken', async () => {
    const [taken, free] = [await occupied(), await freePort()];
    const at = (port: number): string => `http://127.0.0.1:${port}/callback`;
    expect((await opened({}, [at(taken), at(free)])).redirect.port).toBe(`${free}`);
    const { callback, redirect } = await opened({ port: taken }, [at(taken)]);
    expect(redirect.port).not.toBe(`${taken}`);
    const { log } = visiting(callback);
    await back(callback, 'code=c1&state=s1');
    expect(log.brought).toBe('code=c1&state=s1');
  });

  it('is the one that is asked for, unless another one is known', async () => {
    const [asked, other] = [await freePort(), await freePort()];
    const at = (port: number): string => `http://127.0.0.1:${port}/callback`;
    const portOf = async (known: readonly string[]): Promise<number> => {
      const { redirect, subscription } = await opened({ port: asked }, known);
      subscription.unsubscribe();
      return Number(redirect.port);
    };
    expect(await portOf([])).toBe(asked);
    expect(await portOf([at(other), at(asked)])).toBe(asked);
    expect(await portOf([at(other)])).toBe(other);
  });

  it('is not shared with whoever is found under the other address of localhost', async () => {
    const taken = await occupied('::1').catch(() => occupied('127.0.0.1'));
    const { redirect } = await opened({ host: 'localhost' }, [`http://localhost:${taken}/callback`]);
    expect(redirect.hostname).toBe('localhost');
    expect(redirect.port).not.toBe(`${taken}`);
  });

  it.each(['127.0.0.1', '[::1]'])('is open at %s where this machine is called localhost', async (address) => {
    const { callback, redirect } = await opened({ host: 'localhost', path: '/oauth/back' });
    expect(redirect.pathname).toBe('/oauth/back');
    const { log } = visiting(callback);
    const url = `http://${address}:${redirect.port}/oauth/back?code=c1&state=s1`;
    expect((await ask(url, { headers: { host: redirect.host } })).status).toBe(200);
    expect(log.brought).toBe('code=c1&state=s1');
  });

  it('may be one of IPv6', async () => {
    const { callback, redirect } = await opened({ host: '::1' });
    expect(redirect.hostname).toBe('[::1]');
    const { log } = visiting(callback);
    await back(callback, 'code=c1&state=s1');
    expect(log.brought).toBe('code=c1&state=s1');
  });

  it.each([{ port: -1 }, { port: 65_536 }, { port: 0.5 }, { path: 'callback' }, { path: '/a?b' }, { path: '/a b' }])(
    'or path cannot be %j',
    (options) => expect(() => loopback({ onUrl: () => undefined, ...options })).toThrow(Misconfigured),
  );
});
