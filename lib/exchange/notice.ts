/**
 * A notice is what a handler says before its answer: progress, or a log line. It is told apart from answers by a brand,
 * so that a handler may yield both into one stream.
 */
import type { JsonObject } from '../frame/frame.ts';
import type { LoggingLevel } from '../protocol/level.ts';
import type { Notification } from './exchange.ts';

/** Shared by all copies of this package in one process. */
const brand = Symbol.for('rxmcp/notice');

/** A notification that a handler emits or yields on the way to its answer; made by {@link progress} and {@link log}. */
export class Notice implements Notification {
  readonly method: string;
  readonly params: JsonObject;
  constructor(method: string, params: JsonObject) {
    this.method = method;
    this.params = params;
  }
  get [brand](): true {
    return true;
  }
}

export const isNotice = (value: unknown): value is Notice =>
  typeof value === 'object' && value !== null && brand in value;

export const progressMethod = 'notifications/progress';
export const logMethod = 'notifications/message';

/**
 * A step of work done, to be emitted or yielded by a handler before its answer. Peers get it only if they asked for
 * progress, and only if it is higher than the one before.
 *
 * @param done - how much is done, in any unit; must increase from one notice to the next
 * @param total - how much there is in all, in the same unit, where known
 * @param message - what is being done, for people
 * @example
 * tool('fetch', {}, async function* () {
 *   yield progress(0, 2, 'asking');
 *   const answer = await fetch('https://example.com');
 *   yield progress(1, 2, 'reading');
 *   return answer.text();
 * });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/progress
 */
export const progress = (done: number, total?: number, message?: string): Notice =>
  new Notice(progressMethod, {
    progress: done,
    ...(total === undefined ? undefined : { total }),
    ...(message === undefined ? undefined : { message }),
  });

/**
 * A log line, to be emitted or yielded by a handler before its answer. Peers get it only if they asked for its level.
 *
 * @param level - one of the eight RFC 5424 names, `debug` to `emergency`; a line of any other level goes nowhere
 * @param data - anything JSON can hold; no secrets
 * @param logger - the name of the part that speaks
 * @example
 * tool('save', {}, () => concat(of(log('warning', { free: '2 %' }, 'disk')), of('saved')));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging
 */
export const log = (level: LoggingLevel, data: unknown, logger?: string): Notice =>
  new Notice(logMethod, { level, ...(logger === undefined ? undefined : { logger }), data: data ?? null });
