/**
 * Server's side, towards an old client: a question of the dialect inside becomes a request of the client's revision, and
 * what the client says to it an input response. What cannot be asked is refused before anything is sent.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
import type { Request } from '../../exchange/exchange.ts';
import { codes, InvalidAnswer, quoted, RpcError } from '../../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../../frame/frame.ts';
import { declares, offers } from '../../protocol/capability.ts';
import { validator } from '../../protocol/dated.ts';
import { methods, type Row } from '../../protocol/methods.ts';
import { latestRevision, within, type LegacyRevision, type Revision } from '../../protocol/revisions.ts';
import { balanceProblem } from '../../protocol/sampling-balance.ts';
import { foreignMeta } from './meta.ts';
import { pruned } from './pruned.ts';

/** Something in a question that a peer must be able to take. */
interface Need {
  readonly what: string;
  readonly capability: string;
  /** The first revision that can say it, where that is not the first with the method. */
  readonly since?: Revision;
}

/** One method of asking. */
interface Kind {
  /** The most particular first. */
  readonly needs: (params: JsonObject, revision: LegacyRevision) => readonly Need[];
  /** What is wrong with a question although its schema admits it. */
  readonly flaw?: (params: JsonObject) => string | undefined;
  /** What pruning cannot do. */
  readonly say?: (params: JsonObject, revision: LegacyRevision, peer: Peer) => JsonObject;
  readonly tidy?: (answer: JsonObject) => JsonObject;
  /** What a refusal counts as; without it, the call fails that had the question. */
  readonly refused?: JsonObject;
}

interface Peer {
  readonly capabilities: JsonObject;
  readonly mint: () => string;
}

const multipleChoice = (params: JsonObject): readonly string[] => {
  const schema = params['requestedSchema'];
  const fields = isObject(schema) && isObject(schema['properties']) ? Object.entries(schema['properties']) : [];
  return fields.filter(([, field]) => isObject(field) && field['type'] === 'array').map(([name]) => name);
};

const elicitation: Kind = {
  needs: (params) =>
    params['mode'] === 'url'
      ? [{ what: 'a page to visit', capability: 'elicitation.url', since: '2025-11-25' }]
      : [
          ...multipleChoice(params).map((name) => ({
            what: `the field ${quoted(name)}, which takes several values,`,
            capability: 'elicitation.form',
            since: '2025-11-25' as const,
          })),
          { what: 'a form', capability: 'elicitation.form' },
        ],
  say: (params, _revision, { mint }) => (params['mode'] === 'url' ? { ...params, elicitationId: mint() } : params),
  // Some clients send null, or what was typed before the user declined.
  tidy: (answer) => {
    const { content, ...rest } = answer;
    return content === null || answer['action'] !== 'accept' ? rest : answer;
  },
  refused: { action: 'cancel' },
};

const blocksOf = (message: unknown): readonly unknown[] => {
  const content = isObject(message) ? message['content'] : undefined;
  return isArray(content) ? content : [content];
};

const messagesOf = (params: JsonObject): readonly unknown[] => (isArray(params['messages']) ? params['messages'] : []);

const toolTypes: readonly unknown[] = ['tool_use', 'tool_result'];

const sampling: Kind = {
  needs: (params, revision) => {
    const fields = ['tools', 'toolChoice'].filter((name) => params[name] !== undefined);
    // Only new calls need the capability: a client may be reminded of old ones.
    const blocks = (within(revision, '2025-11-25') ? [] : messagesOf(params))
      .flatMap(blocksOf)
      .map((block) => (isObject(block) ? block['type'] : undefined))
      .filter((type) => toolTypes.includes(type));
    return [
      ...[...fields, ...blocks].map((what) => ({
        what: String(what),
        capability: 'sampling.tools',
        since: '2025-11-25' as const,
      })),
      { what: 'a question to the model', capability: 'sampling' },
    ];
  },
  flaw: (params) => balanceProblem(messagesOf(params)),
  say: (params, revision, { capabilities }) => {
    const { includeContext, ...rest } = params;
    const gated = within(revision, '2025-11-25') && !offers(capabilities, 'sampling.context');
    const asked = gated ? rest : params;
    return within(revision, '2025-11-25') ? asked : { ...asked, messages: messagesOf(asked).flatMap(apart) };
  },
};

/** One message for each block of content (BR-60). */
const apart = (message: unknown): readonly unknown[] =>
  isObject(message) && isArray(message['content'])
    ? message['content'].map((content) => ({ ...message, content }))
    : [message];

