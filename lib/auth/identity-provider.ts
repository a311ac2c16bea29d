/**
 * What our own identity provider says of somebody to others: exchanged for what it said to us when they logged in.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8693
 */
import {
  genericTokenEndpointRequest,
  processGenericTokenEndpointResponse,
  type RecognizedTokenTypes,
} from 'oauth4webapi';
import { Misconfigured, quoted } from '../frame/errors.ts';
import { LoginFailed } from '../frame/login-failed.ts';
import { authorizationServer } from './discovery.ts';
import { asking, requestOptions, type Order } from './grant.ts';
import { clientAuth, type KnownClient } from './identity.ts';
import { schemeProblem } from './reach.ts';
import { wishes } from './unasked.ts';

/** Where people of an organization log in; by its name, or by the address that tokens are exchanged at. */
export type IdentityProvider = {
  /** Who we are there: as it knows us, with whatever proves it. */
  readonly client: KnownClient;
} & (
  | { readonly issuer: string; readonly tokenEndpoint?: undefined }
  | { readonly issuer?: string | undefined; readonly tokenEndpoint: string }
);

/** Which way somebody has logged in there. */
export type AssertionType = 'id_token' | 'saml2';

/** The kinds of token that are exchanged (RFC 8693, section 3). */
type TokenType = AssertionType | 'refresh_token' | 'id-jag';

const urn = (type: TokenType): string => `urn:ietf:params:oauth:token-type:${type}`;

/** What is no access token is of no type (RFC 8693, section 2.2.1). */
const recognizedTokenTypes: RecognizedTokenTypes = { n_a: () => undefined };

/** Exchanges one token for another. What comes back is a secret, and in no error. */
interface Exchanging {
  readonly subject: string;
  readonly type: TokenType;
  readonly requested: TokenType;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * The hosts of a provider: whoever uses us has named them, and so they may be private.
 *
 * @throws {@link Misconfigured} where one of its URLs is neither `https:` nor on this machine
 */
export const hostsOf = ({ issuer, tokenEndpoint }: IdentityProvider): readonly string[] =>
  [issuer, tokenEndpoint].flatMap((given) => {
    if (given === undefined) return [];
    if (!URL.canParse(given)) throw new Misconfigured({ message: `identityProvider: ${quoted(given)} is no URL` });
    const url = new URL(given);
    const problem = schemeProblem(url);
    if (problem !== undefined) throw new Misconfigured({ message: `identityProvider: ${problem}` });
    return [url.hostname];
  });

/** What it is called, in metadata or by whoever has no other name for it. */
export const nameOf = (provider: IdentityProvider): string =>
  provider.tokenEndpoint === undefined ? provider.issuer : (provider.issuer ?? provider.tokenEndpoint);

/** What is known of it; who it is has been said by whoever uses us. */
const metadataOf = async (provider: IdentityProvider, { fetch }: Order, signal: AbortSignal) => {
  const issuer = nameOf(provider);
  if (provider.tokenEndpoint !== undefined) return { issuer, token_endpoint: provider.tokenEndpoint };
  return authorizationServer((url, options) => fetch(url, { ...options, signal }), issuer, false);
};

const exchanged = async (
  order: Order,
  client: KnownClient,
  { subject, type, requested, parameters }: Exchanging,
  signal: AbortSignal,
): Promise<string> => {
  const { as } = order;
  const auth = await clientAuth(as, { ...client, how: 'given' });
  const body = {
    ...parameters,
    requested_token_type: urn(requested),
    subject_token: subject,
    subject_token_type: urn(type),
  };
  const known = { client_id: client.clientId };
  const sent = requestOptions(order, signal);
  const answer = await asking(order, 'does not vouch for us', async () =>
    processGenericTokenEndpointResponse(
      as,
      known,
      await genericTokenEndpointRequest(as, known, auth, grantType, body, sent),
      { recognizedTokenTypes },
    ),
  );
  const { issued_token_type: issued, access_token: token } = answer;
  if (issued === urn(requested)) return token;
  throw new LoginFailed({
    stage: 'token',
    message: `${new URL(as.issuer).host} gives a token of type ${quoted(issued)}, and not ${urn(requested)}`,
  });
};

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** Vouches for somebody. */
export interface Voucher {
  readonly provider: IdentityProvider;
  /** Gets what the provider said when they logged in. */
  readonly assertion: () => Promise<string>;
  readonly type: AssertionType;
}

/**
 * Has a provider say to an authorization server who somebody is: an ID-JAG, which is a secret.
 *
 * An assertion of SAML lives for minutes; it is exchanged first for what lasts, which is kept in memory (XAUTH-11).
 *
 * @returns rejects with {@link LoginFailed}
 */
export const vouching = ({ provider, assertion, type }: Voucher) => {
  const { client } = provider;
  let lasting: string | undefined;

  return async (order: Order, signal: AbortSignal): Promise<string> => {
    const as = await metadataOf(provider, order, signal);
    // The key that the token is to be bound to is no business of the provider.
    const asked: Order = { ...order, as, dpop: undefined };
    const parameters = { audience: order.as.issuer, ...wishes(order) };
    const vouched = (subject: string, by: TokenType): Promise<string> =>
      exchanged(asked, client, { subject, type: by, requested: 'id-jag', parameters }, signal);
    if (type === 'id_token') return vouched(await assertion(), type);

    const renew = async (): Promise<string> => {
      const subject = await assertion();
      const scope = { scope: 'openid offline_access' };
      lasting = await exchanged(
        asked,
        client,
        { subject, type, requested: 'refresh_token', parameters: scope },
        signal,
      );
      return lasting;
    };
    if (lasting === undefined) return vouched(await renew(), 'refresh_token');
    try {
      return await vouched(lasting, 'refresh_token');
    } catch (error) {
      if (!(error instanceof LoginFailed) || error.code !== 'invalid_grant') throw error;
      // It lasts as long as they are logged in there, and no longer.
      lasting = undefined;
      return vouched(await renew(), 'refresh_token');
    }
  };
};
