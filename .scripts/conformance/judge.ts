/** One scenario, judged by the referee: a process of its own, which writes down each of its checks. */
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { start } from './child.ts';
import type { Scenario } from './plan.ts';

/** What the referee has found. */
export interface Verdict {
  readonly scenario: Scenario;
  readonly passed: boolean;
  /** How many of its checks went well. */
  readonly good: number;
  /** How many it has not made, for want of an occasion. */
  readonly skipped: number;
  /** What did not go well, in the words of the referee. */
  readonly complaints: readonly string[];
  readonly seconds: number;
  /** Path of the folder with the referee's output and its checks. */
  readonly folder: string;
}

interface Check {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
}

/** How long the referee gives a scenario, and how long we give the referee, in milliseconds. */
const patienceMs = 30_000;
const longestMs = patienceMs + 15_000;

/** The texts of all files of this name. */
const textsIn = async (folder: string, name: string): Promise<readonly string[]> => {
  const paths = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith(name));
  return Promise.all(paths.map((path) => readFile(join(folder, path), 'utf8')));
};

const checksIn = async (folder: string): Promise<readonly Check[]> =>
  (await textsIn(folder, 'checks.json')).flatMap((text) => JSON.parse(text) as readonly Check[]);

const complaint = ({ status, id, description, errorMessage }: Check): string =>
  `${status === 'WARNING' ? 'warning' : 'failed'} ${id}: ${description}${errorMessage === undefined ? '' : `\n  ${errorMessage}`}`;

/** What the referee says of a client that did not end well, and what that said itself. */
const lastWords = (log: string): readonly string[] => [
  ...(log.match(/CLIENT (?:TIMED OUT|EXITED WITH ERROR).*/g) ?? []),
  ...(/^Stderr:\n(.+?)\n\n/ms.exec(log)?.slice(1) ?? []),
];

/**
 * Has a scenario judged. It has passed where the referee says so, warns of nothing, and has seen something go well.
 *
 * @param scenario - which one
 * @param referee - its command
 * @param subject - what is judged: the flags that name it
 * @param folder - where to keep what it says; made here
 */
export const judge = async (
  scenario: Scenario,
  referee: readonly string[],
  subject: readonly string[],
  folder: string,
): Promise<Verdict> => {
  await mkdir(folder, { recursive: true });
  const { name, leg, set } = scenario;
  // As a requirement set is run by the referee itself: at the wire version of the set, come what may.
  const how = ['--spec-version', set, '--force', '--timeout', String(patienceMs), '--output-dir', folder];
  const before = performance.now();
  const log = join(folder, 'log.txt');
  const { ended, end } = start([...referee, leg, ...subject, '--scenario', name, ...how], log);
  const tooLong = setTimeout(end, longestMs);
  const code = await ended.finally(() => clearTimeout(tooLong));
  const checks = await checksIn(folder);
  const good = checks.filter(({ id, status }) => status === 'SUCCESS' && !id.startsWith('wire-schema')).length;
  const complaints = [
    ...checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING').map(complaint),
    ...(code === 0 ? [] : lastWords(await readFile(log, 'utf8'))),
  ];
  // Some scenarios let a client end in any way; ours says nothing where it has met what it expects.
  const said = code === 0 ? (await textsIn(folder, 'stderr.txt')).join('').trim() : '';
  if (said !== '') complaints.push(`the client complains, though the referee does not: ${said}`);
  if (code !== 0 && complaints.length === 0) complaints.push(`the referee ended with ${code}`);
  if (code === 0 && good === 0) complaints.push('the referee has checked nothing');
  return {
    scenario,
    passed: complaints.length === 0,
    good,
    skipped: checks.filter(({ status }) => status === 'SKIPPED').length,
    complaints,
    seconds: (performance.now() - before) / 1000,
    folder,
  };
};
