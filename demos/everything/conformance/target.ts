/** How the conformance client reaches a server, by the scheme of its URL. */
import type { Target } from 'rxmcp';
import { socket } from 'rxmcp/node';

/** Undefined is one that is to come. */
const schemes: ReadonlyMap<string, ((url: URL) => Target) | undefined> = new Map([
  ['tcp:', ({ hostname, port }: URL): Target => socket({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })],
  ['http:', undefined],
  ['https:', undefined],
]);

/** @throws Error where this is no URL, or leads where there is no way yet */
export const target = (url: string): Target => {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) throw new Error(`${JSON.stringify(url)} is no URL`);
  const reach = schemes.get(parsed.protocol);
  if (reach !== undefined) return reach(parsed);
  throw new Error(
    schemes.has(parsed.protocol)
      ? `${parsed.protocol}// is not there yet; tcp:// is`
      : `there is no way to ${parsed.protocol}; there are ${[...schemes.keys()].join(' ')}`,
  );
};
