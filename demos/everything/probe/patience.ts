/** One time limit for everything, as the options of a connection. */
import type { ConnectOptions } from 'rxmcp';

/** How much of the time for connecting a server may take to say that it is modern; the rest is for the handshake. */
const share = 2 / 3;

const longestProbeMs = 10_000;

/**
 * @param ms - how long each request may take, connecting included
 * @param certain - whether the era is known, so that there is one way to connect only
 */
export const patience = (
  ms: number,
  certain: boolean,
): Pick<ConnectOptions, 'idleMs' | 'totalMs' | 'probeMs' | 'handshakeMs'> => {
  const probeMs = certain ? ms : Math.min(longestProbeMs, Math.ceil(ms * share));
  return { idleMs: ms, totalMs: ms, probeMs, handshakeMs: certain ? ms : ms - probeMs };
};
