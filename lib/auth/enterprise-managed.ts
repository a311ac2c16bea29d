/** People log in where they work, and are logged in to whatever their organization lets them use. */
import { LoginFailed } from '../frame/login-failed.ts';
import { quoted } from '../frame/errors.ts';
import type { Order } from './grant.ts';
import type { KnownClient } from './identity.ts';
import { hostsOf, nameOf, vouching, type AssertionType, type IdentityProvider } from './identity-provider.ts';
import { jwtBearer } from './jwt-bearer.ts';
import { loginBy, type Login, type TokenOptions } from './oauth.ts';
import { assertionFrom, unasked, type AssertionSource } from './unasked.ts';

/** Who vouches for somebody, and who asks on their behalf. */
export interface EnterpriseManagedOptions extends TokenOptions {
  /** Where they have logged in. Its host may be private: you have named it. */
  readonly identityProvider: IdentityProvider;
  /** Gives what it said when they did: an ID token, or an assertion of SAML. Asked anew for each token; kept nowhere. */
  readonly assertion: AssertionSource;
  /** Which of the two. Default `id_token`. */
  readonly assertionType?: AssertionType | undefined;
  /** Who we are to the server's authorization server; the id may be the URL of a document of ours. */
  readonly client: KnownClient;
}

const extensions = { 'io.modelcontextprotocol/enterprise-managed-authorization': {} };
const profile = 'urn:ietf:params:oauth:grant-profile:id-jag';

/** One that says what it takes, and does not take this, need not be told who they are (XAUTH-07). */
const isTaken = ({ as }: Order): boolean => {
  const profiles = as['authorization_grant_profiles_supported'];
  return !Array.isArray(profiles) || profiles.includes(profile);
};

/**
 * Logs somebody in who is logged in to their organization's identity provider already: it vouches for them to the server's
 * authorization server, as far as the organization lets them (identity assertion grant). They are asked nothing; a new
 * token is had shortly before the old one expires, and where a server refuses it.
 *
 * What the provider says goes into one request, and nowhere else: it is neither kept nor told.
 *
 * @param options - see {@link EnterpriseManagedOptions}
 * @throws {@link Misconfigured} where the provider's URLs are neither `https:` nor on this machine
 * @example
 * const session = { idToken: 'eyJ…' }; // of the single sign-on that your program does
 * const auth = enterpriseManaged({
 *   identityProvider: { issuer: 'https://login.work.example', client: { clientId: 'editor', clientSecret: 's3cret' } },
 *   assertion: () => session.idToken,
 *   client: { clientId: 'https://editor.example/client.json' },
 * });
 * connect(remote('https://weather.example/mcp', { auth })).subscribe(({ server }) => console.log(server?.name));
 * @see https://modelcontextprotocol.io/specification/draft/basic/authorization
 * @see https://github.com/modelcontextprotocol/ext-auth/blob/main/specification/stable/enterprise-managed-authorization.mdx
 */
export const enterpriseManaged = ({
  identityProvider: provider,
  assertion,
  assertionType: type = 'id_token',
  client,
  ...options
}: EnterpriseManagedOptions): Login => {
  const trustedHosts = [...(options.trustedHosts ?? []), ...hostsOf(provider)];
  const vouched = vouching({ provider, assertion: () => assertionFrom(assertion), type });
  const grant = unasked({
    client,
    roams: true,
    extensions,
    ask: async (order, identity, signal) => {
      const { issuer } = order.as;
      if (!isTaken(order))
        throw new LoginFailed({ stage: 'discovery', message: `${quoted(issuer)} takes no word of identity providers` });
      const idJag = await vouched(order, signal);
      order.tell({ kind: 'exchanged', issuer: nameOf(provider) });
      return jwtBearer(order, identity, idJag, signal);
    },
  });
  return loginBy(grant, { ...options, trustedHosts });
};
