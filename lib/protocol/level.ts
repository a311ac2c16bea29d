/**
 * How severe a log notice is.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging
 */
import { Schema } from './schema.ts';

/** The levels of RFC 5424, least severe first. */
export const loggingLevels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;

/** How severe a log line is, by its RFC 5424 name. */
export type LoggingLevel = (typeof loggingLevels)[number];

export const LoggingLevel: Schema.Schema<LoggingLevel> = Schema.Literal(...loggingLevels);

/** How severe a level is, least first from 0; -1 for what is none. */
export const severity = (level: unknown): number => loggingLevels.findIndex((known) => known === level);

/** Whether a notice of a level is to be sent to somebody who asked for `least` and above. */
export const isSevere = (level: LoggingLevel, least: LoggingLevel): boolean =>
  loggingLevels.indexOf(level) >= loggingLevels.indexOf(least);
