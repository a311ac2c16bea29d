/**
 * Client's side, towards an old server: what it asks becomes a question of the dialect inside, and our answer is said in
 * the words of its revision. What it may not ask is refused in its own terms.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
import type { Request } from '../../exchange/exchange.ts';
import { codes, invalidParams, methodNotFound, RpcError } from '../../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../../frame/frame.ts';
import { declares, offers } from '../../protocol/capability.ts';
import { prune, validator } from '../../protocol/dated.ts';
import { ElicitUrlParams, urlElicitationRequired } from '../../protocol/elicitation.ts';
import { methods, rowsAt, type MethodTable, type Row } from '../../protocol/methods.ts';
import { latestRevision, within, type LegacyRevision } from '../../protocol/revisions.ts';
import { ListRootsResult } from '../../protocol/roots.ts';
import { CreateMessageResult } from '../../protocol/sampling.ts';
import { balanceProblem } from '../../protocol/sampling-balance.ts';
import { foreignMeta } from './meta.ts';
import { pruned } from './pruned.ts';

const rows: ReadonlyMap<string, Row> = new Map(Object.entries(methods));

/** Leaves out what the newest revision has no more: `task`, `elicitationId`, `_meta` where questions have none (BR-27). */
const upParams = (method: string, params: JsonObject): JsonObject => {
  const row = rows.get(method);
  const kept = row === undefined ? params : prune(row.params, latestRevision)(params);
  if (!isObject(kept) || kept['_meta'] === undefined) return isObject(kept) ? kept : params;
  const { _meta, ...rest } = kept;
  const { progressToken, ...foreign } = foreignMeta(_meta) ?? {};
  return Object.keys(foreign).length === 0 ? rest : { ...rest, _meta: foreign };
};

/**
 * A legacy server's request as a question of the dialect inside. To be asked after {@link questionProblem}.
 *
 * @param request - what the server asks, without its envelope
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
export const upQuestion = ({ method, params }: Request): Request => {
  const asked = params === undefined ? {} : upParams(method, params);
  return Object.keys(asked).length === 0 ? { method } : { method, params: asked };
};

/** What is wrong with a question although its schema admits it, as the end of a sentence. */
type Objection = (params: JsonObject, revision: LegacyRevision, declared: JsonObject) => string | undefined;

const modes = ['form', 'url'] as const;

const undeclaredMode: Objection = ({ mode = 'form' }, revision, declared) => {
  const known = modes.find((each) => each === mode);
  if (known === undefined) return undefined;
  if (known === 'url' && !within(revision, '2025-11-25')) return `mode "url" does not exist at revision ${revision}`;
  return declares(declared, `elicitation.${known}`)
    ? undefined
    : `mode "${known}" needs the capability elicitation.${known}, which this client did not declare`;
};

const undeclaredTools: Objection = (params, revision, declared) => {
  const field = ['tools', 'toolChoice'].find((name) => params[name] !== undefined);
  if (field === undefined) return undefined;
  if (!within(revision, '2025-11-25')) return `${field} does not exist at revision ${revision}`;
  return offers(declared, 'sampling.tools')
    ? undefined
    : `${field} needs the capability sampling.tools, which this client did not declare`;
};

/** What comes before the schema, whose sentence would be about something else, and what comes after it. */
const objections: ReadonlyMap<string, { readonly first: Objection; readonly last?: Objection }> = new Map([
  ['elicitation/create', { first: undeclaredMode }],
  [
    'sampling/createMessage',
    {
      first: undeclaredTools,
      last: ({ messages }: JsonObject) => (isArray(messages) ? balanceProblem(messages) : undefined),
    },
  ],
]);

/**
 * What makes a request one that may not be asked at all: undefined where nothing does.
 *
 * @param request - what the server asks, without its envelope
 * @param revision - what the server speaks
 * @param declared - our capabilities, as declared in the handshake
 * @param table - the protocol
 * @returns -32601 for what is no question at this revision, or whose capability was not declared; -32602, naming the
 * field, for params that are malformed, for a mode or for tools that were not declared (ELI-21, SAMP-05), and for tool
 * calls and results that do not match (SAMP-16)
 * @see https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation#error-handling
 */
