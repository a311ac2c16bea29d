/** What happens in a conversation, one turn after the other, and how each is taken. */
import * as fc from 'fast-check';
import { Subject, takeUntil, type Observable } from 'rxjs';
import { type CallEvent } from '../../lib/index.ts';
import type { Side, Way } from '../../lib/testing/index.ts';
import type { Clock } from './virtual.ts';
import { script, told, type Script } from './script.ts';
import type { Road, World } from './world.ts';

type Wire = 'front' | 'back';

export type Turn =
  | {
      readonly do: 'call';
      readonly script: Script;
      readonly by: 'stream' | 'signal' | 'glance';
      readonly logs: boolean;
    }
  | { readonly do: 'cancel'; readonly which: number }
  | { readonly do: 'unwatch'; readonly which: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'watch'; readonly what: 'tools$' | 'resource$' | 'listen' | 'logs$' }
  | { readonly do: 'change'; readonly what: 'names' | 'counter' | 'touched' | 'roots' }
  | { readonly do: 'hold' | 'release' | 'repeat'; readonly way: Way; readonly wire: Wire }
  | { readonly do: 'cut'; readonly side: Side; readonly frames: number; readonly wire: Wire }
  | { readonly do: 'leave'; readonly wire: Wire }
  | { readonly do: 'list' }
  | { readonly do: 'close' };

const which = fc.nat(5);
const wire = fc.constantFrom<Wire[]>('front', 'back');
const way = fc.constantFrom<Way[]>('out', 'in');

export const turn: fc.Arbitrary<Turn> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      script,
      by: fc.constantFrom('stream', 'signal', 'glance'),
      logs: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('cancel' as const), which }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 0, 6, 12, 40) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('watch' as const),
      what: fc.constantFrom('tools$', 'resource$', 'listen', 'logs$'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unwatch' as const), which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      what: fc.constantFrom('names', 'counter', 'touched', 'roots'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('hold', 'release', 'release', 'repeat'), way, wire }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('cut' as const),
      side: fc.constantFrom<Side[]>('client', 'server'),
      frames: fc.nat(6),
      wire,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Turn[]>(
      { do: 'leave', wire: 'front' },
      { do: 'leave', wire: 'back' },
      { do: 'close' },
      { do: 'list' },
      { do: 'list' },
    ),
  },
);

/** A turn in words. */
export const saidOf = (one: Turn): string => {
  if (one.do === 'call') return `call (${one.by}${one.logs ? ', with logs' : ''}) ${told(one.script)}`;
  const { do: what, ...how } = one;
  return [what, ...Object.entries(how).map(([name, value]) => `${name}=${String(value)}`)].join(' ');
};

/** A call under way, or over. */
export interface Called {
  readonly id: string;
  readonly script: Script;
  readonly events: CallEvent<unknown>[];
  /** How it ended: once, if it did. */
  readonly ends: { readonly how: 'result' | 'error'; readonly value?: unknown }[];
  cancelled: boolean;
  /** Whether it is a Promise with a signal: then being cancelled is an end, too. */
  readonly signalled: boolean;
  readonly logs: boolean;
  readonly cancel: () => void;
}

/** Something watched. */
export interface Watched {
  readonly what: string;
  last: unknown;
  ended: boolean;
  /** Whether it was ended from here. */
  stopped: boolean;
  failure?: unknown;
  readonly stop: () => void;
}

/** What has happened so far. */
export class Course {
  readonly world: World;
  readonly calls: Called[] = [];
  readonly watched: Watched[] = [];
  readonly #clock: Clock;
  /** Roads that were cut or closed, and those that repeated something. */
  readonly gone = new Set<Road>();
  readonly repeated = new Set<Road>();
  /** Roads that hold something back. */
  readonly held = new Set<Road>();
  /** Lists that have been asked for and not come yet. */
  lists = 0;
  readonly failures: string[] = [];

  constructor(world: World, clock: Clock) {
    this.world = world;
    this.#clock = clock;
  }

  /** Lets everything go on that is held. */
  release(): void {
    for (const road of this.world.roads) for (const one of ['out', 'in'] as const) road.release(one);
    this.held.clear();
  }

  /** Whether the client still has its connection, as far as anybody has done anything to it. */
  get whole(): boolean {
    return this.gone.size === 0;
  }

