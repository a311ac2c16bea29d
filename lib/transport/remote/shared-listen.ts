/**
 * One subscription for all who listen over HTTP. Each is an open stream, which takes one of the six connections that a
 * browser makes to a server, and work of the server.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
import { asyncScheduler, Observable, Subscription, type Subscriber } from 'rxjs';
import { acknowledgedMethod, listenMethod } from '../../exchange/envelope.ts';
import { isAnswer, type Context, type Emission, type Exchange, type Request } from '../../exchange/exchange.ts';
import { RpcError } from '../../frame/errors.ts';
import type { JsonObject } from '../../frame/frame.ts';
import { common, concerns, filterOf, isResource, plainTopics, topicsOf, within, type Topics } from './listen-topics.ts';
import type { Listen } from './listening.ts';

/** How many resources one subscription watches: servers have a bound (ours the same). */
const mostWatched = 1000;

/** How long, in milliseconds, those who come wait for the acknowledgement of what others have just asked for. */
const patienceMs = 2_000;

/**
 * Both streams must be silent for as long, in milliseconds, before one takes the place of the other: servers gather
 * changes, so what one has told the other may be about to.
 */
const quietMs = 250;

/** Where there is no such silence, how long there are two, in milliseconds. */
const longestMs = 5_000;

/** How long nobody may look at something before it is listened to no more, in milliseconds. */
const lingerMs = 30_000;

/**
 * Subscriptions share a stream whose filter is what any of them wants; each hears its own part of what is acknowledged,
 * and of what changes. Where more is wanted than before, a second stream is asked for, and the first let go once the
 * second has taken over (SUB-09). Who stops listening leaves its part in the filter until that, or for half a minute.
 *
 * One that says more than what it wants, as those of proxied callers do, has a stream of its own; so has each of those
 * whose common one was refused.
 *
 * @param next - its subscriptions acknowledge again whenever something may have been missed
 * @returns the exchange, and how to end what still waits to be listened for: the rest ends with the connection
 */
export const sharedListen = (next: Listen): { readonly exchange: Exchange; readonly end: () => void } => {
  const shared: SharedListen[] = [];
  let over = false;
  const exchange: Exchange = (request, context) => {
    const wanted = request.method === listenMethod ? plainTopics(request.params ?? {}) : undefined;
    if (over || wanted === undefined || watchedIn(wanted) > mostWatched) return next(request, context);
    return new Observable((subscriber) => {
      let one = shared.find((each) => each.hasRoom(wanted));
      if (one === undefined) shared.push((one = new SharedListen(next)));
      one.join({ request, context, wanted, subscriber });
    });
  };
  const end = (): void => {
    over = true;
    for (const one of shared) one.end();
  };
  return { exchange, end };
};

interface Listener {
  readonly request: Request;
  readonly context: Context;
  readonly wanted: Topics;
  readonly subscriber: Subscriber<Emission>;
  stream?: Stream | undefined;
  /** What it takes for listened to. */
  told?: Topics;
}

interface Stream {
  readonly topics: Topics;
  readonly since: number;
  readonly listeners: Set<Listener>;
  readonly subscription: Subscription;
  /** What it was last acknowledged with, and the topics in that. */
  acknowledged?: JsonObject;
  honoured: Topics;
  /** Whether it has broken since. */
  lost: boolean;
}

class SharedListen {
  readonly #next: Listen;
  readonly #listeners = new Set<Listener>();
  /** How many want each topic, those who came first in front: where a server has bounds, it is they who keep theirs. */
  readonly #wanted = new Map<string, number>();
  readonly #coming = new Set<Listener>();
  /** The oldest first. All but the newest that is acknowledged are on their way in or out. */
  readonly #streams: Stream[] = [];
  #admitting: Subscription | undefined;
  #settling: Subscription | undefined;
  #shrinking: Subscription | undefined;
  #heard = 0;

  constructor(next: Listen) {
    this.#next = next;
  }

