/** After every spec nothing is left: no handle, timer or child process, nothing unanswered, no broken rule. */
import { createHook } from 'node:async_hooks';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { breaches, unanswered } from '../../lib/testing/index.ts';
import type { Wire } from './way.ts';

const root = new URL('../../', import.meta.url).pathname;

/** Where each timer that is running now was started, by its id; those of the test runner are not ours. */
const timers = new Map<number, string>();

createHook({
  init: (id, type) => {
    if (type !== 'Timeout' && type !== 'Immediate') return;
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 50;
    const lines = (new Error().stack ?? '').split('\n');
    Error.stackTraceLimit = limit;
    const ours = lines.filter((line) => line.includes(`${root}lib/`) || line.includes(`${root}specs/`));
    const [where] = ours.filter((line) => !line.includes('specs/behaviour/leaks.ts'));
    if (where !== undefined) timers.set(id, where.trim());
  },
  destroy: (id) => timers.delete(id),
}).enable();

/** What keeps this process alive, timers aside: child processes, sockets, servers, pipes. */
const handles = (): readonly string[] =>
  process
    .getActiveResourcesInfo()
    .filter((name) => name !== 'Timeout' && name !== 'Immediate')
    .sort();

interface Held {
  readonly timers: ReadonlyMap<number, string>;
  readonly handles: readonly string[];
}

const held = (): Held => ({ timers: new Map(timers), handles: handles() });

const leftSince = (before: Held): Held => ({
  timers: new Map([...timers].filter(([id]) => !before.timers.has(id))),
  handles: handles(),
});

/** Waits, because handles are given back some turns of the loop after they were closed; without a timer of its own. */
const returned = async (before: Held): Promise<void> => {
  const deadline = performance.now() + 5_000;
  const clean = ({ timers: left, handles: open }: Held): boolean =>
    left.size === 0 && open.join() === before.handles.join();
  while (!clean(leftSince(before)) && performance.now() < deadline)
    await new Promise((resolve) => setImmediate(resolve));
  const left = leftSince(before);
  expect([...left.timers.values()]).toEqual([]);
  expect(left.handles).toEqual(before.handles);
};

/** Asserts that each spec of this file, or all of them together, gives back what it took from the system. */
export const leavesNothing = (scope: 'each' | 'all' = 'each'): void => {
  let before = held();
  const [setUp, tearDown] = scope === 'each' ? ([beforeEach, afterEach] as const) : ([beforeAll, afterAll] as const);
  setUp(() => {
    before = held();
  });
  tearDown(() => returned(before));
};

/** What was found before concerns the spec that it was found in, not those that follow. */
const found = new WeakMap<Wire, Set<string>>();

/** Asserts that one connection has kept the rules since this was asked last, and waits for no answer. */
export const inGoodOrder = (wire: Wire): void => {
  const known = found.get(wire) ?? new Set();
  found.set(wire, known);
  const open = unanswered(wire.overheard).map((one) => `no answer to ${one}`);
  const faults = [...breaches(wire.overheard), ...open, ...(wire.faults ?? [])];
  const fresh = faults.filter((fault) => !known.has(fault));
  for (const fault of fresh) known.add(fault);
  expect(fresh).toEqual([]);
};
