/** One table for people, and the same as JSON for whoever compares runs. */
import type { Library, Row } from './row.ts';
import type { Measured } from './rounds.ts';

export interface Line {
  readonly row: Row;
  readonly measured: ReadonlyMap<string, Measured>;
}

const libraries: readonly Library[] = ['ours', 'bare', 'sdk1', 'sdk2'];

const ratioOf = (measured: ReadonlyMap<string, Measured>, name: Library): number =>
  (measured.get(name)?.median ?? NaN) / (measured.get('sdk2')?.median ?? NaN);

export const judged = ({ row, measured }: Line): { ratio: number; good: boolean } => {
  const ratio = ratioOf(measured, 'ours');
  return { ratio, good: ratio <= row.wanted };
};

const microseconds = (value: number | undefined): string =>
  value === undefined ? '-' : value >= 10_000 ? `${(value / 1000).toFixed(0)} ms` : value.toFixed(value < 100 ? 1 : 0);

const ratio = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(3));

export const table = (lines: readonly Line[]): string => {
  const head = ['µs per call', 'revision', ...libraries, 'ours/sdk2', 'bare/sdk2', 'wanted', ''];
  const body = lines.map((line) => {
    const { row, measured } = line;
    return [
      row.title,
      row.revision,
      ...libraries.map((library) => microseconds(measured.get(library)?.median)),
      ratio(judged(line).ratio),
      ratio(ratioOf(measured, 'bare')),
      `<= ${row.wanted}`,
      judged(line).good ? 'ok' : 'MISSED',
    ];
  });
  const widths = head.map((_, column) => Math.max(...[head, ...body].map((cells) => cells[column]?.length ?? 0)));
  const align = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  return [head, ...body].map(align).join('\n');
};

export const json = (lines: readonly Line[], facts: Readonly<Record<string, unknown>>): string =>
  JSON.stringify(
    {
      ...facts,
      rows: lines.map((line) => ({
        title: line.row.title,
        revision: line.row.revision,
        by: line.row.plan.by,
        wanted: line.row.wanted,
        ...judged(line),
        microseconds: Object.fromEntries(line.measured),
      })),
    },
    null,
    2,
  );
