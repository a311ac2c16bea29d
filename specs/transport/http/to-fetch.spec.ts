import { createParser } from 'eventsource-parser';
import { concat, map, NEVER, Observable, of, range, Subject } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { Misconfigured, progress, server, tool, type Context, type Exchange, type JsonObject, type Served } from 'rxmcp';
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
const house = server(
  { name: 'house', version: '1' },
  tool('hello', {}, () => 'hello'),
  tool('who', {}, (_, { principal }) => `you are ${principal ?? 'nobody'}`),
  tool('steps', {}, () => concat(step$.pipe(map((done) => progress(done))), NEVER)),
  tool('flood', {}, () => concat(range(1, 1_000).pipe(map((done) => progress(done, 1_000, 'x'.repeat(10_000)))), of('done'))),
  tool('hang', {}, () => new Observable<string>(() => () => void (torn += 1))),
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
  it('answers with one JSON object what is answered at once (HTTP26-12)', async () => {
    const response = await fetching()(modern(call(1, 'hello')));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toMatchObject({ id: 1, result: { content: [{ text: 'hello' }] } });
  });

  it('answers with a stream what takes steps, each as it comes', async () => {
    const response = await fetching()(modern(stepped(1), {}).clone());
    void response;
    step$.next(0);
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
});
