/** How the server can be reached, by the names that its command line has for it. */
import type { Observable } from 'rxjs';
import type { Channel } from 'rxmcp';
import { stdio, webSockets } from 'rxmcp/node';

/** Where a transport that listens is to do so. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

type Open = (place: Place) => Observable<Channel>;

const path = '/mcp';

/** Undefined is one that is to come. */
const transports: ReadonlyMap<string, Open | undefined> = new Map([
  ['stdio', () => stdio()],
  ['http', undefined],
  ['sse', undefined],
  [
    'ws',
    (place: Place) =>
      webSockets({
        ...place,
        path,
        onListening: (at) =>
          console.error(`listening ws://${place.host}:${typeof at === 'string' ? place.port : at.port}${path}`),
      }),
  ],
]);

/** @throws Error where there is no such transport, or not yet */
export const transportOf = (name: string): Open => {
  const open = transports.get(name);
  if (open !== undefined) return open;
  throw new Error(
    transports.has(name)
      ? `--transport ${name} is not there yet; stdio and ws are`
      : `--transport must be one of ${[...transports.keys()].join(', ')}; got ${JSON.stringify(name)}`,
  );
};
