/**
 * What tools, prompts and models say: blocks of content, and the contents of resources.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools#tool-result
 */
import { object, optional } from './object.ts';
import { Integer, Unit, type JsonObject } from './json.ts';
import { itemMeta } from './meta.ts';
import { icons, title, type Icon } from './peer.ts';
import { Schema } from './schema.ts';

export type Role = 'user' | 'assistant';
export const Role: Schema.Schema<Role> = Schema.Literal('user', 'assistant');

/** Whom something is for and how much it matters. */
export interface Annotations {
  readonly audience?: readonly Role[];
  /** 1 is indispensable, 0 is incidental. */
  readonly priority?: number;
  /** An ISO 8601 time. */
  readonly lastModified?: string;
}

export const Annotations = object<Annotations>({
  audience: optional(Schema.Array(Role)),
  priority: optional(Unit),
  lastModified: optional(Schema.String, { since: '2025-06-18' }),
});

interface Item {
  readonly annotations?: Annotations;
  readonly _meta?: JsonObject;
}

const item = { annotations: optional(Annotations), _meta: itemMeta } as const;

export interface TextContent extends Item {
  readonly type: 'text';
  readonly text: string;
}

export const TextContent = object<TextContent>({ type: Schema.Literal('text'), text: Schema.String, ...item });

export interface ImageContent extends Item {
  readonly type: 'image';
  /** In base64. */
  readonly data: string;
  readonly mimeType: string;
}

export const ImageContent = object<ImageContent>({
  type: Schema.Literal('image'),
  data: Schema.String,
  mimeType: Schema.String,
  ...item,
});

export interface AudioContent extends Item {
  readonly type: 'audio';
  /** In base64. */
  readonly data: string;
  readonly mimeType: string;
}

/** What stands in for a block that the peer's revision does not have: the same, said in words. */
const said = (value: object): TextContent => {
  const mimeType = 'mimeType' in value ? ` (${String(value.mimeType)})` : '';
  const text = 'uri' in value ? `Resource: ${String(value.uri)}${mimeType}` : `Audio left out${mimeType}`;
  return { type: 'text', text };
};

export const AudioContent = object<AudioContent>(
  { type: Schema.Literal('audio'), data: Schema.String, mimeType: Schema.String, ...item },
  { since: '2025-03-26', standIn: said },
);

/** The text of a resource. */
export interface TextResourceContents {
  readonly uri: string;
  readonly mimeType?: string;
  readonly text: string;
  readonly _meta?: JsonObject;
}

/** The bytes of a resource. */
export interface BlobResourceContents {
  readonly uri: string;
  readonly mimeType?: string;
  /** In base64. */
  readonly blob: string;
  readonly _meta?: JsonObject;
}

/** What a resource holds: text, or bytes in base64. */
export type ResourceContents = TextResourceContents | BlobResourceContents;

const contents = { uri: Schema.String, mimeType: optional(Schema.String), _meta: itemMeta } as const;
export const TextResourceContents = object<TextResourceContents>({ ...contents, text: Schema.String });
export const BlobResourceContents = object<BlobResourceContents>({ ...contents, blob: Schema.String });
export const ResourceContents: Schema.Schema<ResourceContents> = Schema.Union(
  TextResourceContents,
  BlobResourceContents,
);

/** A resource, contents and all. */
export interface EmbeddedResource extends Item {
  readonly type: 'resource';
  readonly resource: ResourceContents;
}

export const EmbeddedResource = object<EmbeddedResource>({
  type: Schema.Literal('resource'),
  resource: ResourceContents,
  ...item,
});

/** What can be said of a resource without reading it. */
export interface Resource extends Item {
  readonly uri: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
  /** In bytes, before any encoding. */
  readonly size?: number;
  readonly icons?: readonly Icon[];
}

const resource = {
  uri: Schema.String,
  name: Schema.String,
  title,
  description: optional(Schema.String),
  mimeType: optional(Schema.String),
  size: optional(Integer),
  icons,
  ...item,
} as const;

export const Resource = object<Resource>(resource);

/** A resource that may be read, but is not here. */
export interface ResourceLink extends Resource {
  readonly type: 'resource_link';
}

export const ResourceLink = object<ResourceLink>(
  { type: Schema.Literal('resource_link'), ...resource },
  { since: '2025-06-18', standIn: said },
);

/** A piece of what a model reads: text, a picture, sound, a resource or a link to one. */
export type ContentBlock = TextContent | ImageContent | AudioContent | ResourceLink | EmbeddedResource;

export const ContentBlock: Schema.Schema<ContentBlock> = Schema.Union(
  TextContent,
  ImageContent,
  AudioContent,
  ResourceLink,
  EmbeddedResource,
);
