/**
 * Log notices from server to client.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging
 */
import { object, optional } from './object.ts';
import { LoggingLevel } from './level.ts';
import { legacyRequestFields, notificationFields, type LegacyRequestParams, type NotificationParams } from './meta.ts';
import { Schema } from './schema.ts';

export { isSevere, loggingLevels, LoggingLevel } from './level.ts';

export type LogParams = NotificationParams & {
  readonly level: LoggingLevel;
  /** Which part of the server speaks. */
  readonly logger?: string;
  readonly data: unknown;
};

export const LogParams = object<LogParams>({
  ...notificationFields,
  level: LoggingLevel,
  logger: optional(Schema.String),
  data: Schema.Unknown,
});

/** The least severe notice that a session wants; until 2025-11-25. */
export type SetLevelParams = LegacyRequestParams & { readonly level: LoggingLevel };
export const SetLevelParams = object<SetLevelParams>({ ...legacyRequestFields, level: LoggingLevel });
