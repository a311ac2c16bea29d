/** Somebody at a terminal that is none: what they type is given, what they see is kept. */
import { PassThrough } from 'node:stream';
import { onTestFinished } from 'vitest';
import { terminal, type Terminal } from '../../../demos/questions/terminal.ts';

export interface Seat {
  readonly at: Terminal;
  readonly type: (...lines: readonly string[]) => void;
  /** Keys as a terminal in raw mode sends them. */
  readonly press: (keys: string) => void;
  /** Closes the input. */
  readonly leave: () => void;
  /** All that was printed so far. */
  readonly seen: () => string;
  readonly interrupts: () => number;
}

/** @param raw - whether keys are read one by one, as at a real terminal: Ctrl-C is a key then */
export const seat = (raw = false): Seat => {
  const input = Object.assign(new PassThrough(), { isTTY: raw, setRawMode: () => undefined });
  const output = Object.assign(new PassThrough(), { isTTY: raw, columns: 200 });
  let [text, interrupts] = ['', 0];
  output.on('data', (chunk) => (text += String(chunk)));
  const at = terminal({ input, output, interrupted: () => (interrupts += 1) });
  onTestFinished(() => at[Symbol.dispose]());
  return {
    at,
    type: (...lines) => void input.write(lines.map((line) => `${line}\n`).join('')),
    press: (keys) => void input.write(keys),
    leave: () => void input.end(),
    seen: () => text,
    interrupts: () => interrupts,
  };
};
