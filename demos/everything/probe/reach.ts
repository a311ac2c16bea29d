/** How the probe reaches a server. */
import type { Channel } from 'rxmcp';
import { spawn, webSocket, type SpawnChannel } from 'rxmcp/node';
import type { Orders } from './orders.ts';

/** Undefined is one that is to come. */
const reaches: ReadonlyMap<string, ((address: string) => SpawnChannel | Channel) | undefined> = new Map([
  ['stdio', (line: string) => shell(line)],
  ['url', undefined],
  ['sse', undefined],
  ['ws', (address: string) => webSocket(address)],
]);

/** What a person would get who typed the line: their shell's rules, and the whole environment. */
const shell = (line: string): SpawnChannel =>
  process.platform === 'win32'
    ? spawn('cmd', ['/d', '/s', '/c', line], { inheritEnv: true })
    : spawn('sh', ['-c', line], { inheritEnv: true });

/** @throws Error where there is no way there yet */
export const reach = ({ kind, address }: Orders['to']): SpawnChannel | Channel => {
  const make = reaches.get(kind);
  if (make === undefined) throw new Error(`--${kind} is not there yet; --stdio and --ws are`);
  return make(address);
};
