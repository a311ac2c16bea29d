/** The ways in which our client may come to a handshake revision, for servers that speak nothing newer. */
import type { ConnectOptions } from 'rxmcp';
import { legacyRevisions, type LegacyRevision } from '../../lib/protocol/revisions.ts';

export interface Wiring {
  readonly name: string;
  readonly options: ConnectOptions;
  /** The revision that it comes to. */
  readonly spoken: LegacyRevision;
}

export const legacyWirings: readonly Wiring[] = [
  { name: 'found out by the probe', options: {}, spoken: '2025-11-25' },
  ...legacyRevisions.map((revision) => ({
    name: `pinned to ${revision}`,
    options: { revisions: [revision] },
    spoken: revision,
  })),
];
