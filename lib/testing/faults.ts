/** Channels that misbehave, to see what becomes of those who rely on them. */
import {
  concat,
  delay,
  map,
  mergeMap,
  Observable,
  of,
  take,
  throwError,
  type MonoTypeOperatorFunction,
  type SchedulerLike,
} from 'rxjs';
import type { Channel } from '../exchange/exchange.ts';
import { ConnectionClosed } from '../frame/errors.ts';
import { isObject } from '../frame/frame.ts';

/**
 * Changes what comes in over a channel.
 *
 * @param change - any operator over what comes in: parsed JSON, not yet told apart
 * @returns wraps a channel; to be given to `linked` as `through`
 * @example
 * await using link = await linked(weather, { through: inbound(observeOn(asapScheduler)) });
 */
export const inbound =
  (change: MonoTypeOperatorFunction<unknown>) =>
  (channel: Channel): Channel =>
  (outbound) =>
    channel(outbound).pipe(change);

/**
 * Hands everything that comes in on late, in order.
 *
 * @param ms - how late, in milliseconds
 * @param scheduler - for tests in virtual time
 * @example
 * await using link = await linked(weather, { through: late(50) });
 */
export const late = (ms: number, scheduler?: SchedulerLike): ((channel: Channel) => Channel) =>
  inbound(delay(ms, scheduler));

/**
 * Delivers every inbound message twice, as careless relays do.
 *
 * @example
 * await using link = await linked(weather, { through: twice });
 */
export const twice: (channel: Channel) => Channel = inbound(mergeMap((message) => of(message, message)));

/**
 * Breaks with {@link ConnectionClosed} once so many messages have come in.
 *
 * @param messages - how many still come in
 * @example
 * const link = await linked(weather, { through: cutAfter(2) });
 * await link.client.closed.catch((error: unknown) => console.log(error));
 */
export const cutAfter = (messages: number): ((channel: Channel) => Channel) =>
  inbound((source) =>
    concat(
      source.pipe(take(messages)),
      throwError(() => new ConnectionClosed({ message: 'the link was cut' })),
    ),
  );

/**
 * Loses inbound messages that fit, and everything else goes through.
 *
 * @param fits - says which are lost
 * @example
 * const isProgress = (message: unknown) => JSON.stringify(message).includes('notifications/progress');
 * await using link = await linked(weather, { through: losing(isProgress) });
 */
export const losing = (fits: (message: unknown) => boolean): ((channel: Channel) => Channel) =>
  inbound((source) => source.pipe(mergeMap((message) => (fits(message) ? of() : of(message)))));

/**
 * Changes inbound messages one by one.
 *
 * @param change - gives what comes in instead
 * @example
 * const shouting = (message: unknown): unknown => JSON.parse(JSON.stringify(message).replaceAll('Oslo', 'OSLO'));
 * await using link = await linked(weather, { through: altered(shouting) });
 */
export const altered = (change: (message: unknown) => unknown): ((channel: Channel) => Channel) => inbound(map(change));

/** A far side that is played by hand: the spec sees what is sent, and says what comes back. */
export interface Puppet {
  readonly channel: Channel;
  /** What has been sent to it so far. */
  readonly sent: readonly unknown[];
  /** Lets it say something. */
  say(message: unknown): void;
  /** Lets it close, or break. */
  end(error?: unknown): void;
  /** How many have it open. */
  readonly open: number;
}

/**
 * Plays the far side of a channel by hand.
 *
 * @param answer - called with each message sent to it; what it returns is said at once: one message, an array of them, or
 * undefined for none, an array
 * item by item
 * @example
 * const far = puppet(({ id }) => ({ jsonrpc: '2.0', id, error: { code: -32601, message: 'method not found' } }));
 * connect(far.channel).subscribe({ error: (error) => console.log(error) });
 */
export const puppet = (answer: (message: Readonly<Record<string, unknown>>) => unknown = () => undefined): Puppet => {
  const sent: unknown[] = [];
  const listeners = new Set<{ next(value: unknown): void; error(error: unknown): void; complete(): void }>();
  const say = (message: unknown): void => {
    for (const listener of [...listeners]) listener.next(message);
  };
  return {
    sent,
    say,
    end: (error) => {
      for (const listener of [...listeners]) {
        if (error === undefined) listener.complete();
        else listener.error(error);
      }
    },
    get open() {
      return listeners.size;
    },
    channel: (outbound) =>
      new Observable((subscriber) => {
        listeners.add(subscriber);
        subscriber.add(() => listeners.delete(subscriber));
        subscriber.add(
          outbound.subscribe({
            next: (frame) => {
              sent.push(frame);
              const said = isObject(frame) ? answer(frame) : undefined;
              for (const one of Array.isArray(said) ? said : [said]) if (one !== undefined) subscriber.next(one);
            },
            error: (error: unknown) => subscriber.error(error),
          }),
        );
      }),
  };
};
