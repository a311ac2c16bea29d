import { NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { server, tool } from 'rxmcp';
import { createLedger } from '../../../lib/testing/index.ts';
import { fakeReply } from './fake-reply.ts';
import { both, call, desk, headersOf, modernized, notice, request } from './desk.ts';

const info = { name: 'house', version: '1' };
const echo = server(
  info,
  tool('echo', {}, () => 'hi'),
);
const frame = modernized(call(1, 'echo'));

describe('what is turned away before its body is read', () => {
  it('methods that are not served, with those that are (SHTTP-01, HTTP26-01)', () => {
    const { ask } = desk(echo);
    for (const method of ['PUT', 'PATCH', 'HEAD', 'TRACE', 'BREW', 'post', ''])
      expect(ask({ method })).toMatchObject({
        turnedAway: true,
        reply: { status: 405, headers: { allow: 'POST, GET, DELETE, OPTIONS' } },
      });
  });

  it('GET and DELETE where only 2026-07-28 is served, or where there are no sessions (HTTP26-68, SHTTP-31, SHTTP-52)', () => {
    for (const options of [{ revisions: ['2026-07-28'] }, { sessions: false }] as const) {
      const { get, remove } = desk(echo, options);
      for (const refused of [get(), remove(), get({ 'mcp-session-id': 'x' }), remove({ 'mcp-session-id': 'x' })])
        expect(refused).toMatchObject({
          turnedAway: true,
          reply: { status: 405, headers: { allow: 'POST, OPTIONS' } },
        });
    }
  });

  it.each([
    [both, 200],
    ['text/event-stream,application/json', 200],
    ['*/*', 200],
    ['application/*, text/*;q=0.5', 200],
    ['Application/JSON; q=1, Text/Event-Stream', 200],
    [undefined, 200],
    ['application/json', 406],
    ['text/event-stream', 406],
    ['application/json, text/event-stream;q=0', 406],
    ['application/json;q=0.0, text/event-stream', 406],
    ['text/html, application/jsonx, text/event-streams', 406],
    ['', 406],
  ])('a POST that accepts %s: %i (SHTTP-07, HTTP26-06, AMB-14)', (accept, status) => {
    const { post } = desk(echo);
    expect(post(frame, { ...headersOf(frame), accept }).reply.status).toBe(status);
  });

  it.each([
    [undefined, 200],
    ['identity', 200],
    ['gzip', 415],
    ['identity, br', 415],
  ])('a body that is packed by %s: %i, as nothing is unpacked here', (encoding, status) => {
    const { post } = desk(echo);
    expect(post(frame, { ...headersOf(frame), 'content-encoding': encoding }).reply.status).toBe(status);
  });

  it('takes no time for an Accept that is endless', () => {
    const { post } = desk(echo);
    const started = performance.now();
    for (const endless of ['x, ', '; q=0', ';q=0.0 ', ' ', ','])
      expect(post(frame, { ...headersOf(frame), accept: endless.repeat(100_000) }).reply.status).toBe(406);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it.each([
    ['text/event-stream', 404],
    ['text/event-stream, application/json', 404],
    ['*/*', 404],
    ['application/json', 406],
    [undefined, 406],
  ])('a GET that accepts %s: %i (SHTTP-30)', (accept, status) => {
    const { get } = desk(echo);
    expect(get({ accept, 'mcp-session-id': 'none' }).reply.status).toBe(status);
  });

  it('by Host first, then Origin, method, type, what is accepted, and length', () => {
    const { ask } = desk(echo, { maxBytes: 10 });
    const wrong: Record<string, string> = {
      host: 'evil.example',
      origin: 'https://evil.example',
      'content-type': 'text/plain',
      accept: 'text/html',
      'content-length': '11',
    };
    const statuses: (number | undefined)[] = [];
    for (const mended of [
      [],
      ['host'],
      ['host', 'origin'],
      ['host', 'origin', 'content-type'],
      Object.keys(wrong).slice(0, -1),
    ]) {
      const right = { host: 'localhost', origin: 'http://localhost', 'content-type': 'application/json', accept: both };
      const headers = {
        ...wrong,
        ...Object.fromEntries(Object.entries(right).filter(([name]) => mended.includes(name))),
      };
      statuses.push(ask({ method: 'POST', headers }).reply.status);
    }
    expect(statuses).toEqual([403, 403, 415, 406, 413]);
  });

  it('everything once the server is ending (503), also what was let in and came in slowly', () => {
    const { endpoint, modern, get } = desk(echo, { allowedOrigins: ['https://app.example'] });
    endpoint.conclude();
    const refused = { status: 503, headers: { 'retry-after': '5' } };
    expect(modern(call(1, 'echo'))).toMatchObject({ turnedAway: true, reply: refused });
    expect(get().reply).toMatchObject(refused);
    const [slow, headers] = [fakeReply(), { 'mcp-session-id': 'x' }];
    endpoint.handle({ method: 'POST', headers }, JSON.stringify(frame), slow);
    expect(slow).toMatchObject(refused);
    // A page that may read answers may read this one too.
    expect(modern(call(1, 'echo'), { origin: 'https://app.example' }).reply.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
    });
    expect(modern(call(1, 'echo'), { host: 'evil.example' }).reply.status).toBe(403);
  });
});

describe('CORS', () => {
  const origin = 'https://app.example';
  const open = () => desk(echo, { allowedOrigins: [origin] });

  it('tells a browser that asks first what the page may send, and nothing else', () => {
    const { ask } = open();
    const asked = ask({
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type, Mcp-Param-City, x-evil, mcp-param-, mcp-param-a b, cookie',
      },
    });
    expect(asked.reply).toMatchObject({ status: 204, text: '' });
    const { 'access-control-allow-headers': allowed, ...rest } = asked.reply.headers;
    expect(rest).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'POST, GET, DELETE, OPTIONS',
      'access-control-max-age': '600',
      vary: 'Origin',
    });
    expect(allowed?.split(', ')).toEqual([
      'content-type',
      'accept',
      'authorization',
      'dpop',
      'mcp-protocol-version',
      'mcp-session-id',
      'mcp-method',
      'mcp-name',
      'last-event-id',
      'mcp-param-city',
    ]);
    expect(rest).not.toHaveProperty('access-control-allow-credentials');
  });

  it('lets the page read answers of both eras, and the headers that it needs', () => {
    const { ask, modern, session } = open();
    const answer = modern(call(1, 'echo'), { origin });
    expect(answer.reply).toMatchObject({
      status: 200,
      headers: {
        'access-control-allow-origin': origin,
        'access-control-expose-headers':
          'Mcp-Session-Id, MCP-Protocol-Version, Retry-After, WWW-Authenticate, DPoP-Nonce',
      },
    });
    const refused = modern(request(1, 'no/such'), { origin });
    expect(refused.reply).toMatchObject({ status: 404, headers: { 'access-control-allow-origin': origin } });
    const stream = ask({ method: 'GET', headers: { accept: 'text/event-stream', origin, ...session() } });
    expect(stream.reply).toMatchObject({ state: 'open', headers: { 'access-control-allow-origin': origin } });
  });

  it('tells others nothing: pages of this machine are let in, and read nothing', () => {
    const { ask, modern } = open();
    for (const own of ['http://localhost:5173', undefined]) {
      const asked = ask({ method: 'OPTIONS', headers: { origin: own } });
      expect(asked.reply).toMatchObject({ status: 204, headers: { allow: 'POST, GET, DELETE, OPTIONS' } });
      expect(Object.keys(asked.reply.headers)).toEqual(['allow']);
      expect(modern(call(1, 'echo'), { origin: own }).reply).toMatchObject({
        status: 200,
        headers: { 'content-type': 'application/json' },
      });
    }
  });
});

