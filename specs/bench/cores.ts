/** Where processes run: the measured one on a core of its own, what drives it on another. */
import { spawnSync } from 'node:child_process';

/** A command line that runs Node with these arguments. */
export type NodeCommand = (...args: string[]) => [command: string, ...args: string[]];

export interface Cores {
  readonly measured: NodeCommand;
  readonly driving: NodeCommand;
  /** How the run was pinned, in words for the report. */
  readonly said: string;
}

/** The cores that this process may use, `0-3,6` in the words of `taskset`; none where there is no such program. */
const allowed = (): number[] => {
  const { status, stdout } = spawnSync('taskset', ['-pc', String(process.pid)], { encoding: 'utf8' });
  if (status !== 0) return [];
  const list = stdout.slice(stdout.lastIndexOf(':') + 1).trim();
  return list.split(',').flatMap((range) => {
    const [from = NaN, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, n) => from + n);
  });
};

export const cores = (): Cores => {
  const found = allowed();
  const [driver, measured] = [found[0], found.at(-1)];
  if (driver === undefined || measured === undefined || driver === measured) {
    const anywhere: NodeCommand = (...args) => [process.execPath, ...args];
    const why = found.length === 0 ? 'there is no taskset here' : 'there is only one core here';
    return { measured: anywhere, driving: anywhere, said: `NOT pinned (${why}): scheduling hides the code` };
  }
  const on =
    (core: number): NodeCommand =>
    (...args) => ['taskset', '-c', String(core), process.execPath, ...args];
  return {
    measured: on(measured),
    driving: on(driver),
    said: `measured on core ${measured}, driver on core ${driver}`,
  };
};
