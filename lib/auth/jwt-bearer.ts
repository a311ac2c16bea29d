/** A token for what somebody says of us whom the authorization server trusts (RFC 7523, section 2.1). */
import {
  genericTokenEndpointRequest,
  processGenericTokenEndpointResponse,
  type TokenEndpointResponse,
} from 'oauth4webapi';
import { asking, requestOptions, type Order } from './grant.ts';
import { clientAuth, type Identity } from './identity.ts';
import { wishes } from './unasked.ts';

/** Who asks is said by the assertion alone; the library wants a name even then, which goes nowhere. */
const nobody = { client_id: 'nobody' };

/**
 * @param assertion - a JWT; a secret
 * @returns rejects with {@link LoginFailed}, in which the assertion is not
 */
export const jwtBearer = async (
  order: Order,
  identity: Identity,
  assertion: string,
  signal: AbortSignal,
): Promise<TokenEndpointResponse> => {
  const { as } = order;
  const isNamed = identity.clientId !== '';
  const client = isNamed ? { client_id: identity.clientId } : nobody;
  const auth = isNamed ? await clientAuth(as, identity) : () => undefined;
  const parameters = { assertion, ...wishes(order) };
  return asking(order, 'gives no token for the assertion', async () =>
    processGenericTokenEndpointResponse(
      as,
      client,
      await genericTokenEndpointRequest(as, client, auth, grantType, parameters, requestOptions(order, signal)),
    ),
  );
};

const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
