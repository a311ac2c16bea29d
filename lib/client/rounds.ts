/** How a client answers what a 2026-07-28 server needs to know before it can answer (MRTR). */
import { filter, map, Observable, takeUntil, throwError, throwIfEmpty } from 'rxjs';
import { isAnswer, type Request } from '../exchange/exchange.ts';
import type { Answerer } from '../exchange/rounds.ts';
import { ConnectionClosed, InvalidAnswer, NotSupported } from '../frame/errors.ts';
import { isArray } from '../frame/frame.ts';
import { declares, needsOf } from '../protocol/capability.ts';
import { validator } from '../protocol/dated.ts';
import { InputRequest } from '../protocol/input.ts';
import { latestRevision } from '../protocol/revisions.ts';
import { balanceProblem } from '../protocol/sampling-balance.ts';
import type { Deadlines } from './deadline.ts';
import type { Local } from './local.ts';

/**
 * Has the client's own side answer.
 *
 * @param over$ - emits once the connection has ended: between rounds nothing else would tell
 */
export const answererOf =
  (
    method: string,
    { exchange, capabilities }: Pick<Local, 'exchange' | 'capabilities'>,
    over$: Observable<unknown>,
  ): Answerer =>
  (question, key) => {
    const problem = problemOf(question);
    if (problem !== undefined)
      return throwError(
        () => new InvalidAnswer({ method, message: `the question ${JSON.stringify(key)} of ${method} ${problem}` }),
      );
    const missing = needsOf(question).find((path) => !declares(capabilities, path));
    if (missing !== undefined)
      return throwError(
        () =>
          new NotSupported({
            method,
            capability: missing,
            message: `${method} asks for ${missing}, which this client has not declared: give it \`answers\` for that`,
          }),
      );
    return exchange(question, {}).pipe(
      filter(isAnswer),
      map(({ result }) => result),
      takeUntil(over$),
      throwIfEmpty(() => new ConnectionClosed({ message: 'the connection was closed before this was answered' })),
    );
  };

const shape = validator(InputRequest, latestRevision);

const problemOf = (question: Request): string | undefined => {
  const flaw = shape(question);
  if (flaw !== undefined) return `is not valid: ${flaw}`;
  const { messages, mode, url } = question.params ?? {};
  if (mode === 'url' && !/^https?:/i.test(String(url)))
    return 'is not valid: url must be an absolute http or https URL';
  const balance = isArray(messages) ? balanceProblem(messages) : undefined;
  return balance === undefined ? undefined : `is not valid: ${balance}`;
};

/** Answers while all idle clocks stand still: the server waits for us, not we for the server. */
export const unhurried =
  (local: Local, deadlines: Deadlines): Local['exchange'] =>
  (request, context) =>
    new Observable((subscriber) => {
      const resume = deadlines.pause();
      const subscription = local.exchange(request, context).subscribe(subscriber);
      return () => {
        subscription.unsubscribe();
        resume();
      };
    });
