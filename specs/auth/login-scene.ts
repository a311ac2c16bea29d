/** A protected server, and the authorization server that it trusts: what the specs of logging in happen at. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { middleware, serve, type Served } from 'rxmcp';
import { authorize, introspection, jwks, type AuthorizeOptions } from 'rxmcp/auth';
import { http } from 'rxmcp/node';
import { createLedger, type Ledger } from 'rxmcp/testing';
import { everything } from '../../demos/everything/everything.ts';
import type { ProviderOptions } from '../../demos/login/provider.ts';
import { authorizationServer, gatekeeper, type AuthorizationServer } from './provider.ts';

export interface Scene extends AsyncDisposable {
  readonly provider: AuthorizationServer;
  /** Of the protected server. */
  readonly url: string;
  /** What the server is at work on, by method. */
  readonly ledger: Ledger;
  /** What its handlers can see of each request: who asks, and what came with it. */
  readonly seen: readonly Visible[];
  /** Every token that has come, and the schemes that they came by. */
  readonly proofs: ReadonlySet<string>;
  readonly schemes: ReadonlySet<string>;
  /** The statuses that requests were answered with, in their order. */
  readonly statuses: readonly number[];
}

export interface Visible {
  readonly method: string;
  readonly principal: string | undefined;
  /** All that is data in the context of a request, and in the request itself. */
  readonly text: string;
}

/** What tools of `everything` need besides `mcp`. */
export const scopes = {
  all: ['mcp'],
  tools: { test_simple_text: ['files:read'], test_image_content: ['files:write'] },
} as const;

/**
 * Serves `everything`, or another server, to whom the authorization server vouches for: by JWTs, or, where tokens are
 * opaque, by its word on each request.
 */
export const scene = async (
  options: ProviderOptions = {},
  served: Served = everything(),
  more: Pick<AuthorizeOptions, 'dpop' | 'dpopNonce'> = {},
): Promise<Scene> => {
  const provider = await authorizationServer(options);
  const listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/mcp`;

  const ledger = createLedger();
  const seen: Visible[] = [];
  const proofs = new Set<string>();
  const schemes = new Set<string>();
  const statuses: number[] = [];
  listener.on('request', ({ headers: { authorization } }, response) => {
    const [scheme, token] = authorization?.split(' ') ?? [];
    if (scheme !== undefined && token !== undefined) {
      schemes.add(scheme);
      proofs.add(token);
    }
    response.once('finish', () => statuses.push(response.statusCode));
  });
  const watched = middleware((next) => (request, context) => {
    const { principal, headers, access } = context;
    seen.push({ method: request.method, principal, text: JSON.stringify({ request, principal, headers, access }) });
    return next(request, context).pipe(ledger.watch(request.method));
  });
  const verify =
    options.format === 'opaque'
      ? introspection({ issuer: provider.issuer, clientId: gatekeeper.id, clientSecret: gatekeeper.secret })
      : jwks({ issuer: provider.issuer });
  const guarded = authorize({ resource: url, authorizationServers: [provider.issuer], verify, scopes, ...more })(
    watched(served),
  );
  const running = serve(guarded, http({ server: listener, path: '/mcp' })).subscribe();
  return {
    provider,
    url,
    ledger,
    seen,
    proofs,
    schemes,
    statuses,
    [Symbol.asyncDispose]: async () => {
      running.unsubscribe();
      const closed = once(listener, 'close');
      listener.close();
      listener.closeAllConnections();
      await closed;
      await provider.close();
    },
  };
};
