/** The oldest way over HTTP: one stream of events for all that the server says, and POSTs for what the client says. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { agentCarrier, sse } from '../../lib/node/index.ts';
import { takeRequest } from '../../lib/node/node-reply.ts';
import { modernRevisions } from '../../lib/protocol/revisions.ts';
import { sseServer } from '../../lib/transport/http/sse-server.ts';
import { fixture } from './fixture.ts';
import { judges, oldest } from './http-rules.ts';
import { layHttp } from './http-wirings.ts';
import type { Wiring } from './wirings.ts';

export const sseWiring: Wiring = {
  name: 'HTTP+SSE',
  serialises: true,
  without: Object.fromEntries(
    modernRevisions.map((revision) => [revision, 'it is older than requests without a handshake (SSE-09)']),
  ),
  start: async () => {
    const { server, ledger } = fixture();
    const held = server.held$?.subscribe();
    const oldServer = sseServer(server, {}, { tell: () => undefined });
    const streams = oldServer.stream('/message');
    const listening = createServer((request, response) => {
      const { url = '' } = request;
      const desk = url === '/sse' ? streams : oldServer.message(url);
      takeRequest(desk, request, response);
    }).listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const { port } = listening.address() as AddressInfo;
    const way = layHttp(agentCarrier({ proxy: false }), {
      reach: (carrier) => sse(`http://127.0.0.1:${port}/sse`, { carrier }),
      judge: () => judges(oldest),
      streamsOnly: true,
    });
    return {
      ledger,
      way,
      end: async () => {
        oldServer.close();
        held?.unsubscribe();
        listening.close();
        listening.closeAllConnections();
        await ledger.idle();
      },
    };
  },
};
