/** What every part of the suite is played in: a revision, a wiring, and a client that is connected over it. */
import { expect } from 'vitest';
import type { ConnectOptions, JsonObject, Revision } from '../../lib/index.ts';
import type { Host } from './host.ts';
import type { Party } from './party.ts';
import type { Wired, Wiring } from './wirings.ts';

export interface Scene {
  readonly revision: Revision;
  readonly wiring: Wiring;
  readonly modern: boolean;
  /** Whether the revision is this one or a later one. */
  readonly since: (revision: Revision) => boolean;
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

export const object = (value: unknown): JsonObject => {
  expect(value).toBeTypeOf('object');
  return value as JsonObject;
};
