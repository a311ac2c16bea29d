/** The `everything` server over HTTP as a process: whom it serves, how much it takes, and how it ends. */
import { once } from 'node:events';
import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../demo.ts';
import { listening, type Listening } from './listening.ts';

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};

const call = (id: number, name: string, args: object) =>
  JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args, _meta: meta } });

const headersOf = (name: string): OutgoingHttpHeaders => ({
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': name,
});

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
}

const post = async (url: string, headers: OutgoingHttpHeaders, body: string): Promise<IncomingMessage> => {
  const sent = request(url, { method: 'POST', headers });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
};

const answered = async (url: string, headers: OutgoingHttpHeaders, body: string): Promise<Answer> => {
  const response = await post(url, headers, body);
  return { status: response.statusCode, body: await text(response) };
};

describe('demos/everything/server.ts --transport http', () => {
  let server: Listening;
  beforeAll(async () => {
    server = await listening('http');
  });
  afterAll(() => server.stop());

  it('says where it listens, in a line, and nothing else', () => {
    expect(server.said()).toMatch(/^listening http:\/\/127\.0\.0\.1:\d+\/mcp\n$/);
  });

  it.each([
    ['Host', { host: 'evil.example' }],
    ['Host, whatever its port', { host: 'evil.example:80' }],
    ['Origin', { origin: 'http://evil.example' }],
    ['Origin that begins like one of this machine', { origin: 'http://localhost.evil.example' }],
    ['Origin of nobody', { origin: 'null' }],
  ])('refuses a foreign %s', async (_, foreign) => {
    const headers = { ...headersOf('echo'), ...foreign };
    expect((await answered(server.url, headers, call(1, 'echo', { message: 'hi' }))).status).toBe(403);
  });

  it.each([{ host: 'localhost' }, { origin: 'http://localhost:5173' }, { origin: 'http://127.0.0.1' }])(
    'serves this machine: %j',
    async (own) => {
      const { status, body } = await answered(
        server.url,
        { ...headersOf('echo'), ...own },
        call(1, 'echo', { message: 'hi' }),
      );
      expect([status, JSON.parse(body)]).toMatchObject([200, { id: 1, result: { content: [{ text: 'hi' }] } }]);
    },
  );

  it('takes an argument of 4 MiB, and no body without end', async () => {
    const message = 'é'.repeat(2 << 20);
    const { status, body } = await answered(server.url, headersOf('echo'), call(1, 'echo', { message }));
    expect(status).toBe(200);
    const { result } = JSON.parse(body) as { readonly result: { readonly content: [{ readonly text: string }] } };
    expect(result.content[0].text === message).toBe(true);
    // Refused for what it says of its length, before any of it is sent.
    const sent = request(server.url, { method: 'POST', headers: { ...headersOf('echo'), 'content-length': 5 << 20 } });
    sent.on('error', () => undefined).flushHeaders();
    const [refused] = (await once(sent, 'response')) as [IncomingMessage];
    sent.destroy();
    expect(refused.statusCode).toBe(413);
  });

  it('is nowhere but at its path', async () => {
    const elsewhere = new URL('/', server.url).href;
    expect((await answered(elsewhere, headersOf('echo'), call(1, 'echo', { message: 'hi' }))).status).toBe(404);
  });

  it('says in a line that its port is taken, and exits with 1', async () => {
    const { port } = new URL(server.url);
    const { code, stdout, stderr } = await run('demos/everything/server.ts', '--transport', 'http', '--port', port);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^cannot listen: .*EADDRINUSE.*\n$/);
  });

  it('ends at SIGTERM with calls in flight: what is short is answered, what is long fails', async () => {
    const { url, stop } = await listening('http');
    const calls = [300, 600_000].map(async (ms, id) => {
      const headers = headersOf('sleep');
      const response = await post(
        url,
        headers,
        call(id, 'sleep', { ms }).replace('"_meta":{', '"_meta":{"progressToken":1,'),
      );
      return { response, said: text(response) };
    });
    // Both have begun: they have said how far they are.
    const [short, long] = await Promise.all(calls);
    const before = performance.now();
    expect(await stop()).toBe(0);
    expect(performance.now() - before).toBeLessThan(5000);
    expect(await short?.said).toContain('slept 300');
    expect(await long?.said).toMatch(/"error":\{"code":-32603/);
  });
});
