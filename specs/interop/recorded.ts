/** What went over a wire, to be looked at afterwards. */
import { tap } from 'rxjs';
import type { Frame, JsonObject } from 'rxmcp';
import type { SpawnChannel } from 'rxmcp/node';

export interface Recorded extends SpawnChannel {
  /** The frames that our side has sent, oldest first. */
  readonly sent: readonly Frame[];
  /** What the far side has said, oldest first. */
  readonly received: readonly unknown[];
}

/** The same channel, and all that passes through it. */
export const recorded = (channel: SpawnChannel): Recorded => {
  const sent: Frame[] = [];
  const received: unknown[] = [];
  const { stderr$, stray$, exit$, closed } = channel;
  return Object.assign(
    (outbound: Parameters<SpawnChannel>[0]) =>
      channel(outbound.pipe(tap((frames) => void sent.push(...[frames].flat())))).pipe(
        tap((value) => void received.push(value)),
      ),
    { stderr$, stray$, exit$, closed, sent, received },
  );
};

/** A request or notification, as far as specs look at it. */
export type Asked = JsonObject & { readonly params?: JsonObject };

/** The requests and notifications of one method. */
export const ofMethod = (frames: readonly unknown[], method: string): readonly Asked[] =>
  frames.filter(
    (frame): frame is Asked =>
      typeof frame === 'object' && frame !== null && 'method' in frame && frame.method === method,
  );

/** The id of a request or response. */
export const idOf = (frame: unknown): unknown =>
  typeof frame === 'object' && frame !== null && 'id' in frame ? frame.id : undefined;
