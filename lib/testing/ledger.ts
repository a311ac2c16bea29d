/** Counts what is alive, so that a spec can assert that nothing is left. */
import { BehaviorSubject, filter, firstValueFrom, Observable, type MonoTypeOperatorFunction } from 'rxjs';
import { middleware, type Middleware } from '../exchange/exchange.ts';

/** What is alive by name, and what has happened so far. */
export interface Ledger {
  /** How many of each name are alive now; names of which none is are not in it. Empty: nothing is left. */
  readonly live: Readonly<Record<string, number>>;
  /** What has happened, in order. */
  readonly entries: readonly string[];
  /** Writes down that something has happened. */
  note(entry: string): void;
  /** Counts something as alive until the function that this returns is called; calling that again does nothing. */
  acquire(name: string): () => void;
  /** Counts each subscription as alive; writes down how it ended: `name completed`, `name failed`, `name unsubscribed`. */
  watch<T>(name: string): MonoTypeOperatorFunction<T>;
  /** Writes down `name aborted` when the signal is aborted. */
  signal(name: string, signal: AbortSignal): void;
  /** Resolves when an entry has been written down, at once where it has been before. */
  noted(entry: string): Promise<void>;
  /** Resolves when nothing of this name (or, without one, nothing at all) is alive. */
  idle(name?: string): Promise<void>;
  /** Forgets the entries; what is alive stays counted. */
  forget(): void;
}

/**
 * Makes a ledger for the handlers, streams and signals of a test.
 *
 * @example
 * const ledger = createLedger();
 * const ticks = tool('ticks', {}, () => interval(10).pipe(ledger.watch('ticks')));
 * await using link = await linked(server({ name: 'clock', version: '1.0.0' }, ticks));
 * link.client.call('ticks', {}).subscribe().unsubscribe();
 * await ledger.noted('ticks unsubscribed');
 * expect(ledger.live).toEqual({});
 */
export const createLedger = (): Ledger => {
  const alive = new Map<string, number>();
  const entries: string[] = [];
  const changed = new BehaviorSubject<undefined>(undefined);

  const note = (entry: string): void => {
    entries.push(entry);
    changed.next(undefined);
  };
  const add = (name: string, count: number): void => {
    const sum = (alive.get(name) ?? 0) + count;
    if (sum === 0) alive.delete(name);
    else alive.set(name, sum);
    changed.next(undefined);
  };
  const acquire = (name: string): (() => void) => {
    let held = true;
    add(name, 1);
    return () => {
      if (held) add(name, -1);
      held = false;
    };
  };
  const until = async (holds: () => boolean): Promise<void> => {
    await firstValueFrom(changed.pipe(filter(holds)), { defaultValue: undefined });
  };

  return {
    get live() {
      return Object.fromEntries(alive);
    },
    get entries() {
      return [...entries];
    },
    note,
    acquire,
    watch: (name) => (source) =>
      new Observable((subscriber) => {
        const release = acquire(name);
        let how = 'unsubscribed';
        subscriber.add(() => {
          release();
          note(`${name} ${how}`);
        });
        return source.subscribe({
          next: (value) => subscriber.next(value),
          error: (error: unknown) => {
            how = 'failed';
            subscriber.error(error);
          },
          complete: () => {
            how = 'completed';
            subscriber.complete();
          },
        });
      }),
    signal: (name, signal) => {
      const aborted = (): void => note(`${name} aborted`);
      if (signal.aborted) aborted();
      else signal.addEventListener('abort', aborted, { once: true });
    },
    noted: (entry) => until(() => entries.includes(entry)),
    idle: (name) => until(() => (name === undefined ? alive.size === 0 : !alive.has(name))),
    forget: () => {
      entries.length = 0;
    },
  };
};

/**
 * Counts the requests that an exchange is at work on: at a door, everything that came through it and has not ended.
 *
 * @param ledger - counts them by name
 * @param name - what each counts as. Default: its method
 * @example
 * const ledger = createLedger();
 * await using link = await linked(counted(ledger)(weather));
 * await link.client.callTool('forecast', { city: 'Oslo' });
 * expect(ledger.live['tools/call']).toBeUndefined();
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/cancellation
 */
export const counted = (ledger: Ledger, name?: string): Middleware =>
  middleware((next) => (request, context) => next(request, context).pipe(ledger.watch(name ?? request.method)));
