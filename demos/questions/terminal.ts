/** A person at a terminal: lines of text out, lines of text in. */
import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';

export interface Terminal extends Disposable {
  readonly print: (line?: string) => void;
  /**
   * Asks for a line.
   *
   * @returns resolves with the line as it was typed; with undefined for Ctrl-C, where the input has ended, and once the
   * signal is aborted
   */
  readonly ask: (prompt: string, signal?: AbortSignal) => Promise<string | undefined>;
}

export interface TerminalStreams {
  readonly input: Readable;
  /** With colours and line editing where it is a terminal. */
  readonly output: Writable;
  /** Told of a Ctrl-C while nothing is asked. */
  readonly interrupted?: () => void;
}

/** Reads lines until it is disposed of. A line that comes before it is asked for is kept: scripts type ahead. */
export const terminal = ({ input, output, interrupted }: TerminalStreams): Terminal => {
  const reader = createInterface({ input, output });
  const typed: string[] = [];
  let ended = false;
  let waiting: ((line: string | undefined) => void) | undefined;
  const give = (line: string | undefined): void => {
    const answer = waiting;
    waiting = undefined;
    answer?.(line);
  };
  reader.on('line', (line) => {
    if (waiting === undefined) typed.push(line);
    else give(line);
  });
  reader.on('SIGINT', () => {
    if (waiting === undefined) return interrupted?.();
    output.write('\n');
    give(undefined);
  });
  reader.on('close', () => {
    ended = true;
    give(undefined);
  });
  return {
    print: (line = '') => void output.write(`${line}\n`),
    ask: (prompt, signal) =>
      new Promise((resolve) => {
        const withdrawn = (): void => give(undefined);
        const answer = (line: string | undefined): void => {
          signal?.removeEventListener('abort', withdrawn);
          resolve(line);
        };
        const early = typed.shift();
        if (early !== undefined || ended || signal?.aborted === true) {
          output.write(`${prompt}${early ?? ''}\n`);
          return answer(early);
        }
        waiting = answer;
        signal?.addEventListener('abort', withdrawn);
        reader.setPrompt(prompt);
        reader.prompt();
      }),
    [Symbol.dispose]: () => reader.close(),
  };
};
