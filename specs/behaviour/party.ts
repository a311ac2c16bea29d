/** A client of the suite, with its wire laid open and a hand on it. */
import { open, type ConnectOptions, type JsonObject, type OpenClient, type Revision } from '../../lib/index.ts';
import { isModern, metaKeys } from '../../lib/protocol/revisions.ts';
import type { Overheard } from '../../lib/testing/index.ts';
import type { FixtureServer } from './fixture.ts';
import type { Lay, Wire } from './way.ts';

type Tools = FixtureServer extends { readonly tools?: infer T } ? NonNullable<T> : never;

export interface Party {
  readonly client: OpenClient<Tools>;
  readonly wire: Wire;
  /** Sends a message past the client. */
  readonly inject: (message: unknown) => void;
  /** Sends a request past the client, with the `_meta` that its revision requires; resolves with the response. */
  readonly ask: (method: string, params?: JsonObject, id?: string | number) => Promise<JsonObject>;
  /** What has gone over the wire from now on. */
  readonly mark: () => () => readonly Overheard[];
  /** Resolves when the server has written this down. */
  readonly recall: (entry: string) => Promise<unknown>;
}

let serial = 0;
/** A name that no other spec uses. */
export const fresh = (name: string): string => `${name}-${(serial += 1)}`;

/** The `_meta` that a request of this revision must have. */
export const metaAt = (revision: Revision): JsonObject =>
  isModern(revision) ? { [metaKeys.protocolVersion]: revision, [metaKeys.clientCapabilities]: {} } : {};

export const join = async (lay: Lay, revision: Revision, options: ConnectOptions = {}): Promise<Party> => {
  const { target, wire, inject } = lay(revision);
  const client = await open<FixtureServer>(target, {
    info: { name: 'suite', version: '9' },
    ...options,
    revisions: [revision],
  });
  return {
    client,
    wire,
    inject,
    ask: (method, params = {}, id = fresh('raw')) => {
      const { length } = wire.overheard;
      const _meta = { ...metaAt(revision), ...(params['_meta'] as JsonObject | undefined) };
      inject({ jsonrpc: '2.0', id, method, params: Object.keys(_meta).length === 0 ? params : { ...params, _meta } });
      return wire.next(({ way, message }) => way === 'in' && message['id'] === id && !('method' in message), length);
    },
    mark: () => {
      const { length } = wire.overheard;
      return () => wire.overheard.slice(length);
    },
    recall: (entry) => client.callTool('recall', { entry }),
  };
};

/** The messages of one direction that have this method. */
export const said = (overheard: readonly Overheard[], way: Overheard['way'], method: string): readonly JsonObject[] =>
  overheard.filter((one) => one.way === way && one.message['method'] === method).map(({ message }) => message);

/** The one answer to the one request of this method. */
export const answerTo = (overheard: readonly Overheard[], method: string): JsonObject => {
  const [asked] = said(overheard, 'out', method);
  const answer = overheard.find(
    ({ way, message }) => way === 'in' && !('method' in message) && message['id'] === asked?.['id'],
  );
  if (asked === undefined || answer === undefined) throw new Error(`${method} was not asked, or not answered`);
  return answer.message;
};
