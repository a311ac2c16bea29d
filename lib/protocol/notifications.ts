/**
 * Notices about a request that is under way.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/progress
 */
import { object, optional, required } from './object.ts';
import { Identifier } from './json.ts';
import { notificationFields, type NotificationParams, type ProgressToken } from './meta.ts';
import { Schema } from './schema.ts';

export type ProgressParams = NotificationParams & {
  readonly progressToken: ProgressToken;
  /** Grows with every notice. */
  readonly progress: number;
  /** Where it will end, if that is known. */
  readonly total?: number;
  readonly message?: string;
};

export const ProgressParams = object<ProgressParams>({
  ...notificationFields,
  progressToken: Identifier,
  progress: Schema.Number,
  total: optional(Schema.Number),
  message: optional(Schema.String, { since: '2025-03-26' }),
});

export type CancelledParams = NotificationParams & {
  readonly requestId: string | number;
  readonly reason?: string;
};

export const CancelledParams = object<CancelledParams>({
  ...notificationFields,
  requestId: required(Identifier, { optional: { since: '2025-11-25', until: '2025-11-25' } }),
  reason: optional(Schema.String),
});
