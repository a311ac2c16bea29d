/**
 * `rxmcp/auth`: proving to servers who asks, and letting in only whom one should. Runs in Node, browsers and workers
 * alike; what needs Node (a place to come back to, a file for tokens) is in `rxmcp/node`.
 */
// Clients.
export type { Callback, Callbacks } from './callback.ts';
export { LoginFailed, type LoginStage } from './failed.ts';
export { memoryTokens, type TokenStore } from './token-store.ts';
export type { Authorization, Authorizer, Challenge, Reach, Resource } from '../transport/remote/authorizer.ts';

// Servers.
export type { Access, Denial, Guard, Knock } from '../exchange/guard.ts';
