/**
 * Whether anything is left of the servers that a spec has started, by whoever's client: each of their processes holds a
 * line to us, which closes when the process is gone, however it went and whoever has to collect it.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { filter, firstValueFrom, startWith, Subject, timeout } from 'rxjs';
import { afterAll, beforeAll, expect } from 'vitest';

export interface Lifelines {
  /** The environment that the processes are to be started with. */
  readonly env: Record<string, string>;
  /** Resolves once all of them are gone; fails with the names of those that stay. */
  readonly gone: () => Promise<void>;
}

const preload = new URL('fixtures/lifeline.mjs', import.meta.url).href;

/** How long processes may stay when everything of theirs was closed, in milliseconds. */
const patienceMs = 5_000;

/** Watches the processes of one suite, and fails it where one is left at its end; called before its other hooks. */
export const lifelines = (): Lifelines => {
  const held = new Map<Socket, string>();
  const released = new Subject<void>();
  let started = 0;
  let port = 0;

  const server = createServer((line) => {
    started += 1;
    held.set(line, 'a process');
    line.once('data', (who) => held.set(line, String(who)));
    line.on('error', () => undefined);
    line.on('close', () => {
      held.delete(line);
      released.next();
    });
  });

  const gone = async (): Promise<void> => {
    expect(started).toBeGreaterThan(0);
    await firstValueFrom(
      released.pipe(
        startWith(undefined),
        filter(() => held.size === 0),
        timeout({
          first: patienceMs,
          with: () => {
            throw new Error(`still running: ${[...held.values()].join(', ')}`);
          },
        }),
      ),
    );
  };

  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    port = address.port;
  });

  afterAll(async () => {
    try {
      await gone();
    } finally {
      for (const line of held.keys()) line.destroy();
      server.close();
    }
  });

  return {
    get env() {
      return { NODE_OPTIONS: `--import ${preload}`, RXMCP_LIFELINE: String(port) };
    },
    gone,
  };
};
