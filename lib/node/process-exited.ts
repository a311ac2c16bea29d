import { TaggedError } from 'effect/Data';

/**
 * A process that carried a channel has ended without being asked to, other than with exit code 0.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio#unexpected-termination
 */
export class ProcessExited extends TaggedError('ProcessExited')<{
  /** Names the program and how it ended, and nothing of what it said or where it is. */
  readonly message: string;
  /** As it was given. */
  readonly command: string;
  /** The exit code; null where a signal ended it. */
  readonly code: number | null;
  /** The signal that ended it, by name. */
  readonly signal: string | null;
  /** The end of what it wrote to stderr, at most 2 KB. */
  readonly stderr: string;
}> {}
