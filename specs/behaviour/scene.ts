/** What every part of the suite is played in: a revision, a wiring, and a client that is connected over it. */
import { lastValueFrom, toArray } from 'rxjs';
import { expect } from 'vitest';
import type { CallOptions, ConnectOptions, JsonObject, LogEvent, Revision } from '../../lib/index.ts';
import type { Host } from './host.ts';
import type { Party } from './party.ts';
import type { Trait, Wired, Wiring } from './wirings.ts';

export interface Scene {
  readonly revision: Revision;
  readonly wiring: Wiring;
  readonly modern: boolean;
  /** Whether the revision is this one or a later one. */
  readonly since: (revision: Revision) => boolean;
  /** Whether this is to be had over the wiring. */
  readonly has: (trait: Trait) => boolean;
  /** Declares what needs this to be had over the wiring; where it is not, it is skipped, and the reason printed. */
  readonly needing: (trait: Trait, specs: () => void) => void;
  /** The connection that most specs share. */
  readonly party: () => Party;
  /** A second connection that specs share: what is sent over it may break the rules. */
  readonly spare: () => Promise<Party>;
  /** A third one that specs share, whose client answers what it is asked: with yes, or as is said here. */
  readonly hosting: (answers?: Parameters<Host['play']>[0]) => Promise<Party>;
  /** One more connection, closed by hand or after the spec. */
  readonly another: (options?: ConnectOptions) => Promise<Party>;
  readonly wired: () => Wired;
}

export const textOf = ({ content }: { readonly content: readonly unknown[] }): string => {
  const [first] = content as readonly { readonly text?: unknown }[];
  return String(first?.text);
};

/** What a tool said in JSON; its text, because older revisions have nothing else (TOOL-14). */
export const dataOf = (result: { readonly content: readonly unknown[] }): Record<string, unknown> =>
  JSON.parse(textOf(result)) as Record<string, unknown>;

export const errorOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => expect.fail(`it should have failed, and gave ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );

/** Calls the tool that logs at every level, any number of times; gives the lines, from where this wiring has them. */
export const logging = ({ ownLogs }: Wiring, { client }: Party) => {
  const strays: LogEvent[] = [];
  client.logs$.subscribe((line) => strays.push(line));
  return async (options?: CallOptions): Promise<readonly LogEvent[]> => {
    const events = await lastValueFrom(client.call('logs', {}, options).pipe(toArray()));
    const own = events.filter((event) => event.kind === 'log');
    const past = strays.splice(0);
    expect(ownLogs === true ? past : own).toEqual([]);
    return ownLogs === true ? own : past;
  };
};

export const object = (value: unknown): JsonObject => {
  expect(value).toBeTypeOf('object');
  return value as JsonObject;
};
