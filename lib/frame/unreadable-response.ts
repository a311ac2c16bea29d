import { Unreadable } from './unreadable.ts';
import type { RequestId } from './frame.ts';

/**
 * A response that could not be read (broken, or too long), or that cannot come because its request could not be
 * written. It answers nobody, so `id` is undefined; `answers` is the request, sent from here, that waits in vain.
 */
export class UnreadableResponse extends Unreadable {
  readonly answers: RequestId | undefined;
  constructor(reason: string, code: number, excerpt: string, answers?: RequestId) {
    super(reason, code, excerpt);
    this.answers = answers;
  }
}
