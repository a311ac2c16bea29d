import { take, type Observable } from 'rxjs';

/** The next value; listens from the call on. Never resolves where none comes: the spec's own time runs out. */
export const next = <T>(source: Observable<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    source.pipe(take(1)).subscribe({ next: resolve, error: reject });
  });