  hasRoom(wanted: Topics): boolean {
    return watchedIn(new Set([...this.#wanted.keys(), ...wanted])) <= mostWatched;
  }

  join(listener: Listener): void {
    this.#listeners.add(listener);
    for (const topic of listener.wanted) this.#wanted.set(topic, (this.#wanted.get(topic) ?? 0) + 1);
    this.#coming.add(listener);
    listener.subscriber.add(() => this.#leave(listener));
    this.#admitSoon();
  }

  end(): void {
    for (const { subscriber } of [...this.#listeners]) subscriber.complete();
  }

  #leave(listener: Listener): void {
    if (!this.#forget(listener)) return;
    const { stream } = listener;
    stream?.listeners.delete(listener);
    if (this.#listeners.size === 0) return this.#stop();
    this.#shrinking ??= asyncScheduler.schedule(() => this.#shrink(), lingerMs);
    if (stream === undefined || stream.listeners.size > 0 || stream === this.#newest) return;
    this.#close(stream);
    this.#admitSoon();
  }

  #forget(listener: Listener): boolean {
    if (!this.#listeners.delete(listener)) return false;
    this.#coming.delete(listener);
    for (const topic of listener.wanted) {
      const left = (this.#wanted.get(topic) ?? 0) - 1;
      if (left > 0) this.#wanted.set(topic, left);
      else this.#wanted.delete(topic);
    }
    return true;
  }

  #stop(): void {
    for (const timer of [this.#admitting, this.#settling, this.#shrinking]) timer?.unsubscribe();
    this.#admitting = this.#settling = this.#shrinking = undefined;
    for (const stream of [...this.#streams]) this.#close(stream);
  }

  /** The newest stream that is acknowledged: the one that all will be on. */
  get #newest(): Stream | undefined {
    return this.#streams.filter(({ acknowledged }) => acknowledged !== undefined).at(-1);
  }

  /** What has been asked for and is not acknowledged yet. */
  get #pending(): Stream | undefined {
    const last = this.#streams.at(-1);
    return last?.acknowledged === undefined ? last : undefined;
  }

  /** At the end of this turn, so that all who come in it come together; or when what is on its way has come. */
  #admitSoon(): void {
    this.#admitting?.unsubscribe();
    if (this.#coming.size === 0) return;
    const pending = this.#pending;
    const wait = pending === undefined ? 0 : pending.since + patienceMs - asyncScheduler.now();
    this.#admitting = asyncScheduler.schedule(() => this.#admit(), Math.min(Math.max(wait, 0), patienceMs));
  }

  #admit(): void {
    const newest = this.#newest;
    const strangers: Listener[] = [];
    for (const listener of [...this.#coming])
      if (newest?.lost === false && within(listener.wanted, newest.honoured)) {
        this.#coming.delete(listener);
        this.#attach(listener, newest);
        this.#acknowledge(listener);
      } else strangers.push(listener);
    // Whoever was told just now may have made others go.
    const asking = strangers.filter((listener) => this.#coming.delete(listener));
    if (asking.length > 0) this.#ask(asking);
  }

  /** Asks for all that is wanted. */
  #ask(listeners: readonly Listener[]): void {
    const topics = new Set(this.#wanted.keys());
    const subscription = new Subscription();
    const since = asyncScheduler.now();
    const stream: Stream = { topics, since, listeners: new Set(), subscription, honoured: new Set(), lost: false };
    this.#streams.push(stream);
    for (const listener of listeners) this.#attach(listener, stream);
    const request = { method: listenMethod, params: { notifications: filterOf(topics), _meta: {} } };
    subscription.add(
      this.#next(request, {}, () => this.#lost(stream)).subscribe({
        next: (emission) => this.#hear(stream, emission),
        error: (error: unknown) => this.#over(stream, (listener) => this.#failed(listener, topics, error)),
        complete: () => this.#over(stream, ({ subscriber }) => subscriber.complete()),
      }),
    );
  }

  #hear(stream: Stream, emission: Emission): void {
    if (isAnswer(emission))
      return this.#over(stream, ({ subscriber }) => {
        subscriber.next(emission);
        subscriber.complete();
      });
    if (emission.method === acknowledgedMethod) return this.#begun(stream, emission.params ?? {});
    this.#heard = asyncScheduler.now();
    const concerned = concerns(emission, stream.topics);
    for (const { wanted, subscriber } of [...stream.listeners]) if (concerned(wanted)) subscriber.next(emission);
  }

  #begun(stream: Stream, params: JsonObject): void {
    stream.acknowledged = params;
    stream.honoured = topicsOf(params['notifications']);
    stream.lost = false;
    for (const listener of [...stream.listeners]) this.#acknowledge(listener);
    for (const older of this.#before(stream))
      if (older.lost || older.acknowledged === undefined) this.#move(older, stream, true);
    this.#settle(asyncScheduler.now());
    this.#admitSoon();
  }

  /** Nothing is heard on it for now. Where another has begun, nobody waits until it is. */
  #lost(stream: Stream): void {
    stream.lost = true;
    const newest = this.#newest;
    if (newest?.lost === false && this.#before(newest).includes(stream)) this.#move(stream, newest, true);
  }

  /** Moves all to the newest stream once there is nothing that only one of the two has told. */
  #settle(since: number): void {
    this.#settling?.unsubscribe();
    this.#settling = undefined;
    const newest = this.#newest;
    const older = newest === undefined ? [] : this.#before(newest);
    if (newest === undefined || older.length === 0) return;
    const now = asyncScheduler.now();
    const silent = now - Math.max(since, this.#heard);
    const tooLong = now - since >= longestMs;
    if (silent >= quietMs || tooLong) for (const stream of older) this.#move(stream, newest, tooLong);
    else
      this.#settling = asyncScheduler.schedule(
        () => this.#settle(since),
        Math.min(Math.max(quietMs - silent, 0), quietMs),
      );
  }

  /** @param missed - whether they may have missed something, and are to look again */
  #move(from: Stream, to: Stream, missed: boolean): void {
    const moving = [...from.listeners];
    for (const listener of moving) this.#attach(listener, to);
    this.#close(from);
    for (const listener of moving) {
      const honoured = common(listener.wanted, to.honoured);
      if (missed || listener.told?.size !== honoured.size || !within(honoured, listener.told))
        this.#acknowledge(listener);
    }
  }

  #attach(listener: Listener, stream: Stream): void {
    listener.stream?.listeners.delete(listener);
    listener.stream = stream;
    stream.listeners.add(listener);
  }

  /** Tells a listener that it is listened for, and for how much of what it wants (SUB-04). */
  #acknowledge(listener: Listener): void {
    const { stream, wanted, subscriber } = listener;
    if (stream?.acknowledged === undefined) return;
    listener.told = common(wanted, stream.honoured);
    subscriber.next({
      method: acknowledgedMethod,
      params: { ...stream.acknowledged, notifications: filterOf(listener.told) },
    });
  }

  #over(stream: Stream, end: (listener: Listener) => void): void {
    const listeners = [...stream.listeners];
    stream.listeners.clear();
    this.#close(stream);
    for (const listener of listeners) {
      listener.stream = undefined;
      end(listener);
    }
    this.#admitSoon();
  }

  /** Where all were refused together, which of them was meant is not known: each asks for itself. */
  #failed(listener: Listener, asked: Topics, error: unknown): void {
    const { request, context, wanted, subscriber } = listener;
    if (!(error instanceof RpcError) || within(asked, wanted)) return subscriber.error(error);
    if (!this.#forget(listener)) return;
    subscriber.add(this.#next(request, context).subscribe(subscriber));
    if (this.#listeners.size === 0) this.#stop();
  }

  #shrink(): void {
    this.#shrinking = undefined;
    if (this.#pending !== undefined || this.#settling !== undefined)
      this.#shrinking = asyncScheduler.schedule(() => this.#shrink(), lingerMs);
    else if ((this.#newest?.topics.size ?? 0) > this.#wanted.size) this.#ask([]);
  }

  #close(stream: Stream): void {
    const at = this.#streams.indexOf(stream);
    if (at !== -1) this.#streams.splice(at, 1);
    stream.subscription.unsubscribe();
  }

  #before(stream: Stream): readonly Stream[] {
    return this.#streams.slice(0, Math.max(this.#streams.indexOf(stream), 0));
  }
}

const watchedIn = (topics: Topics): number => [...topics].filter(isResource).length;
