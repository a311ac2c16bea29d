/** A message as the body of a POST. */
import { codes } from '../../frame/errors.ts';
import type { Frame } from '../../frame/frame.ts';
import { stringify } from '../../frame/json.ts';
import { UnreadableResponse } from '../../frame/unreadable-response.ts';

/**
 * What goes out. A response that JSON cannot express is replaced by an error, so that its request does not wait for ever;
 * a request gives what its caller is to be told, and a notification nothing.
 */
export const bodyOf = (frame: Frame): string | UnreadableResponse | undefined => {
  try {
    return stringify(frame);
  } catch (error) {
    if (!('id' in frame)) return undefined;
    const message = error instanceof Error ? error.message : String(error);
    return 'method' in frame
      ? new UnreadableResponse(message, codes.internalError, frame.method, frame.id)
      : stringify({ jsonrpc: '2.0', id: frame.id, error: { code: codes.internalError, message } });
  }
};
