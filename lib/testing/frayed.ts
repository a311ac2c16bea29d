/** A way between a client and a server that a test makes worse while it is used: it waits, repeats itself, breaks. */
import { Observable, Subject, Subscription, type MonoTypeOperatorFunction } from 'rxjs';
import { serveChannel, type ServeEvent, type ServeOptions } from '../era/serve.ts';
import type { Channel, Served } from '../exchange/exchange.ts';
import { ConnectionClosed } from '../frame/errors.ts';
import { memoryPair, type MemoryOptions } from '../transport/memory.ts';
import { tap, type Overheard, type Tapped } from './wiretap.ts';

/** How it is served, and whether frames become text on the way. */
export type FrayedOptions = MemoryOptions & ServeOptions;

/** Which way a frame goes, as seen from the client. */
export type Way = Overheard['way'];

/** Who notices that the way was cut: for that side the channel breaks, for the other it closes. */
export type Side = 'client' | 'server';

/** A way between a client and a server, and hands on it. */
export interface Frayed {
  /** To be opened by a client; each subscription is a connection of its own. */
  readonly channel: Channel;
  /** The server's end of each connection so far: what it has said goes `out` there. */
  readonly ends: readonly Tapped[];
  /** What has happened at the server. */
  readonly events: readonly ServeEvent[];
  /** How many connections the server has, those included whose client has gone and whose work still drains. */
  readonly serving: number;
  /** Whether anything waits on this way. */
  waits(way: Way): boolean;
  /** Makes what goes this way wait, its end included. */
  hold(way: Way): void;
  /** Lets what waits go on, in order; all of it, and whatever comes later, or only so many. */
  release(way: Way, count?: number): void;
  /** Delivers the next frame on this way twice. */
  repeat(way: Way): void;
  /** Cuts the way, now or once so many more frames have passed, whichever way they went; what waits is lost. */
  cut(side: Side, frames?: number): void;
  /** Lets the server close its connections. */
  leave(): void;
}

/** One direction of all connections. */
interface Lane {
  held: boolean;
  /** Whether something that has waited is being delivered: what it provokes comes after the rest of what waits. */
  busy: boolean;
  repeats: number;
  readonly queue: (() => void)[];
}

/**
 * Serves an exchange on a way that can be held, repeated and cut from outside. Client and server end as they do over a real
 * wire: when one side has gone, the other one notices, and a server finishes what it has begun.
 *
 * @param served - a server, or any exchange
 * @param options - `serialise: true` sends text; the rest is for the server's side
 * @example
 * const way = frayed(weather, { serialise: true });
 * await using client = await open(way.channel);
 * way.hold('in');
 * const forecast = client.callTool('forecast', { city: 'Oslo' });
 * way.cut('client');
 * await expect(forecast).rejects.toThrow('the link was cut');
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
export const frayed = (served: Served, options: FrayedOptions = {}): Frayed => {
  const lanes: Readonly<Record<Way, Lane>> = {
    out: { held: false, busy: false, repeats: 0, queue: [] },
    in: { held: false, busy: false, repeats: 0, queue: [] },
  };
  const broken: Readonly<Record<Side, Subject<never>>> = { client: new Subject(), server: new Subject() };
  const ends: Tapped[] = [];
  const events: ServeEvent[] = [];
  const serving = new Set<Subscription>();
  let due: { readonly side: Side; frames: number } | undefined;

  const cut = (side: Side): void => {
    due = undefined;
    for (const { queue } of Object.values(lanes)) queue.length = 0;
    broken[side].error(new ConnectionClosed({ message: 'the link was cut' }));
    Object.assign(broken, { [side]: new Subject() });
  };
  /** Counts a frame that is about to pass; whether it still does. */
  const passes = (): boolean => {
    if (due === undefined) return true;
    if (due.frames === 0) {
      cut(due.side);
      return false;
    }
    due.frames -= 1;
    return true;
  };
  const through =
    <T>(way: Way): MonoTypeOperatorFunction<T> =>
    (source) =>
      new Observable((subscriber) => {
        const lane = lanes[way];
        const go = (step: () => void): void => {
          if (lane.held || lane.busy || lane.queue.length > 0) lane.queue.push(step);
          else step();
        };
        return source.subscribe({
          next: (frame) =>
            go(() => {
              const times = lane.repeats > 0 ? 2 : 1;
              if (times === 2) lane.repeats -= 1;
              for (let time = 0; time < times; time += 1) if (passes()) subscriber.next(frame);
            }),
          error: (error: unknown) => go(() => subscriber.error(error)),
          complete: () => go(() => subscriber.complete()),
        });
      });
  const breaking =
    (side: Side) =>
    (source: Observable<unknown>): Observable<unknown> =>
      new Observable((subscriber) => {
        subscriber.add(broken[side].subscribe(subscriber));
        subscriber.add(source.subscribe(subscriber));
      });

  const channel: Channel = (outbound) =>
    new Observable((subscriber) => {
      const [near, far] = memoryPair(options);
      const end = tap((said) => far(said).pipe(breaking('server')));
      ends.push(end);
      const over = new Subscription();
      serving.add(over);
      over.add(() => serving.delete(over));
      over.add(served.held$?.subscribe({ error: () => undefined }));
      over.add(
        serveChannel(
          served,
          options,
        )(end).subscribe({
          next: (event) => events.push(event),
          error: () => over.unsubscribe(),
          complete: () => over.unsubscribe(),
        }),
      );
      return near(outbound.pipe(through('out')))
        .pipe(through('in'), breaking('client'))
        .subscribe(subscriber);
    });

  return {
    channel,
    ends,
    events,
    get serving() {
      return serving.size;
    },
    waits: (way) => lanes[way].queue.length > 0,
    hold: (way) => {
      lanes[way].held = true;
    },
    release: (way, count = Infinity) => {
      const lane = lanes[way];
      if (count === Infinity) lane.held = false;
      lane.busy = true;
      for (let left = count; left > 0 && lane.queue.length > 0; left -= 1) lane.queue.shift()?.();
      lane.busy = false;
    },
    repeat: (way) => {
      lanes[way].repeats += 1;
    },
    cut: (side, frames = 0) => {
      if (frames === 0) cut(side);
      else due = { side, frames: frames - 1 };
    },
    leave: () => {
      for (const over of [...serving]) over.unsubscribe();
    },
  };
};
