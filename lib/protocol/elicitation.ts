/**
 * Elicitation: a server asks the user, by a form or by a page to visit.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation
 */
import { object, optional, required } from './object.ts';
import { AnswerNumber, JsonObject, mapOf } from './json.ts';
import { LegacyRequestMeta } from './meta.ts';
import { FormField } from './form.ts';
import { Schema } from './schema.ts';
import { task } from './tasks.ts';

/** What a form asks for: a flat object of primitive fields. */
export interface RequestedSchema {
  readonly type: 'object';
  readonly properties: { readonly [name: string]: FormField };
  readonly required?: readonly string[];
  readonly $schema?: string;
}

export const RequestedSchema = object<RequestedSchema>({
  type: Schema.Literal('object'),
  properties: mapOf(FormField),
  required: optional(Schema.Array(Schema.String)),
  $schema: optional(Schema.String, { since: '2025-11-25' }),
});

const past = { _meta: optional(LegacyRequestMeta, { until: '2025-11-25' }), task } as const;

export type ElicitFormParams = {
  readonly mode?: 'form';
  /** What the user is asked, in words. */
  readonly message: string;
  readonly requestedSchema: RequestedSchema;
};

export const ElicitFormParams = object<ElicitFormParams>(
  {
    mode: optional(Schema.Literal('form'), { since: '2025-11-25' }),
    message: Schema.String,
    requestedSchema: RequestedSchema,
  },
  { fields: past },
);

export type ElicitUrlParams = {
  readonly mode: 'url';
  readonly message: string;
  readonly url: string;
};

export const ElicitUrlParams = object<ElicitUrlParams>(
  { mode: Schema.Literal('url'), message: Schema.String, url: Schema.String },
  {
    since: '2025-11-25',
    fields: { ...past, elicitationId: required(Schema.String, { since: '2025-11-25', until: '2025-11-25' }) },
  },
);

export type ElicitParams = ElicitFormParams | ElicitUrlParams;
export const ElicitParams: Schema.Schema<ElicitParams> = Schema.Union(ElicitFormParams, ElicitUrlParams);

/** What a user put into one field. */
export type FormAnswer = string | number | boolean | readonly string[];

export type ElicitResult = {
  readonly action: 'accept' | 'decline' | 'cancel';
  /** Only where the user accepted a form. */
  readonly content?: { readonly [name: string]: FormAnswer };
};

export const ElicitResult = object<ElicitResult>(
  {
    action: Schema.Literal('accept', 'decline', 'cancel'),
    content: optional(
      mapOf<FormAnswer>(Schema.Union(Schema.String, AnswerNumber, Schema.Boolean, Schema.Array(Schema.String))),
      { was: [{ until: '2025-06-18', as: mapOf(Schema.Union(Schema.String, AnswerNumber, Schema.Boolean)) }] },
    ),
  },
  { fields: { _meta: optional(JsonObject, { until: '2025-11-25' }) } },
);

/** The user has come back from the page; 2025-11-25 only. */
export type ElicitationCompleteParams = { readonly elicitationId: string };
export const ElicitationCompleteParams = object<ElicitationCompleteParams>({ elicitationId: Schema.String });

/** The error code by which a server of 2025-11-25 asked for a page to be visited before the request is made again. */
export const urlElicitationRequired = -32042;
