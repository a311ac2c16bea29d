import { defer, of, Subject, throwError, type Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { live } from '../../lib/client/live.ts';
import { ConnectionClosed } from '../../lib/index.ts';

const cut = new ConnectionClosed({ message: 'cut' });

describe('a live value whose fetch breaks', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const looking = () => {
    const changes$ = new Subject<void>();
    const answers: Observable<string>[] = [of('first'), throwError(() => cut)];
    const seen: unknown[] = [];
    live(
      changes$,
      defer(() => answers.shift() ?? of('further')),
    ).subscribe({
      next: (value) => seen.push(value),
      error: (error: unknown) => seen.push(error),
      complete: () => seen.push('over'),
    });
    changes$.next();
    changes$.next();
    // Changes are gathered for a while.
    vi.advanceTimersByTime(20);
    return { changes$, seen };
  };

  it('fails while the conversation goes on: nobody takes an old value for the latest', () => {
    const { seen } = looking();
    vi.advanceTimersByTime(1);
    expect(seen).toEqual(['first', cut]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('completes with the conversation, which tells itself how it ended', () => {
    const { changes$, seen } = looking();
    changes$.complete();
    vi.advanceTimersByTime(1000);
    expect(seen).toEqual(['first', 'over']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
