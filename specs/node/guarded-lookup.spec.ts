import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { LoginFailed, type Reach } from 'rxmcp/auth';
import { agentCarrier } from 'rxmcp/node';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { reachOf } from '../../lib/auth/reach.ts';
import { guardedLookup } from '../../lib/node/guarded-lookup.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const anything: Reach = { urlProblem: () => undefined, addressProblem: () => undefined };

/** A resolver that knows these names alone, and whom it was asked for. */
const names = (known: Readonly<Record<string, readonly string[]>>) => {
  const asked: string[] = [];
  const resolve: LookupFunction = (name, options, callback) => {
    asked.push(name);
    const found = (known[name] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    expect(options.all).toBe(true);
    setImmediate(() => {
      if (known[name] === undefined) callback(Object.assign(new Error('unknown'), { code: 'ENOTFOUND' }), []);
      else callback(null, found);
    });
  };
  return { resolve, asked };
};

/** What a lookup comes back with. */
const found = (lookup: LookupFunction, name: string, all = false) =>
  new Promise<readonly unknown[]>((resolve, reject) => {
    lookup(name, { all }, (error, ...rest) => (error === null ? resolve(rest) : reject(error)));
  });

const remote = reachOf('https://mcp.example/mcp');

/** A server on this machine, and requests to it under names that are not its own. */
const serving = async () => {
  const server = createServer((_, response) => {
    response.sendDate = false;
    response.end('hello');
  });
  let connections = 0;
  server.on('connection', () => (connections += 1));
  server.listen(0, '127.0.0.1');
  closers.push(
    () => void server.close(),
    () => server.closeAllConnections(),
  );
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, connections: () => connections };
};

const get = (carrier: ReturnType<typeof agentCarrier>, url: string) =>
  new Promise<string>((resolve, reject) => {
    let text = '';
    carrier(
      { method: 'GET', url, headers: { connection: 'close' } },
      { head: () => undefined, text: (part) => (text += part), end: () => resolve(text), failed: reject },
    );
  });

describe('guardedLookup', () => {
  it('gives all addresses, or the first one, as it is asked to', async () => {
    const { resolve } = names({ 'login.example': ['9.9.9.9', '2606:4700::1111'] });
    const lookup = guardedLookup(remote, resolve);
    expect(await found(lookup, 'login.example')).toEqual(['9.9.9.9', 4]);
    expect(await found(lookup, 'login.example', true)).toEqual([
      [
        { address: '9.9.9.9', family: 4 },
        { address: '2606:4700::1111', family: 6 },
      ],
    ]);
  });

  it.each([
    ['the only one', ['169.254.169.254']],
    ['the first', ['10.0.0.1', '9.9.9.9']],
    ['the last', ['9.9.9.9', '2606:4700::1111', '::ffff:10.0.0.1']],
  ])('refuses a name where %s of its addresses is out of reach (SEC-03, SEC-05)', async (_, addresses) => {
    const { resolve } = names({ 'login.example': addresses });
    for (const all of [true, false]) {
      const failure = await found(guardedLookup(remote, resolve), 'login.example', all).catch(
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(LoginFailed);
      expect(failure).toMatchObject({
        stage: 'network',
        message: expect.stringContaining('"login.example" stands for'),
      });
    }
  });

  it('tells of names that nobody knows, or that stand for nothing', async () => {
    const { resolve } = names({ 'empty.example': [] });
    const lookup = guardedLookup(anything, resolve);
    await expect(found(lookup, 'gone.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(found(lookup, 'empty.example', true)).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('asks the system, and a resolver that knows one address at a time', async () => {
    expect(await found(guardedLookup(anything), '127.0.0.1')).toEqual(['127.0.0.1', 4]);
    const lookup = guardedLookup(remote, (_, __, callback) => callback(null, '9.9.9.9', 4));
    expect(await found(lookup, 'login.example', true)).toEqual([[{ address: '9.9.9.9', family: 4 }]]);
  });
});

describe('agentCarrier with a guarded lookup', () => {
  it('connects to the address that was judged, and asks for it once (SEC-05)', async () => {
    const { port, connections } = await serving();
    const { resolve, asked } = names({ 'as.localhost': ['127.0.0.1'] });
    const addressProblem = vi.fn(() => undefined);
    const carrier = agentCarrier({ proxy: false, lookup: guardedLookup({ ...anything, addressProblem }, resolve) });
    expect(await get(carrier, `http://as.localhost:${port}/`)).toBe('hello');
    expect(connections()).toBe(1);
    expect(asked).toEqual(['as.localhost']);
    expect(addressProblem.mock.calls).toEqual([['127.0.0.1', 'as.localhost']]);
  });

  it.each([
    ['its own agent', async () => ({})],
    ["somebody else's agent", async () => ({ agent: new (await import('node:http')).Agent() })],
  ])('connects to nobody who is out of reach, by %s (SEC-01, SEC-03)', async (_, options) => {
    const { port, connections } = await serving();
    const { resolve } = names({ 'login.example': ['127.0.0.1'] });
    const carrier = agentCarrier({ proxy: false, ...(await options()), lookup: guardedLookup(remote, resolve) });
    const failure = await get(carrier, `http://login.example:${port}/`).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      _tag: 'ConnectionClosed',
      message: expect.stringContaining('"login.example" stands for "127.0.0.1", which is this machine'),
      cause: { _tag: 'LoginFailed', stage: 'network' },
    });
    expect(connections()).toBe(0);
  });

  it('leaves names to a proxy, where there is one (SEC-05)', async () => {
    const { port, connections } = await serving();
    const { resolve, asked } = names({});
    const proxy = `http://127.0.0.1:${port}`;
    const carrier = agentCarrier({ proxy, lookup: guardedLookup(remote, resolve) });
    expect(await get(carrier, 'http://login.example/')).toBe('hello');
    expect(connections()).toBe(1);
    expect(asked).toEqual([]);
  });
});
