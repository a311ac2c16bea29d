/** How the probe reaches a server. */
import type { Target } from 'rxmcp';
import { remote, spawn, sse, webSocket, type SpawnChannel } from 'rxmcp/node';
import type { Orders } from './orders.ts';

const reaches: Readonly<Record<Orders['to']['kind'], (address: string) => SpawnChannel | Target>> = {
  stdio: (line) => shell(line),
  url: (address) => remote(address),
  sse: (address) => sse(address),
  ws: (address) => webSocket(address),
};

/** What a person would get who typed the line: their shell's rules, and the whole environment. */
const shell = (line: string): SpawnChannel =>
  process.platform === 'win32'
    ? spawn('cmd', ['/d', '/s', '/c', line], { inheritEnv: true })
    : spawn('sh', ['-c', line], { inheritEnv: true });

/** @throws Error where the address is none */
export const reach = ({ kind, address }: Orders['to']): SpawnChannel | Target => reaches[kind](address);
