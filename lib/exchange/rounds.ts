/**
 * A request that is answered with questions is made again with their answers, until it is answered for good.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
import { concatMap, from, map, Observable, toArray, type Subscription } from 'rxjs';
import { InvalidAnswer } from '../frame/errors.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import { isAnswer, type Emission, type Request } from './exchange.ts';

/** Answers one question with a bare result; fails where the request it belongs to is to fail. */
export type Answerer = (question: Request, key: string) => Observable<JsonObject>;

/** Whether a result only says what is needed first. */
export const needsInput = (result: JsonObject): boolean => result['resultType'] === 'input_required';

/**
 * Answers what a result asks, one question after the other: a person looks at one thing at a time.
 *
 * @returns emits once: what the request is to be made again with. Fails with the first answer that does, or with
 * {@link InvalidAnswer} where the result asks nothing that can be asked
 */
export const gathered = (method: string, result: JsonObject, answer: Answerer): Observable<JsonObject> => {
  const { inputRequests, requestState } = result;
  const state = requestState === undefined ? undefined : { requestState };
  if (inputRequests === undefined && state !== undefined) return from([state]);
  const questions = isObject(inputRequests) ? Object.entries(inputRequests) : [];
  if (questions.length === 0 && state === undefined) throw malformed(method, 'asks for nothing');
  return from(questions).pipe(
    concatMap(([key, question]) => {
      if (!isQuestion(question)) throw malformed(method, `has a malformed question ${JSON.stringify(key)}`);
      return answer(question, key).pipe(map((response) => [key, response] as const));
    }),
    toArray(),
    map((responses) => ({ inputResponses: Object.fromEntries(responses), ...state })),
  );
};

const isQuestion = (value: unknown): value is Request =>
  isObject(value) &&
  typeof value['method'] === 'string' &&
  (value['params'] === undefined || isObject(value['params']));

const malformed = (method: string, what: string): InvalidAnswer =>
  new InvalidAnswer({ method, message: `the answer to ${method} needs input, but ${what}` });

/** How a request is made, and made again, and how what comes back is said in other words. */
export interface Rounds {
  readonly method: string;
  readonly ask: (again: JsonObject | undefined) => Observable<Emission>;
  readonly answer: Answerer;
  readonly emission: (emission: Emission) => Emission;
  readonly error: (error: unknown) => unknown;
}

/** After this many rounds a server that always asks for more is not asked again (MRTR-25). */
const most = 50;

/** The stream of all rounds as one. What a translation throws becomes the error. */
export const rounds = (how: Rounds): Observable<Emission> =>
  new Observable((subscriber) => {
    let round = 0;
    const fail = (error: unknown): void => subscriber.error(how.error(error));
    const next = (result: JsonObject): void => {
      round += 1;
      if (round > most) return fail(malformed(how.method, `still does after ${most} rounds`));
      let again: Observable<JsonObject>;
      try {
        again = gathered(how.method, result, how.answer);
      } catch (error) {
        return fail(error);
      }
      subscriber.add(again.subscribe({ next: (given) => subscriber.add(turn(given)), error: fail }));
    };
    const turn = (given: JsonObject | undefined): Subscription => {
      let asked = false;
      return how.ask(given).subscribe({
        next: (emission) => {
          if (isAnswer(emission) && needsInput(emission.result)) {
            asked = true;
            return next(emission.result);
          }
          let said: Emission;
          try {
            said = how.emission(emission);
          } catch (failure) {
            return subscriber.error(failure);
          }
          subscriber.next(said);
        },
        error: fail,
        complete: () => {
          if (!asked) subscriber.complete();
        },
      });
    };
    return turn(undefined);
  });
