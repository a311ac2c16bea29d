/** What is kept of a protected server: whom it may be given to. */
import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { cache, type JsonObject } from 'rxmcp';
import { authorize, type Access } from 'rxmcp/auth';
import { ask, recording } from './ask.ts';

const protect = authorize({
  resource: 'https://mcp.example/mcp',
  authorizationServers: ['https://auth.example'],
  verify: { verify: () => Promise.reject(new Error('nobody asks')) },
  scopes: ['mcp'],
});
const ada: Access = { principal: 'ada', scopes: ['mcp', 'admin'], clientId: 'editor', claims: {} };
const kept = (cacheScope: string) => {
  const inner = recording(() => of({ result: { resultType: 'complete', ttlMs: 60_000, cacheScope, tools: [] } }));
  const params: JsonObject = {};
  const list = (exchange: ReturnType<typeof protect>, access?: Access) =>
    ask(exchange, 'tools/list', params, { principal: 'ada', ...(access === undefined ? undefined : { access }) })
      .seen[0];
  return { ...inner, list };
};

describe('an answer that is kept', () => {
  it.each(['private', 'public'])(
    'and is %s, is given to nobody whom the guard behind would not let in (AUTHS-14, CACHE-17)',
    (cacheScope) => {
      const { asked, exchange, list } = kept(cacheScope);
      const served = cache()(protect(exchange));
      expect(list(served, ada)).toHaveProperty('result');
      expect(list(served, ada)).toHaveProperty('result');
      expect(asked).toHaveLength(1);
      const without: Access = { principal: 'ada', scopes: [], claims: {} };
      for (const access of [undefined, { ...ada, expiresAt: Date.now() - 1 }, without])
        expect(list(served, access)).toMatchObject({ code: -32600 });
      expect(list(served, ada)).toHaveProperty('result');
      expect(asked).toHaveLength(1);
    },
  );

  it('for one is not for the same person by another application, or with other scopes (AUTHS-14)', () => {
    const { asked, exchange, list } = kept('private');
    const served = protect(cache()(exchange));
    const { clientId: _, ...nameless } = ada;
    const others: readonly Access[] = [
      ada,
      { ...ada, scopes: ['mcp'] },
      { ...ada, clientId: 'mcp' },
      nameless,
      { ...ada, principal: 'ada', scopes: ['mcp', 'admin', 'editor'] },
    ];
    for (const access of others) list(served, access);
    expect(asked).toHaveLength(others.length);
    for (const access of others) list(served, access);
    expect(asked).toHaveLength(others.length);
    // Another token that says the same is as good.
    list(served, { ...ada, scopes: ['admin', 'mcp'], expiresAt: Date.now() + 60_000 });
    expect(asked).toHaveLength(others.length);
  });
});
