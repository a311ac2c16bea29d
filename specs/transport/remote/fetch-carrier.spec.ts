/** The carrier that is the platform's `fetch`, without a network behind it. */
import { describe, expect, it } from 'vitest';
import { ConnectionClosed, fetchCarrier, type HttpSink } from 'rxmcp';

const url = 'https://far.example/mcp';

/** What a carrier hands over. */
const heard = () => {
  const said: unknown[] = [];
  let over: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (over = resolve));
  const sink: HttpSink = {
    head: (status, header) => said.push([status, header('content-type'), header('x-none')]),
    text: (part) => said.push(part),
    end: () => {
      said.push('end');
      over();
    },
    failed: (error) => {
      said.push(error);
      over();
    },
  };
  return { said, sink, ended };
};
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('fetchCarrier', () => {
  it('asks, and hands over the head and the text as it comes', async () => {
    const asked: unknown[] = [];
    const bytes = new TextEncoder().encode('é🙂!');
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const fetch: typeof globalThis.fetch = (to, init) => {
      asked.push(to, init);
      return Promise.resolve(new Response(body, { status: 201, headers: { 'content-type': 'text/plain' } }));
    };
    const { said, sink, ended } = heard();
    fetchCarrier({ fetch, credentials: 'omit' })({ method: 'POST', url, headers: { a: 'b' }, body: '{}' }, sink);
    expect(said).toEqual([]);
    await ended;
    expect(said).toEqual([[201, 'text/plain', undefined], 'é', '🙂', '!', 'end']);
    expect(asked).toMatchObject([
      url,
      { method: 'POST', headers: { a: 'b' }, body: '{}', redirect: 'manual', credentials: 'omit', cache: 'no-store' },
    ]);
  });

  it('takes an answer without a body', async () => {
    const { said, sink, ended } = heard();
    const fetch = () => Promise.resolve(new Response(null, { status: 202 }));
    fetchCarrier({ fetch })({ method: 'GET', url, headers: {} }, sink);
    await ended;
    expect(said).toEqual([[202, undefined, undefined], 'end']);
  });

  it.each([
    ['a refused connection', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), true],
    ['a reset one', Object.assign(new Error('reset'), { code: 'ECONNRESET' }), undefined],
  ])('tells of %s', async (_, cause, unopened) => {
    const { said, sink, ended } = heard();
    fetchCarrier({ fetch: () => Promise.reject(new TypeError('fetch failed', { cause })) })(
      { method: 'GET', url, headers: {} },
      sink,
    );
    await ended;
    expect(said).toEqual([expect.any(ConnectionClosed)]);
    expect(said[0]).toMatchObject({ message: `the HTTP request failed: ${cause.message}` });
    expect((said[0] as ConnectionClosed).unopened).toBe(unopened);
  });

  it('fails where a browser keeps a redirect to itself', async () => {
    const { said, sink, ended } = heard();
    const response = new Response(null);
    Object.defineProperty(response, 'type', { value: 'opaqueredirect' });
    fetchCarrier({ fetch: () => Promise.resolve(response) })({ method: 'GET', url, headers: {} }, sink);
    await ended;
    expect(said).toEqual([expect.any(ConnectionClosed)]);
    expect(String(said[0])).toContain('redirects');
  });

  it('breaks off where the body does', async () => {
    const { said, sink, ended } = heard();
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error('gone')),
    });
    fetchCarrier({ fetch: () => Promise.resolve(new Response(body)) })({ method: 'GET', url, headers: {} }, sink);
    await ended;
    expect(said.at(-1)).toBeInstanceOf(ConnectionClosed);
  });

  it('is given up by a signal, and says nothing after that', async () => {
    let signal: AbortSignal | null | undefined;
    let enqueue: (byte: Uint8Array) => void = () => undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => (enqueue = (bytes) => controller.enqueue(bytes)),
    });
    const fetch: typeof globalThis.fetch = (_, init) => {
      signal = init?.signal;
      return Promise.resolve(new Response(body));
    };
    const { said, sink } = heard();
    const abort = fetchCarrier({ fetch })({ method: 'GET', url, headers: {} }, sink);
    await settled();
    expect(said).toHaveLength(1);
    abort();
    expect(signal?.aborted).toBe(true);
    enqueue(Uint8Array.of(65));
    await settled();
    expect(said).toHaveLength(1);
  });
});
