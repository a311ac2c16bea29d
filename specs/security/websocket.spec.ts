/** What a page in a browser may do to a server of this machine over WebSocket, which no same-origin policy holds back. */
import { describe, expect, it } from 'vitest';
import { hostAdmitted, originAdmitted } from '../../lib/transport/admission.ts';
import { knock, start } from '../node/sockets.ts';

describe('CVE-2026-59950: a WebSocket is refused to strangers, by Host and by Origin', () => {
  it.each([
    ['https://evil.example'],
    ['null'],
    [''],
    ['http://localhost.evil.example'],
    ['http://127.0.0.1.evil.example'],
    ['http://localhost@evil.example'],
    ['http://localhost:80:evil.example'],
    ['http://localhost/evil.example'],
    ['file://'],
    ['http://localhost, http://evil.example'],
  ])('of the origin "%s"', async (origin) => {
    const { port } = await start();
    expect(await knock(port, { origin })).toBe(403);
  });

  it.each(['http://localhost', 'http://localhost:5173', 'https://127.0.0.1:8443', 'http://[::1]:3000'])(
    'but not to the page of this machine, %s, while bound to loopback',
    async (origin) => {
      const { port } = await start();
      expect(await knock(port, { origin })).toBe(101);
      const open = await start({ host: '0.0.0.0' });
      expect(await knock(open.port, { origin })).toBe(403);
    },
  );

  it('nor to what is no browser, nor to origins that are allowed by name', async () => {
    const { port } = await start({ allowedOrigins: ['https://app.example'] });
    expect(await knock(port)).toBe(101);
    expect(await knock(port, { origin: 'https://app.example' })).toBe(101);
    expect(await knock(port, { origin: 'http://app.example' })).toBe(403);
    expect(await knock(port, { origin: 'https://app.example:8443' })).toBe(403);
    expect(await knock(port, { origin: 'https://sub.app.example' })).toBe(403);
  });

  it('whatever older header says the origin', async () => {
    const { port } = await start();
    const old = { 'sec-websocket-version': '8', 'sec-websocket-origin': 'https://evil.example' };
    expect(await knock(port, old)).toBe(403);
  });

  it.each([
    'evil.example',
    'evil.example:80',
    'localhost.evil.example',
    'localhost@evil.example',
    'evil.example#localhost',
    '127.0.0.1.evil.example',
    '0.0.0.0',
    'localhost:80:80',
  ])('under the name "%s", which rebinding may have given it', async (host) => {
    const { port } = await start();
    expect(await knock(port, { host })).toBe(403);
  });

  it('but not under names of this machine at any port, nor under those that are allowed', async () => {
    const { port } = await start({ allowedHosts: ['mcp.example'] });
    for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1:65535', '[::1]:80', 'mcp.example', 'MCP.example:443'])
      expect(await knock(port, { host })).toBe(101);
    expect(await knock(port, { host: 'sub.mcp.example' })).toBe(403);
  });
});

describe('the name that a server is bound to', () => {
  it('is one that it may be called by; everything and nothing are no names', () => {
    expect(hostAdmitted('192.0.2.1:80', '192.0.2.1', {})).toBe(true);
    expect(hostAdmitted('[2001:db8::1]:80', '2001:db8::1', {})).toBe(true);
    expect(hostAdmitted('192.0.2.2', '192.0.2.1', {})).toBe(false);
    for (const wildcard of ['0.0.0.0', '::', '']) {
      expect(hostAdmitted('192.0.2.1', wildcard, {})).toBe(false);
      expect(hostAdmitted(wildcard === '::' ? '[::]' : wildcard, wildcard, {})).toBe(false);
    }
    expect(hostAdmitted(undefined, '127.0.0.1', {})).toBe(false);
  });

  it('decides whether pages of this machine are at home there', () => {
    for (const bound of ['127.0.0.1', '127.1.2.3', '::1', 'localhost', '::ffff:127.0.0.1'])
      expect(originAdmitted('http://localhost:1', bound, {})).toBe(true);
    for (const bound of ['0.0.0.0', '::', '192.0.2.1', '', '127.evil.example'])
      expect(originAdmitted('http://localhost:1', bound, {})).toBe(false);
  });
});
