/** The page and the server that it talks to, on one port of this machine. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { merge, Subscription, type Observable } from 'rxjs';
import { serve, type Served } from 'rxmcp';
import { http, webSockets } from 'rxmcp/node';
import { observatory } from './observatory.ts';
import { pageSite } from './site.ts';

const mcpPath = '/mcp';

/** A server, and what it does, line by line. */
export interface Inside {
  readonly server: Served;
  readonly told$: Observable<string>;
}

/** The house while it stands. */
export interface House extends AsyncDisposable {
  readonly url: string;
  /** What the server does, line by line. */
  readonly told$: Observable<string>;
  /** Ends every connection, and takes new ones only when it is opened again. */
  readonly shut: () => void;
  readonly open: () => void;
}

/**
 * Opens the house.
 *
 * @param port - 0 for one that the system chooses
 * @param inside - the server that the page talks to
 * @throws Error where the port is taken
 */
export const house = async (port: number, inside: Inside = observatory()): Promise<House> => {
  const { server, told$ } = inside;
  const page = await pageSite();
  const listener = createServer((request, response) => {
    if (request.url !== mcpPath) page(request, response);
    // While it is open, the server answers there itself.
    else if (running.closed) response.writeHead(503, { 'retry-after': '1' }).end();
  });
  let running = Subscription.EMPTY;
  const shut = (): void => running.unsubscribe();
  const open = (): void => {
    shut();
    running = merge(
      serve(server, http({ server: listener, path: mcpPath })),
      serve(server, webSockets({ server: listener, path: '/ws' })),
    ).subscribe();
  };
  open();
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}/`,
    told$,
    shut,
    open,
    [Symbol.asyncDispose]: async () => {
      shut();
      const closed = once(listener, 'close');
      listener.close();
      listener.closeAllConnections();
      await closed;
    },
  };
};
