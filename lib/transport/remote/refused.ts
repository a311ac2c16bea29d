/** What the body of a refusal says of the request that was refused. */
import { isRequestId, tell, type ErrorObject, type RequestId } from '../../frame/frame.ts';
import type { HttpRefusal } from '../../frame/http-refusal.ts';
import { parse } from '../../frame/json.ts';

/**
 * The JSON-RPC error in a refusal, and whether it names the request: an id that the server could not read is missing, or
 * null (AMB-15).
 */
export const errorIn = (
  refusal: HttpRefusal,
  text: string,
  id: RequestId,
): { readonly error: ErrorObject; readonly named: boolean } | undefined => {
  if (isAboutAccess(refusal) || !text.includes('"jsonrpc"')) return undefined;
  const told = tell(parse(text));
  if (told.kind !== 'response' || !('error' in told.frame)) return undefined;
  const { error, id: about } = told.frame;
  if (about === id) return { error, named: true };
  return isRequestId(about) ? undefined : { error, named: false };
};

/** Whether it is about who may ask, and when: a status that must not get lost, whatever else the body says. */
const isAboutAccess = ({ status, retryAfterMs }: HttpRefusal): boolean =>
  status === 401 ||
  status === 403 ||
  status === 407 ||
  status === 429 ||
  (status === 503 && retryAfterMs !== undefined);
