/**
 * How two sides get to know each other: the handshake until 2025-11-25, `server/discover` since.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/discover
 */
import { object, optional } from './object.ts';
import {
  cacheFields,
  legacyRequestFields,
  legacyResultFields,
  resultFields,
  type CacheableResult,
  type LegacyRequestParams,
} from './meta.ts';
import { ClientCapabilities, Implementation, ServerCapabilities } from './peer.ts';
import type { JsonObject } from './json.ts';
import { Schema } from './schema.ts';

/** Who a server is, what it can do, and in which revisions; since 2026-07-28. */
export type DiscoverResult = CacheableResult & {
  readonly supportedVersions: readonly string[];
  readonly capabilities: ServerCapabilities;
  /** How to make use of the server, in words for a model. */
  readonly instructions?: string;
};

export const DiscoverResult = object<DiscoverResult>({
  ...resultFields,
  ...cacheFields,
  supportedVersions: Schema.Array(Schema.String),
  capabilities: ServerCapabilities,
  instructions: optional(Schema.String),
});

/** The first request of a client until 2025-11-25. */
export type InitializeParams = LegacyRequestParams & {
  readonly protocolVersion: string;
  readonly capabilities: ClientCapabilities;
  readonly clientInfo: Implementation;
};

export const InitializeParams = object<InitializeParams>({
  ...legacyRequestFields,
  protocolVersion: Schema.String,
  capabilities: ClientCapabilities,
  clientInfo: Implementation,
});

export type InitializeResult = {
  readonly _meta?: JsonObject;
  readonly protocolVersion: string;
  readonly capabilities: ServerCapabilities;
  readonly serverInfo: Implementation;
  readonly instructions?: string;
};

export const InitializeResult = object<InitializeResult>({
  ...legacyResultFields,
  protocolVersion: Schema.String,
  capabilities: ServerCapabilities,
  serverInfo: Implementation,
  instructions: optional(Schema.String),
});
