/** What people read: a line when a scenario is judged, and a table at the end. */
import type { Verdict } from './judge.ts';
import type { Scenario } from './plan.ts';

const indented = (text: string): string => text.replaceAll(/^/gm, '    ');

/** A line for a verdict, and under it what did not go well and where all of it can be read. */
export const line = ({ scenario, passed, good, skipped, complaints, seconds, folder }: Verdict): string => {
  const { set, leg, name, unscored } = scenario;
  const said = `${passed ? '✓' : '✗'} ${set} ${leg} ${name}${unscored === undefined ? '' : ' (unscored)'}`;
  const counted = `${good} checks, ${skipped === 0 ? '' : `${skipped} skipped, `}${seconds.toFixed(1)} s`;
  if (passed) return `${said}: ${counted}`;
  return [`${said}: ${counted}`, ...complaints.map(indented), indented(`all of it: ${folder}`)].join('\n');
};

const column = <T>(rows: readonly T[], cell: (row: T) => string): ((row: T) => string) => {
  const width = Math.max(...rows.map((row) => cell(row).length));
  return (row) => cell(row).padStart(width);
};

/** How many scenarios of each set and leg have passed, have not, and were left out; then which those are, and why. */
export const table = (scenarios: readonly Scenario[], verdicts: readonly Verdict[]): string => {
  const places = [...new Set(scenarios.map(({ set, leg }) => `${set}  ${leg}`))].sort();
  const counts = places.map((place) => {
    const here = ({ set, leg }: Scenario): boolean => `${set}  ${leg}` === place;
    const judged = verdicts.filter(({ scenario }) => here(scenario));
    return [
      place,
      judged.filter(({ passed }) => passed).length,
      judged.filter(({ passed }) => !passed).length,
      scenarios.filter((scenario) => here(scenario) && scenario.leftOut !== undefined).length,
    ];
  });
  const rows = [['set and leg', 'passed', 'failed', 'left out'], ...counts].map((row) => row.map(String));
  const columns = [0, 1, 2, 3].map((index) => column(rows, (row) => row[index] ?? ''));
  const left = new Map<string, readonly string[]>();
  for (const { leftOut, set, leg, name } of scenarios) {
    const why = `left out, ${leftOut} (${set}, ${leg})`;
    if (leftOut !== undefined) left.set(why, [...(left.get(why) ?? []), name]);
  }
  return [
    ...rows.map((row) => columns.map((cell) => cell(row)).join('  ')),
    ...[...left].map(([why, names]) => `${why}: ${names.join(' ')}`),
  ].join('\n');
};
