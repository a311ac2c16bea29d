import { from, NEVER } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { mergeServers, Misconfigured, server, tool, type RpcError } from 'rxmcp';
import { authorize, jwks, type Access, type AuthorizeOptions } from 'rxmcp/auth';
import { ask, recording } from '../../middleware/ask.ts';
import { admitted, bearing, inside, issuer, keySet, protectedBy, resource, sign } from './issuer.ts';

const access: Access = { principal: 'ada', scopes: ['mcp'], claims: {} };
const verify = jwks({ issuer, keys: keySet });

describe('the exchange that is protected', () => {
  it.each(['tools/call', 'initialize', 'server/discover', 'tools/list', 'made/up'])(
    'refuses %s of callers who have proved nothing, whatever they call themselves (AUTHS-14, SEC-11)',
    (method) => {
      const next = recording();
      const guarded = authorize({ resource, verify })(next.exchange);
      const { seen } = ask(guarded, method, {}, { principal: 'ada', headers: { authorization: 'Bearer x' } });
      expect(seen).toEqual([expect.objectContaining({ _tag: 'RpcError', code: -32600 })]);
      expect((seen[0] as RpcError).message).toMatch(/only callers who prove who they are.*HTTP/);
      expect(next.asked).toEqual([]);
    },
  );

  it('answers those who have', () => {
    expect(ask(protectedBy({ scopes: ['mcp'] }), 'tools/list', {}, { access }).seen).toEqual([
      { result: { inside: true } },
      'complete',
    ]);
  });

  it('refuses each request after the proof has expired (AUTHS-18)', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const guarded = protectedBy();
    const context = { access: { ...access, expiresAt: Date.now() + 1000 } };
    expect(ask(guarded, 'tools/list', {}, context).seen).toHaveLength(2);
    vi.setSystemTime(Date.now() + 1000);
    expect(ask(guarded, 'tools/list', {}, context).seen).toEqual([
      expect.objectContaining({ code: -32600, message: expect.stringMatching(/expired/) as unknown }),
    ]);
    vi.useRealTimers();
  });

  it('names the scopes that are missing', () => {
    const guarded = protectedBy({ scopes: { all: ['mcp'], tools: { wipe: ['files:write'] } } });
    const { seen } = ask(guarded, 'tools/call', { name: 'wipe' }, { access });
    expect(seen).toEqual([
      expect.objectContaining({ code: -32600, message: expect.stringMatching(/: mcp files:write$/) as unknown }),
    ]);
  });

  it('tells of changes only where they may be read by whoever watches what is above them (AUTHS-14)', () => {
    const updated = (uri: string) => ({ method: 'notifications/resources/updated', params: { uri } });
    const told = [updated('file:///dir/open'), updated('file:///dir/secret'), { method: 'notifications/acknowledged' }];
    const guarded = authorize({
      resource,
      verify,
      scopes: { resources: (uri) => (uri.endsWith('secret') ? ['secrets'] : []) },
    })(() => from(told));
    const listen = { notifications: { resourceSubscriptions: ['file:///dir'] } };
    expect(ask(guarded, 'subscriptions/listen', listen, { access }).seen).toEqual([told[0], told[2], 'complete']);
    const may = { access: { ...access, scopes: ['secrets'] } };
    expect(ask(guarded, 'subscriptions/listen', listen, may).seen).toEqual([...told, 'complete']);
  });

  it('refuses what a rule for scopes breaks over', () => {
    const guarded = protectedBy({
      scopes: () => {
        throw new Error('a rule broke');
      },
    });
    expect(ask(guarded, 'tools/list', {}, { access }).seen).toEqual([expect.objectContaining({ code: -32600 })]);
  });

  it('says who asks where nobody has said so, and leaves everything else as it is', () => {
    const next = recording();
    const guarded = authorize({ resource, verify })(next.exchange);
    const headers = { 'x-one': '1' };
    ask(guarded, 'tools/list', {}, { access, headers });
    const context = { access, principal: 'ada at home', headers };
    ask(guarded, 'tools/list', {}, context);
    expect(next.contexts[0]).toEqual({ access, headers, principal: 'ada' });
    expect(next.contexts[1]).toBe(context);
  });

  it('cannot be got round by merging: what is merged refuses by itself', () => {
    const guarded = protectedBy();
    const open = server(
      { name: 'open', version: '1' },
      tool('look', {}, () => 'seen'),
    );
    const merged = mergeServers({ name: 'both', version: '1' }, { open, guarded });
    expect(ask(merged, 'tools/call', { name: 'guarded.x' }).seen).toEqual([
      expect.objectContaining({ code: -32600, message: expect.stringMatching(/prove who they are/) as unknown }),
    ]);
    expect(JSON.stringify(ask(merged, 'tools/call', { name: 'open.look' }).seen)).toContain('seen');
  });

  it('keeps what is held', () => {
    const held$ = NEVER;
    expect(authorize({ resource, verify })(Object.assign(inside, { held$ })).held$).toBe(held$);
  });

  it('takes what its guard has let in', async () => {
    const guarded = protectedBy({ scopes: ['mcp'] });
    const proved = await admitted(guarded.guard, bearing(await sign()));
    expect(ask(guarded, 'tools/list', {}, { access: proved }).seen).toHaveLength(2);
  });
});

describe('options that cannot be safe', () => {
  it.each<[string, Partial<AuthorizeOptions>]>([
    ['a resource in the clear (AUTHC-46)', { resource: 'http://mcp.example/mcp' }],
    ['a resource with a fragment', { resource: 'https://mcp.example/mcp#' }],
    ['a resource with a query', { resource: 'https://mcp.example/mcp?a' }],
    ['a resource with credentials', { resource: 'https://ada:pw@mcp.example' }],
    ['a resource that is no URL', { resource: '/mcp' }],
    ['an authorization server in the clear', { authorizationServers: ['http://auth.example'] }],
    ['an authorization server with a query', { authorizationServers: ['https://auth.example?x=1'] }],
    ['no authorization server (AUTHS-03)', { authorizationServers: [] }],
    ['a scope with a quote', { scopes: ['a"b'] }],
    ['a scope with a space', { scopes: { tools: { wipe: ['a b'] } } }],
    ['offline_access (AUTHS-10)', { scopes: { methods: { 'tools/list': ['offline_access'] } } }],
    ['a secret that can be guessed', { dpopNonce: true, dpopSecret: 'short' }],
  ])('are refused where they are written: %s', (_, options) => {
    expect(() => authorize({ resource, verify, ...options })).toThrow(Misconfigured);
  });

  it('are not those of a machine by itself', () => {
    for (const uri of ['http://localhost:3000/mcp', 'http://127.0.0.1/mcp', 'http://[::1]:80/mcp'])
      expect(authorize({ resource: uri, verify }).metadata.authorization_servers).toEqual([issuer]);
  });
});
