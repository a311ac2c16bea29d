/** Where the page connects to, again and again, and what of it is shown. */
import { map, merge, of, switchMap, tap, type Observable } from 'rxjs';
import { connect, remote, restart, steady, webSocket, type Client, type ConnectionState, type Target } from 'rxmcp';

export type Transport = 'http' | 'webSocket';

/** How it stands with the connection; the client is there once there has been a first one. */
export interface Standing {
  readonly state: ConnectionState | 'connecting';
  readonly client: Client | undefined;
}

const here = (scheme: string, path: string): URL => {
  const url = new URL(path, location.href);
  url.protocol = scheme;
  return url;
};

const targets: Readonly<Record<Transport, () => Target>> = {
  http: () => remote(here(location.protocol, '/mcp')),
  webSocket: () => webSocket(here('ws:', '/ws')),
};

/**
 * One client for as long as this is subscribed, over however many connections, and how it stands with them.
 *
 * @param failed - told why a connection could not be made, or ended
 */
export const standing = (transport: Transport, failed: (error: unknown) => void): Observable<Standing> =>
  merge(
    of<Standing>({ state: 'connecting', client: undefined }),
    connect(targets[transport]()).pipe(
      tap({ error: failed }),
      restart({ maxMs: 5_000 }),
      steady(),
      switchMap((client) => client.state$.pipe(map((state): Standing => ({ state, client })))),
    ),
  );