describe('how much may be under way', () => {
  const ledger = createLedger();
  const busy = server(
    info,
    tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
  );

  it('one more is told to come back later, of either era; what ends something still gets in (maxRequests)', () => {
    const { modern, post, session, remove } = desk(busy, { maxRequests: 4 });
    const old = session();
    const first = modern(call(1, 'hang'));
    modern(request(2, 'subscriptions/listen', { notifications: {} }));
    const left = post(call(3, 'hang'), old);
    // Whoever hangs up on a session has not ended what goes on in it.
    left.leave();
    post(call(4, 'hang'), old);
    const refused = { status: 503, headers: { 'retry-after': '5' } };
    for (const one of [modern(call(5, 'hang')), post(call(5, 'hang'), old), post(request(5, 'initialize'))]) {
      expect(one.reply).toMatchObject(refused);
      expect(one.json()).toMatchObject({ id: 5, error: { code: -32600 } });
    }
    expect(ledger.live).toEqual({ hang: 3 });
    expect(post(notice('notifications/cancelled', { requestId: 3 }), old).reply.status).toBe(202);
    expect(ledger.live).toEqual({ hang: 2 });
    const again = modern(call(6, 'hang'));
    expect(again.reply.state).toBe('waiting');
    again.leave();
    first.leave();
    expect(remove(old).reply.status).toBe(200);
    expect(ledger.live).toEqual({});
    expect(modern(call(7, 'hang')).reply.state).toBe('waiting');
  });
});
