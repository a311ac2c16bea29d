/** A proxy: a client of one server, served again, and a client in front of it; both wires are text, and laid open. */
import { expect } from 'vitest';
import { inMemory, open, revisions, type ConnectOptions, type OpenClient, type Revision, type Served } from 'rxmcp';
import { tap, type Tapped } from 'rxmcp/testing';
import { isModern, ordinal } from '../../lib/protocol/revisions.ts';
import type { Channel, Context, Exchange } from '../../lib/exchange/exchange.ts';
import { inGoodOrder } from '../behaviour/leaks.ts';

/** Every upstream revision with every downstream one. */
export const pairs: readonly (readonly [up: Revision, down: Revision])[] = revisions.flatMap((up) =>
  revisions.map((down) => [up, down] as const),
);

export interface ProxyOptions {
  /** What the server speaks. */
  readonly up: Revision;
  /** What the client speaks. */
  readonly down: Revision;
  readonly client?: ConnectOptions;
  readonly relay?: ConnectOptions;
  /** Takes the place of the way to the server. */
  readonly channel?: Channel;
  /** Who the client in front is, as an edge would have established it. */
  readonly principal?: string;
}

export interface Proxied extends AsyncDisposable {
  /** The client in front. */
  readonly client: OpenClient;
  /** The client that stands in for it. */
  readonly relay: OpenClient;
  /** Between the client in front and the relay. */
  readonly near: Tapped;
  /** Between the relay and the server. */
  readonly far: Tapped;
  /** One more client in front of the same relay. */
  readonly another: (options?: ConnectOptions & { readonly principal?: string }) => Promise<OpenClient>;
}

/** An exchange whose edge knows who asks. */
export const askedBy =
  (exchange: Exchange, principal: string | undefined): Exchange =>
  (request, context: Context) =>
    exchange(request, principal === undefined ? context : { ...context, principal });

/** Disposing of it closes both connections, and holds what went over them against the rules. */
export const proxied = async (
  served: Served,
  { up, down, client: front = {}, relay: behind = {}, channel, principal }: ProxyOptions,
): Promise<Proxied> => {
  const far = tap(channel ?? inMemory(served, { serialise: true }));
  const relay = await open(far, { relay: true, revisions: [up], ...behind });
  const near = tap(inMemory(askedBy(relay.exchange, principal), { serialise: true }));
  const client = await open(near, { revisions: [down], ...front });
  const others: OpenClient[] = [];
  return {
    client,
    relay,
    near,
    far,
    another: async ({ principal: other, ...options } = {}) => {
      const one = await open(inMemory(askedBy(relay.exchange, other), { serialise: true }), {
        revisions: [down],
        ...options,
      });
      others.push(one);
      return one;
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of [client, ...others, relay]) await one.close();
      inGoodOrder(near);
      inGoodOrder(far);
      expect([near.open, far.open]).toEqual([0, 0]);
    },
  };
};

/** Whether both sides speak this revision or a later one. */
export const both = (up: Revision, down: Revision, since: Revision): boolean =>
  Math.min(ordinal(up), ordinal(down)) >= ordinal(since);

/** Whether one of these revisions has a handshake. */
export const anyLegacy = (...spoken: readonly Revision[]): boolean => !spoken.every(isModern);
