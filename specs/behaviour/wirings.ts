/** The ways in which the suite's client reaches the suite's server. */
import { firstValueFrom, Subject } from 'rxjs';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { inMemory, ports, portTo, serve, type Revision } from '../../lib/index.ts';
import { listen, socket, spawn, webSocket, webSockets } from '../../lib/node/index.ts';
import type { Ledger } from '../../lib/testing/index.ts';
import { fixture } from './fixture.ts';
import { over, type Lay } from './way.ts';

/** A server of its own, to be reached any number of times. */
export interface Wired {
  /** Lays a way to it for one more client. */
  readonly way: Lay;
  /** What its handlers live through, where that can be seen from here. */
  readonly ledger?: Ledger;
  /** Ends the server; resolves when nothing is left of it. */
  readonly end: () => Promise<void>;
}

/**
 * What is not to be had over every wiring: `asks`, the server can ask its client; `tells`, it can tell what is about no
 * request; `remembers`, what a client has said of itself holds for what it asks later; `shares`, all that one client has
 * in flight is in one conversation, where an id stands for one request.
 */
export type Trait = 'asks' | 'tells' | 'remembers' | 'shares';

export interface Wiring {
  readonly name: string;
  /** Whether frames become text on the way. */
  readonly serialises: boolean;
  /** Whether each connection reaches a server of its own. */
  readonly apart?: true;
  /** Whether each message is posted by itself, and what cannot be taken is refused in answer to that. */
  readonly posts?: true;
  /** Whether a request is repeated in headers, which must say the same (HTTP26-35, HTTP26-36). */
  readonly headed?: true;
  /** Whether log lines come with the call that they are about, and not past all calls (LOG-08). */
  readonly ownLogs?: true;
  /** The revisions that it does not exist for, and why. */
  readonly without?: Readonly<Partial<Record<Revision, string>>>;
  /** What is not to be had over it, and why. */
  readonly lacks?: Readonly<Partial<Record<Trait, string>>>;
  readonly start: () => Promise<Wired>;
}

const program = fileURLToPath(new URL('fixture.stdio.ts', import.meta.url));

const inProcess = (name: string, serialise: boolean): Wiring => ({
  name,
  serialises: serialise,
  start: async () => {
    const { server, ledger } = fixture();
    return { ledger, way: over(inMemory(server, { serialise })), end: () => ledger.idle() };
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
    return { way: over(channel), end: () => channel.closed() };
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
      way: over(socket({ port, host: '127.0.0.1' })),
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
      way: over(portTo(near)),
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
      way: over(webSocket(`ws://127.0.0.1:${port}/mcp`)),
      end: async () => {
        running.unsubscribe();
        await ledger.idle();
      },
    };
  },
};
