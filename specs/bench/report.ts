/** One table for people, and the same as JSON for whoever compares runs. */
import type { Library, Row, Wanted } from './row.ts';
import type { Measured } from './rounds.ts';

export interface Line {
  readonly row: Row;
  readonly measured: ReadonlyMap<string, Measured>;
}

const libraries: readonly Library[] = ['ours', 'bare', 'sdk1', 'sdk2', 'entry', 'open'];

const ratioOf = (measured: ReadonlyMap<string, Measured>, name: Library, to: Library): number =>
  (measured.get(name)?.median ?? NaN) / (measured.get(to)?.median ?? NaN);

export interface Judgement {
  /** Ours to each of these. */
  readonly ratios: { readonly sdk2: number; readonly bare: number; readonly open: number };
  readonly good: boolean;
}

export const judged = ({ row: { wanted }, measured }: Line): Judgement => {
  const ratios = {
    sdk2: ratioOf(measured, 'ours', 'sdk2'),
    bare: ratioOf(measured, 'ours', 'bare'),
    open: ratioOf(measured, 'ours', 'open'),
  };
  const found = { ...ratios, bytes: measured.get('ours')?.median ?? NaN };
  // What was not measured is not good: no comparison with NaN holds, and nothing is had for nothing.
  const holds = ([what, most]: readonly [keyof Wanted, number]): boolean => found[what] > 0 && found[what] <= most;
  return { ratios, good: limits(wanted).every(holds) };
};

const limits = ({ sdk2, bare, open, bytes }: Wanted): readonly (readonly [keyof Wanted, number])[] => [
  ...(sdk2 === undefined ? [] : [['sdk2', sdk2] as const]),
  ...(bare === undefined ? [] : [['bare', bare] as const]),
  ...(open === undefined ? [] : [['open', open] as const]),
  ...(bytes === undefined ? [] : [['bytes', bytes] as const]),
];

const said = ([what, most]: readonly [keyof Wanted, number]): string =>
  what === 'bytes' ? `<= ${(most / 1000).toFixed(1)} kB` : `<= ${most} ${what}`;

const microseconds = (value: number): string =>
  value >= 10_000 ? `${(value / 1000).toFixed(0)} ms` : value.toFixed(value < 100 ? 1 : 0);

const amount = (value: number | undefined, by: Row['plan']['by']): string =>
  value === undefined ? '-' : by === 'bytes' ? `${(value / 1000).toFixed(2)} kB` : microseconds(value);

const ratio = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(3));

export const table = (lines: readonly Line[]): string => {
  const head = [
    'µs per call',
    'revision',
    ...libraries,
    'ours/sdk2',
    'bare/sdk2',
    'ours/bare',
    'ours/open',
    'wanted',
    '',
  ];
  const body = lines.map((line) => {
    const { row, measured } = line;
    const { ratios, good } = judged(line);
    return [
      row.title,
      row.revision,
      ...libraries.map((library) => amount(measured.get(library)?.median, row.plan.by)),
      ratio(ratios.sdk2),
      ratio(ratioOf(measured, 'bare', 'sdk2')),
      ratio(ratios.bare),
      ratio(ratios.open),
      limits(row.wanted).map(said).join(', '),
      good ? 'ok' : 'MISSED',
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
        [line.row.plan.by === 'bytes' ? 'bytes' : 'microseconds']: Object.fromEntries(line.measured),
      })),
    },
    null,
    2,
  );
