/** How the conformance client reaches a server, by the scheme of its URL. */
import type { Target } from 'rxmcp';
import type { Authorization } from 'rxmcp/auth';
import { remote, socket } from 'rxmcp/node';

type Way = (url: URL, auth: Authorization | undefined) => Target;

const schemes: ReadonlyMap<string, Way> = new Map<string, Way>([
  ['http:', (url, auth) => remote(url, { auth })],
  ['https:', (url, auth) => remote(url, { auth })],
  ['tcp:', ({ hostname, port }) => socket({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })],
]);

/**
 * @param auth - proves who asks, where that is to be proved
 * @throws Error where this is no URL, or leads where there is no way
 */
export const target = (url: string, auth?: Authorization): Target => {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) throw new Error(`${JSON.stringify(url)} is no URL`);
  const reach = schemes.get(parsed.protocol);
  if (reach !== undefined) return reach(parsed, auth);
  throw new Error(`there is no way to ${parsed.protocol}; there are ${[...schemes.keys()].join(' ')}`);
};
