/** What the referee tells its client in the environment: the scenario, the revision, and what belongs to the scenario. */
import { revisions, type JsonObject, type Revision } from 'rxmcp';

export interface Task {
  readonly url: string;
  readonly scenario: string;
  /** Undefined finds out. */
  readonly revision: Revision | undefined;
  readonly context: JsonObject;
}

/** @throws Error naming what is missing or cannot be understood */
export const taskOf = (argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Task => {
  const url = argv.at(-1);
  if (url === undefined) throw new Error('usage: conformance-client.ts <server-url>');
  const scenario = env['MCP_CONFORMANCE_SCENARIO'];
  if (scenario === undefined) throw new Error('MCP_CONFORMANCE_SCENARIO is not set');
  return {
    url,
    scenario,
    revision: revisionOf(env['MCP_CONFORMANCE_PROTOCOL_VERSION']),
    context: contextOf(env['MCP_CONFORMANCE_CONTEXT']),
  };
};

const revisionOf = (version: string | undefined): Revision | undefined => {
  const known = revisions.find((revision) => revision === version);
  if (version !== undefined && known === undefined)
    throw new Error(`MCP_CONFORMANCE_PROTOCOL_VERSION ${JSON.stringify(version)} is no revision known here`);
  return known;
};

const contextOf = (text: string | undefined): JsonObject => {
  if (text === undefined) return {};
  const context: unknown = JSON.parse(text);
  if (typeof context !== 'object' || context === null) throw new Error('MCP_CONFORMANCE_CONTEXT is no JSON object');
  return { ...context };
};
