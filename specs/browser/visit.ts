/** What a spec does in a page: connects, calls, listens, and is told of it. */
import type { JSHandle } from 'playwright-core';
import { vi } from 'vitest';
import type { OpenClient, Target } from '../../lib/index.ts';
import type { Revision } from '../../lib/protocol/revisions.ts';
import type { Serving } from './house.ts';
import type { Library } from './library.ts';

/** Where a page connects to, as the page has it. */
export type Reach = (library: JSHandle<Library>, url: string) => Promise<JSHandle<Target>>;

export const overWebSocket: Reach = (library, url) =>
  library.evaluateHandle((rxmcp, where): Target => rxmcp.webSocket(where), url);

export const overHttp: Reach = (library, url) =>
  library.evaluateHandle((rxmcp, where): Target => rxmcp.remote(where), url);

/** Connects, with one revision or any. */
export const openIn = (
  library: JSHandle<Library>,
  target: JSHandle<Target>,
  revisions?: readonly Revision[],
): Promise<JSHandle<OpenClient>> =>
  library.evaluateHandle(
    (rxmcp, { target, revisions }) => rxmcp.open(target, revisions === undefined ? {} : { revisions }),
    { target, revisions },
  );

/** A call that goes on in a page: what has been heard of it so far, in short, and its end. */
export interface Calling {
  readonly heard: () => Promise<readonly string[]>;
  readonly cancel: () => Promise<void>;
}

export const calling = async (client: JSHandle<OpenClient>, name: string): Promise<Calling> => {
  const call = await client.evaluateHandle((client, name) => {
    const heard: string[] = [];
    const subscription = client.call(name, {}).subscribe({
      next: (event) => heard.push(event.kind === 'progress' ? `${event.progress} of ${event.total}` : event.kind),
      error: (error: unknown) => heard.push(String(error)),
    });
    return { heard, subscription };
  }, name);
  return {
    heard: () => call.evaluate(({ heard }) => heard),
    cancel: () => call.evaluate(({ subscription }) => subscription.unsubscribe()),
  };
};

export const until = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 10_000, interval: 5 });

/** How much is at work in a room that says so. */
export const working = (client: JSHandle<OpenClient>): Promise<string> =>
  client.evaluate(async (client) => {
    const { content } = await client.callTool('working', {});
    const [block] = content;
    return block?.type === 'text' ? block.text : 'nothing said';
  });

/** How a page reaches a server, and what the two speak. */
export interface Way {
  readonly over: string;
  readonly revision: '2026-07-28' | '2025-11-25';
  readonly reach: Reach;
  readonly url: (serving: Serving) => string;
}

const http = { over: 'HTTP', reach: overHttp, url: (serving: Serving): string => serving.http };
const webSocket = { over: 'a WebSocket', reach: overWebSocket, url: (serving: Serving): string => serving.webSocket };

export const ways: readonly Way[] = [http, webSocket].flatMap((way) =>
  (['2026-07-28', '2025-11-25'] as const).map((revision) => ({ ...way, revision })),
);
