/** Time is virtual, and no clock outlives its spec. */
import { afterEach, beforeEach, expect, vi } from 'vitest';

export const virtualTime = (): void => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    const left = vi.getTimerCount();
    vi.useRealTimers();
    expect(left).toBe(0);
  });
};
