/**
 * A request that is answered with questions is made again with their answers, until it is answered for good.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
import { concatMap, defer, finalize, from, map, tap, toArray, type Observable } from 'rxjs';
import { InvalidAnswer } from '../frame/errors.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import { isAnswer, type Emission, type Request } from './exchange.ts';

/** Answers one question with a bare result; fails where the request it belongs to is to fail. */
export type Answerer = (question: Request, key: string) => Observable<JsonObject>;

/** More than these at once nobody is asked (ELI-26). */
const mostQuestions = 32;

/** A result that only says what is needed first. */
export const inputRequired = (inputRequests: JsonObject, requestState: string): JsonObject => ({
  resultType: 'input_required',
  inputRequests,
  requestState,
});

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
  if (questions.length > mostQuestions) throw malformed(method, `asks for more than ${mostQuestions} things at once`);
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

/** How questions are answered, and the request made again. */
export interface Rounds {
  readonly method: string;
  readonly ask: (again: JsonObject) => Observable<Emission>;
  readonly answer: Answerer;
}

/** After this many rounds a server that always asks for more is not asked again (MRTR-25). */
const most = 50;

/** On a result, for this process only: no wire carries it. */
const drop = Symbol('drop');

/**
 * A result that only says what is needed first, of work that goes on behind it.
 *
 * @param end - ends that work; called where it is known that nobody will come back with answers
 */
export const waiting = (result: JsonObject, end: () => void): JsonObject => Object.assign({}, result, { [drop]: end });

const waits = (result: object): result is { readonly [drop]: () => void } => drop in result;

const letGo = (result: object): void => {
  if (waits(result)) result[drop]();
};

/**
 * All that follows a result that only says what is needed first, as one stream: it asks nothing any more. Who leaves
 * before all is answered, or cannot answer, lets go of the work behind the question.
 */
export const rounds = (how: Rounds, result: JsonObject, round = 1): Observable<Emission> =>
  defer(() => {
    let answered = false;
    return defer(() => gathered(how.method, result, how.answer)).pipe(
      tap(() => (answered = true)),
      finalize(() => (answered ? undefined : letGo(result))),
    );
  }).pipe(
    concatMap(how.ask),
    concatMap((emission) => {
      if (!isAnswer(emission) || !needsInput(emission.result)) return [emission];
      if (round < most) return rounds(how, emission.result, round + 1);
      letGo(emission.result);
      throw malformed(how.method, `still does after ${most} rounds`);
    }),
  );
