/** Both ends of a translator in one step: `map` and `catchError` would cost two subscribers for every call. */
import { Observable } from 'rxjs';
import type { Emission } from './exchange.ts';

/**
 * The same stream, with each emission and the error in other words. What a translation throws becomes the error.
 *
 * @param instead - an answer that says what an error said; undefined where it is to stay one
 */
export const translate = (
  source: Observable<Emission>,
  emission: (emission: Emission) => Emission,
  error: (error: unknown) => unknown,
  instead?: (error: unknown) => Emission | undefined,
): Observable<Emission> =>
  new Observable((subscriber) =>
    source.subscribe({
      next: (one) => {
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
      complete: () => subscriber.complete(),
    }),
  );
