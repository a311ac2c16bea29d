/** How the conformance client reaches a server, by the scheme of its URL. */
import type { Target } from 'rxmcp';
import { remote, socket } from 'rxmcp/node';

const schemes: ReadonlyMap<string, (url: URL) => Target> = new Map<string, (url: URL) => Target>([
  ['http:', (url) => remote(url)],
  ['https:', (url) => remote(url)],
  ['tcp:', ({ hostname, port }) => socket({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })],
]);

/** @throws Error where this is no URL, or leads where there is no way */
export const target = (url: string): Target => {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) throw new Error(`${JSON.stringify(url)} is no URL`);
  const reach = schemes.get(parsed.protocol);
  if (reach !== undefined) return reach(parsed);
  throw new Error(`there is no way to ${parsed.protocol}; there are ${[...schemes.keys()].join(' ')}`);
};
