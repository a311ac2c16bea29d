/** Ends exchanges that take too long. */
import { throwError, timeout } from 'rxjs';
import { middleware, type Middleware } from '../exchange/exchange.ts';
import { listenMethod } from '../exchange/envelope.ts';
import { TimedOut } from '../frame/errors.ts';

/** Timers that are set for longer go off at once. */
const longestTimer = 2 ** 31 - 1;

/**
 * Fails an exchange, and cancels what is behind it, that emits nothing for too long. Subscriptions are exempt (SUB-17).
 *
 * A client's own calls have time limits already; this is for what is served on.
 *
 * @param idleMs - how long, in milliseconds, it may emit nothing; progress counts. More than 24 days, or Infinity: for ever
 * @returns middleware; what takes too long fails with {@link TimedOut}
 * @example
 * serve(idleTimeout(5000)(client.exchange), stdio()).subscribe();
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/cancellation#timeouts
 */
export const idleTimeout = (idleMs: number): Middleware =>
  middleware((next) => (request, context) => {
    const { method } = request;
    const answers = next(request, context);
    if (method === listenMethod || idleMs > longestTimer) return answers;
    return answers.pipe(
      timeout({
        each: idleMs,
        with: () =>
          throwError(
            () =>
              new TimedOut({
                method,
                limit: 'idle',
                ms: idleMs,
                message: `${method} gave no sign of life within ${idleMs} ms`,
              }),
          ),
      }),
    );
  });
