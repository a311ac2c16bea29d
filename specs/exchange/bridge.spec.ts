import { async as callback, die, fail, never, succeed } from 'effect/Effect';
import { concat, NEVER, of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { deliver, type Pick } from '../../lib/exchange/bridge.ts';
import { progress } from '../../lib/exchange/notice.ts';
import { createLedger } from '../../lib/testing/index.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

const run = (answer: unknown, pick?: Pick) => {
  const seen: unknown[] = [];
  let settle = (): void => undefined;
  const settled = new Promise<void>((resolve) => (settle = resolve));
  const stop = deliver(
    answer,
    {
      notice: ({ params }) => seen.push(params['progress']),
      value: (value) => {
        seen.push({ value });
        settle();
      },
      error: (error) => {
        seen.push({ error });
        settle();
      },
    },
    pick,
  );
  return { seen, stop, settled };
};

async function* generated(...items: unknown[]) {
  for (const item of items) yield item;
}

describe('a handler may answer with', () => {
  it.each([undefined, null, 0, '', 'text', [], { a: 1 }])('a plain value, at once: %j', (value) => {
    const { seen, stop } = run(value);
    expect(seen).toEqual([{ value }]);
    expect(stop).toBeUndefined();
  });

  it('a promise, or one of any other way', async () => {
    const one = run(Promise.resolve(1));
    const two = run(Promise.resolve(of(progress(1), 2)));
    const three = run(Promise.reject(new Error('no')));
    await Promise.all([one.settled, two.settled, three.settled]);
    expect(one.seen).toEqual([{ value: 1 }]);
    expect(two.seen).toEqual([1, { value: 2 }]);
    expect(three.seen).toEqual([{ error: new Error('no') }]);
  });

  it('a promise of what breaks when it is looked at: an error, and no rejection that nobody handles', async () => {
    const broken = {
      [Symbol.asyncIterator]: () => {
        throw new Error('no iterator');
      },
    };
    const { seen, settled } = run(Promise.resolve(broken));
    await settled;
    expect(seen).toEqual([{ error: new Error('no iterator') }]);
  });

  it('an Observable: notices, and the last value; or the first; or each', () => {
    const source = of(progress(1), 'a', progress(2), 'b');
    expect(run(source).seen).toEqual([1, 2, { value: 'b' }]);
    expect(run(source, 'first').seen).toEqual([1, { value: 'a' }]);
    expect(run(source, 'each').seen).toEqual([1, { value: 'a' }, 2, { value: 'b' }]);
    expect(run(of()).seen).toEqual([{ value: undefined }]);
    expect(run(throwError(() => 'no')).seen).toEqual([{ error: 'no' }]);
  });

  it('an Observable that goes on: the first value is enough, and lets it go', () => {
    const ledger = createLedger();
    expect(run(concat(of('a'), NEVER).pipe(ledger.watch('source')), 'first').seen).toEqual([{ value: 'a' }]);
    const later = new Subject<string>();
    const { seen, stop } = run(later.pipe(ledger.watch('later')), 'first');
    later.next('x');
    later.next('y');
    stop?.();
    expect(seen).toEqual([{ value: 'x' }]);
    expect(ledger.live).toEqual({});
  });

  it('an async iterable: what it returns, or else what it yielded last', async () => {
    const returning = (async function* () {
      yield progress(1);
      yield 'not this';
      return 'this';
    })();
    const [one, two, three] = [
      run(returning),
      run(generated(progress(1), 'a', 'b')),
      run(generated('a', 'b'), 'first'),
    ];
    await Promise.all([one.settled, two.settled, three.settled]);
    expect([one.seen, two.seen, three.seen]).toEqual([[1, { value: 'this' }], [1, { value: 'b' }], [{ value: 'a' }]]);
  });

  it('an Effect, whatever way it ends', async () => {
    const error = new Error('no');
    const runs = [
      run(succeed(1)),
      run(fail(error)),
      run(die(error)),
      run(callback<number>((resume) => queueMicrotask(() => resume(succeed(2))))),
    ];
    await Promise.all(runs.map(({ settled }) => settled));
    expect(runs.map(({ seen }) => seen)).toEqual([[{ value: 1 }], [{ error }], [{ error }], [{ value: 2 }]]);
  });
});

describe('what is stopped', () => {
  it('says nothing more, in any way', async () => {
    const ledger = createLedger();
    let resolve = (_: unknown): void => undefined;
    const promise = new Promise((done) => (resolve = done));
    let wake = (): void => undefined;
    const pending = new Promise<void>((done) => (wake = done));
    const release = ledger.acquire('iterator');
    const iterable = (async function* () {
      try {
        await pending;
        yield progress(1);
        return 'late';
      } finally {
        release();
      }
    })();
    const runs = [run(promise), run(NEVER.pipe(ledger.watch('observable'))), run(iterable), run(never)];
    for (const { stop } of runs) {
      stop?.();
      stop?.();
    }
    resolve(of('late').pipe(ledger.watch('late')));
    wake();
    await ledger.idle();
    expect(runs.flatMap(({ seen }) => seen)).toEqual([]);
    expect(ledger.entries).toEqual(['observable unsubscribed']);
  });

  it('stops also what a promise has resolved to', async () => {
    const ledger = createLedger();
    const { stop } = run(Promise.resolve(NEVER.pipe(ledger.watch('inner'))));
    await Promise.resolve();
    expect(ledger.live).toEqual({ inner: 1 });
    stop?.();
    expect(ledger.live).toEqual({});
  });

  it('and throws on its way out bothers nobody', async () => {
    const iterable = (async function* () {
      try {
        yield progress(1);
        await new Promise(() => undefined);
      } finally {
        // eslint-disable-next-line no-unsafe-finally -- this is what is tried
        throw new Error('on the way out');
      }
    })();
    const { stop, seen } = run(iterable);
    await Promise.resolve();
    stop?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen.every((one) => one === 1)).toBe(true);
  });
});
