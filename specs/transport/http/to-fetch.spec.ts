import { createParser } from 'eventsource-parser';
import { concatMap, from, map, merge, Observable, range, Subject } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { log, Misconfigured, progress, server, tool, type JsonObject, type ServeEvent, type Served } from 'rxmcp';
import { toFetch, type FetchHandler, type ToFetchOptions } from '../../../lib/transport/http/to-fetch.ts';
import { leavesNothing } from '../../behaviour/leaks.ts';
import { both, call, headersOf, holds, initialize, modernized, notice, turn } from './desk.ts';

// First what is here is closed, then nothing may be left: hooks run in reverse.
leavesNothing();
const handlers: FetchHandler[] = [];
afterEach(() => Promise.all(handlers.splice(0).map((handler) => handler.close())));

const url = 'http://127.0.0.1:4000/anywhere?at=all';

let torn = 0;
const step$ = new Subject<number>();
/** Never answers, and is counted when it is torn down. */
const counted$ = new Observable<never>(() => () => void (torn += 1));
const house = server(
  { name: 'house', version: '1' },
  tool('hello', {}, () => 'hello'),
  tool('echo', { input: { type: 'object', properties: { text: { type: 'string' } } } }, ({ text }) => text ?? ''),
  tool('who', {}, (_, { principal }) => `you are ${principal ?? 'nobody'}`),
  tool('hang', {}, () => counted$),
  tool('steps', {}, () => merge(step$.pipe(map((done) => progress(done))), counted$)),
  // One step in each turn of the loop, so that what is written is known to be too much before the next.
  tool('flood', {}, async function* () {
    for (let done = 1; done <= 200; done += 1) {
      yield progress(done, 200, 'x'.repeat(10_000));
      await turn();
    }
    return 'done';
  }),
  tool('burst', {}, () =>
    merge(
      range(1, 40).pipe(concatMap((n) => from(turn()).pipe(map(() => log('error', `${n}`.padEnd(10_000)))))),
      counted$,
    ),
  ),
);

const fetching = (options: ToFetchOptions = {}, exchange: Served = house): FetchHandler => {
  const handler = toFetch(exchange, { drainMs: 0, ...options });
  handlers.push(handler);
  return handler;
};

/** A POST of the newest revision; what is given replaces what belongs to it. */
const modern = (frame: JsonObject, init: RequestInit & { readonly duplex?: 'half' } = {}): Request => {
  const whole = modernized(frame);
  const headers = { 'content-type': 'application/json', accept: both, ...headersOf(whole) };
  return new Request(url, {
    method: 'POST',
    body: JSON.stringify(whole),
    ...init,
    headers: { ...headers, ...(init.headers as Record<string, string> | undefined) },
  });
};
const stepped = (id: number, name = 'steps'): JsonObject => call(id, name, {}, { _meta: { progressToken: id } });

/** The messages of a stream, as they come. */
const messagesOf = async function* (response: Response): AsyncGenerator<JsonObject> {
  const decoder = new TextDecoder();
  const messages: JsonObject[] = [];
  const parser = createParser({ onEvent: ({ data }) => messages.push(JSON.parse(data) as JsonObject) });
  for await (const chunk of response.body ?? []) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    yield* messages.splice(0);
  }
};

