/** A line of the table: who takes part, what they do, and how good we want to be. */
import { fileURLToPath } from 'node:url';
import type { Cores } from './cores.ts';
import type { Contender, Plan } from './rounds.ts';

/**
 * `entry` is the endpoint of SDK 2.x that serves every revision, where the fastest way that it has is another one; `open`
 * is ours without the protection that ours has in that row.
 */
export type Library = 'ours' | 'sdk1' | 'sdk2' | 'entry' | 'bare' | 'open';
export type Revision = '2025-11-25' | '2026-07-28';

/** SDK 1.x ends with the revisions that open by a handshake. */
export const librariesOf = (revision: Revision): readonly Library[] =>
  revision === '2026-07-28' ? ['ours', 'sdk2', 'bare'] : ['ours', 'sdk1', 'sdk2', 'bare'];

export interface Running {
  readonly contenders: readonly Contender[];
  stop(): Promise<void>;
}

/** The most that ours may be: ratios to others, or an absolute figure in bytes. All of them hold. */
export interface Wanted {
  readonly sdk2?: number;
  readonly bare?: number;
  readonly open?: number;
  readonly bytes?: number;
}

export interface Row {
  readonly title: string;
  readonly revision: Revision;
  readonly wanted: Wanted;
  readonly plan: Plan;
  start(cores: Cores): Promise<Running>;
}

export const calls: Plan = { rounds: 15, warmUps: 4, first: 50, turn: 250_000, by: 'cpu' };

/** A turn of a slow contender is too few calls over HTTP for it to get warm, which would flatter the fast ones. */
export const httpCalls: Plan = { ...calls, first: 10_000 };

export const contenderFile = (library: Library, file: string): string =>
  fileURLToPath(new URL(`./contenders/${library}/${file}`, import.meta.url));
export const measuredFile = (file: string): string => fileURLToPath(new URL(`./measured/${file}`, import.meta.url));
