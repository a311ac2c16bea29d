/**
 * What a server and a client do together, whatever revision they speak and whatever carries their frames: written once,
 * as functions of (revision, wiring).
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { revisions } from '../../lib/index.ts';
import { isModern, ordinal } from '../../lib/protocol/revisions.ts';
import { createHost } from './host.ts';
import { inGoodOrder, leavesNothing } from './leaks.ts';
import { answering, asking, refusing, withdrawing } from './parts/asking.ts';
import { calls, cancellation } from './parts/calls.ts';
import { fields, results } from './parts/content.ts';
import { badInput, endings, failures } from './parts/failures.ts';
import { handshake, removed } from './parts/handshake.ts';
import { lists, reading, watching } from './parts/lists.ts';
import { completing, levelling, living } from './parts/live.ts';
import { logging, prompting } from './parts/prompts.ts';
import { roots } from './parts/roots.ts';
import { join, type Party } from './party.ts';
import { dataOf, type Scene } from './scene.ts';
import type { Wired, Wiring } from './wirings.ts';

const parts: readonly ((scene: Scene) => void)[] = [
  handshake,
  removed,
  calls,
  cancellation,
  failures,
  badInput,
  results,
  fields,
  lists,
  reading,
  watching,
  prompting,
  logging,
  asking,
  answering,
  refusing,
  withdrawing,
  roots,
  living,
  levelling,
  completing,
  endings,
];

/** While a connection lasts its server holds the lists, and nothing else. */
const held = { tools$: 1, resources$: 1, prompts$: 1 };

/** Runs the whole suite over one wiring, at every revision that it exists for. */
export const behaves = (wiring: Wiring): void => {
  const { without = {}, lacks = {} } = wiring;
  it.skip.each(Object.entries(without))(`over ${wiring.name} at %s: %s`, () => undefined);
  describe.each(revisions.filter((revision) => !(revision in without)))(`over ${wiring.name} at %s`, (revision) => {
    leavesNothing('all');
    let wired: Wired | undefined;
    let party: Party | undefined;
    let spare: Promise<Party> | undefined;
    let hosting: Promise<Party> | undefined;
    const host = createHost();
    const others: Party[] = [];
    const here = <T>(what: T | undefined): T => {
      if (what === undefined) throw new Error('the connection is not open');
      return what;
    };
    beforeAll(async () => {
      wired = await wiring.start();
      party = await join(wired.way, revision);
    });
    afterEach(async () => {
      const { client, wire } = here(party);
      for (const other of others.splice(0)) await other.client.close();
      await vi.waitFor(async () => expect(dataOf(await client.callTool('live', {}))).toEqual(held), {
        timeout: 5_000,
        interval: 2,
      });
      inGoodOrder(wire);
    });
    afterAll(async () => {
      const { client, wire } = here(party);
      await client.close();
      await (await spare)?.client.close();
      await (await hosting)?.client.close();
      await here(wired).end();
      expect(wire.open).toBe(0);
    });
    const scene: Scene = {
      revision,
      wiring,
      modern: isModern(revision),
      since: (other) => ordinal(revision) >= ordinal(other),
      has: (trait) => lacks[trait] === undefined,
      needing: (trait, specs) => {
        const reason = lacks[trait];
        if (reason === undefined) specs();
        else describe.skip(`skipped, as ${reason}:`, specs);
      },
      party: () => here(party),
      spare: () => (spare ??= join(here(wired).way, revision)),
      hosting: (answers = {}) => {
        host.play(answers);
        return (hosting ??= join(here(wired).way, revision, { answers: host.answers }));
      },
      another: async (options) => {
        const other = await join(here(wired).way, revision, options);
        others.push(other);
        return other;
      },
      wired: () => here(wired),
    };
    for (const part of parts) part(scene);
  });
};
