import type { RequestId } from './frame.ts';

/**
 * A message that came on the stream of a request sent from here, where each request has one of its own: it belongs to
 * that. The channel passes it on in place of the message.
 */
export class Concerning {
  readonly request: RequestId;
  readonly message: unknown;
  constructor(request: RequestId, message: unknown) {
    this.request = request;
    this.message = message;
  }
}
