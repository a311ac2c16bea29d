/** What is judged: `demos/everything`, its server and its client. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from './child.ts';

/** How long the server may take to listen, and how often we look, in milliseconds. */
const patienceMs = 20_000;
const lookMs = 50;

/** A server that listens. */
export interface Listening {
  readonly url: string;
  readonly stop: () => Promise<unknown>;
}

/**
 * The command by which the referee starts our client: it takes the words apart, and a shell puts them together. A client
 * that takes too long would outlive the shell that the referee ends, if it were not in its place.
 */
export const client = [
  ...(process.platform === 'win32' ? [] : ['exec']),
  `"${process.execPath}" --import tsx demos/everything/conformance-client.ts`,
].join(' ');

/**
 * Starts our server on a free port.
 *
 * Rejects with what it said where it does not listen in time.
 *
 * @param log - path of the file for what it says
 */
export const serving = async (log: string): Promise<Listening> => {
  const args = ['--import', 'tsx', 'demos/everything/server.ts', '--transport', 'http', '--port', '0'];
  const { ended, end } = start([process.execPath, ...args], log);
  let code: number | string | undefined;
  void ended.then((how) => (code = how));
  const stop = (): Promise<unknown> => {
    end();
    return ended;
  };
  for (let waited = 0; waited < patienceMs && code === undefined; waited += lookMs) {
    const url = /^listening (\S+)$/m.exec(await readFile(log, 'utf8'))?.[1];
    if (url !== undefined) return { url, stop };
    await sleep(lookMs);
  }
  await stop();
  throw new Error(`the server does not listen:\n${await readFile(log, 'utf8')}`);
};
