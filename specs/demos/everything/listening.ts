/** The `everything` server in a process of its own, as scripts start it, once it listens. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface Listening {
  readonly url: string;
  /** All that it has said on stderr. */
  readonly said: () => string;
  /** Asks it to end; resolves with its exit code, or the signal that ended it. */
  readonly stop: () => Promise<number | string | null>;
}

/** Those that no test has stopped, as one that fails does not. */
const left = new Set<ChildProcess>();
afterAll(() => {
  for (const child of left) child.kill('SIGKILL');
});

/**
 * Starts the server on a free port. Rejects with what it said where it ends instead.
 *
 * @param transport - as its command line has it
 * @param env - what its environment has more
 */
export const listening = async (
  transport: 'http' | 'sse' | 'ws',
  env: Readonly<Record<string, string>> = {},
): Promise<Listening> => {
  const args = ['--import', 'tsx', 'demos/everything/server.ts', '--transport', transport, '--port', '0'];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  left.add(child);
  const ended = once(child, 'exit').then(([code, signal]) => {
    left.delete(child);
    return (signal ?? code) as number | string | null;
  });
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => reject(new Error(`it has ended: ${said}`)));
    child.stderr.on('data', (chunk) => {
      said += String(chunk);
      const [, address] = /^listening (\S+)$/m.exec(said) ?? [];
      if (address !== undefined) resolve(address);
    });
  });
  return {
    url,
    said: () => said,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
};
