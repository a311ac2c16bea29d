/**
 * The dated revisions of the protocol. Up to 2025-11-25 a connection opens with a handshake ("legacy"); since 2026-07-28
 * every request carries its own version, capabilities and identity ("modern"). `draft` is today the same as 2026-07-28.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning
 */
export const legacyRevisions = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'] as const;
export const modernRevisions = ['2026-07-28', 'draft'] as const;
/**
 * All revisions that this runtime speaks, oldest first; their order is that of their dates.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning
 */
export const revisions = [...legacyRevisions, ...modernRevisions] as const;

export type LegacyRevision = (typeof legacyRevisions)[number];
export type ModernRevision = (typeof modernRevisions)[number];
/** A revision of the protocol, by the date that names it. */
export type Revision = LegacyRevision | ModernRevision;

/**
 * The dialect that everything inside this runtime speaks.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning
 */
export const latestRevision: ModernRevision = '2026-07-28';
export const latestLegacyRevision: LegacyRevision = '2025-11-25';

export const isRevision = (version: unknown): version is Revision => revisions.some((known) => known === version);
export const isLegacy = (version: unknown): version is LegacyRevision =>
  legacyRevisions.some((known) => known === version);
export const isModern = (version: unknown): version is ModernRevision =>
  modernRevisions.some((known) => known === version);

/** Where a revision stands in time; `draft` follows the newest dated one. */
export const ordinal = (revision: Revision): number => revisions.indexOf(revision);

/** Whether a revision lies between two others, both included; an open end is undefined. */
export const within = (revision: Revision, since?: Revision, until?: Revision): boolean =>
  (since === undefined || ordinal(revision) >= ordinal(since)) &&
  (until === undefined || ordinal(revision) <= ordinal(until));

/** The reserved `_meta` keys of 2026-07-28. */
export const metaKeys = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  logLevel: 'io.modelcontextprotocol/logLevel',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const;