describe('a server as a function from Request to Response', () => {
  it('answers with one JSON object what is answered at once (HTTP26-10)', async () => {
    const response = await fetching()(modern(call(1, 'hello')));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toMatchObject({ id: 1, result: { content: [{ text: 'hello' }] } });
  });

  it('answers with a stream what takes steps, each as it comes (HTTP26-11)', async () => {
    const handler = fetching();
    let answered = false;
    const answer = handler(modern(stepped(1))).finally(() => (answered = true));
    await turn();
    expect(answered).toBe(false);
    step$.next(1);
    const response = await answer;
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const messages = messagesOf(response);
    expect((await messages.next()).value).toMatchObject({ params: { progress: 1 } });
    step$.next(2);
    expect((await messages.next()).value).toMatchObject({ params: { progress: 2 } });
    await messages.return(undefined);
  });

  it('serves older clients too, in sessions', async () => {
    const handler = fetching();
    const ask = (frame: JsonObject, headers: Record<string, string> = {}) =>
      handler(
        new Request(url, {
          method: 'POST',
          body: JSON.stringify(frame),
          headers: { 'content-type': 'application/json', accept: both, ...headers },
        }),
      );
    const opened = await ask(initialize());
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    expect(await opened.json()).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
    const accepted = await ask(notice('notifications/initialized'), session);
    expect([accepted.status, accepted.body]).toEqual([202, null]);
    expect(await (await ask(call(2, 'hello'), session)).json()).toMatchObject({ id: 2, result: {} });
    const remove = () => handler(new Request(url, { method: 'DELETE', headers: session }));
    expect((await remove()).status).toBe(200);
    expect((await remove()).status).toBe(404);
  });

  it('tears down the call whose stream is cancelled by its reader (HTTP26-21)', async () => {
    torn = 0;
    const answer = fetching()(modern(stepped(1)));
    await turn();
    step$.next(1);
    const response = await answer;
    expect(torn).toBe(0);
    await response.body?.cancel();
    expect(torn).toBe(1);
    step$.next(2);
  });

  it('tears down the call whose request is aborted, before its answer has begun and after', async () => {
    torn = 0;
    const handler = fetching();
    const early = new AbortController();
    const unanswered = handler(modern(call(1, 'hang'), { signal: early.signal }));
    await turn();
    early.abort();
    expect(torn).toBe(1);
    // Somebody may wait for it, and nobody reads it.
    expect((await unanswered).status).toBe(499);

    const late = new AbortController();
    const answer = handler(modern(stepped(2), { signal: late.signal }));
    await turn();
    step$.next(1);
    const messages = messagesOf(await answer);
    await messages.next();
    late.abort(new Error('gone'));
    expect(torn).toBe(2);
    await expect(messages.next()).rejects.toThrow('gone');

    const gone = await handler(modern(call(3, 'hang'), { signal: AbortSignal.abort() }));
    expect([gone.status, torn]).toEqual([499, 3]);
  });

  it('does not look for a signal of what is answered at once', async () => {
    const request = modern(call(1, 'hello'));
    const { signal } = request;
    let looks = 0;
    Object.defineProperty(request, 'signal', {
      get: () => {
        looks += 1;
        return signal;
      },
    });
    expect((await fetching()(request)).status).toBe(200);
    expect(looks).toBe(0);
  });

  it('holds back what a reader does not take: old progress is left out, the answer is not', async () => {
    const response = await fetching()(modern(stepped(1, 'flood')));
    for (let turns = 0; turns < 300; turns += 1) await turn();
    const seen: JsonObject[] = [];
    for await (const message of messagesOf(response)) seen.push(message);
    expect(seen.length).toBeLessThan(30);
    expect(seen.at(-2)).toMatchObject({ params: { progress: 200 } });
    expect(seen.at(-1)).toMatchObject({ id: 1, result: { content: [{ text: 'done' }] } });
  });

  it('cuts off who leaves too much unread, which tears down the call', async () => {
    torn = 0;
    const loud = { _meta: { 'io.modelcontextprotocol/logLevel': 'debug' } };
    const response = await fetching({ maxQueuedBytes: 100_000 })(modern(call(1, 'burst', {}, loud)));
    await holds(() => torn === 1);
    const reading = async () => {
      for await (const message of messagesOf(response)) void message;
    };
    await expect(reading()).rejects.toThrow('broken off');
  });

  it('reads a body in pieces, cut anywhere', async () => {
    const bytes = new TextEncoder().encode(`\ufeff${JSON.stringify(modernized(call(1, 'echo', { text: 'ü𝄞' })))}`);
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const response = await fetching()(modern(call(1, 'echo'), { body, duplex: 'half' }));
    expect(await response.json()).toMatchObject({ result: { content: [{ text: 'ü𝄞' }] } });
  });

  it('refuses a body that is too long, as soon as it is; and lets go of it', async () => {
    const handler = fetching({ maxBytes: 10_000, allowedOrigins: ['https://app.example'] });
    let pulls = 0;
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulls += 1;
        controller.enqueue(new Uint8Array(1_000).fill(32));
      },
      cancel: () => {
        cancelled = true;
        return Promise.reject(new Error('of no interest'));
      },
    });
    const headers = { origin: 'https://app.example' };
    const response = await handler(modern(call(1, 'hello'), { body, duplex: 'half', headers }));
    expect(response.status).toBe(413);
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(cancelled).toBe(true);
    expect(pulls).toBeLessThan(15);
    const told = await handler(modern(call(1, 'hello'), { headers: { 'content-length': '10001' } }));
    expect(told.status).toBe(413);
  });

  it('refuses a body that is not UTF-8, or breaks off, or is none', async () => {
    const handler = fetching();
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error('the connection broke')),
    });
    const bodies = [Uint8Array.of(0x7b, 0xff), Uint8Array.of(0xc3), broken, null, ''];
    for (const body of bodies) {
      const response = await handler(modern(call(1, 'hello'), { body, duplex: 'half' }));
      expect([response.status, await response.json()]).toMatchObject([400, { error: { code: -32700 } }]);
    }
  });

  it('says so where somebody else has read the body', async () => {
    const request = modern(call(1, 'hello'));
    await request.text();
    await expect(fetching()(request)).rejects.toThrow(Misconfigured);
  });

  it('knows who asks by what it is told, at once or later', async () => {
    const users = ({ headers }: Request) => headers.get('x-user') ?? undefined;
    const later = (request: Request) => Promise.resolve(users(request));
    for (const principal of [users, later]) {
      const handler = fetching({ principal });
      const ask = async (user?: string) =>
        (await handler(modern(call(1, 'who'), user === undefined ? {} : { headers: { 'x-user': user } }))).json();
      expect(await ask('ada')).toMatchObject({ result: { content: [{ text: 'you are ada' }] } });
      expect(await ask()).toMatchObject({ result: { content: [{ text: 'you are nobody' }] } });
    }
  });

  it('serves nobody whom it could not identify, and tells its host why, not the client', async () => {
    const events: ServeEvent[] = [];
    const error = new Error('the database is down');
    const handler = fetching({
      onEvent: (event) => events.push(event),
      principal: () => Promise.reject(error),
    });
    const response = await handler(modern(call(1, 'hello')));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('database');
    expect(events).toEqual([{ type: 'failure', method: 'principal', error }]);
  });

  it('asks nobody to prove who they are before they are let in at all, as browsers that ask first do not', async () => {
    let asked = 0;
    const handler = fetching({
      allowedOrigins: ['https://app.example'],
      principal: () => {
        asked += 1;
        throw new Error('no token');
      },
    });
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
    const response = await handler(new Request(url, { method: 'OPTIONS', headers }));
    expect([response.status, response.body]).toEqual([204, null]);
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect((await handler(modern(call(1, 'hello'), { headers: { origin: 'https://evil.example' } }))).status).toBe(403);
    expect(asked).toBe(0);
  });

  it('lets in by Host, which a request made by hand has in its URL only', async () => {
    const handler = fetching({ allowedHosts: ['mcp.example'] });
    const ask = async (to: string, host?: string) => {
      const { method, headers, body } = modern(call(1, 'hello'));
      const request = new Request(to, { method, headers, body, duplex: 'half' } as RequestInit);
      if (host !== undefined) request.headers.set('host', host);
      return (await handler(request)).status;
    };
    expect(await ask('https://mcp.example/mcp')).toBe(200);
    expect(await ask('https://mcp.example:8443/mcp', 'mcp.example')).toBe(200);
    expect(await ask('https://evil.example/mcp')).toBe(403);
    expect(await ask('https://mcp.example/mcp', 'evil.example')).toBe(403);
    expect(await ask('http://[::1]:4000/mcp')).toBe(200);
  });

  it('ends subscriptions in good order when it is closed, and serves nobody any more (SUB-13)', async () => {
    const handler = fetching();
    const listen = { jsonrpc: '2.0', id: 1, method: 'subscriptions/listen', params: { notifications: {} } };
    const messages = messagesOf(await handler(modern(listen)));
    expect((await messages.next()).value).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });
    await handler.close();
    expect((await messages.next()).value).toMatchObject({ id: 1, result: {} });
    expect((await messages.next()).done).toBe(true);
    expect((await handler(modern(call(2, 'hello')))).status).toBe(503);
  });
});
