/**
 * Asking back: instead of its result, a request may answer what it still needs, and is then made again with it.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
import { object, optional } from './object.ts';
import { ElicitParams, ElicitResult } from './elicitation.ts';
import { mapOf } from './json.ts';
import { resultFields, type RequestParams, type Result } from './meta.ts';
import { ListRootsParams, ListRootsResult } from './roots.ts';
import { CreateMessageParams, CreateMessageResult } from './sampling.ts';
import { Schema } from './schema.ts';

export interface CreateMessageRequest {
  readonly method: 'sampling/createMessage';
  readonly params: CreateMessageParams;
}

export interface ElicitRequest {
  readonly method: 'elicitation/create';
  readonly params: ElicitParams;
}

export interface ListRootsRequest {
  readonly method: 'roots/list';
  readonly params?: ListRootsParams;
}

/** What a server needs to know before it can answer. */
export type InputRequest = CreateMessageRequest | ElicitRequest | ListRootsRequest;

/** What a client has found out for it; told apart by its members. */
export type InputResponse = CreateMessageResult | ElicitResult | ListRootsResult;

export const InputRequest: Schema.Schema<InputRequest> = Schema.Union(
  object<CreateMessageRequest>({ method: Schema.Literal('sampling/createMessage'), params: CreateMessageParams }),
  object<ElicitRequest>({ method: Schema.Literal('elicitation/create'), params: ElicitParams }),
  object<ListRootsRequest>({ method: Schema.Literal('roots/list'), params: optional(ListRootsParams) }),
);

export const InputResponse: Schema.Schema<InputResponse> = Schema.Union(
  CreateMessageResult,
  ElicitResult,
  ListRootsResult,
);

/** Under keys that the server chose. */
export type InputRequests = { readonly [key: string]: InputRequest };
/** What was asked, answered, under the same keys. */
export type InputResponses = { readonly [key: string]: InputResponse };

/** Answers a request that cannot be answered yet; since 2026-07-28. */
export type InputRequiredResult = Result & {
  readonly inputRequests?: InputRequests;
  /** To be given back, unread, when the request is made again. */
  readonly requestState?: string;
};

export const InputRequiredResult = object<InputRequiredResult>({
  ...resultFields,
  inputRequests: optional(mapOf(InputRequest)),
  requestState: optional(Schema.String),
});

/** The params of a request that may be made again with what it asked for. */
export type AgainParams = RequestParams & {
  readonly inputResponses?: InputResponses;
  readonly requestState?: string;
};

export const againFields = {
  inputResponses: optional(mapOf(InputResponse), { since: '2026-07-28' }),
  requestState: optional(Schema.String, { since: '2026-07-28' }),
} as const;
