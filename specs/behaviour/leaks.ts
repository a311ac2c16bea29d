/** After every spec nothing is left: no handle, timer or child process, nothing unanswered, no broken rule. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { breaches, unanswered, type Tapped } from '../../lib/testing/index.ts';

/** What keeps this process alive, sorted. */
export const activeResources = (): readonly string[] => process.getActiveResourcesInfo().sort();

/** Waits, because handles are given back some turns of the loop after they were closed. */
const returned = (before: readonly string[]): Promise<void> =>
  vi.waitFor(() => expect(activeResources()).toEqual(before), { timeout: 5_000, interval: 5 });

/** Asserts that each spec of this file, or all of them together, gives back what it took from the system. */
export const leavesNothing = (scope: 'each' | 'all' = 'each'): void => {
  let before: readonly string[] = [];
  const [setUp, tearDown] = scope === 'each' ? ([beforeEach, afterEach] as const) : ([beforeAll, afterAll] as const);
  setUp(() => {
    before = activeResources();
  });
  tearDown(() => returned(before));
};

/** Asserts that one connection has kept the rules, and that `unended` is all that it still waits for. */
export const inGoodOrder = (wire: Tapped, unended: readonly string[] = []): void => {
  expect(breaches(wire.overheard)).toEqual([]);
  expect(unanswered(wire.overheard).filter((one) => !unended.some((method) => one.startsWith(`${method} `)))).toEqual([]);
};
