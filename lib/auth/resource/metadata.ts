/**
 * What a resource says of itself to whoever wants to log in.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9728#section-2
 */
import { dpopAlgorithms } from './algorithms.ts';
import type { Dpop } from './challenge.ts';
import type { ResourceUri } from './resource-uri.ts';

/** Protected resource metadata, RFC 9728. */
export interface ResourceMetadata {
  readonly resource: string;
  /** Issuers of the tokens that are taken, at least one. */
  readonly authorization_servers: readonly string[];
  readonly scopes_supported?: readonly string[];
  readonly bearer_methods_supported: readonly ['header'];
  readonly dpop_bound_access_tokens_required?: true;
  readonly dpop_signing_alg_values_supported?: readonly string[];
  /** For people. */
  readonly resource_name?: string;
  /** A page for developers. */
  readonly resource_documentation?: string;
}

/** What the metadata are made of. */
export interface Described {
  readonly resource: () => ResourceUri;
  readonly authorizationServers: readonly string[];
  readonly scopes: readonly string[];
  readonly dpop: Dpop;
  readonly name: string | undefined;
  readonly documentation: string | undefined;
}

/** The document; what the resource is called is looked up when it is read. */
export const metadataOf = (described: Described): ResourceMetadata => {
  const { resource, authorizationServers, scopes, dpop, name, documentation } = described;
  return {
    get resource() {
      return resource().uri;
    },
    authorization_servers: authorizationServers,
    ...(scopes.length === 0 ? undefined : { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
    ...(dpop === 'required' ? { dpop_bound_access_tokens_required: true } : undefined),
    ...(dpop === false ? undefined : { dpop_signing_alg_values_supported: dpopAlgorithms }),
    ...(name === undefined ? undefined : { resource_name: name }),
    ...(documentation === undefined ? undefined : { resource_documentation: documentation }),
  };
};
