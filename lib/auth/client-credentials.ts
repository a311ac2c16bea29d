/** Programs that log in as themselves. */
import { clientCredentialsGrantRequest, processClientCredentialsResponse, type ClientAuth } from 'oauth4webapi';
import { Misconfigured, quoted } from '../frame/errors.ts';
import { asking, requestOptions } from './grant.ts';
import { clientAuth, type KnownClient } from './identity.ts';
import { loginBy, type Login, type TokenOptions } from './oauth.ts';
import { unasked, wishes } from './unasked.ts';

/** Which program logs in. */
export interface ClientCredentialsOptions extends TokenOptions {
  /** As the authorization server knows it: with a secret, or a key (which is better). Nobody is registered here. */
  readonly client: KnownClient;
}

/** An assertion says whose it is; the protocol's extension wants it said once. */
const saidOnce =
  (auth: ClientAuth): ClientAuth =>
  async (as, client, body, headers) => {
    await auth(as, client, body, headers);
    if (body.has('client_assertion')) body.delete('client_id');
  };

const extensions = { 'io.modelcontextprotocol/oauth-client-credentials': {} };

/**
 * Logs a program in as itself (`client_credentials`): by a key of its own (`private_key_jwt`), or a secret. Nobody is ever
 * asked; a new token is had shortly before the old one expires, and where a server refuses it.
 *
 * Without `client.issuer` the credentials are for the first authorization server that they are used with, and shown to no
 * other. A call or connection whose login fails, fails with a `ConnectionClosed` whose `cause` is a {@link LoginFailed}.
 *
 * @param options - see {@link ClientCredentialsOptions}
 * @throws {@link Misconfigured} where the client has neither a key nor a secret
 * @example
 * const auth = clientCredentials({
 *   client: {
 *     clientId: 'nightly-report',
 *     privateKey: { pem: process.env['REPORT_KEY'] ?? '', algorithm: 'ES256' },
 *     issuer: 'https://login.example',
 *   },
 *   scopes: ['weather:read'],
 * });
 * connect(remote('https://weather.example/mcp', { auth })).subscribe(({ server }) => console.log(server?.name));
 * @see https://modelcontextprotocol.io/specification/draft/basic/authorization
 * @see https://github.com/modelcontextprotocol/ext-auth/blob/main/specification/draft/oauth-client-credentials.mdx
 */
export const clientCredentials = ({ client: given, ...options }: ClientCredentialsOptions): Login => {
  if (given.clientSecret === undefined && given.privateKey === undefined)
    throw new Misconfigured({
      message: `clientCredentials: the client ${quoted(given.clientId)} needs a clientSecret or a privateKey`,
    });
  const grant = unasked({
    client: given,
    extensions,
    ask: async (order, identity, signal) => {
      const { as } = order;
      const client = { client_id: identity.clientId };
      const auth = saidOnce(await clientAuth(as, identity));
      const sent = requestOptions(order, signal);
      return asking(order, 'gives no token to the program itself', async () =>
        processClientCredentialsResponse(
          as,
          client,
          await clientCredentialsGrantRequest(as, client, auth, wishes(order), sent),
        ),
      );
    },
  });
  return loginBy(grant, options);
};
