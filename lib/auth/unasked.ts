/** What the grants have in common that ask nobody: programs log in by themselves, as often as it takes. */
import type { TokenEndpointResponse } from 'oauth4webapi';
import { LoginFailed } from '../frame/login-failed.ts';
import { abortable, type Grant, type Order } from './grant.ts';
import { pinned, type Identity, type KnownClient } from './identity.ts';

/** What a token is asked for: always which server it is for (AUTHC-32), and what it is to allow. */
export const wishes = ({ resource, scopes }: Order): Readonly<Record<string, string>> => ({
  resource,
  ...(scopes === undefined ? undefined : { scope: scopes.join(' ') }),
});

/** How one kind of program logs in. */
export interface Unasked {
  /** Who asks; an empty id: whoever the assertion is about. */
  readonly client: KnownClient;
  /** Whether a client whose id is a document may go anywhere: what it sends is good at one place only. */
  readonly roams?: boolean;
  readonly extensions?: Grant['extensions'];
  /** @returns rejects with {@link LoginFailed} */
  readonly ask: (order: Order, identity: Identity, signal: AbortSignal) => Promise<TokenEndpointResponse>;
}

/** A document of ours is its own client id, says the same to everybody, and holds no secret. */
const isDocument = ({ clientId, clientSecret, issuer }: KnownClient): boolean =>
  issuer === undefined &&
  clientSecret === undefined &&
  URL.canParse(clientId) &&
  new URL(clientId).protocol === 'https:';

/** Makes a grant of one way to ask. */
export const unasked = ({ client, roams = false, extensions, ask }: Unasked): Grant => {
  // What is meant for one authorization server is shown to no other (AUTHC-25, -26).
  const identityAt = async ({ as, store }: Order): Promise<Identity> =>
    roams && isDocument(client) ? { ...client, how: 'document' } : pinned(store, client, as.issuer);
  return {
    asks: false,
    issuers: client.issuer === undefined ? [] : [client.issuer],
    ...(extensions === undefined ? undefined : { extensions }),
    obtain: (order) =>
      abortable(async (signal) => {
        const identity = await identityAt(order);
        const { clientId, how } = identity;
        if (clientId !== '') order.tell({ kind: 'registered', issuer: order.as.issuer, clientId, how });
        // Another one is had for the asking: what renews a token would only be one more secret to keep.
        const { refresh_token: _, ...token } = await ask(order, identity, signal);
        return { token, identity };
      }),
    owns: ({ clientId }) => clientId === client.clientId,
    identity: async (order, clientId) => (client.clientId === clientId ? identityAt(order) : undefined),
  };
};

/** What vouches for somebody, as whoever uses us says: asked for anew each time, and kept nowhere. */
export type AssertionSource = () => string | Promise<string>;

/** @returns rejects with {@link LoginFailed} where there is none to be had */
export const assertionFrom = async (source: AssertionSource): Promise<string> => {
  const failed = (why: string): LoginFailed =>
    new LoginFailed({ stage: 'authorization', message: `there is no assertion to log in with: ${why}` });
  let assertion: string;
  try {
    assertion = await source();
  } catch (error) {
    throw failed(error instanceof Error ? error.message : String(error));
  }
  if (assertion === '') throw failed('it is empty');
  return assertion;
};
