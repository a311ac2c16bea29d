/** Both ends of a translator in one step: `map` and `catchError` would cost two subscribers for every call. */
import { Observable } from 'rxjs';
import type { Emission } from './exchange.ts';

/** The same stream, with each emission and the error in other words. What a translation throws becomes the error. */
export const translate = (
  source: Observable<Emission>,
  emission: (emission: Emission) => Emission,
  error: (error: unknown) => unknown,
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
      error: (failure: unknown) => subscriber.error(error(failure)),
      complete: () => subscriber.complete(),
    }),
  );
