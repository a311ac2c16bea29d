/**
 * What travels in `_meta`, and what every set of params and every result begin with.
 *
 * Params and results are type aliases throughout, all else is an interface: only an alias may be given where a
 * `JsonObject` is expected.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#_meta
 */
import { optional, object, required, type Field } from './object.ts';
import { Identifier, JsonObject, Natural } from './json.ts';
import { ClientCapabilities, Implementation } from './peer.ts';
import { Schema } from './schema.ts';
import { LoggingLevel } from './level.ts';

/** Names a stream of progress notices: chosen by whoever asks. */
export type ProgressToken = string | number;

/** Who asks, in which revision, and what it can do: on every request since 2026-07-28. */
export interface RequestMeta extends JsonObject {
  readonly progressToken?: ProgressToken;
  readonly 'io.modelcontextprotocol/protocolVersion': string;
  readonly 'io.modelcontextprotocol/clientCapabilities': ClientCapabilities;
  readonly 'io.modelcontextprotocol/clientInfo'?: Implementation;
  /** The least severe log notice that the caller wants; none without it. */
  readonly 'io.modelcontextprotocol/logLevel'?: LoggingLevel;
}

export interface ResultMeta extends JsonObject {
  readonly 'io.modelcontextprotocol/serverInfo'?: Implementation;
}

export interface NotificationMeta extends JsonObject {
  /** The `subscriptions/listen` request that this answers. */
  readonly 'io.modelcontextprotocol/subscriptionId'?: string | number;
}

const modern = { since: '2026-07-28' } as const;

export const RequestMeta = object<RequestMeta>({
  progressToken: optional(Identifier),
  'io.modelcontextprotocol/protocolVersion': required(Schema.String, modern),
  'io.modelcontextprotocol/clientCapabilities': required(ClientCapabilities, modern),
  'io.modelcontextprotocol/clientInfo': optional(Implementation, modern),
  'io.modelcontextprotocol/logLevel': optional(LoggingLevel, modern),
});

/** The `_meta` of requests that the newest revision has no more. */
export const LegacyRequestMeta = object<{ readonly progressToken?: ProgressToken }>({
  progressToken: optional(Identifier),
});

export const ResultMeta = object<ResultMeta>({
  'io.modelcontextprotocol/serverInfo': optional(Implementation, modern),
});

export const NotificationMeta = object<NotificationMeta>({
  'io.modelcontextprotocol/subscriptionId': optional(Identifier, modern),
});

/** The `_meta` of things that are listed and shown: tools, content… */
export const itemMeta: Field<JsonObject, true> = optional(JsonObject, { since: '2025-06-18' });

export type RequestParams = { readonly _meta: RequestMeta };
export type PaginatedParams = RequestParams & {
  /** Where an earlier page said that the next begins; even an empty string counts. */
  readonly cursor?: string;
};
export type NotificationParams = { readonly _meta?: NotificationMeta };
export type LegacyPaginatedParams = LegacyRequestParams & { readonly cursor?: string };
export type LegacyRequestParams = { readonly _meta?: { readonly progressToken?: ProgressToken } };

export const requestFields = { _meta: required(RequestMeta, { optional: { until: '2025-11-25' } }) } as const;
export const legacyRequestFields = { _meta: optional(LegacyRequestMeta) } as const;
export const notificationFields = { _meta: optional(NotificationMeta) } as const;

export const RequestParams = object<RequestParams>(requestFields);
export const PaginatedParams = object<PaginatedParams>({ ...requestFields, cursor: optional(Schema.String) });
export const NotificationParams = object<NotificationParams>(notificationFields);
export const LegacyRequestParams = object<LegacyRequestParams>(legacyRequestFields);
export const LegacyPaginatedParams = object<LegacyPaginatedParams>({
  ...legacyRequestFields,
  cursor: optional(Schema.String),
});

export type Result = {
  /** `complete`, `input_required`, or a word of an extension. */
  readonly resultType: string;
  readonly _meta?: ResultMeta;
};
export type CacheScope = 'public' | 'private';
export type CacheableResult = Result & {
  /** For how many milliseconds the result may be used again. */
  readonly ttlMs: number;
  /** Whether others than the one who asked may be given it. */
  readonly cacheScope: CacheScope;
};
/** A result that says nothing but: done. */
export type EmptyResult = Result;

export const resultFields = {
  resultType: required(Schema.String, modern),
  _meta: optional(ResultMeta, { vanishes: true }),
} as const;
export const cacheFields = {
  ttlMs: required(Natural, modern),
  cacheScope: required(Schema.Literal('public', 'private'), modern),
} as const;
export const pageFields = { ...resultFields, ...cacheFields, nextCursor: optional(Schema.String) } as const;

export const EmptyResult = object<EmptyResult>(resultFields);
export const legacyResultFields = { _meta: optional(JsonObject) } as const;
