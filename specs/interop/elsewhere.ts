/** Other people's servers that listen, each in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const preload = new URL('fixtures/told-port.mjs', import.meta.url).href;

export interface Elsewhere {
  readonly port: number;
  /** Ends it, with its connections. */
  readonly stop: () => Promise<unknown>;
}

/**
 * Starts a script on whatever port it gets. Rejects with what it said where it ends instead.
 *
 * @param args - the script and its arguments
 * @param env - of `lifelines`
 */
export const elsewhere = async (args: readonly string[], env: Readonly<Record<string, string>>): Promise<Elsewhere> => {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: {
      ...env,
      PATH: process.env['PATH'],
      PORT: '0',
      NODE_OPTIONS: `${env['NODE_OPTIONS'] ?? ''} --import ${preload}`,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  let said = '';
  const port = await new Promise<number>((resolve, reject) => {
    child.once('error', reject).once('close', () => reject(new Error(`it has ended: ${said}`)));
    child.stderr.on('data', (chunk) => {
      said += String(chunk);
      const [, found] = /^port (\d+)$/m.exec(said) ?? [];
      if (found !== undefined) resolve(Number(found));
    });
  });
  return {
    port,
    stop: () => {
      child.kill('SIGKILL');
      return ended;
    },
  };
};
