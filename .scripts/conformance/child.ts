/** Other programs, each with all that it starts: nothing of it is left when it has ended, or we have. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { endGroup, endWithUs } from '../../lib/node/process-group.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What is served or asked here is on this machine, whatever else goes through a proxy. */
const env = {
  ...process.env,
  NO_COLOR: '1',
  NO_PROXY: 'localhost,127.0.0.1,[::1]',
  no_proxy: 'localhost,127.0.0.1,[::1]',
};

/** A program that runs. */
export interface Child {
  /** Resolves when it has ended, with its exit code or the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Ends it and all that it has started. */
  readonly end: () => void;
}

/**
 * Starts a program at the project's root, in a process group of its own.
 *
 * @param command - the program and its arguments
 * @param log - path of the file that all of its output goes to
 */
export const start = ([program = '', ...args]: readonly string[], log: string): Child => {
  const output = openSync(log, 'a');
  const child = spawn(program, args, { cwd: root, env, detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  const { pid } = child;
  const forget = pid === undefined ? undefined : endWithUs(pid);
  const end = (): void => {
    if (pid !== undefined) endGroup(pid, 'SIGKILL');
  };
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject).once('exit', (code, signal) => {
      // What it has left behind goes with it.
      end();
      forget?.();
      resolve(signal ?? code ?? 0);
    });
  });
  return { ended, end };
};
