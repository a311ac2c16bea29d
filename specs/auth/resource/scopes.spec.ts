import { describe, expect, it } from 'vitest';
import type { Access, Scopes } from 'rxmcp/auth';
import { admitted, bearing, challengeOf, guardBy, param, sign } from './issuer.ts';

const withScopes = (...scopes: readonly string[]): Access => ({ principal: 'ada', scopes, claims: {} });

const rules: Scopes = {
  all: ['mcp'],
  tools: { wipe: ['files:write', 'audit'] },
  prompts: { secret: ['ask'] },
  resources: (uri) => (uri.startsWith('file:') ? ['files:read'] : []),
  methods: { 'tools/list': ['look'], 'tools/call': ['act'] },
};

const listen = (...resourceSubscriptions: readonly unknown[]) => ({ notifications: { resourceSubscriptions } });

describe('what a request needs', () => {
  it.each([
    ['tools/call', { name: 'wipe' }, 'mcp act files:write audit'],
    ['tools/call', { name: 'other' }, 'mcp act'],
    ['tools/call', { name: 'constructor' }, 'mcp act'],
    ['tools/call', { name: '__proto__' }, 'mcp act'],
    ['tools/call', {}, 'mcp act'],
    ['tools/list', {}, 'mcp look'],
    ['prompts/get', { name: 'secret' }, 'mcp ask'],
    ['prompts/get', { name: 'wipe' }, 'mcp'],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'secret' } }, 'mcp ask'],
    ['completion/complete', { ref: { type: 'ref/resource', uri: 'file:///{a}' } }, 'mcp files:read'],
    ['completion/complete', { ref: null }, 'mcp'],
    ['resources/read', { uri: 'file:///a' }, 'mcp files:read'],
    ['resources/read', { uri: 'https://a' }, 'mcp'],
    ['resources/subscribe', { uri: 'file:///a' }, 'mcp files:read'],
    ['subscriptions/listen', listen('https://a', 'file:///a'), 'mcp files:read'],
    ['subscriptions/listen', listen(), 'mcp'],
    ['subscriptions/listen', { notifications: { toolsListChanged: true } }, 'mcp'],
    ['subscriptions/listen', { notifications: null }, 'mcp'],
    ['server/discover', undefined, 'mcp'],
  ])('is said in one challenge: %s %j (AUTHS-07, AUTHS-08)', (method, params, scope) => {
    const guard = guardBy({ scopes: rules });
    const request = params === undefined ? { method } : { method, params };
    const denial = guard.judge(request, withScopes());
    if (denial === undefined) throw new Error('nothing was missing');
    expect(denial.status).toBe(403);
    expect(challengeOf(denial)).toMatch(/^Bearer error="insufficient_scope", error_description="[^"]+", scope=/);
    expect(param(denial, 'scope')).toBe(scope);
    expect(param(denial, 'resource_metadata')).toBe('https://mcp.example/.well-known/oauth-protected-resource/mcp');
    expect(guard.judge(request, withScopes(...scope.split(' ')))).toBeUndefined();
    for (const one of scope.split(' '))
      expect(guard.judge(request, withScopes(...scope.split(' ').filter((other) => other !== one)))).toBeDefined();
  });

  it('is nothing where nothing was said', () => {
    expect(guardBy().judge({ method: 'tools/call', params: { name: 'wipe' } }, withScopes())).toBeUndefined();
  });

  it('may be said by a function of the request', () => {
    const guard = guardBy({ scopes: ({ method }) => (method === 'tools/call' ? ['act', 'act'] : []) });
    expect(guard.judge({ method: 'tools/list' }, withScopes())).toBeUndefined();
    const denial = guard.judge({ method: 'tools/call' }, withScopes('look'));
    expect(denial && param(denial, 'scope')).toBe('act');
  });

  it('that nobody may be told of is needed all the same, and not told (AUTHS-10)', () => {
    const guard = guardBy({ scopes: () => ['offline_access', 'a"b', 'act'] });
    const denial = guard.judge({ method: 'tools/call' }, withScopes('act'));
    expect(denial && param(denial, 'scope')).toBe('act');
  });

  it.each([
    ['throws', () => JSON.parse('{') as readonly string[]],
    ['gives no list', () => 'mcp' as unknown as readonly string[]],
    ['gives a list of something else', () => [3] as unknown as readonly string[]],
    ['gives nothing', () => undefined as unknown as readonly string[]],
    ['gives a promise', () => Promise.resolve([]) as unknown as readonly string[]],
  ])('cannot be told where a rule %s: nobody is let in then', (_, broken) => {
    expect(guardBy({ scopes: broken }).judge({ method: 'x' }, withScopes())).toMatchObject({ status: 503 });
    const guard = guardBy({ scopes: { resources: broken } });
    expect(guard.judge({ method: 'resources/read', params: { uri: 'a' } }, withScopes())).toMatchObject({
      status: 503,
    });
  });
});

describe('what has been granted', () => {
  it.each([
    ['one text', { scope: 'mcp read' }, ['mcp', 'read']],
    ['a list', { scope: ['mcp', 'read', 3] }, ['mcp', 'read']],
    ['scp, as some call it', { scope: undefined, scp: ['mcp', 'read'] }, ['mcp', 'read']],
    ['more than once', { scope: 'mcp  mcp read' }, ['mcp', 'read']],
    ['nothing', { scope: undefined }, []],
    ['no scopes at all', { scope: { mcp: true } }, []],
  ])('is read as %s', async (_, claims, scopes) => {
    expect((await admitted(guardBy(), bearing(await sign(claims)))).scopes).toEqual(scopes);
  });

  it('includes what is implied, however far, and what goes round in circles (AUTHS-09)', async () => {
    const guard = guardBy({
      scopes: ['files:list'],
      implies: { admin: ['files:write'], 'files:write': ['files:read'], 'files:read': ['files:list', 'admin'] },
    });
    const access = await admitted(guard, bearing(await sign({ scope: 'admin' })));
    expect(access.scopes).toEqual(['admin', 'files:write', 'files:read', 'files:list']);
    expect(await guard.admit(bearing(await sign({ scope: 'files:list' })))).toMatchObject({ scopes: ['files:list'] });
  });
});
