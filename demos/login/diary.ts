/** Diaries, each for its owner only: the server of this demo, and the door in front of it. */
import type { AddressInfo } from 'node:net';
import { Schema, serve, server, tool } from 'rxmcp';
import { authorize, jwks } from 'rxmcp/auth';
import { http } from 'rxmcp/node';

/** What one may be allowed to do with one's diary. */
export const may = { read: 'diary:read', write: 'diary:write' } as const;

const diaries = () => {
  const lines = new Map<string, readonly string[]>();
  return server(
    { name: 'diaries', version: '1.0.0' },
    tool('read', { description: 'Your diary', output: Page }, (_, { principal = '' }) => ({
      owner: principal,
      lines: lines.get(principal) ?? [],
    })),
    tool(
      'write',
      { description: 'A line for your diary', input: Schema.Struct({ line: Schema.String }) },
      ({ line }, { principal = '' }) => {
        lines.set(principal, [...(lines.get(principal) ?? []), line]);
        return 'written';
      },
    ),
  );
};

const Page = Schema.Struct({ owner: Schema.String, lines: Schema.Array(Schema.String) });

export type Diaries = ReturnType<typeof diaries>;

/** The door, while it stands. */
export interface Door extends Disposable {
  readonly url: string;
}

/**
 * Serves diaries on a free port of this machine, to whom an authorization server vouches for.
 *
 * Rejects where it cannot listen.
 */
export const diaryDoor = (issuer: string): Promise<Door> =>
  new Promise((resolve, reject) => {
    let url = '';
    const guard = authorize({
      resource: () => url,
      verify: jwks({ issuer }),
      scopes: { all: [may.read], tools: { write: [may.write] } },
    });
    const onListening = (address: AddressInfo | string): void => {
      if (typeof address === 'string') return;
      url = `http://127.0.0.1:${address.port}/mcp`;
      resolve({ url, [Symbol.dispose]: () => running.unsubscribe() });
    };
    const running = serve(guard(diaries()), http({ onListening })).subscribe({ error: reject });
  });
