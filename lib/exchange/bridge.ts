/**
 * Where the ways of answering meet: a plain value, a Promise, an async iterable, an Observable or an Effect becomes
 * notices and one value; tearing it down stops whichever it is.
 */
import { isEffect, runCallback, type Effect } from 'effect/Effect';
import { isFailure } from 'effect/Exit';
import { squash } from 'effect/Cause';
import { isObservable, type Observable } from 'rxjs';
import { isNotice, type Notice } from './notice.ts';

/** What a handler may return to answer with a `T`. */
export type Answering<T> =
  | T
  | PromiseLike<T>
  | AsyncGenerator<Notice, T, undefined>
  | AsyncIterable<T | Notice>
  | Observable<T | Notice>
  | Effect<T, unknown>;

/** Where an answer goes: notices first, then exactly one of `value` and `error`. */
export interface Sink {
  notice(notice: Notice): void;
  value(value: unknown): void;
  error(error: unknown): void;
  /** For who wants each value: there will be no more. */
  done?(): void;
}

/**
 * Which value of a stream of several is the answer: a tool answers with the last, a resource reads as the first; who
 * watches a resource wants each.
 */
export type Pick = 'first' | 'last' | 'each';

type Stop = () => void;

/**
 * Delivers what a handler returned to a sink. Plain values arrive before this returns.
 *
 * @returns what stops the work: the Observable unsubscribed, the iterator returned, the fiber interrupted; undefined
 * where nothing is left to stop
 */
export const deliver = (answer: unknown, sink: Sink, pick: Pick = 'last'): Stop | undefined => {
  if (typeof answer !== 'object' || answer === null) return void sink.value(answer);
  if (isPromise(answer)) return fromPromise(answer, sink, pick);
  if (isObservable(answer)) return fromObservable(answer, sink, pick);
  if (isAsyncIterable(answer)) return fromAsyncIterable(answer, sink, pick);
  if (isEffect(answer)) return fromEffect(answer as Effect<unknown, unknown>, sink);
  return void sink.value(answer);
};

const isPromise = (value: object): value is PromiseLike<unknown> => 'then' in value && typeof value.then === 'function';

const isAsyncIterable = (value: object): value is AsyncIterable<unknown> => Symbol.asyncIterator in value;

/** A Promise may still resolve to a stream, which then is what has to be stopped. */
const fromPromise = (promise: PromiseLike<unknown>, sink: Sink, pick: Pick): Stop => {
  let stopped = false;
  let inner: Stop | undefined;
  promise.then(
    (value) => {
      if (stopped) return;
      try {
        inner = deliver(value, sink, pick);
      } catch (error) {
        sink.error(error);
      }
    },
    (error: unknown) => {
      if (!stopped) sink.error(error);
    },
  );
  return () => {
    stopped = true;
    inner?.();
  };
};

const fromObservable = (source: Observable<unknown>, sink: Sink, pick: Pick): Stop => {
  let last: unknown;
  let picked = false;
  const subscription = source.subscribe({
    next: (value) => {
      if (picked) return;
      if (isNotice(value)) return sink.notice(value);
      if (pick === 'each') return sink.value(value);
      last = value;
      if (pick === 'first') {
        picked = true;
        sink.value(value);
      }
    },
    error: (error: unknown) => {
      if (!picked) sink.error(error);
    },
    complete: () => {
      if (pick === 'each') sink.done?.();
      else if (!picked) sink.value(last);
    },
  });
  if (picked) subscription.unsubscribe();
  return () => subscription.unsubscribe();
};

const fromAsyncIterable = (source: AsyncIterable<unknown>, sink: Sink, pick: Pick): Stop => {
  const iterator = source[Symbol.asyncIterator]();
  let stopped = false;
  let last: unknown;
  const ended = (returned: unknown): void => {
    stopped = true;
    if (pick === 'each') sink.done?.();
    else sink.value(returned === undefined ? last : returned);
  };
  const pull = async (): Promise<void> => {
    while (!stopped) {
      const step = await iterator.next();
      if (stopped) return;
      if (step.done === true) return ended(step.value);
      if (isNotice(step.value)) sink.notice(step.value);
      else if (pick === 'each') sink.value(step.value);
      else {
        last = step.value;
        if (pick === 'first') {
          ended(last);
          await iterator.return?.();
        }
      }
    }
  };
  pull().catch((error: unknown) => {
    if (!stopped) sink.error(error);
  });
  return () => {
    if (stopped) return;
    stopped = true;
    // A generator that is awaiting runs its `finally` when that settles; what it throws then has nobody to hear it.
    (async () => iterator.return?.())().catch(() => undefined);
  };
};

const fromEffect = (effect: Effect<unknown, unknown>, sink: Sink): Stop => {
  let stopped = false;
  const cancel = runCallback(effect, {
    onExit: (exit) => {
      if (stopped) return;
      stopped = true;
      if (isFailure(exit)) sink.error(squash(exit.cause));
      else sink.value(exit.value);
    },
  });
  return () => {
    if (stopped) return;
    stopped = true;
    cancel();
  };
};
