/**
 * A process and all that it has started. On POSIX it leads a process group of its own, which outlives it; on Windows
 * `taskkill` finds its descendants while it lives.
 */
import { spawn, spawnSync } from 'node:child_process';

const windows = process.platform === 'win32';

/** Whether any process of the group is left. A zombie that nobody collects counts, as the system does not tell. */
export const isAlive = (leader: number): boolean => signalGroup(leader, 0);

/** Asks the group to end (SIGTERM) or ends it (SIGKILL); Windows knows only the latter. */
export const endGroup = (leader: number, signal: 'SIGTERM' | 'SIGKILL'): void => {
  if (windows) spawn('taskkill', taskkill(leader), { stdio: 'ignore', windowsHide: true }).on('error', () => undefined);
  else signalGroup(leader, signal);
};

const taskkill = (leader: number) => ['/pid', String(leader), '/T', '/F'];

const signalGroup = (leader: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    process.kill(windows ? leader : -leader, signal);
    return true;
  } catch {
    // ESRCH: nobody is left. EPERM: nobody whom we may end (on macOS: only zombies).
    return false;
  }
};

/** How long groups have to end by themselves when our own process exits, in ms: nothing can be awaited by then. */
const lastGraceMs = 100;

const fatal = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The groups that must not outlive this process. One set and one hook for all, because a process ends once. */
const groups = new Set<number>();

const endAll = (): void => {
  for (const leader of groups) if (!windows) signalGroup(leader, 'SIGTERM');
  if (!windows) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lastGraceMs);
  for (const leader of groups) {
    if (windows) spawnSync('taskkill', taskkill(leader), { stdio: 'ignore', windowsHide: true });
    else signalGroup(leader, 'SIGKILL');
  }
};

/** A signal that nobody else handles ends us without an 'exit' event, and a terminal's ^C does not reach the groups. */
const onSignal = (signal: NodeJS.Signals): void => {
  if (process.listenerCount(signal) > 1) return;
  endAll();
  for (const name of fatal) process.off(name, onSignal);
  process.kill(process.pid, signal);
};

/** Ends the group when our own process ends first. Returns what takes it off the list. */
export const endWithUs = (leader: number): (() => void) => {
  if (groups.size === 0) {
    process.on('exit', endAll);
    for (const name of fatal) process.on(name, onSignal);
  }
  groups.add(leader);
  return () => {
    if (!groups.delete(leader) || groups.size > 0) return;
    process.off('exit', endAll);
    for (const name of fatal) process.off(name, onSignal);
  };
};
