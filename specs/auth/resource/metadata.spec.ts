import { describe, expect, it } from 'vitest';
import { authorize, jwks } from 'rxmcp/auth';
import { guardBy, issuer, keySet, knock, param, refused, resource } from './issuer.ts';

const verify = jwks({ issuer, keys: keySet });
const root = '/.well-known/oauth-protected-resource';
const read = (text: string | undefined): unknown => JSON.parse(text ?? 'null');

describe('protected resource metadata', () => {
  it('say where to log in, and for what (AUTHS-03, RFC 9728)', () => {
    const { metadata } = authorize({
      resource,
      verify,
      scopes: { all: ['mcp'], tools: { wipe: ['files:write', 'mcp'] }, prompts: { p: ['ask'] }, methods: { m: ['x'] } },
      name: 'Weather',
      documentation: 'https://mcp.example/docs',
    });
    expect(JSON.parse(JSON.stringify(metadata))).toEqual({
      resource,
      authorization_servers: [issuer],
      scopes_supported: ['mcp', 'files:write', 'ask', 'x'],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']) as unknown,
      resource_name: 'Weather',
      resource_documentation: 'https://mcp.example/docs',
    });
  });

  it('are at the path of the resource, and at the root (AUTHS-05)', () => {
    const guard = guardBy();
    expect(read(guard.document(`${root}/mcp`))).toMatchObject({ resource });
    expect(guard.document(root)).toBe(guard.document(`${root}/mcp`));
    for (const path of ['/', '/mcp', `${root}/`, `${root}/other`, `${root}/mcp/x`, `${root}x`])
      expect(guard.document(path)).toBeUndefined();
  });

  it('of a resource without a path are at the root alone, and it has no slash', () => {
    const guard = guardBy({ resource: 'HTTPS://MCP.example:443/' });
    expect(read(guard.document(root))).toMatchObject({ resource: 'https://mcp.example' });
    expect(guard.document(`${root}/`)).toBeUndefined();
  });

  it('are where a challenge says (AUTHS-04)', async () => {
    const guard = guardBy({ resource: 'https://mcp.example/a/mcp' });
    const url = new URL(param(await refused(guard, knock()), 'resource_metadata') ?? '');
    expect(url.href).toBe('https://mcp.example/.well-known/oauth-protected-resource/a/mcp');
    expect(guard.document(url.pathname)).toBeDefined();
  });

  it('say nothing of scopes where there are none to be known', () => {
    const { metadata } = authorize({ resource, verify, scopes: () => ['secret'] });
    expect('scopes_supported' in metadata).toBe(false);
  });

  it.each([
    ['required', { dpop_bound_access_tokens_required: true }],
    ['allowed', {}],
  ] as const)('say what becomes of DPoP where it is %s', (dpop, more) => {
    const { metadata } = authorize({ resource, verify, dpop });
    expect(metadata).toMatchObject({ dpop_signing_alg_values_supported: expect.anything() as unknown, ...more });
    expect('dpop_bound_access_tokens_required' in metadata).toBe(dpop === 'required');
    expect(metadata.dpop_signing_alg_values_supported?.some((alg) => /^(none|HS)/.test(alg))).toBe(false);
  });

  it('say nothing of DPoP where there is none', () => {
    expect(Object.keys(authorize({ resource, verify, dpop: false }).metadata).join()).not.toContain('dpop');
  });

  it('follow a port that the system chooses', () => {
    let port = 0;
    const { metadata } = authorize({ resource: () => `http://127.0.0.1:${port}/mcp`, verify });
    const guard = guardBy({ resource: () => `http://127.0.0.1:${port}/mcp` });
    port = 4001;
    expect(metadata.resource).toBe('http://127.0.0.1:4001/mcp');
    expect(read(guard.document(root))).toMatchObject({ resource: metadata.resource });
  });

  it('are nothing where the resource cannot be named', () => {
    const guard = guardBy({
      resource: () => {
        throw new Error('not yet');
      },
    });
    expect(guard.document(root)).toBeUndefined();
  });
});
