import { Observable, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../lib/frame/frame.ts';
import { memoryPair } from '../../lib/transport/memory.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

const frame = (n: number): Frame => ({ jsonrpc: '2.0', method: `m${n}` });

const sides = (options?: Parameters<typeof memoryPair>[0]) =>
  memoryPair(options).map((channel) => {
    const out = new Subject<Frame>();
    const seen: unknown[] = [];
    const onMessage: ((value: unknown) => void)[] = [];
    const subscription = channel(out).subscribe({
      next: (value) => {
        seen.push(value);
        for (const listener of onMessage) listener(value);
      },
      complete: () => seen.push('complete'),
      error: (error: unknown) => seen.push(error),
    });
    return { out, seen, onMessage, close: () => subscription.unsubscribe() };
  }) as [Side, Side];
interface Side {
  readonly out: Subject<Frame>;
  readonly seen: unknown[];
  readonly onMessage: ((value: unknown) => void)[];
  readonly close: () => void;
}

describe('two ends in memory', () => {
  it('hand frames over as they are, or as text (TRN-06)', () => {
    const sent = frame(1);
    const [left, right] = sides();
    left.out.next(sent);
    expect(right.seen[0]).toBe(sent);
    const [from, to] = sides({ serialise: true });
    from.out.next(sent);
    expect(to.seen).toEqual([sent]);
    expect(to.seen[0]).not.toBe(sent);
  });

  it('deliver in order, however deep one message provokes another', () => {
    const [left, right] = sides();
    let count = 0;
    const again = (side: Side) => (): void => {
      if (count < 200_000) side.out.next(frame((count += 1)));
    };
    left.onMessage.push(again(left));
    right.onMessage.push(again(right));
    left.out.next(frame(0));
    expect(count).toBe(200_000);
    expect(right.seen.slice(0, 3)).toEqual([frame(0), frame(2), frame(4)]);
  });

  it('complete one another, after everything that was said before', () => {
    const [left, right] = sides();
    right.onMessage.push(() => {
      right.out.next(frame(2));
      right.close();
    });
    left.out.next(frame(1));
    expect(left.seen).toEqual([frame(2), 'complete']);
    left.out.next(frame(3));
    expect(right.seen).toEqual([frame(1)]);
    expect([left.out.observed, right.out.observed]).toEqual([false, false]);
  });

  it('close both where one is closed', () => {
    const [left, right] = sides();
    left.close();
    expect(right.seen).toEqual(['complete']);
    expect([left.out.observed, right.out.observed]).toEqual([false, false]);
  });

  it('answer for what JSON cannot say, as a wire does', () => {
    const [left, right] = sides({ serialise: true });
    left.out.next({ jsonrpc: '2.0', id: 1, result: { big: 1n } });
    expect(right.seen).toMatchObject([{ id: 1, error: { code: -32603 } }]);
    left.out.next({ jsonrpc: '2.0', id: 2, method: 'm', params: { big: 1n } });
    expect(left.seen).toMatchObject([{ answers: 2 }]);
    left.out.next({ jsonrpc: '2.0', method: 'm', params: { big: 1n } });
    left.out.next(frame(1));
    expect(right.seen.slice(1)).toEqual([frame(1)]);
  });

  it('complete at once where the other has left before', () => {
    const [near, far] = memoryPair();
    near(new Observable()).subscribe().unsubscribe();
    const seen: unknown[] = [];
    far(new Observable()).subscribe({ complete: () => seen.push('complete') });
    expect(seen).toEqual(['complete']);
  });
});
