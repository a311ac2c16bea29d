/** A server over HTTP in a process of its own, which says on stderr or stdout when it is ready. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** A port that nobody had a moment ago. */
const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

/**
 * Starts it with a port in its environment.
 *
 * @returns its origin, once it has said `ready`; `stop` resolves when its process is gone
 */
export const started = async (
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  ready: RegExp,
) => {
  const port = await freePort();
  const child = spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env['PATH'], ...env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  await new Promise<void>((resolve, reject) => {
    let said = '';
    const hear = (part: Buffer): void => {
      said += String(part);
      if (ready.test(said)) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', () => reject(new Error(`it has ended: ${said}`)));
  });
  return {
    origin: `http://127.0.0.1:${port}`,
    stop: async (): Promise<void> => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};
