/**
 * Resources: what a client may read, and be told of when it changes.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/resources
 */
import { Annotations, Resource, ResourceContents } from './content.ts';
import { object, optional } from './object.ts';
import { againFields, type AgainParams } from './input.ts';
import type { JsonObject } from './json.ts';
import {
  cacheFields,
  itemMeta,
  legacyRequestFields,
  notificationFields,
  pageFields,
  requestFields,
  resultFields,
  type CacheableResult,
  type LegacyRequestParams,
  type NotificationParams,
} from './meta.ts';
import { icons, title, type Icon } from './peer.ts';
import { Schema } from './schema.ts';

/** A family of resources, told apart by the variables of a URI template (RFC 6570). */
export interface ResourceTemplate {
  readonly uriTemplate: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  /** Where all of them have the same. */
  readonly mimeType?: string;
  readonly icons?: readonly Icon[];
  readonly annotations?: Annotations;
  readonly _meta?: JsonObject;
}

export const ResourceTemplate = object<ResourceTemplate>({
  uriTemplate: Schema.String,
  name: Schema.String,
  title,
  description: optional(Schema.String),
  mimeType: optional(Schema.String),
  icons,
  annotations: optional(Annotations),
  _meta: itemMeta,
});

export type ListResourcesResult = CacheableResult & {
  readonly resources: readonly Resource[];
  readonly nextCursor?: string;
};

export const ListResourcesResult = object<ListResourcesResult>({ ...pageFields, resources: Schema.Array(Resource) });

export type ListResourceTemplatesResult = CacheableResult & {
  readonly resourceTemplates: readonly ResourceTemplate[];
  readonly nextCursor?: string;
};

export const ListResourceTemplatesResult = object<ListResourceTemplatesResult>({
  ...pageFields,
  resourceTemplates: Schema.Array(ResourceTemplate),
});

export type ReadResourceParams = AgainParams & { readonly uri: string };
export const ReadResourceParams = object<ReadResourceParams>({ ...requestFields, ...againFields, uri: Schema.String });

/** What was read: one content, or several where a URI names more than one. */
export type ReadResourceResult = CacheableResult & { readonly contents: readonly ResourceContents[] };
export const ReadResourceResult = object<ReadResourceResult>({
  ...resultFields,
  ...cacheFields,
  contents: Schema.Array(ResourceContents),
});

/** Which resource to be told of, or no more; until 2025-11-25. */
export type SubscribeParams = LegacyRequestParams & { readonly uri: string };
export const SubscribeParams = object<SubscribeParams>({ ...legacyRequestFields, uri: Schema.String });

export type ResourceUpdatedParams = NotificationParams & { readonly uri: string };
export const ResourceUpdatedParams = object<ResourceUpdatedParams>({ ...notificationFields, uri: Schema.String });
