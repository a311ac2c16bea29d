/**
 * The protocol: one row per method and notification, over all revisions.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/schema
 */
import { CompleteParams, CompleteResult } from './completion.ts';
import { ElicitationCompleteParams, ElicitParams, ElicitResult } from './elicitation.ts';
import { DiscoverResult, InitializeParams, InitializeResult } from './handshake.ts';
import type { JsonObject } from './json.ts';
import { LogParams, SetLevelParams } from './logging.ts';
import {
  EmptyResult,
  LegacyPaginatedParams,
  LegacyRequestParams,
  NotificationParams,
  PaginatedParams,
  RequestParams,
} from './meta.ts';
import { CancelledParams, ProgressParams } from './notifications.ts';
import { GetPromptParams, GetPromptResult, ListPromptsResult } from './prompts.ts';
import {
  ListResourcesResult,
  ListResourceTemplatesResult,
  ReadResourceParams,
  ReadResourceResult,
  ResourceUpdatedParams,
  SubscribeParams,
} from './resources.ts';
import { ListRootsParams, ListRootsResult } from './roots.ts';
import { CreateMessageParams, CreateMessageResult } from './sampling.ts';
import type { Schema } from './schema.ts';
import { AcknowledgedParams, ListenParams, ListenResult } from './subscription.ts';
import type { MethodTable } from './table.ts';
import { ListTasksResult, TaskParams, TaskPayloadResult, TaskResult, TaskStatusParams } from './tasks.ts';
import { CallToolParams, CallToolResult, ListToolsResult } from './tools.ts';

export { extend, rowsAt, type MethodTable, type Side, type Row } from './table.ts';

const legacy = { until: '2025-11-25' } as const;
const modern = { since: '2026-07-28' } as const;
const trial = { since: '2025-11-25', until: '2025-11-25' } as const;
const always = {} as const;

/**
 * The protocol without extensions, in all its revisions: one row for each method and notification.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/schema
 */
