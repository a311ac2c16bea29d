/** One random conversation: drawn, held, judged, told. */
import * as fc from 'fast-check';
import { config } from 'rxjs';
import { revisions, type Revision } from '../../lib/index.ts';
import { createLedger, type Tapped } from '../../lib/testing/index.ts';
import { lingering, livingFaults, remainingFaults, wireFaults } from './judge.ts';
import { Course, saidOf, turn, type Turn } from './turn.ts';
import type { Clock } from './virtual.ts';
import { drainMs, worldOf, type Road, type Setting } from './world.ts';

export interface Conversation {
  readonly setting: Setting;
  readonly turns: readonly Turn[];
}

const rarely = <T>(arbitrary: fc.Arbitrary<T>, weight: number): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 10, arbitrary: fc.constant(undefined) }, { weight, arbitrary });

export const conversation = (revision: Revision): fc.Arbitrary<Conversation> =>
  fc.record({
    setting: fc.record({
      revision: fc.constant(revision),
      serialise: fc.boolean(),
      probing: fc.boolean(),
      behind: rarely(fc.constantFrom(...revisions), 3),
      early: rarely(fc.nat(4), 1),
    }),
    turns: fc.array(turn, { minLength: 1, maxLength: 10 }),
  });

/** How long the longest script takes, and every pause of this runtime that is not a matter of patience, in milliseconds. */
const allDoneMs = 500;
/** What a handler waits for is shorter than this, in milliseconds. */
const handlerMs = 50;

/** What nobody has caught, since this was asked last. */
const uncaught: unknown[] = [];
export const catchAll = (): (() => void) => {
  const keep = (error: unknown): void => void uncaught.push(error);
  process.on('unhandledRejection', keep);
  config.onUnhandledError = keep;
  return () => {
    process.off('unhandledRejection', keep);
    config.onUnhandledError = null;
  };
};

const heard = (whose: string, { overheard }: Tapped): readonly string[] => [
  `${whose}:`,
  ...overheard.map(
    ({ way, message }) => `  ${way === 'out' ? 'says ' : 'hears'} ${JSON.stringify(message).slice(0, 300)}`,
  ),
];

const told = ({ setting, turns }: Conversation, faults: readonly string[], roads: readonly Road[]): string => {
  const { revision, behind, serialise, probing, early } = setting;
  return [
    ...faults,
    `at ${revision}${behind === undefined ? '' : ` through a proxy to ${behind}`}${serialise ? ', serialised' : ''}${probing ? ', probing' : ''}${early === undefined ? '' : `, cut after ${early} frames`}:`,
    ...turns.map((one, at) => `  ${at + 1}. ${saidOf(one)}`),
    ...roads.flatMap(({ near, ends }, at) => [
      ...near.flatMap((end) => heard(`the client's end of way ${at + 1}`, end)),
      ...ends.flatMap((end) => heard(`the server's end of way ${at + 1}`, end)),
    ]),
  ].join('\n');
};

/** Holds a conversation. Throws what was wrong with it, and everything that was said. */
export const converse = async (drawn: Conversation, clock: Clock): Promise<void> => {
  const { setting, turns } = drawn;
  const roads: Road[] = [];
  const ledger = createLedger();
  const faults: string[] = [];
  const opening = worldOf(setting, roads, ledger).then(
    (world) => new Course(world, clock),
    (error: unknown) => {
      if (setting.early === undefined) faults.push(`it could not be opened: ${String(error)}`);
    },
  );
  await clock.pass(0);
  const course = await opening;
  if (course !== undefined) {
    // It may still be to come.
    if (setting.early !== undefined) for (const road of roads.slice(0, 1)) course.gone.add(road);
    for (const one of turns) {
      await course.take(one);
      if (one.do === 'pass') faults.push(...lingering(course).map((fault) => `meanwhile ${fault}`));
    }
    course.release();
    await clock.pass(allDoneMs);
    faults.push(...livingFaults(course));
    await course.world.client.close();
    await course.world.relay?.close();
  }
  await clock.pass(0);
  const patient = clock.left().filter((ms) => ms > handlerMs && ms !== drainMs);
  if (patient.length > 0) faults.push(`timers outlive their connection, of ${patient.join()} ms`);
  await clock.pass(drainMs + allDoneMs);
  if (course !== undefined) faults.push(...remainingFaults(course));
  for (const road of roads) {
    faults.push(...wireFaults(road, setting.behind !== undefined));
    if (road.near.some(({ open }) => open > 0) || road.serving > 0) faults.push('a way is still open');
  }
  if (Object.keys(ledger.live).length > 0) faults.push(`still alive: ${JSON.stringify(ledger.live)}`);
  if (clock.left().length > 0) faults.push(`timers are left, of ${clock.left().join()} ms`);
  clock.clear();
  for (const error of uncaught.splice(0))
    faults.push(`not caught: ${error instanceof Error ? error.stack : String(error)}`);
  if (faults.length > 0) throw new Error(told(drawn, faults, roads));
};
