/** A table for people. */
import { paint } from '../../story/paint.ts';

/** Prints rows of two columns between lines. */
export const table = (rows: readonly (readonly [string, string])[]): void => {
  const [left, right] = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const rule = (start: string, cross: string, end: string): string =>
    paint.quiet(`   ${start}${'─'.repeat((left ?? 0) + 2)}${cross}${'─'.repeat((right ?? 0) + 2)}${end}`);
  const edge = paint.quiet('│');
  console.log(rule('┌', '┬', '┐'));
  for (const [name, value] of rows)
    console.log(`   ${edge} ${paint.strong(name.padEnd(left ?? 0))} ${edge} ${value.padEnd(right ?? 0)} ${edge}`);
  console.log(rule('└', '┴', '┘'));
};
