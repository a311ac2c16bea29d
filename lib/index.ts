/**
 * rxmcp: the Model Context Protocol as typed streams. Everything here runs in Node, browsers and workers alike; what
 * needs Node is in `rxmcp/node`.
 */
export { server, serverWith, type Server, type ServerInfo, type ServerOptions } from './server/server.ts';
export { tool, type ToolFeature, type ToolOptions } from './server/tool.ts';
export { reply, type FullResult, type Reply } from './server/reply.ts';
export {
  resource,
  resourceTemplate,
  notFound,
  type Contents,
  type ResourceOptions,
  type TemplateOptions,
} from './server/resource.ts';
export { prompt, type PromptOptions } from './server/prompt.ts';
export { tools, resources, prompts, updates, type Feature, type Listing, type Updates } from './server/feature.ts';
export { serve } from './server/serve.ts';
export type { Call, Caller, ClientCapability, Trace } from './server/call.ts';
export {
  elicit,
  elicitUrl,
  listRoots,
  sample,
  type Elicited,
  type Question,
  type SampleParams,
  type Visited,
} from './server/question.ts';
export type { StateOptions } from './server/state.ts';
export type { Report } from './server/report.ts';
export type { Completer } from './server/completion.ts';

export { connect, open, type ClientOf, type ConnectOptions, type OpenClient, type Target } from './client/connect.ts';
export { restart, type Schedule } from './client/restart.ts';
export { steady, type SteadyClient } from './client/steady.ts';
export type { Client, CallOptions, ConnectionState, PromiseOptions } from './client/client.ts';
export type { Answers, Asker, FormAnswered, FormQuestion, UrlAnswered, UrlQuestion } from './client/local.ts';
export type { Limits } from './client/deadline.ts';
export type { CallEvent, LogEvent, ProgressEvent, ResultEvent } from './client/request.ts';

export { progress, log, type Notice } from './exchange/notice.ts';
export type { Answering } from './exchange/bridge.ts';
export {
  isAnswer,
  middleware,
  type Channel,
  type Context,
  type Emission,
  type Exchange,
  type Middleware,
  type Notification,
  type Request,
  type Served,
} from './exchange/exchange.ts';
export { serveChannel, type Listener, type ServeOptions, type ServeEvent } from './era/serve.ts';
export type { Connection, DialOptions, Endpoint } from './era/dial.ts';
export { gate, type GateOptions } from './era/modern/gate.ts';
export { cache, type CacheOptions } from './middleware/cache.ts';
export { mergeServers } from './middleware/merge.ts';
export { namespace } from './middleware/namespace.ts';
export { restrict, type Permit, type Restrictions } from './middleware/restrict.ts';
export { idleTimeout } from './middleware/idle-timeout.ts';
export { demand } from './middleware/demand.ts';
export { inMemory, type InMemoryOptions } from './transport/in-memory.ts';
export { memoryPair } from './transport/memory.ts';
export { messagePort, type Hearing, type Port } from './transport/message-port.ts';
export { messageWindow, type MessageWindowOptions, type WindowTarget } from './transport/message-window.ts';
export {
  ports,
  portTo,
  portToWindow,
  type PortsOptions,
  type PortTarget,
  type PortToOptions,
} from './transport/ports.ts';
export type { EndpointOptions } from './transport/http/endpoint.ts';
export {
  memoryEvents,
  type EventStore,
  type MemoryEventsOptions,
  type StoredEvent,
} from './transport/http/event-store.ts';
export { toFetch, type FetchHandler, type ToFetchOptions } from './transport/http/to-fetch.ts';
export type { MountOptions } from './transport/http/mount.ts';
export type { SessionBounds } from './transport/http/sessions.ts';
export type { MessageOptions } from './transport/goodbye.ts';
export { webSocket, type WebSocketOptions } from './transport/websocket.ts';
export type { WebSocketBounds } from './transport/websocket-channel.ts';
export { remote, type RemoteOptions } from './transport/remote/remote.ts';
export { sse, type SseOptions } from './transport/remote/sse.ts';
export { fetchCarrier, type FetchCarrierOptions } from './transport/remote/fetch-carrier.ts';
export type { Carrier, HttpCall, HttpSink } from './transport/remote/carrier.ts';
export type { HeadersOption } from './transport/remote/wire.ts';
export { HttpRefusal } from './frame/http-refusal.ts';

export {
  codes,
  ConnectionClosed,
  InputRequired,
  InvalidAnswer,
  invalidParams,
  invalidRequest,
  methodNotFound,
  Misconfigured,
  NoCommonRevision,
  NotSupported,
  Refused,
  RpcError,
  TimedOut,
  type During,
} from './frame/errors.ts';
export { explain } from './frame/explain.ts';
export type { Frame, JsonObject, RequestId } from './frame/frame.ts';
export { revisions, latestRevision, type Revision } from './protocol/revisions.ts';
export { methods, extend, type MethodTable, type Row } from './protocol/methods.ts';
export { Schema } from './protocol/schema.ts';
export { choicesOf } from './shape/form-answer.ts';
export type { Annotations, ContentBlock, Resource, ResourceContents } from './protocol/content.ts';
export type { FormAnswer, RequestedSchema } from './protocol/elicitation.ts';
export type { FormField } from './protocol/form.ts';
export type { InputRequest, InputRequests, InputResponse, InputResponses } from './protocol/input.ts';
export type { LoggingLevel } from './protocol/level.ts';
export type { ClientCapabilities, Icon, Implementation, ServerCapabilities } from './protocol/peer.ts';
export type { GetPromptResult, Prompt, PromptMessage } from './protocol/prompts.ts';
export type { ReadResourceResult, ResourceTemplate } from './protocol/resources.ts';
export type { Root } from './protocol/roots.ts';
export {
  preferredModel,
  type CreateMessageParams,
  type CreateMessageResult,
  type SamplingMessage,
} from './protocol/sampling.ts';
export type { SubscriptionFilter } from './protocol/subscription.ts';
export type { Tool, ToolAnnotations } from './protocol/tool.ts';
export type { CallToolResult } from './protocol/tools.ts';
