/**
 * A real authorization server on a loopback address, in this process: `oidc-provider`, with pages of its own for people
 * and records that can be withdrawn.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { configured, type ProviderOptions } from './provider-configured.ts';
import { interact } from './provider-pages.ts';
import { records, type Withdrawn } from './provider-records.ts';
import { observed, type Seen } from './provider-seen.ts';

export { gatekeeper, robot, type ProviderOptions } from './provider-configured.ts';
export type { Seen } from './provider-seen.ts';

export interface AuthorizationServer extends AsyncDisposable {
  readonly issuer: string;
  readonly seen: Seen;
  /**
   * Takes back what has been given: all access tokens (opaque ones only: others are good until they expire), all refresh
   * tokens, or everything.
   */
  readonly withdraw: (what: Withdrawn) => void;
  /** Hangs up on everybody; afterwards nothing is left. */
  readonly close: () => Promise<void>;
}

/** Loads the package; that it would like a newer Node, it says once, and nothing else that it says is held back. */
const load = async (): Promise<typeof import('oidc-provider')> => {
  const { warn } = console;
  console.warn = (...said: readonly unknown[]) => {
    if (!String(said[0]).includes('oidc-provider WARNING: Unsupported runtime')) warn(...said);
  };
  try {
    return await import('oidc-provider');
  } finally {
    console.warn = warn;
  }
};

/**
 * Starts an authorization server on a free port of 127.0.0.1, which knows the {@link robot} and the {@link gatekeeper}.
 *
 * @example
 * await using provider = await authorizationServer({ accessTokenSeconds: 60 });
 */
export const authorizationServer = async (options: ProviderOptions = {}): Promise<AuthorizationServer> => {
  const library = await load();
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const { adapter, withdraw } = records();
  const provider = new library.Provider(issuer, { ...configured(library, options), adapter });
  const { asked, seen } = observed(provider);
  const others = provider.callback();
  server.on('request', (request, response) => {
    const { pathname } = new URL(request.url ?? '/', issuer);
    asked(pathname);
    if (!pathname.startsWith('/interaction/')) return void others(request, response);
    interact(provider, request, response).catch((error: unknown) => {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(String(error));
    });
  });
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { issuer, seen, withdraw, close, [Symbol.asyncDispose]: close };
};