  async take(one: Turn): Promise<void> {
    const { client, stage, roots$ } = this.world;
    if (one.do === 'call') this.#call(one);
    else if (one.do === 'cancel') this.calls[one.which]?.cancel();
    else if (one.do === 'unwatch') this.watched[one.which]?.stop();
    else if (one.do === 'pass') await this.#clock.pass(one.ms);
    else if (one.do === 'watch') this.#watch(one.what);
    else if (one.do === 'list') this.#list();
    else if (one.do === 'close') {
      for (const road of this.world.roads.slice(0, 1)) this.gone.add(road);
      void client.close();
    } else if (one.do === 'change') {
      if (one.what === 'names') stage.names$.next([...stage.names$.value, `extra-${stage.names$.value.length}`]);
      else if (one.what === 'counter') stage.counter$.next(stage.counter$.value + 1);
      else if (one.what === 'touched') stage.touched$.next('test://touched');
      else roots$.next([{ uri: `file:///${roots$.value.length}` }]);
    } else this.#disturb(one, this.#road(one.wire));
  }

  #road(name: Wire): Road {
    const { roads } = this.world;
    const road = name === 'back' ? roads.at(-1) : roads[0];
    if (road === undefined) throw new Error('there is no way');
    return road;
  }

  #disturb(one: Extract<Turn, { readonly wire: Wire }>, road: Road): void {
    if (one.do === 'hold') {
      this.held.add(road);
      road.hold(one.way);
    } else if (one.do === 'release') road.release(one.way);
    else if (one.do === 'repeat') {
      this.repeated.add(road);
      road.repeat(one.way);
    } else {
      this.gone.add(road);
      if (one.do === 'cut') road.cut(one.side, one.frames);
      else road.leave();
    }
  }

  #call({ script: { way, steps }, by, logs }: Extract<Turn, { readonly do: 'call' }>): void {
    const { client } = this.world;
    const id = `c${this.calls.length}`;
    const args = { id, script: JSON.stringify({ way, steps }) };
    const options = logs ? ({ logLevel: 'debug' } as const) : {};
    const end = (how: 'result' | 'error', value: unknown): void => void called.ends.push({ how, value });
    const called: Called = {
      id,
      script: { way, steps },
      events: [],
      ends: [],
      cancelled: false,
      signalled: by === 'signal',
      logs,
      cancel: () => {
        if (called.ends.length === 0) called.cancelled = true;
        abort.abort();
        stop$.next();
      },
    };
    const stop$ = new Subject<void>();
    const abort = new AbortController();
    this.calls.push(called);
    if (by === 'signal')
      client.callTool('play', args, { ...options, signal: abort.signal }).then(
        (result) => end('result', result),
        (error: unknown) => end('error', error),
      );
    else
      client
        .call('play', args, options)
        .pipe(takeUntil(stop$))
        .subscribe({
          next: (event) => {
            called.events.push(event);
            // Some only look whether it moves, and go right from within.
            if (by === 'glance' && event.kind === 'progress') called.cancel();
          },
          error: (error: unknown) => end('error', error),
          complete: () => {
            if (!called.cancelled) end('result', resultOf(called.events));
          },
        });
  }

  #watch(what: Extract<Turn, { readonly do: 'watch' }>['what']): void {
    const { client } = this.world;
    const source: Observable<unknown> = {
      tools$: client.tools$,
      resource$: client.resource$('test://counter'),
      listen: client.listen({ toolsListChanged: true, resourceSubscriptions: ['test://touched', 'test://nowhere'] }),
      logs$: client.logs$,
    }[what];
    const watched: Watched = {
      what,
      last: undefined,
      ended: false,
      stopped: false,
      stop: () => {
        watched.stopped = true;
        watching.unsubscribe();
      },
    };
    this.watched.push(watched);
    const watching = source.subscribe({
      next: (value: unknown) => (watched.last = value),
      error: (error: unknown) => {
        watched.ended = true;
        watched.failure = error;
      },
    });
    watching.add(() => (watched.ended = true));
  }

  #list(): void {
    this.lists += 1;
    this.world.client.listTools().subscribe({
      error: (error: unknown) => {
        this.lists -= 1;
        if (this.whole) this.failures.push(`a list failed: ${String(error)}`);
      },
      complete: () => (this.lists -= 1),
    });
  }
}

const resultOf = (events: readonly CallEvent<unknown>[]): unknown => {
  const last = events.at(-1);
  return last?.kind === 'result' ? last.result : undefined;
};
