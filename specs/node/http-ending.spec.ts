/** How an HTTP server ends. */
import { once } from 'node:events';
import { concat, NEVER, of, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { resource, server, tool, type JsonObject } from '../../lib/index.ts';
import { createLedger } from '../../lib/testing/index.ts';
import { call, headersOf, holds, initialize, modernized, request } from '../transport/http/desk.ts';
import { dial, heard, send, start, written, type Answer } from './peers.ts';
import { run } from './program.ts';

const info = { name: 'house', version: '1' };
const sendModern = (port: number, frame: JsonObject): Promise<Answer> => {
  const body = modernized(frame);
  return send(port, { body, headers: headersOf(body) });
};
const opening = async (port: number): Promise<Record<string, string>> => {
  const { headers } = await send(port, { body: initialize() });
  return { 'mcp-session-id': String(headers['mcp-session-id']) };
};

describe('SIGTERM', () => {
  it('with 100 calls in flight: all are answered or failed cleanly, and the process ends by itself in time', async () => {
    const program = run('http.ts');
    await program.says(/port \d+/);
    const port = Number(/port (\d+)/.exec(program.stdout())?.[1]);
    const session = await opening(port);
    // A third ends before the limit, a third never does, and a third is in a session.
    const calls = Array.from({ length: 100 }, (_, id) => {
      const kind = id % 3;
      const frame = call(id, 'wait', { ms: kind === 1 ? -1 : 300 });
      return kind === 2 ? send(port, { body: frame, headers: session }) : sendModern(port, frame);
    });
    const listening = sendModern(port, request('sub', 'subscriptions/listen', { notifications: {} }));
    const get = send(port, { method: 'GET', headers: { accept: 'text/event-stream', ...session } });
    await program.says(/called 100\n/);
    // By the time that this is answered, what was sent before has been read.
    await opening(port);
    const started = performance.now();
    program.child.kill('SIGTERM');
    const answers = await Promise.all(calls);
    for (const [id, { status, text }] of answers.entries()) {
      expect(status).toBe(200);
      expect(JSON.parse(text)).toMatchObject(
        id % 3 === 1
          ? { id, error: { message: 'the server is ending' } }
          : { id, result: { content: [{ text: 'waited' }] } },
      );
    }
    expect((await listening).text).toContain('"resultType":"complete"');
    expect((await get).status).toBe(200);
    expect(await program.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - started).toBeLessThan(6000);
    expect(program.stdout()).toMatch(/ended\n$/);
    expect(program.stderr()).toBe('');
  });

  it('with nothing in flight ends within `flushMs`, though somebody is connected who says nothing', async () => {
    const program = run('http.ts');
    await program.says(/port \d+/);
    const port = Number(/port (\d+)/.exec(program.stdout())?.[1]);
    const idle = await dial(port);
    idle.resume();
    await opening(port);
    const started = performance.now();
    program.child.kill('SIGTERM');
    expect(await program.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - started).toBeLessThan(6000);
  });
});

describe('until', () => {
  it('ends subscriptions with their result and GETs, waits for calls, and completes; newcomers are refused', async () => {
    const words = new Subject<string>();
    const stop = new Subject<void>();
    const ledger = createLedger();
    const { port, ended } = await start(
      server(
        info,
        tool('work', {}, () => words.pipe(ledger.watch('work'))),
        resource('a:b', { live: true }, () => concat(of('x'), NEVER).pipe(ledger.watch('watched'))),
      ),
      { until: stop, health: true },
    );
    const session = await opening(port);
    const working = [sendModern(port, call(1, 'work')), send(port, { body: call(2, 'work'), headers: session })];
    const listening = sendModern(
      port,
      request(5, 'subscriptions/listen', { notifications: { resourceSubscriptions: ['a:b'] } }),
    );
    const get = send(port, { method: 'GET', headers: { accept: 'text/event-stream', ...session } });
    // A connection that is there already is refused in words.
    const late = await dial(port);
    late.write(written('', { 'content-length': '300', ...headersOf(modernized(call(9, 'work'))) }));
    await holds(() => ledger.live['work'] === 2 && ledger.live['watched'] === 1);
    // By the time that this is answered, what was sent before has been read.
    expect((await send(port, { method: 'GET', path: '/healthz' })).status).toBe(200);
    stop.next();
    expect((await listening).text).toMatch(/"result":\{"resultType":"complete"[^\n]*\n\n$/);
    await get;
    const refusal = heard(late);
    late.write(JSON.stringify(modernized(call(9, 'work'))).padEnd(300));
    await once(late, 'data');
    await expect(sendModern(port, call(9, 'work'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(ledger.live).toEqual({ work: 2 });
    words.next('done');
    words.complete();
    for (const one of await Promise.all(working))
      expect(one).toMatchObject({ status: 200, text: expect.stringContaining('done') as string });
    await ended;
    expect(await refusal).toMatch(/^HTTP\/1\.1 503 [^]*the server is ending/);
    expect(ledger.live).toEqual({});
  });

  it('that fails is what serving fails with', async () => {
    const stop = new Subject<void>();
    const { port, failed } = await start(server(info), { until: stop });
    stop.error(new Error('the wire'));
    await expect(failed).rejects.toThrow('the wire');
    await expect(send(port, { body: {} })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('/healthz', () => {
  it('tells that the server is up, where that is wanted; elsewhere there is nothing', async () => {
    const { port } = await start(server(info), { health: true });
    const answer = await send(port, { method: 'GET', path: '/healthz?deep=1' });
    expect(answer).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    expect((await send(port, { method: 'GET', path: '/' })).status).toBe(404);
    const silent = await start(server(info));
    expect((await send(silent.port, { method: 'GET', path: '/healthz' })).status).toBe(404);
    const other = await start(server(info), { health: '/up', path: '/rpc' });
    expect((await send(other.port, { method: 'GET', path: '/up' })).status).toBe(200);
    expect((await send(other.port, { path: '/rpc', body: initialize() })).status).toBe(200);
    expect((await send(other.port, { body: initialize() })).status).toBe(404);
  });
});

describe('unsubscribing', () => {
  it('answers what is under way with an error, and closes everything', async () => {
    const ledger = createLedger();
    const { port, stop } = await start(
      server(
        info,
        tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
      ),
    );
    const session = await opening(port);
    const calls = [sendModern(port, call(1, 'hang')), send(port, { body: call(2, 'hang'), headers: session })];
    await holds(() => ledger.live['hang'] === 2);
    stop();
    for (const { status, text } of await Promise.all(calls)) {
      expect(status).toBe(200);
      expect(JSON.parse(text)).toMatchObject({ error: { code: -32603 } });
    }
    expect(ledger.live).toEqual({});
    await expect(send(port, { body: {} })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
