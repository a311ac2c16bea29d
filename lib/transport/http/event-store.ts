/**
 * What was said on the event streams of legacy sessions, kept for clients that lost their connection: the interface, and
 * the store in memory that serves unless another is given.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery
 */
import { asyncScheduler, defer, Observable, type SchedulerLike, type Subscription } from 'rxjs';
import { TaggedError } from 'effect/Data';

/** One event of a stream, as it was kept. */
export interface StoredEvent {
  /** Where it stands in its stream, from 1. */
  readonly position: number;
  readonly data: string;
}

/** Events are asked for that are not kept, or not any more: whoever asks must do without them. */
export class EventsForgotten extends TaggedError('EventsForgotten')<{ readonly message: string }> {}

/**
 * Keeps what was said on the event streams of legacy sessions, so that a client that lost its connection gets the rest.
 * A stream is known by a key that nobody can guess or choose: it carries session and principal.
 */
export interface EventStore {
  /** Keeps one event of a stream. Positions rise from 1 by one. */
  append(stream: string, position: number, data: string): void;
  /** The stream has said all; it is kept for as long as somebody may still come back for it. */
  end(stream: string): void;
  /**
   * Emits what a stream has said after a position, in order, then completes; it does not wait for more. Fails with {@link
   * EventsForgotten} where some of it is not kept, or nothing is known of the stream.
   */
  after(stream: string, position: number): Observable<StoredEvent>;
  /** Forgets a stream. One that is unknown is forgotten already. */
  drop(stream: string): void;
}

/**
 * The same store, whose failures are its own affair: what it does not keep cannot be asked for again, and nothing else
 * suffers.
 *
 * @param failed - is told of them
 */
export const guarded = (store: EventStore, failed: (error: unknown) => void): EventStore => {
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      failed(error);
    }
  };
  return {
    append: (stream, position, data) => attempt(() => store.append(stream, position, data)),
    end: (stream) => attempt(() => store.end(stream)),
    after: (stream, position) => defer(() => store.after(stream, position)),
    drop: (stream) => attempt(() => store.drop(stream)),
  };
};

/** The bounds of {@link memoryEvents}. A character counts as two bytes, an event as 64 more, a stream as 512 more. */
export interface MemoryEventsOptions {
  /** How much is kept in all, in bytes. Default 16 MiB. */
  readonly maxBytes?: number | undefined;
  /** How much of one stream is kept, in bytes; its oldest events are forgotten first. Default 4 MiB. */
  readonly streamMaxBytes?: number | undefined;
  /** How long a stream is kept after its end, in milliseconds; up to a tenth longer. Default 300,000. */
  readonly keepMs?: number | undefined;
  /** For tests in virtual time. */
  readonly scheduler?: SchedulerLike | undefined;
}

/** What is kept of a stream. */
interface Log {
  readonly stream: string;
  /** The events kept are those from `skipped` on; the first of them stands at `first`. */
  events: string[];
  skipped: number;
  first: number;
  size: number;
  ended: boolean;
  /** When it ended. */
  since: number;
  /** Its neighbours in the order in which logs are forgotten. */
  older: Log | undefined;
  newer: Log | undefined;
}

/** The longest that a timer can wait, in milliseconds. */
const longestMs = 2 ** 31 - 1;

const logSize = 512;
const sizeOf = (data: string): number => data.length * 2 + 64;

/**
 * Keeps events in memory, within bounds: when there are too many, whole streams are forgotten, those that have ended
 * first, and of these the oldest; then those that have been silent for longest. Sessions share the bounds: a busy one can
 * take from another the chance to resume, never its events.
 *
 * While something is kept that has ended, one timer runs for all; none does when every stream has been dropped.
 *
 * @param options - the bounds, in bytes and milliseconds
 * @returns a store whose `after` emits synchronously
 * @example
 * const events = memoryEvents({ maxBytes: 1024 * 1024 });
 * events.append('session/1', 1, '{"jsonrpc":"2.0","id":1,"result":{}}');
 * events.end('session/1');
 * events.after('session/1', 0).subscribe(({ position, data }) => console.log(position, data));
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery
 */