export const questionProblem = (
  { method, params }: Request,
  revision: LegacyRevision,
  declared: JsonObject,
  table: MethodTable,
): RpcError | undefined => {
  const row = rowsAt(table, revision, 'server').get(method);
  if (row?.embedded !== true) return methodNotFound(method);
  const { clientCapability } = row;
  if (clientCapability !== undefined && !offers(declared, clientCapability))
    return new RpcError({
      code: codes.methodNotFound,
      message: `${method} needs the capability ${clientCapability}, which this client did not declare`,
    });

  const given = params ?? {};
  const { first, last } = objections.get(method) ?? {};
  const problem =
    first?.(given, revision, declared) ?? validator(row.params, revision)(given) ?? last?.(given, revision, declared);
  return problem === undefined ? undefined : invalidParams(`${method}: ${problem}`);
};

/** Until 2025-06-18 a model answered with one block: several texts become one, and all else is left to be refused. */
const oneBlock = (answer: JsonObject): JsonObject => {
  const { content } = answer;
  if (!isArray(content)) return answer;
  if (content.length === 1) return { ...answer, content: content[0] };
  const texts = content.map((block) => (isObject(block) && block['type'] === 'text' ? block['text'] : undefined));
  return texts.includes(undefined) ? answer : { ...answer, content: { type: 'text', text: texts.join('\n') } };
};

/** An answer in other words. Elicitation has none: pruning would drop a whole form for one list in it (BR-69). */
const says: ReadonlyMap<string, (answer: JsonObject, revision: LegacyRevision) => JsonObject> = new Map([
  [
    'sampling/createMessage',
    (answer: JsonObject, revision: LegacyRevision) => {
      const said = pruned(CreateMessageResult, revision)(answer);
      return within(revision, '2025-11-25') ? said : oneBlock(said);
    },
  ],
  ['roots/list', (answer: JsonObject, revision: LegacyRevision) => pruned(ListRootsResult, revision)(answer)],
]);

/**
 * Our answer in the words of an older revision.
 *
 * @param method - the one that we were asked by
 * @param result - what we answer, in the dialect inside
 * @param revision - what the server speaks
 * @throws RpcError -32603 where the revision has no words for it, or it is no answer to that; -32601 where nothing is
 * @see https://modelcontextprotocol.io/specification/2025-11-25/client/sampling
 */
export const downAnswer = (method: string, result: JsonObject, revision: LegacyRevision): JsonObject => {
  const schema = rowsAt(methods, revision, 'server').get(method)?.result;
  if (schema === undefined) throw methodNotFound(method);
  const { _meta, resultType, ...bare } = result;
  const foreign = foreignMeta(_meta);
  const answer = foreign === undefined ? bare : { ...bare, _meta: foreign };
  const said = says.get(method)?.(answer, revision) ?? answer;
  const flaw = validator(schema, revision)(said);
  if (flaw === undefined) return said;
  throw new RpcError({
    code: codes.internalError,
    message: `the answer to ${method} does not fit revision ${revision}: ${flaw}`,
  });
};

/**
 * What a server of 2025-11-25 wants visited before the request is made again, where that is what its error says (BR-33);
 * undefined for any other error, for one without a well-formed list, and for an empty list. Other revisions give this
 * code no meaning.
 *
 * @param error - what the request failed with
 * @returns the `inputRequests` of an `input_required` result, and the `elicitationId` of each in the same order
 * @see https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation#url-elicitation-required-error
 */
export const urlRequired = (
  error: unknown,
): { readonly inputRequests: JsonObject; readonly ids: readonly string[] } | undefined => {
  if (!(error instanceof RpcError) || error.code !== urlElicitationRequired || !isObject(error.data)) return undefined;
  const { elicitations } = error.data;
  if (!isArray(elicitations) || elicitations.length === 0) return undefined;
  const flawOf = validator(ElicitUrlParams, '2025-11-25');
  const pages = elicitations.filter((page) => isObject(page)).filter((page) => flawOf(page) === undefined);
  if (pages.length < elicitations.length) return undefined;
  // Keys of our own: ids are the server's, and need not differ.
  const inputRequests: Record<string, Request> = {};
  for (const [index, params] of pages.entries())
    inputRequests[`url-${index + 1}`] = upQuestion({ method: 'elicitation/create', params });
  return { inputRequests, ids: pages.map(({ elicitationId }) => String(elicitationId)) };
};
