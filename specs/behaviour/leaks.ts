/** After every spec nothing is left: no handle, timer or child process, nothing unanswered, no broken rule. */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { breaches, unanswered, type Tapped } from '../../lib/testing/index.ts';

/** What keeps this process alive, sorted. */
export const activeResources = (): readonly string[] => process.getActiveResourcesInfo().sort();

/** Waits, because handles are given back some turns of the loop after they were closed; without a timer of its own. */
const returned = async (before: readonly string[]): Promise<void> => {
  const deadline = performance.now() + 5_000;
  while (activeResources().join() !== before.join() && performance.now() < deadline)
    await new Promise((resolve) => setImmediate(resolve));
  expect(activeResources()).toEqual(before);
};

/** Asserts that each spec of this file, or all of them together, gives back what it took from the system. */
export const leavesNothing = (scope: 'each' | 'all' = 'each'): void => {
  let before: readonly string[] = [];
  const [setUp, tearDown] = scope === 'each' ? ([beforeEach, afterEach] as const) : ([beforeAll, afterAll] as const);
  setUp(() => {
    before = activeResources();
  });
  tearDown(() => returned(before));
};

/** What was found before concerns the spec that it was found in, not those that follow. */
const found = new WeakMap<Tapped, Set<string>>();

/** Asserts that one connection has kept the rules since this was asked last, and waits for no answer. */
export const inGoodOrder = (wire: Tapped): void => {
  const known = found.get(wire) ?? new Set();
  found.set(wire, known);
  const faults = [...breaches(wire.overheard), ...unanswered(wire.overheard).map((one) => `no answer to ${one}`)];
  const fresh = faults.filter((fault) => !known.has(fault));
  for (const fault of fresh) known.add(fault);
  expect(fresh).toEqual([]);
};
