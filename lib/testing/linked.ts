/** A client and a server in one process, linked over any revision, with everything between them laid open. */
import { open, type ConnectOptions, type OpenClient } from '../client/connect.ts';
import type { ServeOptions } from '../era/serve.ts';
import type { Revision } from '../protocol/revisions.ts';
import { inMemory } from '../transport/in-memory.ts';
import type { MemoryOptions } from '../transport/memory.ts';
import type { Channel, Served } from '../exchange/exchange.ts';
import { tap, type Tapped } from './wiretap.ts';

/** What both sides speak, and how good the way between them is. */
export interface LinkedOptions extends MemoryOptions {
  /** The one revision that both sides speak. Default: the newest that both have. */
  readonly revision?: Revision;
  readonly client?: ConnectOptions;
  readonly server?: ServeOptions;
  /** Makes the way between them worse; see `late`, `cutAfter`… */
  readonly through?: (channel: Channel) => Channel;
}

/** A client, its server, and what goes between them. */
export interface Linked<Tools> extends AsyncDisposable {
  readonly client: OpenClient<Tools>;
  /** What goes over the link. */
  readonly wire: Tapped;
}

/**
 * Links a client to a server in this process, through the same doors as over a real wire.
 *
 * @param served - a server, or any exchange
 * @param options - the revision, the options of either side, and faults to be put between them
 * @returns both, once the handshake is done; disposing of it closes the connection
 * @example
 * await using link = await linked(weather, { revision: '2025-06-18', serialise: true });
 * await link.client.callTool('forecast', { city: 'Oslo' });
 * expect(breaches(link.wire.overheard)).toEqual([]);
 */
export const linked = async <Tools = unknown>(
  served: Served & { readonly tools?: Tools },
  { revision, client = {}, server = {}, through = (channel) => channel, ...memory }: LinkedOptions = {},
): Promise<Linked<Tools>> => {
  const wire = tap(through(inMemory(served, { ...memory, ...server })));
  const connected = await open(wire, revision === undefined ? client : { ...client, revisions: [revision] });
  // The type of what is served is the type of what is reached.
  return { client: connected as OpenClient<Tools>, wire, [Symbol.asyncDispose]: () => connected.close() };
};
