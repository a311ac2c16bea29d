/** Two windows as far as posting messages goes: a message reaches the other one if it has the origin that was named. */
import type { Hearing } from '../../lib/transport/message-port.ts';
import type { WindowTarget } from '../../lib/transport/message-window.ts';

export interface Side {
  /** This window, to those whose window it is. */
  readonly here: Hearing & EventTarget;
  /** The other window, as it is seen from here. */
  readonly there: WindowTarget;
}

export interface Heard {
  readonly data?: unknown;
  readonly origin?: string;
  readonly source?: object | null;
  readonly ports?: readonly MessagePort[];
}

/** A message that arrives, from wherever. */
export const arrive = (window: EventTarget, heard: Heard, type = 'message'): void => {
  const { data, origin = '', source = null, ports = [] } = heard;
  window.dispatchEvent(Object.assign(new Event(type), { data, origin, source, ports }));
};

export const twoWindows = (left: string, right: string): readonly [Side, Side] => {
  const one = new EventTarget();
  const other = new EventTarget();
  const view = (window: EventTarget, origin: string, from: string, source: () => object): WindowTarget => ({
    postMessage: (message, { targetOrigin, transfer = [] }) => {
      const data = structuredClone(message);
      if (targetOrigin === '*') throw new Error('anybody could read this');
      queueMicrotask(() => {
        if (targetOrigin === origin) arrive(window, { data, origin: from, source: source(), ports: transfer });
      });
    },
  });
  const toRight: WindowTarget = view(other, right, left, () => toLeft);
  const toLeft: WindowTarget = view(one, left, right, () => toRight);
  return [
    { here: one, there: toRight },
    { here: other, there: toLeft },
  ];
};
