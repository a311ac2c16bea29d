/** A server with something to watch and to stop: a telescope, whose exposures take their time. */
import {
  BehaviorSubject,
  concat,
  defer,
  distinctUntilChanged,
  finalize,
  map,
  mergeMap,
  of,
  Subject,
  takeWhile,
  timer,
  type Observable,
} from 'rxjs';
import { log, progress, resource, Schema, server, tool, tools } from 'rxmcp';

/** Where its camera tells what it does. */
export const cameraUri = 'observatory:///camera';

const Target = Schema.Literal('Andromeda', 'Orion Nebula', 'Pleiades').annotations({
  title: 'Target',
  default: 'Andromeda',
});

const Seconds = Schema.Int.pipe(Schema.between(1, 300)).annotations({
  title: 'Seconds',
  description: 'How long the shutter stays open.',
  default: 20,
});

/** How often an exposure tells how far it is, in milliseconds. */
const tickMs = 250;

export const observatory = () => {
  const told$ = new Subject<string>();
  const open$ = new BehaviorSubject(true);
  const exposing$ = new BehaviorSubject<readonly string[]>([]);

  const expose = tool(
    'expose',
    {
      title: 'Expose',
      description: 'Takes a picture. It tells how far it is, and closes the shutter at once when it is cancelled.',
      input: Schema.Struct({ target: Target, seconds: Seconds }),
    },
    ({ target, seconds }) =>
      defer(() => {
        const ticks = (seconds * 1000) / tickMs;
        let tick = 0;
        exposing$.next([...exposing$.value, target]);
        told$.next(`the shutter is open for ${target}`);
        return concat(
          of(log('info', `The shutter is open for ${target}.`, 'camera')),
          timer(0, tickMs).pipe(
            takeWhile((count) => count <= ticks),
            mergeMap((count) => {
              tick = count;
              const gathered = (count * tickMs) / 1000;
              const step = progress(gathered, seconds, `${Math.floor(gathered)} of ${seconds} s of light`);
              return count === Math.ceil(ticks / 2)
                ? of(step, log('notice', 'A satellite has passed.', 'camera'))
                : of(step);
            }),
          ),
          of(`A picture of ${target}, ${seconds} s of light.`),
        ).pipe(
          finalize(() => {
            exposing$.next(without(exposing$.value, target));
            const whole = tick >= ticks;
            told$.next(
              whole ? `${target} is done` : `${target} was stopped after ${(tick * tickMs) / 1000} of ${seconds} s`,
            );
          }),
        );
      }),
  );

  const dome = tool(
    'dome',
    {
      title: 'Dome',
      description: 'Opens or closes the dome. Under a closed one there is nothing to expose: that tool goes away.',
      input: Schema.Struct({ open: Schema.Boolean.annotations({ title: 'Open', default: false }) }),
    },
    ({ open }) => {
      open$.next(open);
      told$.next(`the dome is ${open ? 'open' : 'closed'}`);
      return `The dome is ${open ? 'open' : 'closed'}.`;
    },
  );

  const label = tool(
    'label',
    {
      title: 'Label',
      description: 'Writes a label, exactly as it is given; <b>markup</b> too, which is text like any other.',
      input: Schema.Struct({ text: Schema.String.annotations({ title: 'Text' }) }),
    },
    ({ text }) => text,
  );

  const camera$ = exposing$.pipe(
    map((targets) => (targets.length === 0 ? 'The shutter is closed.' : `Exposing ${targets.join(' and ')}.`)),
    distinctUntilChanged(),
  );

  return {
    server: server(
      { name: 'observatory', version: '1.0.0' },
      tools(open$.pipe(map((open) => (open ? [expose, dome, label] : [dome, label])))),
      resource(cameraUri, { title: 'Camera', mimeType: 'text/plain', live: true }, () => camera$),
    ),
    /** What happens, as whoever runs it sees it. */
    told$: told$ as Observable<string>,
  };
};

/** Without one of these. */
const without = (targets: readonly string[], target: string): readonly string[] => {
  const index = targets.indexOf(target);
  return targets.filter((_, at) => at !== index);
};