const roots: Kind = { needs: () => [{ what: 'the list of roots', capability: 'roots' }] };

const kinds: ReadonlyMap<string, Kind> = new Map([
  ['elicitation/create', elicitation],
  ['sampling/createMessage', sampling],
  ['roots/list', roots],
]);

const rows: ReadonlyMap<string, Row> = new Map(Object.entries(methods));

const asObject = (path: string): JsonObject =>
  path.split('.').reduceRight<JsonObject>((inner, step) => ({ [step]: inner }), {});

/** Refuses what the peer cannot take, for whichever of the two reasons. */
const insist = (method: string, row: Row, need: Need, revision: LegacyRevision, capabilities: JsonObject): void => {
  const { what, capability, since = row.since } = need;
  const unsaid = !within(revision, since);
  if (!unsaid && declares(capabilities, capability)) return;
  const why = unsaid
    ? `which came with revision ${since}; the client speaks ${revision}`
    : `which the client, at revision ${revision}, did not declare`;
  throw new RpcError({
    code: codes.missingClientCapability,
    message: `${method}: ${what} needs the capability ${capability}, ${why}`,
    data: { requiredCapabilities: asObject(capability) },
  });
};

/** The server asks what nobody may ask: its own mistake, not its client's. */
const wrong = (message: string): RpcError => new RpcError({ code: codes.internalError, message });

/**
 * A question of the dialect inside as a request of an older revision.
 *
 * @param question - one of the `inputRequests` of a result
 * @param revision - what the client speaks
 * @param capabilities - what the client declared in its handshake
 * @param mint - makes an `elicitationId`, unique within the server; called for pages to visit only
 * @throws RpcError -32021 where the revision or the capabilities have no room for the question; -32603 where it is none
 * @see https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation
 */
export const downQuestion = (
  question: Request,
  revision: LegacyRevision,
  capabilities: JsonObject,
  mint: () => string,
): Request => {
  const { method, params = {} } = question;
  const [kind, row] = [kinds.get(method), rows.get(method)];
  if (kind === undefined || row === undefined) throw wrong(`${quoted(method)} is no question for a client`);
  const flaw = validator(row.params, latestRevision)(params) ?? kind.flaw?.(params);
  if (flaw !== undefined) throw wrong(`the question ${method} is not valid: ${flaw}`);
  for (const need of kind.needs(params, revision)) insist(method, row, need, revision, capabilities);

  const { _meta, ...rest } = params;
  const foreign = foreignMeta(_meta);
  const asked = pruned(row.params, revision)({ ...rest, ...(foreign === undefined ? {} : { _meta: foreign }) });
  if (Object.keys(asked).length === 0) return { method };
  return { method, params: kind.say?.(asked, revision, { capabilities, mint }) ?? asked };
};

/**
 * A client's result as an input response: bare, without what belongs to results (BR-28).
 *
 * @param method - the one that was asked by
 * @param result - what the client answered
 * @param revision - what the client speaks
 * @throws InvalidAnswer where the revision knows no such result
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
export const upAnswer = (method: string, result: JsonObject, revision: LegacyRevision): JsonObject => {
  const { _meta, resultType, ...bare } = result;
  const answer = kinds.get(method)?.tidy?.(bare) ?? bare;
  const schema = rows.get(method)?.result;
  const flaw = schema === undefined ? 'nothing can answer that' : validator(schema, revision)(answer);
  if (flaw !== undefined) throw new InvalidAnswer({ method, message: `the answer to ${method} is not valid: ${flaw}` });
  return answer;
};

/**
 * A client's refusal as an answer: an elicitation counts as cancelled. Otherwise throws what the original call fails with
 * (BR-29): not the client's own error, because a -32601 there would deny the method that was called.
 *
 * @param method - the one that was asked by
 * @param error - what came instead of an answer; only a JSON-RPC error is a refusal, all else is thrown as it is
 * @throws RpcError -32603, with the client's own error in its data, where a refusal is no answer
 * @see https://modelcontextprotocol.io/specification/2025-11-25/client/sampling#error-handling
 */
export const upRefusal = (method: string, error: unknown): JsonObject => {
  if (!(error instanceof RpcError)) throw error;
  const refused = kinds.get(method)?.refused;
  if (refused !== undefined) return refused;
  const { code, message, data } = error;
  throw new RpcError({
    code: codes.internalError,
    message: `the client refused ${method}: ${quoted(message)}`,
    data: { method, error: { code, message, ...(data === undefined ? {} : { data }) } },
  });
};
