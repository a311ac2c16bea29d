import type { RequestId } from './frame.ts';

/**
 * A request, sent from here, whose answer cannot come any more, while the channel lives on: where each request has a
 * stream of its own, one may break alone. The channel passes it on in place of the answer.
 */
export class Unanswered {
  readonly request: RequestId;
  /** What the request fails with. */
  readonly error: Error;
  constructor(request: RequestId, error: Error) {
    this.request = request;
    this.error = error;
  }
}
