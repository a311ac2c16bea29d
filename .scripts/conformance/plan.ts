/** Which scenarios there are, which of them are run, and why the others are not. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export const legs = ['server', 'client'] as const;
export const sets = ['2025-11-25', '2026-07-28'] as const;

/** The side that is judged. */
export type Leg = (typeof legs)[number];
/** A requirement set is named after its revision, and judged at that revision's wire version. */
export type RequirementSet = (typeof sets)[number];

/** One scenario of one set. */
export interface Scenario {
  readonly name: string;
  readonly leg: Leg;
  readonly set: RequirementSet;
  /** Why the referee does not score it; undefined where it does. It is to be passed all the same. */
  readonly unscored: string | undefined;
  /** Why it is not run; undefined where it is. */
  readonly leftOut: string | undefined;
}

const reasons: readonly (readonly [RegExp, string])[] = [[/^tasks-/, 'waits for the tasks extension']];

const reasonFor = (name: string): string | undefined => reasons.find(([pattern]) => pattern.test(name))?.[1];

/**
 * What the referee lists for a set.
 *
 * @throws Error where the list is not understood whole
 */
export const scenariosIn = (listed: string, set: RequirementSet): readonly Scenario[] => {
  let leg: Leg | undefined;
  let unscored: string | undefined;
  const scenarios = listed.split('\n').flatMap((line): readonly Scenario[] => {
    const heading = /^(Server|Client) scenarios/.exec(line)?.[1];
    if (heading !== undefined) leg = heading === 'Server' ? 'server' : 'client';
    unscored = /^ {2}([\w-]+) \(\d+\):/.exec(line)?.[1] ?? unscored;
    const [, name, named] = /^ +- (\S+)(?: \[(server|client)\])?$/.exec(line) ?? [];
    const of = legs.find((each) => each === named) ?? leg;
    if (name === undefined || of === undefined) return [];
    return [{ name, leg: of, set, unscored, leftOut: reasonFor(name) }];
  });
  const scored = scenarios.filter((scenario) => scenario.unscored === undefined).length;
  if (scored === 0 || !listed.includes(`(${scored} scenarios`))
    throw new Error(`the list for ${set} is not understood:\n${listed}`);
  return scenarios;
};

/** What to run; undefined is everything. */
export interface Choice {
  readonly leg: Leg | undefined;
  readonly set: RequirementSet | undefined;
  readonly scenario: string | undefined;
}

/**
 * Asks the referee for its lists. A scenario that is asked for by its name is run, whatever there is against it.
 *
 * @param referee - its command
 * @throws Error where nothing is like what was chosen
 */
export const plan = async (
  referee: readonly string[],
  { leg, set, scenario }: Choice,
): Promise<readonly Scenario[]> => {
  const [program = '', ...args] = referee;
  const lists = await Promise.all(
    sets
      .filter((each) => set === undefined || each === set)
      .map(async (each) => {
        const { stdout } = await promisify(execFile)(program, [...args, 'list', '--requirements', each]);
        return scenariosIn(stdout, each);
      }),
  );
  const chosen = lists
    .flat()
    .filter((each) => leg === undefined || each.leg === leg)
    .filter(({ name }) => scenario === undefined || name === scenario);
  if (chosen.length === 0) throw new Error(`there is no scenario ${scenario ?? ''} here`);
  return scenario === undefined ? chosen : chosen.map((each) => ({ ...each, leftOut: undefined }));
};
