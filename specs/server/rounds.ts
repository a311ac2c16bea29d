/** Asks a server one round at a time, as a 2026-07-28 client does that goes on by hand. */
import { filter, lastValueFrom, map } from 'rxjs';
import { gate, isAnswer, type Context, type Exchange, type JsonObject, type Served } from '../../lib/index.ts';
import { metaKeys } from '../../lib/protocol/revisions.ts';

/** A client that can be asked everything. */
export const everything: JsonObject = {
  elicitation: { form: {}, url: {} },
  sampling: { tools: {}, context: {} },
  roots: {},
};

/** The result of one request; rejects with its error. */
export type Round = (method: string, params: JsonObject, context?: Context) => Promise<JsonObject>;

export const metaOf = (capabilities: JsonObject = everything): JsonObject => ({
  [metaKeys.protocolVersion]: '2026-07-28',
  [metaKeys.clientCapabilities]: capabilities,
});

/** @param door - what stands before the server; without one, it hears what its door would refuse */
export const roundsOf = (served: Served, capabilities?: JsonObject, door: Exchange = gate()(served)): Round => {
  return (method, { _meta, ...params }, context = {}) =>
    lastValueFrom(
      door(
        { method, params: { ...params, _meta: { ...metaOf(capabilities), ...(_meta as JsonObject | undefined) } } },
        context,
      ).pipe(
        filter(isAnswer),
        map(({ result }) => result),
      ),
    );
};

export const accepted = (content: JsonObject): JsonObject => ({ action: 'accept', content });

/** The state of a result that needs input. */
export const stateOf = ({ resultType, requestState }: JsonObject): string => {
  if (resultType !== 'input_required' || typeof requestState !== 'string')
    throw new Error(`it asks nothing, or keeps nothing: ${String(resultType)}`);
  return requestState;
};

/** The questions of a result that needs input, by key. */
export const questionsOf = ({ resultType, inputRequests }: JsonObject): Readonly<Record<string, JsonObject>> => {
  if (resultType !== 'input_required') throw new Error(`it asks nothing: ${String(resultType)}`);
  return inputRequests as Readonly<Record<string, JsonObject>>;
};
