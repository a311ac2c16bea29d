/** The ways in which the suite's client reaches the suite's server. */
import { firstValueFrom, Subject } from 'rxjs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { inMemory, ports, portTo, serve, type Channel } from '../../lib/index.ts';
import { listen, socket, spawn, webSocket, webSockets } from '../../lib/node/index.ts';
import type { Ledger } from '../../lib/testing/index.ts';
import { fixture } from './fixture.ts';

/** A server of its own, to be reached through `channel` any number of times. */
export interface Wired {
  readonly channel: Channel;
  /** What its handlers live through, where that can be seen from here. */
  readonly ledger?: Ledger;
  /** Ends the server; resolves when nothing is left of it. */
  readonly end: () => Promise<void>;
}

export interface Wiring {
  readonly name: string;
  /** Whether frames become text on the way. */
  readonly serialises: boolean;
  /** Whether each connection reaches a server of its own. */
  readonly apart?: true;
  readonly start: () => Promise<Wired>;
}

const program = fileURLToPath(new URL('fixture.stdio.ts', import.meta.url));

const inProcess = (name: string, serialise: boolean): Wiring => ({
  name,
  serialises: serialise,
  start: async () => {
    const { server, ledger } = fixture();
    return { ledger, channel: inMemory(server, { serialise }), end: () => ledger.idle() };
  },
});

export const memory = inProcess('memory', false);
export const serialisedMemory = inProcess('serialised memory', true);

export const stdioWiring: Wiring = {
  name: 'stdio',
  serialises: true,
  apart: true,
  start: async () => {
    const channel = spawn(process.execPath, ['--import', 'tsx', program]);
    return { channel, end: () => channel.closed() };
  },
};

export const socketWiring: Wiring = {
  name: 'socket',
  serialises: true,
  start: async () => {
    const { server, ledger } = fixture();
    const listening = new Subject<AddressInfo | string>();
    const address = firstValueFrom(listening);
    const running = serve(server, listen({ port: 0, onListening: (where) => listening.next(where) })).subscribe();
    const { port } = (await address) as AddressInfo;
    return {
      ledger,
      channel: socket({ port, host: '127.0.0.1' }),
      end: async () => {
        running.unsubscribe();
        await ledger.idle();
      },
    };
  },
};

/** Serialises: what a clone would say differently goes as JSON has it. */
export const messagePortWiring: Wiring = {
  name: 'message port',
  serialises: true,
  start: async () => {
    const { server, ledger } = fixture();
    const { port1: near, port2: far } = new MessageChannel();
    const running = serve(server, ports(far)).subscribe();
    return {
      ledger,
      channel: portTo(near),
      end: async () => {
        running.unsubscribe();
        near.close();
        await ledger.idle();
      },
    };
  },
};

export const webSocketWiring: Wiring = {
  name: 'WebSocket',
  serialises: true,
  start: async () => {
    const { server, ledger } = fixture();
    const listening = new Subject<AddressInfo | string>();
    const address = firstValueFrom(listening);
    const running = serve(server, webSockets({ onListening: (where) => listening.next(where) })).subscribe();
    const { port } = (await address) as AddressInfo;
    return {
      ledger,
      channel: webSocket(`ws://127.0.0.1:${port}/mcp`),
      end: async () => {
        running.unsubscribe();
        await ledger.idle();
      },
    };
  },
};
