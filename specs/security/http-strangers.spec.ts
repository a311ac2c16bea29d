/** What a page in a browser may do to an HTTP server of this machine: advisories of other implementations, by their ids. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Schema, server, tool } from '../../lib/index.ts';
import { toNode } from '../../lib/node/index.ts';
import { afterwards, dial, heard, send, start, written } from '../node/peers.ts';
import { call, headersOf, initialize, modernized } from '../transport/http/desk.ts';

const ran: string[] = [];
const house = server(
  { name: 'house', version: '1' },
  tool('echo', { input: Schema.Struct({ text: Schema.String }) }, ({ text }) => (ran.push(text), text)),
);
const frame = modernized(call(1, 'echo', { text: 'hi' }));
const modern = headersOf(frame);
const forged = ['evil.example', 'evil.example:80', 'localhost.evil.example', 'localhost@evil.example', '0.0.0.0'];
const foreign = [
  'https://evil.example',
  'null',
  '',
  'http://localhost.evil.example',
  'http://127.0.0.1.evil.example',
  'http://localhost@evil.example',
  'http://localhost, http://evil.example',
  'file://',
];

/** What every kind of request gets: of both eras, with a body and without. */
const statuses = async (port: number, headers: Readonly<Record<string, string>>): Promise<readonly number[]> => {
  const answers = [
    await send(port, { body: frame, headers: { ...modern, ...headers } }),
    await send(port, { body: initialize(), headers }),
    await send(port, { method: 'GET', headers: { accept: 'text/event-stream', 'mcp-session-id': 'x', ...headers } }),
    await send(port, { method: 'DELETE', headers: { 'mcp-session-id': 'x', ...headers } }),
    await send(port, { method: 'OPTIONS', headers }),
  ];
  for (const { headers: told } of answers) {
    expect(told['access-control-allow-origin']).toBeUndefined();
    expect(told['mcp-session-id']).toBeUndefined();
  }
  return answers.map(({ status }) => status);
};
const refused = [403, 403, 403, 403, 403];

describe.each(['CVE-2025-66414', 'CVE-2026-34742', 'CVE-2026-63118'])(
  '%s: DNS rebinding is of no use, and nobody has to turn that on',
  (id) => {
    it(`${id}: what comes under another name is refused, before anything runs (SHTTP-02, HTTP26-02)`, async () => {
      ran.length = 0;
      const { port } = await start(house);
      for (const host of forged) expect(await statuses(port, { host })).toEqual(refused);
      expect(ran).toEqual([]);
    });

    it(`${id}: nor from a page of another origin, though the name is right (SHTTP-03, SEC-08)`, async () => {
      ran.length = 0;
      const { port } = await start(house);
      for (const origin of foreign) expect(await statuses(port, { origin })).toEqual(refused);
      expect(ran).toEqual([]);
    });

    it(`${id}: the refusal is an error without an id, and says which header it was`, async () => {
      const { port } = await start(house);
      const answer = await send(port, { body: frame, headers: { ...modern, origin: 'https://evil.example' } });
      expect(JSON.parse(answer.text)).toEqual({
        jsonrpc: '2.0',
        error: { code: -32600, message: expect.stringContaining('origin') as unknown },
      });
    });
  },
);

