/** Regular expressions that cannot run away: RE2's, whose time is linear in the text, whatever the pattern. */
import { setImmediate as turn } from 'node:timers/promises';
import { RE2JS } from 're2js';

/** How long one look at a text may keep everything else waiting, in milliseconds. */
const sliceMs = 8;

/** A compiled pattern of more steps is refused: `.{900}.{900}…` is linear too, but with a factor. */
const mostSteps = 4000;

export interface Found {
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1, in UTF-16 units. */
  readonly column: number;
  /** The line, cut to the length that is looked at. */
  readonly text: string;
}

export interface Pattern {
  /**
   * The lines of a text that match, first ones first. Lets others have their turn while it looks.
   *
   * @param signal - stops it between two lines
   */
  readonly linesIn: (text: string, signal: AbortSignal) => AsyncGenerator<Found, void, undefined>;
}

/**
 * @param longest - how much of each line is looked at, in UTF-16 units
 * @throws Error that says what is wrong with the pattern
 */
export const pattern = (source: string, ignoreCase: boolean, longest: number): Pattern => {
  const compiled = compile(source, ignoreCase);
  return {
    async *linesIn(text, signal) {
      let since = performance.now();
      for (let at = 0, line = 1; at <= text.length; line += 1) {
        const newline = text.indexOf('\n', at);
        const end = newline < 0 ? text.length : newline;
        const looked = text.slice(at, Math.min(end, at + longest)).replace(/\r$/, '');
        // Asking whether is much faster than asking where.
        if (compiled.test(looked)) {
          const matcher = compiled.matcher(looked);
          yield { line, column: matcher.find() ? matcher.start() + 1 : 1, text: looked };
        }
        if (performance.now() - since > sliceMs) {
          await turn();
          signal.throwIfAborted();
          since = performance.now();
        }
        at = end + 1;
      }
    },
  };
};

const compile = (source: string, ignoreCase: boolean): RE2JS => {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(source, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
  } catch (error) {
    throw new Error(`the pattern is not valid: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const steps = Number(compiled.programSize());
  if (steps > mostSteps) throw new Error(`the pattern is too large: ${steps} steps, of ${mostSteps} that are allowed`);
  return compiled;
};
