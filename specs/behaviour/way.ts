/** The way from a client of the suite to its server, laid open, and with a hand on it. */
import { merge, Subject } from 'rxjs';
import type { Channel, Frame, Revision, Target } from '../../lib/index.ts';
import { tap, type Tapped } from '../../lib/testing/index.ts';

/** What is remembered of one way. */
export interface Wire extends Pick<Tapped, 'overheard' | 'open' | 'next'> {
  /** What went over it against the rules of what carries it, one sentence each; those of the messages are not here. */
  readonly faults?: readonly string[];
}

export interface Way {
  /** What the client connects to. */
  readonly target: Target;
  readonly wire: Wire;
  /** Sends a message past the client. */
  readonly inject: (message: unknown) => void;
}

/** Makes a way of its own for each client. */
export type Lay = (revision: Revision) => Way;

/** The way over a channel: what is injected goes between what the client sends. */
export const over =
  (channel: Channel): Lay =>
  () => {
    const wire = tap(channel);
    const injected = new Subject<Frame>();
    const target: Channel = (outbound) => wire(merge(outbound, injected));
    return { target, wire, inject: (message) => injected.next(message as Frame) };
  };
