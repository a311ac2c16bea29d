/** Serves an exchange on a TCP port of this machine. */
import { serve, type Exchange } from 'rxmcp';
import { listen } from 'rxmcp/node';

export interface Serving extends Disposable {
  readonly port: number;
}

/** Resolves when it listens, on a port that the system has chosen; serves until it is disposed of. */
export const serving = (exchange: Exchange): Promise<Serving> =>
  new Promise((resolve, reject) => {
    const running = serve(
      exchange,
      listen({
        port: 0,
        onListening: (address) => {
          if (typeof address !== 'string')
            resolve({ port: address.port, [Symbol.dispose]: () => running.unsubscribe() });
        },
      }),
    ).subscribe({ error: reject });
  });