describe('CVE-2026-42559: the Host is looked at also where a server is put into another one', () => {
  const mounted = async (options: Parameters<typeof toNode>[1] = {}): Promise<number> => {
    const handler = toNode(house, options);
    const outer = createServer(handler);
    afterwards(() => {
      outer.close();
      outer.closeAllConnections();
      void handler.close();
    });
    outer.listen(0, '127.0.0.1');
    await once(outer, 'listening');
    return (outer.address() as AddressInfo).port;
  };

  it('CVE-2026-42559: by default, whatever HTTP server that is', async () => {
    ran.length = 0;
    const port = await mounted();
    for (const host of forged) expect(await statuses(port, { host })).toEqual(refused);
    for (const origin of foreign) expect(await statuses(port, { origin })).toEqual(refused);
    expect(ran).toEqual([]);
    expect((await send(port, { body: frame, headers: modern })).status).toBe(200);
  });

  it('CVE-2026-42559: names that are allowed are allowed exactly', async () => {
    const port = await mounted({ allowedHosts: ['mcp.example'], host: '192.0.2.1' });
    const get = async (host: string) => (await send(port, { body: frame, headers: { ...modern, host } })).status;
    for (const host of ['mcp.example', 'MCP.example:443', '192.0.2.1:80', 'localhost:1', '[::1]'])
      expect(await get(host)).toBe(200);
    for (const host of ['sub.mcp.example', 'mcp.example.evil.example', '192.0.2.2', 'mcp.example:80:80'])
      expect(await get(host)).toBe(403);
  });

  it('CVE-2026-42559: nor does a request without any name, or with two, get through', async () => {
    const { port } = await start(house);
    const body = JSON.stringify(frame);
    for (const [text, status] of [
      [written(body, { ...modern, host: undefined }).replace('HTTP/1.1', 'HTTP/1.0'), 403],
      [written(body, { ...modern, host: undefined }), 400],
      [written(body, { ...modern, host: 'evil.example\r\nhost: localhost' }), 403],
    ] as const) {
      const socket = await dial(port);
      socket.end(text);
      expect(await heard(socket)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    }
  });
});

describe('CVE-2026-33252: a page cannot post what a browser sends unasked', () => {
  it.each([
    ['text/plain'],
    ['text/plain;charset=UTF-8'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['text/plain; application/json'],
    ['text/plain, application/json'],
    ['application/jsonp'],
    ['application/json-patch+json'],
    [undefined],
  ])('CVE-2026-33252: as %s, of either era (415)', async (type) => {
    ran.length = 0;
    const { port } = await start(house);
    for (const headers of [modern, { 'mcp-session-id': 'x' }, {}]) {
      const answer = await send(port, { body: frame, headers: { ...headers, 'content-type': type } });
      expect(answer.status).toBe(415);
    }
    expect(ran).toEqual([]);
  });

  it('CVE-2026-33252: what is sent across sites is refused whatever its type says it is', async () => {
    const { port } = await start(house);
    const headers = { ...modern, origin: 'https://evil.example', 'content-type': 'text/plain' };
    expect((await send(port, { body: frame, headers })).status).toBe(403);
  });

  it('CVE-2026-33252: JSON is taken with its character set, in any letters', async () => {
    const { port } = await start(house);
    for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/json;charset="UTF-8"'])
      expect((await send(port, { body: frame, headers: { ...modern, 'content-type': type } })).status).toBe(200);
  });
});

describe('CVE-2026-34237: no page of another origin reads an answer, and so no session id', () => {
  const origin = 'https://app.example';

  it('CVE-2026-34237: by default nobody is told that they may', async () => {
    const { port } = await start(house);
    for (const own of ['http://localhost:5173', 'http://127.0.0.1']) {
      const opened = await send(port, { body: initialize(), headers: { origin: own } });
      expect(opened.status).toBe(200);
      expect(Object.keys(opened.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      const asked = await send(port, { method: 'OPTIONS', headers: { origin: own } });
      expect(Object.keys(asked.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  it('CVE-2026-34237: an origin that is allowed is told so by name, and nothing of credentials', async () => {
    const { port } = await start(house, { allowedOrigins: [origin] });
    const opened = await send(port, { body: initialize(), headers: { origin } });
    expect(opened.headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'Origin' });
    expect(opened.headers['access-control-allow-credentials']).toBeUndefined();
    for (const other of ['http://app.example', 'https://app.example:8443', 'https://sub.app.example', '*', 'null'])
      expect((await send(port, { body: initialize(), headers: { origin: other } })).status).toBe(403);
  });

  it('CVE-2026-34237: `*` in the list is a name that no page has, not everybody', async () => {
    const { port } = await start(house, { allowedOrigins: ['*'] });
    const answer = await send(port, { body: initialize(), headers: { origin } });
    expect(answer.status).toBe(403);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('CVE-2026-34237: also a refusal can be read by the page that is allowed, and by no other', async () => {
    const { port } = await start(house, { allowedOrigins: [origin], maxBytes: 100 });
    for (const [headers, status, body] of [
      [{ 'content-type': 'text/plain' }, 415, ''],
      [{ accept: 'text/html' }, 406, ''],
      [{ 'mcp-session-id': 'none' }, 404, '{"jsonrpc":"2.0","id":1,"method":"ping"}'],
      [{}, 413, ' '.repeat(200)],
      [{ 'content-length': undefined, 'transfer-encoding': 'chunked' }, 413, ' '.repeat(200)],
    ] as const) {
      const answer = await send(port, { body, headers: { ...headers, origin } });
      expect(answer.status).toBe(status);
      expect(answer.headers['access-control-allow-origin']).toBe(origin);
    }
  });
});
