/**
 * `rxmcp/auth`: proving to servers who asks, and letting in only whom one should. Runs in Node, browsers and workers
 * alike; what needs Node (a place to come back to, a file for tokens) is in `rxmcp/node`.
 */
// Clients.
export { LoginFailed, type LoginStage } from '../frame/login-failed.ts';
export type { Callback, Callbacks } from './callback.ts';
export { memoryTokens, type TokenStore } from './token-store.ts';
export { oauth, type Login, type OauthOptions, type TokenOptions } from './oauth.ts';
export { clientCredentials, type ClientCredentialsOptions } from './client-credentials.ts';
export { enterpriseManaged, type EnterpriseManagedOptions } from './enterprise-managed.ts';
export type { IdentityProvider } from './identity-provider.ts';
export { workloadIdentity, type WorkloadIdentityOptions } from './workload-identity.ts';
export type { AssertionSource } from './unasked.ts';
export type { ClientOptions } from './registration.ts';
export type { KnownClient, SigningKey } from './identity.ts';
export type { LoginStep } from './steps.ts';
export type { Authorization, Authorizer, Challenge, Reach, Resource } from '../transport/remote/authorizer.ts';

// Servers.
export { authorize, type Authorize, type AuthorizeOptions } from './resource/authorize.ts';
export type { Dpop } from './resource/challenge.ts';
export { introspection, type IntrospectionOptions } from './resource/introspection.ts';
export { jwks, type JwksOptions } from './resource/jwks.ts';
export type { ResourceMetadata } from './resource/metadata.ts';
export type { ScopeRules, Scopes, ScopesByName } from './resource/scopes.ts';
export type { Unverified, Verified, Verifier } from './resource/verifier.ts';
export type { Access, Denial, Guard, Knock } from '../exchange/guard.ts';