export const methods = {
  initialize: { kind: 'request', from: 'client', ...legacy, params: InitializeParams, result: InitializeResult },
  'notifications/initialized': {
    kind: 'notification',
    from: 'client',
    ...legacy,
    params: NotificationParams,
    bare: always,
  },
  ping: { kind: 'request', from: 'both', ...legacy, params: LegacyRequestParams, bare: always, result: EmptyResult },
  'server/discover': {
    kind: 'request',
    from: 'client',
    ...modern,
    params: RequestParams,
    result: DiscoverResult,
    cacheable: true,
  },

  'tools/list': {
    kind: 'request',
    from: 'client',
    params: PaginatedParams,
    bare: legacy,
    result: ListToolsResult,
    serverCapability: 'tools',
    cacheable: true,
    progress: true,
  },
  'tools/call': {
    kind: 'request',
    from: 'client',
    params: CallToolParams,
    result: CallToolResult,
    serverCapability: 'tools',
    asks: true,
    nameIn: 'name',
    progress: true,
  },
  'notifications/tools/list_changed': {
    kind: 'notification',
    from: 'server',
    params: NotificationParams,
    bare: always,
    serverCapability: 'tools.listChanged',
    conflate: 'method',
    notice: 'toolsListChanged',
  },

  'prompts/list': {
    kind: 'request',
    from: 'client',
    params: PaginatedParams,
    bare: legacy,
    result: ListPromptsResult,
    serverCapability: 'prompts',
    cacheable: true,
    progress: true,
  },
  'prompts/get': {
    kind: 'request',
    from: 'client',
    params: GetPromptParams,
    result: GetPromptResult,
    serverCapability: 'prompts',
    asks: true,
    nameIn: 'name',
    progress: true,
  },
  'notifications/prompts/list_changed': {
    kind: 'notification',
    from: 'server',
    params: NotificationParams,
    bare: always,
    serverCapability: 'prompts.listChanged',
    conflate: 'method',
    notice: 'promptsListChanged',
  },

  'resources/list': {
    kind: 'request',
    from: 'client',
    params: PaginatedParams,
    bare: legacy,
    result: ListResourcesResult,
    serverCapability: 'resources',
    cacheable: true,
    progress: true,
  },
  'resources/templates/list': {
    kind: 'request',
    from: 'client',
    params: PaginatedParams,
    bare: legacy,
    result: ListResourceTemplatesResult,
    serverCapability: 'resources',
    cacheable: true,
    progress: true,
  },
  'resources/read': {
    kind: 'request',
    from: 'client',
    params: ReadResourceParams,
    result: ReadResourceResult,
    serverCapability: 'resources',
    cacheable: true,
    asks: true,
    nameIn: 'uri',
    progress: true,
  },
  'resources/subscribe': {
    kind: 'request',
    from: 'client',
    ...legacy,
    params: SubscribeParams,
    result: EmptyResult,
    serverCapability: 'resources.subscribe',
  },
  'resources/unsubscribe': {
    kind: 'request',
    from: 'client',
    ...legacy,
    params: SubscribeParams,
    result: EmptyResult,
    serverCapability: 'resources.subscribe',
  },
  'notifications/resources/list_changed': {
    kind: 'notification',
    from: 'server',
    params: NotificationParams,
    bare: always,
    serverCapability: 'resources.listChanged',
    conflate: 'method',
    notice: 'resourcesListChanged',
  },
  'notifications/resources/updated': {
    kind: 'notification',
    from: 'server',
    params: ResourceUpdatedParams,
    serverCapability: 'resources.subscribe',
    conflate: 'method',
    notice: 'resourceSubscriptions',
  },

  'completion/complete': {
    kind: 'request',
    from: 'client',
    params: CompleteParams,
    result: CompleteResult,
    serverCapability: 'completions',
    progress: true,
  },
  'logging/setLevel': {
    kind: 'request',
    from: 'client',
    ...legacy,
    params: SetLevelParams,
    result: EmptyResult,
    serverCapability: 'logging',
  },
  'notifications/message': { kind: 'notification', from: 'server', params: LogParams, serverCapability: 'logging' },

  'subscriptions/listen': {
    kind: 'request',
    from: 'client',
    ...modern,
    params: ListenParams,
    result: ListenResult,
    longLived: true,
  },
  'notifications/subscriptions/acknowledged': {
    kind: 'notification',
    from: 'server',
    ...modern,
    params: AcknowledgedParams,
  },

  'sampling/createMessage': {
    kind: 'request',
    from: 'server',
    ...legacy,
    params: CreateMessageParams,
    result: CreateMessageResult,
    clientCapability: 'sampling',
    embedded: true,
    progress: true,
  },
  'elicitation/create': {
    kind: 'request',
    from: 'server',
    since: '2025-06-18',
    ...legacy,
    params: ElicitParams,
    result: ElicitResult,
    clientCapability: 'elicitation',
    embedded: true,
    progress: true,
  },
  'notifications/elicitation/complete': {
    kind: 'notification',
    from: 'server',
    ...trial,
    params: ElicitationCompleteParams,
    clientCapability: 'elicitation.url',
  },
  'roots/list': {
    kind: 'request',
    from: 'server',
    ...legacy,
    params: ListRootsParams,
    bare: always,
    result: ListRootsResult,
    clientCapability: 'roots',
    embedded: true,
    progress: true,
  },
  'notifications/roots/list_changed': {
    kind: 'notification',
    from: 'client',
    ...legacy,
    params: NotificationParams,
    bare: always,
    clientCapability: 'roots.listChanged',
    conflate: 'method',
  },

  'notifications/progress': {
    kind: 'notification',
    from: { client: legacy, server: always },
    params: ProgressParams,
    conflate: 'token',
  },
  'notifications/cancelled': { kind: 'notification', from: 'both', params: CancelledParams },

  'tasks/get': {
    kind: 'request',
    from: 'both',
    ...trial,
    params: TaskParams,
    result: TaskResult,
    serverCapability: 'tasks',
    clientCapability: 'tasks',
  },
  'tasks/result': {
    kind: 'request',
    from: 'both',
    ...trial,
    params: TaskParams,
    result: TaskPayloadResult,
    serverCapability: 'tasks',
    clientCapability: 'tasks',
  },
  'tasks/list': {
    kind: 'request',
    from: 'both',
    ...trial,
    params: LegacyPaginatedParams,
    bare: always,
    result: ListTasksResult,
    serverCapability: 'tasks.list',
    clientCapability: 'tasks.list',
  },
  'tasks/cancel': {
    kind: 'request',
    from: 'both',
    ...trial,
    params: TaskParams,
    result: TaskResult,
    serverCapability: 'tasks.cancel',
    clientCapability: 'tasks.cancel',
  },
  'notifications/tasks/status': { kind: 'notification', from: 'both', ...trial, params: TaskStatusParams },
} as const satisfies MethodTable;

/** Every method and notification of the protocol. */
export type Method = keyof typeof methods;

type Requests = { [M in Method]: (typeof methods)[M]['kind'] extends 'request' ? M : never }[Method];

/** The methods that are answered. */
export type RequestMethod = Requests;
/** The methods that are not. */
export type NotificationMethod = Exclude<Method, Requests>;

type TypeOf<S> = S extends Schema.Schema<infer A> ? A : never;
/** Written out, so that an editor shows members and not how they came about. */
type Written<A> = { [K in keyof A]: A[K] };
type Loosen<A, K extends PropertyKey> = A extends unknown ? Written<Omit<A, K> & Partial<Pick<A, K & keyof A>>> : never;
type WithMeta<P> = P extends unknown ? Written<Omit<P, '_meta'> & { readonly _meta?: JsonObject }> : never;

/** The params of a method on the wire of the newest revision that has it. */
export type WireParamsOf<M extends Method> = TypeOf<(typeof methods)[M]['params']>;
/** The params of a method as one gives them to be sent: the edge completes `_meta`. */
export type ParamsOf<M extends Method> = WithMeta<WireParamsOf<M>>;
/** The complete result of a method, as one receives it. */
export type ResultOf<M extends RequestMethod> = TypeOf<(typeof methods)[M]['result']>;
/** The complete result of a method as one gives it to be sent: the edge completes what every result must say. */
export type ReplyOf<M extends RequestMethod> = Loosen<ResultOf<M>, 'resultType' | 'ttlMs' | 'cacheScope' | '_meta'>;
