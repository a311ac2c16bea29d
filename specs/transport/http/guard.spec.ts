import { NEVER, startWith } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { Misconfigured, resource, server, tool, type JsonObject, type ServeEvent, type Served } from 'rxmcp';
import type { Context } from '../../../lib/exchange/exchange.ts';
import type { Guard } from '../../../lib/exchange/guard.ts';
import { toFetch, type FetchHandler, type ToFetchOptions } from '../../../lib/transport/http/to-fetch.ts';
import { createLedger } from '../../../lib/testing/index.ts';
import { leavesNothing } from '../../behaviour/leaks.ts';
import { both, call, headersOf, initialize, modernized, notice, request, turn } from './desk.ts';
import { as, challenge, documentPath, documentText, fakeGuard, insufficient, json, protect } from './fake-guard.ts';

leavesNothing();
const handlers: FetchHandler[] = [];
afterEach(() => Promise.all(handlers.splice(0).map((handler) => handler.close())));

const url = 'https://mcp.example/mcp?at=all';
const origin = 'https://app.example';

const open = (options: ToFetchOptions = {}, replaced: Partial<Guard> = {}) => {
  const guard = fakeGuard();
  const seen: { readonly method: string; readonly context: Context }[] = [];
  const ledger = createLedger();
  const house = server(
    { name: 'house', version: '1' },
    tool('who', {}, (_, { principal }) => principal ?? 'nobody'),
    tool('delete', {}, () => 'deleted'),
    resource('x:/y', { live: true }, () => NEVER.pipe(startWith('y'))),
    tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
  );
  const watched: Served = (asked, context) => {
    seen.push({ method: asked.method, context });
    return house(asked, context);
  };
  const handler = toFetch(protect(Object.assign(guard, replaced), watched), {
    drainMs: 0,
    allowedHosts: ['mcp.example'],
    allowedOrigins: [origin],
    ...options,
  });
  handlers.push(handler);
  const post = (frame: unknown, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Response> =>
    handler(
      new Request(url, {
        method: 'POST',
        body: JSON.stringify(frame),
        ...init,
        headers: { 'content-type': 'application/json', accept: both, ...headers },
      }),
    );
  const modern = (frame: JsonObject, headers: Record<string, string> = {}, init: RequestInit = {}) => {
    const whole = modernized(frame);
    return post(whole, { ...headersOf(whole), ...headers }, init);
  };
  const session = async (headers: Record<string, string>, revision?: string): Promise<Record<string, string>> => {
    const opened = await post(initialize(revision), headers);
    await opened.body?.cancel();
    return { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
  };
  return { guard, seen, ledger, handler, post, modern, session };
};

describe('who comes by HTTP', () => {
  it('is asked before a body is read, and told where to get a token (AUTHS-01)', async () => {
    const { guard, handler, seen } = open();
    let pulled = 0;
    const body = new ReadableStream({ pull: () => void (pulled += 1) }, { highWaterMark: 0 });
    const headers = { 'content-type': 'application/json', accept: both, origin };
    const init: RequestInit & { readonly duplex: 'half' } = { method: 'POST', body, headers, duplex: 'half' };
    const refused = await handler(new Request(url, init));
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, challenge]);
    expect(await refused.json()).toEqual({ jsonrpc: '2.0', error: { code: -32600, message: 'a token is needed' } });
    expect([pulled, seen]).toEqual([0, []]);
    expect(guard.knocks).toMatchObject([{ method: 'POST', path: '/mcp', headers: { accept: both } }]);
    // The page that asked is to find its way.
    expect(refused.headers.get('access-control-allow-origin')).toBe(origin);
    expect(refused.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate, DPoP-Nonce');
  });

  it('is told whether the request was wrong, or it cannot be said now; nothing else goes with it (AUTHS-02)', async () => {
    const { modern } = open();
    const malformed = await modern(call(1, 'who'), { authorization: 'Bearer a, Bearer b' });
    expect([malformed.status, (await json(malformed))['error']]).toMatchObject([400, { code: -32600 }]);
    expect(malformed.headers.has('x-evil')).toBe(false);
    const later = await modern(call(1, 'who'), as('unknowable'));
    expect([later.status, later.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await json(later)).toMatchObject({ error: { code: -32603, message: 'not now' } });
  });

  it('is asked for by GET and DELETE as well, and by handshakes', async () => {
    const { handler, post, guard } = open();
    const get = new Request(url, { headers: { accept: 'text/event-stream' } });
    expect((await handler(get)).status).toBe(401);
    expect((await handler(new Request(url, { method: 'DELETE' }))).status).toBe(401);
    expect((await post(initialize())).status).toBe(401);
    expect(guard.knocks.map(({ method }) => method)).toEqual(['GET', 'DELETE', 'POST']);
  });

  it('is not asked where a browser asks first, or nobody of that host or origin is let in (SEC-08)', async () => {
    const { handler, modern, guard } = open();
    const headers = { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'dpop' };
    const preflight = await handler(new Request(url, { method: 'OPTIONS', headers }));
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization, dpop');
    expect((await modern(call(1, 'who'), { ...as('ada'), origin: 'https://evil.example' })).status).toBe(403);
    expect(guard.knocks).toEqual([]);
  });

  it.each(['at once', 'later'])('is known to the handler, whose headers are without the proof: %s', async (when) => {
    const { modern, seen, guard } = open();
    if (when === 'later') guard.hold();
    const secrets = { dpop: 'p', cookie: 'c=1', 'proxy-authorization': 'Basic x' };
    const answer = modern(call(1, 'who'), { ...as('ada'), ...secrets, 'x-other': 'kept' });
    await turn();
    guard.answer();
    expect(await json(await answer)).toMatchObject({ id: 1, result: { content: [{ text: 'ada' }] } });
    const { principal, access, headers = {} } = seen.at(-1)?.context ?? {};
    expect({ principal, access }).toMatchObject({ principal: 'ada', access: { principal: 'ada', scopes: [] } });
    expect(headers).toMatchObject({ 'x-other': 'kept', 'mcp-method': 'tools/call' });
    for (const name of ['authorization', ...Object.keys(secrets)]) expect(headers).not.toHaveProperty(name);
  });

  it('and has left before that was known, has begun nothing', async () => {
    const { modern, seen, guard, ledger } = open();
    const leaving = new AbortController();
    guard.hold();
    const answer = modern(call(1, 'hang'), as('ada'), { signal: leaving.signal });
    await turn();
    leaving.abort();
    guard.answer();
    expect((await answer).status).toBe(499);
    expect([seen, ledger.live]).toEqual([[], {}]);
  });

  it.each<[string, Partial<Guard>]>([
    ['throws', { admit: () => expect.unreachable('secret') }],
    ['rejects', { admit: () => Promise.reject(new Error('secret')) }],
    ['throws of a request', { judge: () => expect.unreachable('secret') }],
  ])('is not let in by a guard that %s; the host is told why, and not the client', async (_, replaced) => {
    const events: ServeEvent[] = [];
    const { modern, seen } = open({ onEvent: (event) => events.push(event) }, replaced);
    const refused = await modern(call(1, 'who'), as('ada'));
    expect(refused.status).toBe(500);
    expect(await refused.text()).not.toContain('secret');
    expect(seen).toEqual([]);
    expect(events).toMatchObject([{ type: 'failure', method: 'principal' }]);
  });

  it('is named by the guard only', () => {
    const both = () => toFetch(protect(fakeGuard(), server({ name: 'x', version: '1' })), { principal: () => 'ada' });
    expect(both).toThrow(Misconfigured);
    expect(both).toThrow(/principal.*guard/);
  });
});

describe('a request that needs more than its sender has', () => {
  const refusal = { jsonrpc: '2.0', id: 7, error: { code: -32600, message: 'not with these scopes' } };

  it('is refused before anything runs, with what it needs (AUTHS-07)', async () => {
    const { modern, seen } = open();
    const refused = await modern(call(7, 'delete'), as('ada'));
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([403, insufficient]);
    expect(refused.headers.get('content-type')).toBe('application/json');
    expect(await refused.json()).toEqual(refusal);
    expect(seen).toEqual([]);
    expect((await json(await modern(call(8, 'delete'), as('root'))))['result']).toBeDefined();
  });

  it('is refused in a session too (AUTHS-07)', async () => {
    const { post, session, seen } = open();
    const headers = { ...as('ada'), ...(await session(as('ada'))) };
    const before = seen.length;
    const refused = await post(call(7, 'delete'), headers);
    expect([refused.status, await refused.json()]).toEqual([403, refusal]);
    expect(seen).toHaveLength(before);
  });

  it('takes its whole batch with it', async () => {
    const { post, session, seen } = open();
    const headers = { ...as('ada'), ...(await session(as('ada'), '2025-03-26')) };
    await post(notice('notifications/initialized'), headers);
    const before = seen.length;
    const refused = await post([call(6, 'who'), call(7, 'delete')], headers);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([403, insufficient]);
    expect(await refused.json()).toEqual(refusal);
    expect(seen).toHaveLength(before);
    const answered = await post([call(6, 'who')], headers);
    expect(await answered.json()).toMatchObject([{ id: 6, result: { content: [{ text: 'ada' }] } }]);
  });
});

describe('a session', () => {
  it('is for who opened it: to others it is not there (CVE-2026-52869, CVE-2026-67431, SEC-12)', async () => {
    const { handler, post, session } = open();
    const named = await session(as('ada'));
    const get = { accept: 'text/event-stream', ...named, ...as('eve') };
    expect((await post(call(1, 'who'), { ...named, ...as('eve') })).status).toBe(404);
    expect((await post([call(1, 'who')], { ...named, ...as('eve') })).status).toBe(404);
    expect((await handler(new Request(url, { headers: get }))).status).toBe(404);
    expect((await handler(new Request(url, { method: 'DELETE', headers: get }))).status).toBe(404);
    // Another proof of the same is as good.
    const mine = await post(call(2, 'who'), { ...named, ...as('ada/second') });
    expect(await json(mine)).toMatchObject({ result: { content: [{ text: 'ada' }] } });
  });

  it('carries each request’s own proof, and what it asks by itself the newest', async () => {
    const { post, session, seen, handler } = open();
    const named = await session(as('ada/first'));
    const proofOf = (context: Context | undefined) => context?.access?.claims['proof'];
    await post(call(1, 'who'), { ...named, ...as('ada/second') });
    expect(proofOf(seen.at(-1)?.context)).toBe('second');
    const subscribe = request(2, 'resources/subscribe', { uri: 'x:/y' });
    await post(subscribe, { ...named, ...as('ada/third') });
    const own = seen.find(({ method }) => method === 'subscriptions/listen')?.context;
    expect([own?.principal, proofOf(own)]).toEqual(['ada', 'third']);
    const get = { accept: 'text/event-stream', ...named, ...as('ada/fourth') };
    const stream = await handler(new Request(url, { headers: get }));
    // Whoever looks at it now, as to see whether it has expired, finds what has been proved since.
    expect(proofOf(own)).toBe('fourth');
    expect(proofOf({ ...own })).toBe('fourth');
    await stream.body?.cancel();
  });
});

describe('the metadata of a protected server', () => {
  const at = (method: string, headers: Record<string, string> = {}, path = documentPath) =>
    new Request(`https://mcp.example${path}`, { method, headers });

  it('are for anybody who gets here (AUTHS-03)', async () => {
    const { handler, guard } = open();
    const answer = await handler(at('GET', { origin }));
    expect([answer.status, await answer.text()]).toEqual([200, documentText]);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('cache-control')).toMatch(/^max-age=\d+$/);
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    expect(guard.knocks).toEqual([]);
  });

  it('are read only, and not by pages that may not use the server', async () => {
    const { handler } = open();
    const refused = await handler(at('DELETE'));
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, OPTIONS']);
    expect((await handler(at('GET', { origin: 'https://evil.example' }))).status).toBe(403);
    expect((await handler(at('OPTIONS', { origin, 'access-control-request-method': 'GET' }))).status).toBe(204);
    expect((await handler(at('GET', { accept: 'text/event-stream' }, '/mcp'))).status).toBe(401);
  });
});
