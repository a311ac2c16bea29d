/**
 * `subscriptions/listen`: the one stream of what changes.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
import { object, optional } from './object.ts';
import { Identifier } from './json.ts';
import {
  notificationFields,
  requestFields,
  resultFields,
  type NotificationParams,
  type RequestParams,
  type ResultMeta,
} from './meta.ts';
import { Implementation } from './peer.ts';
import { Schema } from './schema.ts';

/** Which notices are wanted, or will come. */
export interface SubscriptionFilter {
  readonly toolsListChanged?: boolean;
  readonly promptsListChanged?: boolean;
  readonly resourcesListChanged?: boolean;
  /** The URIs of the resources that matter. */
  readonly resourceSubscriptions?: readonly string[];
}

export const SubscriptionFilter = object<SubscriptionFilter>({
  toolsListChanged: optional(Schema.Boolean),
  promptsListChanged: optional(Schema.Boolean),
  resourcesListChanged: optional(Schema.Boolean),
  resourceSubscriptions: optional(Schema.Array(Schema.String)),
});

export type ListenParams = RequestParams & { readonly notifications: SubscriptionFilter };
export const ListenParams = object<ListenParams>({ ...requestFields, notifications: SubscriptionFilter });

/** Says which of the wanted notices will come. */
export type AcknowledgedParams = NotificationParams & { readonly notifications: SubscriptionFilter };
export const AcknowledgedParams = object<AcknowledgedParams>({
  ...notificationFields,
  notifications: SubscriptionFilter,
});

export interface ListenResultMeta extends ResultMeta {
  readonly 'io.modelcontextprotocol/subscriptionId': string | number;
}

/** The end of the stream. */
export type ListenResult = {
  readonly resultType: string;
  readonly _meta: ListenResultMeta;
};

export const ListenResult = object<ListenResult>({
  resultType: resultFields.resultType,
  _meta: object<ListenResultMeta>({
    'io.modelcontextprotocol/serverInfo': optional(Implementation),
    'io.modelcontextprotocol/subscriptionId': Identifier,
  }),
});

/** Whether who subscribed to one URI is told of another: an update may name a part of what was subscribed (RES-14). */
export const covers = (subscribed: string, uri: unknown): boolean =>
  uri === subscribed ||
  (typeof uri === 'string' && uri.startsWith(subscribed.endsWith('/') ? subscribed : `${subscribed}/`));
