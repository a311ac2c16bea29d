/** A server with slow work in it, so that there is something to watch and to stop. */
import { concat, finalize, map, of, Subject, take, timer, type Observable } from 'rxjs';
import { progress, Schema, server, tool } from 'rxmcp';

export interface Kitchen {
  readonly server: ReturnType<typeof serverOf>;
  /** Emits when an oven goes out, whether what was in it was done or not. */
  readonly out$: Observable<void>;
}

export const kitchen = (): Kitchen => {
  const out$ = new Subject<void>();
  return { server: serverOf(() => out$.next()), out$: out$.asObservable() };
};

/** How long a minute takes, in milliseconds. */
const minuteMs = 20;

const serverOf = (out: () => void) =>
  server(
    { name: 'kitchen', version: '1.0.0' },
    tool('bake', { description: 'Bakes a cake.', input: Schema.Struct({ minutes: Schema.Int }) }, ({ minutes }) =>
      concat(
        timer(0, minuteMs).pipe(
          take(minutes),
          map((_, minute) => progress(minute + 1, minutes, 'baking')),
        ),
        of('a cake'),
      ).pipe(finalize(out)),
    ),
    tool('burn', { description: 'Burns everything.', annotations: { destructiveHint: true } }, () => 'ashes'),
  );
