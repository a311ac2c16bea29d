/** What a worker or a frame of the specs serves: work that goes on until it is cancelled, and the count of it. */
import { concat, NEVER, Observable, of } from 'rxjs';
import { progress, Schema, server, tool } from '../../../lib/index.ts';

let working = 0;

const counted = <T>(source: Observable<T>): Observable<T> =>
  new Observable((subscriber) => {
    working += 1;
    subscriber.add(() => (working -= 1));
    return source.subscribe(subscriber);
  });

export const room = server(
  { name: 'room', version: '1.0.0' },
  tool('hello', { input: Schema.Struct({ to: Schema.String }) }, ({ to }) => `Hello, ${to}`),
  tool('work', {}, () => counted(concat(of(progress(1, 2)), NEVER))),
  tool('working', {}, () => working),
);
