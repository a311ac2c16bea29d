/** What a client of an HTTP server may send to break it, or to be taken for another: advisories of other implementations. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { codes, Schema, server, tool } from '../../lib/index.ts';
import { afterwards, dial, heard, heldBytes, send, start, written } from '../node/peers.ts';
import {
  call,
  desk,
  headersOf,
  holds,
  initialize,
  modernized,
  modernMeta,
  notice,
  request,
} from '../transport/http/desk.ts';

const info = { name: 'house', version: '1' };
const plain = server(
  info,
  tool('echo', { input: Schema.Struct({ text: Schema.String }) }, ({ text }) => text),
  tool('other', {}, () => 'the other one'),
);
const hi = call(1, 'echo', { text: 'hi' });
const modernHeaders = headersOf(modernized(hi));
const answered = { result: { content: [{ type: 'text', text: 'hi' }] } };

describe('CVE-2025-53366: a malformed request is refused, and ends nothing', () => {
  const odd: readonly unknown[] = [
    null,
    undefined,
    0,
    '',
    'text',
    [],
    {},
    [[]],
    { a: 1 },
    { toString: 1 },
    { constructor: null },
    true,
  ];

  it('CVE-2025-53366: whatever stands in whichever field or header of it', () => {
    const { post, get, session } = desk(plain);
    const old = session();
    const { 'mcp-session-id': id } = old;
    for (const value of odd) {
      const text = JSON.stringify(value) ?? 'undefined';
      const headers = [
        {},
        old,
        modernHeaders,
        { 'mcp-protocol-version': text },
        { ...modernHeaders, 'mcp-method': text },
        { ...modernHeaders, 'mcp-name': `=?base64?${text}?=` },
        { 'mcp-session-id': text },
        { 'mcp-session-id': id, 'mcp-protocol-version': text },
      ];
      const bodies = [
        value,
        { jsonrpc: value, id: 1, method: 'ping' },
        { jsonrpc: '2.0', id: value, method: 'ping' },
        { jsonrpc: '2.0', id: 1, method: value },
        request(1, 'tools/call', { name: value, arguments: value, _meta: value }),
        { jsonrpc: '2.0', id: 1, method: 'tools/call', params: value },
        { ...initialize(), params: { protocolVersion: value, capabilities: value, clientInfo: value } },
        { jsonrpc: '2.0', method: value, params: value },
        notice('notifications/cancelled', { requestId: value }),
        notice('notifications/progress', { progressToken: value, progress: value }),
        { jsonrpc: '2.0', id: value, result: value },
        { jsonrpc: '2.0', id: 1, error: value },
        [value, value],
      ];
      for (const sent of headers) {
        for (const body of bodies) expect(post(body, sent).reply).toMatchObject({ state: 'ended' });
        get({ ...sent, 'last-event-id': text }).leave();
      }
    }
    expect(post(hi, old).json()).toMatchObject({ id: 1, ...answered });
  });

  it.each([
    ['nothing', '', codes.parseError],
    ['half of it', '{"jsonrpc":"2.0","id":1,"met', codes.parseError],
    ['two of it', '{"jsonrpc":"2.0","id":1,"method":"ping"}{"jsonrpc":"2.0","id":2,"method":"ping"}', codes.parseError],
    ['a NUL', '\u0000', codes.parseError],
    ['brackets', '['.repeat(100_000) + ']'.repeat(100_000), codes.invalidRequest],
    [
      'depth',
      `{"jsonrpc":"2.0","id":1,"method":"x","params":${'{"a":'.repeat(9_999)}1${'}'.repeat(9_999)}}`,
      codes.invalidRequest,
    ],
    [
      'a prototype',
      '{"jsonrpc":"2.0","id":1,"method":"x","params":{"__proto__":{"polluted":true}}}',
      codes.invalidRequest,
    ],
  ])(
    'CVE-2025-53366: over a socket, as %s: 400 with the reason, and the next is served (AMB-14)',
    async (_, body, code) => {
      const { port, events } = await start(plain);
      for (const headers of [{}, modernHeaders, { 'mcp-session-id': 'x' }]) {
        const refused = await send(port, { body, headers });
        expect(refused.status).toBe(400);
        expect(JSON.parse(refused.text)).toMatchObject({ error: { code } });
      }
      expect(events).toHaveLength(3);
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      expect((await send(port, { body: modernized(hi), headers: modernHeaders })).status).toBe(200);
    },
  );

  it('CVE-2025-53366: bytes that are no UTF-8, and what is no HTTP', async () => {
    const { port } = await start(plain);
    const bytes = await dial(port);
    bytes.write(written('', { 'content-length': '3', connection: 'close' }));
    bytes.end(Buffer.from([0x22, 0xff, 0x22]));
    expect(await heard(bytes)).toMatch(/^HTTP\/1\.1 400 [^]*not UTF-8/);
    for (const text of [
      'no http\r\n\r\n',
      'POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n',
      'POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      'GET /mcp HTTP/1.1\r\nhost: x\r\nx\u0000y: z\r\n\r\n',
      `GET /mcp HTTP/1.1\r\nhost: x\r\nlong: ${'x'.repeat(100_000)}\r\n\r\n`,
    ]) {
      const socket = await dial(port);
      socket.write(text);
      expect(await heard(socket)).toMatch(/^HTTP\/1\.1 4(00|31) /);
    }
    expect((await send(port, { body: modernized(hi), headers: modernHeaders })).status).toBe(200);
  });

  it('CVE-2025-53366: who cannot be told who it is, because that fails, is refused; the host is told', async () => {
    const { port, events } = await start(plain, {
      principal: ({ headers }) => {
        if (headers['x-user'] === 'broken') throw new Error('no such token');
        return 'ann';
      },
    });
    const refused = await send(port, { body: modernized(hi), headers: { ...modernHeaders, 'x-user': 'broken' } });
    expect(refused.status).toBe(500);
    expect(refused.text).not.toContain('token');
    expect(events).toMatchObject([{ type: 'failure', method: 'principal', error: { message: 'no such token' } }]);
    expect((await send(port, { body: modernized(hi), headers: modernHeaders })).status).toBe(200);
  });
});

describe('CVE-2026-27896: a key in other letters is another key', () => {
  it('CVE-2026-27896: of a message, of its parameters, of its arguments', () => {
    const { post, modern, session } = desk(plain);
    const old = session();
    const loud = { JSONRPC: '2.0', ID: 1, Method: 'tools/list', PARAMS: {} };
    expect(post(loud, modernHeaders).reply.status).toBe(400);
    expect(post(loud, old).reply.status).toBe(400);
    // What a proxy that reads keys in any letters would take for a harmless call is what it says, for us.
    expect(modern({ ...hi, Method: 'tools/list', METHOD: 'ping' }).json()).toMatchObject(answered);
    expect(post({ ...hi, Method: 'tools/list' }, old).json()).toMatchObject(answered);
    const shadowed = { name: 'echo', Name: 'other', arguments: { text: 'hi', TEXT: 'shadow' }, Arguments: {} };
    expect(modern(request(1, 'tools/call', shadowed)).json()).toMatchObject(answered);
    expect(post(request(1, 'tools/call', shadowed), old).json()).toMatchObject(answered);
    expect(modern(request(1, 'Tools/Call', shadowed)).reply.status).toBe(404);
    expect(modern(request(1, 'tools/call', { NAME: 'echo' }), { 'mcp-name': 'echo' }).reply.status).toBe(400);
  });

  it('CVE-2026-27896: of the version in _meta, too; a header has its name in any letters, and its value as it is', async () => {
    const { post } = desk(plain);
    const loud = Object.fromEntries(Object.entries(modernMeta).map(([key, value]) => [key.toUpperCase(), value]));
    const odd = request(1, 'tools/list', { _meta: loud });
    expect(post(odd, headersOf(odd)).json()).toMatchObject({ error: { code: codes.invalidParams } });
    const { port } = await start(plain);
    const shouted = Object.fromEntries(
      Object.entries(modernHeaders).map(([name, value]) => [name.toUpperCase(), value]),
    );
    expect((await send(port, { body: modernized(hi), headers: shouted })).status).toBe(200);
    for (const [name, value] of Object.entries(modernHeaders).slice(1)) {
      const answer = await send(port, {
        body: modernized(hi),
        headers: { ...modernHeaders, [name]: value.toUpperCase() },
      });
      expect(answer.status).toBe(400);
      expect(JSON.parse(answer.text)).toMatchObject({ error: { code: codes.headerMismatch } });
    }
  });
});

describe('GHSA-q382-vc8q-7jhj: a key with a NUL at its end, or said twice, overrides nothing', () => {
  const meta = JSON.stringify(modernMeta);

  it('GHSA-q382-vc8q-7jhj: a NUL makes it another key', () => {
    const { modern, post, session } = desk(plain);
    const shadowed = {
      ...request(1, 'tools/call', {
        name: 'echo',
        'name\u0000': 'other',
        arguments: { text: 'hi', 'text\u0000': 'theirs' },
      }),
      'method\u0000': 'tools/list',
      'id\u0000': 2,
    };
    expect(modern(shadowed).json()).toMatchObject({ id: 1, ...answered });
    expect(post(shadowed, session()).json()).toMatchObject({ id: 1, ...answered });
  });

  it('GHSA-q382-vc8q-7jhj: of a key said twice the last one counts, for the headers as for the call', () => {
    const { post } = desk(plain);
    const twice = (first: string, second: string) =>
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${first}","name":"${second}","arguments":{"text":"hi"},"_meta":${meta}}}`;
    expect(post(twice('other', 'echo'), modernHeaders).json()).toMatchObject({ id: 1, ...answered });
    // What passes a proxy as a call of `echo` does not run as a call of something else.
    expect(post(twice('echo', 'other'), modernHeaders).json()).toMatchObject({ error: { code: codes.headerMismatch } });
    const methods = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta":${meta}},"method":"tools/list"}`;
    expect(post(methods, modernHeaders).json()).toMatchObject({ error: { code: codes.headerMismatch } });
  });

  it('GHSA-q382-vc8q-7jhj: nor does a header said twice', async () => {
    const { port } = await start(plain);
    const body = JSON.stringify(modernized(hi));
    for (const [name, twice] of [
      ['mcp-name', 'echo\r\nmcp-name: other'],
      ['mcp-name', 'other\r\nMCP-NAME: echo'],
      ['mcp-method', 'tools/call\r\nmcp-method: tools/list'],
      ['mcp-protocol-version', '2026-07-28\r\nmcp-protocol-version: 2025-11-25'],
    ] as const) {
      const socket = await dial(port);
      socket.end(written(body, { ...modernHeaders, connection: 'close', [name]: twice }));
      const text = await heard(socket);
      expect(text).toMatch(/^HTTP\/1\.1 400 /);
      expect(text).toContain(String(codes.headerMismatch));
    }
  });
});

describe('CVE-2026-67432: a body takes no more than it may', () => {
  const maxBytes = 64 * 1024;

  it('CVE-2026-67432: what says that it is too long is refused before it is read (413)', async () => {
    const { port } = await start(plain, { maxBytes });
    for (const length of [maxBytes + 1, Number.MAX_SAFE_INTEGER]) {
      const socket = await dial(port);
      socket.write(written('', { 'content-length': String(length) }));
      const text = await heard(socket);
      expect(text).toMatch(/^HTTP\/1\.1 413 /);
      expect(text).toMatch(/\r\nconnection: close\r\n/i);
    }
    expect((await send(port, { body: ' '.repeat(maxBytes) })).status).toBe(400);
  });

  it('CVE-2026-67432: what does not say so is refused where it becomes too long, and its connection is closed', async () => {
    const { port } = await start(plain, { maxBytes });
    const socket = await dial(port);
    const answer = heard(socket);
    socket.write(written('', { 'content-length': undefined, 'transfer-encoding': 'chunked' }));
    const piece = ' '.repeat(1024);
    let sent = 0;
    while (!socket.destroyed && sent < 1024 * maxBytes) {
      sent += piece.length;
      const more = socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
      if (!more) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(sent).toBeLessThan(512 * maxBytes);
  });

  it('CVE-2026-67432: byte by byte it takes no more than at once', async () => {
    const own = createServer();
    const connections: Socket[] = [];
    own.on('connection', (connection) => connections.push(connection)).listen(0, '127.0.0.1');
    afterwards(() => own.close().closeAllConnections());
    const { port } = await start(plain, { server: own });
    const socket = await dial(port);
    const before = heldBytes();
    socket.write(written('', { 'content-length': undefined, 'transfer-encoding': 'chunked' }));
    const body = JSON.stringify(request(1, 'no/such', { pad: ' '.repeat(300_000) }));
    let text = '';
    for (const character of body) text += `1\r\n${character}\r\n`;
    for (let at = 0; at < text.length; at += 60_000)
      if (!socket.write(text.slice(at, at + 60_000))) await once(socket, 'drain');
    // Each of them held, they would take 60 MB.
    await holds(() => (connections[0]?.bytesRead ?? 0) === socket.bytesWritten);
    expect(heldBytes() - before).toBeLessThan(8 * 1024 * 1024);
    const answer = heard(socket);
    socket.end('0\r\n\r\n');
    expect(await answer).toMatch(/Mcp-Session-Id is missing/);
  });

  it('CVE-2026-67432: a framework that has read it already is asked to keep to bounds of its own', async () => {
    const { post } = desk(plain, { maxBytes: 100 });
    expect(post(' ', { 'content-length': '101' }).reply.status).toBe(413);
    expect(post(' ', { 'content-length': '100' }).reply.status).toBe(400);
    expect(post(' ', { 'content-length': '1e9' }).reply.status).toBe(413);
  });
});