export const memoryEvents = (options: MemoryEventsOptions = {}): EventStore => {
  const { maxBytes = 16 * 1024 * 1024, keepMs = 300_000, scheduler = asyncScheduler } = options;
  const streamMaxBytes = Math.min(options.streamMaxBytes ?? 4 * 1024 * 1024, maxBytes);
  const logs = new Map<string, Log>();
  const live = new Queue();
  const ended = new Queue();
  let total = 0;
  let sweeping: Subscription | undefined;

  const open = (stream: string, first: number): Log => {
    const log: Log = {
      stream,
      events: [],
      skipped: 0,
      first,
      size: logSize,
      ended: false,
      since: 0,
      older: undefined,
      newer: undefined,
    };
    logs.set(stream, log);
    total += logSize;
    return log;
  };

  const forget = (log: Log): void => {
    logs.delete(log.stream);
    total -= log.size;
    (log.ended ? ended : live).remove(log);
    if (ended.oldest !== undefined) return;
    sweeping?.unsubscribe();
    sweeping = undefined;
  };

  const shrink = (): void => {
    for (let log = ended.oldest; total > maxBytes && log !== undefined; log = ended.oldest) forget(log);
    for (let log = live.oldest; total > maxBytes && log !== undefined; log = live.oldest) forget(log);
  };

  const sweep = (): void => {
    const now = scheduler.now();
    let log = ended.oldest;
    while (log !== undefined && log.since + keepMs <= now) {
      const { newer } = log;
      forget(log);
      log = newer;
    }
    // Seldom enough that a busy server does not wake for each of its streams.
    if (log !== undefined) schedule(Math.max(log.since + keepMs - now, keepMs / 10));
  };
  const schedule = (ms: number): void => {
    sweeping = scheduler.schedule(sweep, Math.min(ms, longestMs));
  };

  return {
    append: (stream, position, data) => {
      const known = logs.get(stream);
      if (known?.ended === true) return;
      const log = known ?? open(stream, position);
      if (known !== undefined) live.remove(log);
      live.add(log);
      const size = sizeOf(data);
      log.events.push(data);
      log.size += size;
      total += size;
      if (log.size > streamMaxBytes) total -= trim(log, streamMaxBytes);
      if (total > maxBytes) shrink();
    },
    end: (stream) => {
      const log = logs.get(stream);
      if (log === undefined || log.ended) return;
      live.remove(log);
      log.ended = true;
      log.since = scheduler.now();
      ended.add(log);
      if (sweeping === undefined) schedule(keepMs);
    },
    after: (stream, position) =>
      new Observable((subscriber) => {
        const log = logs.get(stream);
        if (log === undefined || !(position >= log.first - 1))
          return subscriber.error(new EventsForgotten({ message: 'what this stream said is not kept any more' }));
        // A copy: whoever hears of an event may make the stream say the next.
        const from = log.skipped + position + 1 - log.first;
        let next = position;
        for (const data of log.events.slice(from)) {
          if (subscriber.closed) return;
          next += 1;
          subscriber.next({ position: next, data });
        }
        subscriber.complete();
      }),
    drop: (stream) => {
      const log = logs.get(stream);
      if (log !== undefined) forget(log);
    },
  };
};

/** Forgets the oldest events of a log that is too large. Returns how much that was. */
const trim = (log: Log, limit: number): number => {
  const before = log.size;
  while (log.size > limit) {
    const oldest = log.events[log.skipped];
    if (oldest === undefined) break;
    log.events[log.skipped] = '';
    log.size -= sizeOf(oldest);
    log.skipped += 1;
    log.first += 1;
  }
  // Now and then only: to move all that is left for each one that goes would take ever longer.
  if (log.skipped * 2 > log.events.length) {
    log.events = log.events.slice(log.skipped);
    log.skipped = 0;
  }
  return before - log.size;
};

/** Logs from the oldest to the newest. Linked, because any of them may leave: a `Map` slows down as its oldest do. */
class Queue {
  oldest: Log | undefined;
  #newest: Log | undefined;

  add(log: Log): void {
    log.older = this.#newest;
    if (this.#newest === undefined) this.oldest = log;
    else this.#newest.newer = log;
    this.#newest = log;
  }

  remove(log: Log): void {
    if (log.older === undefined) this.oldest = log.newer;
    else log.older.newer = log.newer;
    if (log.newer === undefined) this.#newest = log.older;
    else log.newer.older = log.older;
    log.older = undefined;
    log.newer = undefined;
  }
}
