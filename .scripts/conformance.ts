/**
 * `npm run conformance [-- --leg server|client] [--set 2025-11-25|2026-07-28] [--scenario <name>] [--url <server>]`: the
 * official suite judges `demos/everything`, each requirement set at its own wire version.
 *
 * The exit code is 0 where every scenario has passed that is not left out, for a reason that is told.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { concat, concatMap, from, lastValueFrom, mergeMap, tap, toArray, type Observable } from 'rxjs';
import { aside } from './aside.ts';
import { judge, type Verdict } from './conformance/judge.ts';
import { legs, plan, sets, type Scenario } from './conformance/plan.ts';
import { line, table } from './conformance/report.ts';
import { client, serving } from './conformance/subject.ts';

/** How many scenarios are judged at a time: most of them wait for something most of the time. */
const atATime = 3;

/** Changes the server's lists while it is judged, which whoever looks at them at the same time takes for disorder. */
const disturbs = ({ name }: Scenario): boolean => name === 'server-stateless';

const oneOf = <T extends string>(flag: string, known: readonly T[], given: string | undefined): T | undefined => {
  const found = known.find((each) => each === given);
  if (given !== undefined && found === undefined) throw new Error(`--${flag} must be one of ${known.join(', ')}`);
  return found;
};

/** Resolves with whether everything is as it is to be. */
const run = async (): Promise<boolean> => {
  const string = { type: 'string' } as const;
  const { values } = parseArgs({ options: { leg: string, set: string, scenario: string, url: string } });
  const choice = {
    leg: oneOf('leg', legs, values.leg),
    set: oneOf('set', sets, values.set),
    scenario: values.scenario,
  };

  const { node, script } = await aside();
  const referee = [node, await script('@modelcontextprotocol/conformance')];
  const scenarios = await plan(referee, choice);
  const wanted = scenarios.filter(({ leftOut }) => leftOut === undefined);

  const folder = await mkdtemp(join(tmpdir(), 'rxmcp-conformance-'));
  const needsServer = values.url === undefined && wanted.some(({ leg }) => leg === 'server');
  const listening = needsServer ? await serving(join(folder, 'server.txt')) : undefined;
  const url = values.url ?? listening?.url ?? '';
  const judged = (scenario: Scenario, place = ''): Promise<Verdict> => {
    const { set, leg, name } = scenario;
    const subject = leg === 'server' ? ['--url', url] : ['--command', client];
    return judge(scenario, referee, subject, join(folder, place, `${set} ${leg} ${name.replaceAll('/', ' ')}`));
  };
  const told = tap((verdict: Verdict) => console.log(line(verdict)));
  try {
    const oneByOne = (some: readonly Scenario[], place?: string): Observable<Verdict> =>
      from(some).pipe(concatMap((scenario) => judged(scenario, place)));
    const together = from(wanted.filter((scenario) => !disturbs(scenario))).pipe(
      mergeMap((scenario) => judged(scenario), atATime),
    );
    const first = await lastValueFrom(concat(oneByOne(wanted.filter(disturbs)), together).pipe(told, toArray()));
    // A client scenario measures time, which says little of a machine that is busy: it gets one more chance, alone.
    const again = first.filter(({ passed, scenario }) => !passed && scenario.leg === 'client');
    if (again.length > 0) console.log('again, alone:');
    const retried = again.map(({ scenario }) => scenario);
    const alone = await lastValueFrom(oneByOne(retried, 'again').pipe(told, toArray()));
    const verdicts = first.map((verdict) => alone.find(({ scenario }) => scenario === verdict.scenario) ?? verdict);
    console.log(`\n${table(scenarios, verdicts)}`);
    const good = verdicts.length > 0 && verdicts.every(({ passed }) => passed);
    if (good) await rm(folder, { recursive: true });
    else console.log(`logs: ${folder}`);
    return good;
  } finally {
    await listening?.stop();
  }
};

try {
  process.exitCode = (await run()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
