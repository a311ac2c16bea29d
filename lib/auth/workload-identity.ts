/** Programs that log in by what their platform says of them. */
import { jwtBearer } from './jwt-bearer.ts';
import type { KnownClient } from './identity.ts';
import { loginBy, type Login, type TokenOptions } from './oauth.ts';
import { assertionFrom, unasked, type AssertionSource } from './unasked.ts';

/** Which program logs in, and what vouches for it. */
export interface WorkloadIdentityOptions extends TokenOptions {
  /**
   * Gives the JWT that the platform has for this program, addressed to the authorization server: the token of a Kubernetes
   * service account, of a CI job. Asked anew for each token; kept nowhere.
   */
  readonly assertion: AssertionSource;
  /** The program, where the authorization server has a name for it. Default: whoever the assertion is about. */
  readonly client?: KnownClient | undefined;
  /** The authorization server that the assertion is for. Default: that of `client`, or the first one, and no other then. */
  readonly issuer?: string | undefined;
}

/**
 * Logs a program in by what its platform says of it (`jwt-bearer`, workload identity federation): there is no secret that
 * anybody would have to keep. Nobody is ever asked; a new token is had shortly before the old one expires, and where a
 * server refuses it. An authorization server that refuses is not asked again on behalf of the same call.
 *
 * Give `issuer` where you can: what vouches for the program then goes nowhere else, whomever a server may name.
 *
 * @param options - see {@link WorkloadIdentityOptions}
 * @example
 * import { readFile } from 'node:fs/promises';
 * const auth = workloadIdentity({
 *   assertion: () => readFile('/var/run/secrets/tokens/login', 'utf8'),
 *   issuer: 'https://login.example',
 * });
 * connect(remote('https://weather.example/mcp', { auth })).subscribe(({ server }) => console.log(server?.name));
 * @see https://modelcontextprotocol.io/specification/draft/basic/authorization
 * @see https://www.rfc-editor.org/rfc/rfc7523#section-2.1
 */
export const workloadIdentity = ({ assertion, client, issuer, ...options }: WorkloadIdentityOptions): Login => {
  const grant = unasked({
    client: { ...nameless, ...client, ...(issuer === undefined ? undefined : { issuer }) },
    ask: async (order, identity, signal) => jwtBearer(order, identity, await assertionFrom(assertion), signal),
  });
  return loginBy(grant, options);
};

const nameless: KnownClient = { clientId: '' };
