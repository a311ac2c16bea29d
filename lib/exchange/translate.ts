/** Both ends of a translator in one step: `map` and `catchError` would cost two subscribers for every call. */
import { Observable, type Subscriber } from 'rxjs';
import type { JsonObject } from '../frame/frame.ts';
import { isAnswer, type Emission } from './exchange.ts';
import { needsInput } from './rounds.ts';

/**
 * The same stream, with each emission and the error in other words. What a translation throws becomes the error.
 *
 * @param instead - an answer that says what an error said; undefined where it is to stay one
 * @param further - what follows an answer that only says what is needed first, in words to be translated
 */
export const translate = (
  source: Observable<Emission>,
  emission: (emission: Emission) => Emission,
  error: (error: unknown) => unknown,
  instead?: (error: unknown) => Emission | undefined,
  further?: (result: JsonObject) => Observable<Emission>,
): Observable<Emission> =>
  new Observable((subscriber) => {
    let handedOver = false;
    return source.subscribe({
      next: (one) => {
        if (further !== undefined && isAnswer(one) && needsInput(one.result)) {
          handedOver = true;
          return handOver(translate(further(one.result), emission, error), subscriber);
        }
        let said: Emission;
        try {
          said = emission(one);
        } catch (failure) {
          return subscriber.error(failure);
        }
        subscriber.next(said);
      },
      error: (failure: unknown) => {
        const said = instead?.(failure);
        if (said === undefined) return subscriber.error(error(failure));
        subscriber.next(said);
        subscriber.complete();
      },
      complete: () => {
        if (!handedOver) subscriber.complete();
      },
    });
  });

const handOver = (rest: Observable<Emission>, subscriber: Subscriber<Emission>): void =>
  subscriber.add(rest.subscribe(subscriber));
