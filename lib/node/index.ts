/** What runs on Node only: `rxmcp/node`. */
export { duplex, type DuplexOptions } from './duplex.ts';
export type { FramingOptions } from './wire.ts';
export { ProcessExited } from './process-exited.ts';
export { remote, sse, type NodeRemoteOptions, type NodeSseOptions } from './remote.ts';
export { agentCarrier, type AgentCarrierOptions } from './remote-agent.ts';
export {
  settings,
  type DeclaredSettings,
  type Settings,
  type SettingsFields,
  type SettingsOptions,
  type SettingsWatchOptions,
  type StartedWith,
} from './settings.ts';
export { http, type HttpOptions, type SsePaths } from './http.ts';
export { loopback, type LoopbackOptions } from './loopback.ts';
export { tokenFile } from './token-file.ts';
export { toNode, type NodeHandler, type ToNodeOptions } from './to-node.ts';
export type { NodeRequest } from './node-reply.ts';
export { listen, socket, type ListenerOptions } from './socket.ts';
export { spawn, type Exit, type SpawnChannel, type SpawnOptions } from './spawn.ts';
export { stdio, type StdioOptions } from './stdio.ts';
export { webSocket, webSockets, type NodeWebSocketOptions, type WebSocketsOptions } from './websocket.ts';
