/**
 * A channel over `window.postMessage`, to a frame or from within one: messages of that window and origin, and of no
 * other.
 *
 * @see https://html.spec.whatwg.org/multipage/web-messaging.html#posting-messages
 */
import type { Channel } from '../exchange/exchange.ts';
import { isArray, isObject } from '../frame/frame.ts';
import { channelOverMessages, isAside, type MessageOptions } from './goodbye.ts';
import { hearken, type Hearing } from './message-port.ts';
import { exactOrigin } from './origin.ts';

/** A window to post to: `frame.contentWindow`, `window.parent`, `window.opener`. */
export interface WindowTarget {
  postMessage(message: unknown, options: { targetOrigin: string; transfer?: MessagePort[] }): void;
}

/** Whom to talk to, and where answers are heard. */
export interface MessageWindowOptions extends MessageOptions {
  /** The origin of the other window, exactly: `https://app.example`. Nothing is posted to, or taken from, another one. */
  readonly origin: string;
  /** The window that hears the answers. Default: this one. */
  readonly here?: Hearing | undefined;
}

/**
 * A channel to another window, on which each side posts to the other: how frames usually talk. It carries one
 * conversation at a time; where there may be more, `ports` gives each its own.
 *
 * Emits what that window posts from that origin, as long as it is JSON-RPC: a window is shared, and whatever else is
 * said there is not for this channel. Completes when the other window says goodbye; one that is closed or navigates away
 * is noticed by time limits only. Windows know no backpressure.
 *
 * @param target - the other window, which has to be loaded: nobody keeps messages for it
 * @param options - its exact origin; `*` is refused, and so is a sandboxed frame, which has none (let it connect by
 * `portToWindow`)
 * @throws {@link Misconfigured} where `origin` is no exact one
 * @example
 * connect(messageWindow(self.parent, { origin: 'https://host.example' })).subscribe(({ revision }) => {
 *   console.log(revision);
 * });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/index#custom-transports
 */
export const messageWindow = (target: WindowTarget, options: MessageWindowOptions): Channel => {
  const { here = globalThis } = options;
  const origin = exactOrigin(options.origin);
  return channelOverMessages((ears) => {
    const isTheirs = (event: MessageEvent): boolean => event.origin === origin && event.source === target;
    const deafen = hearken(here, {
      message: (event) => {
        if (isTheirs(event) && isForUs(event.data)) ears.message(event.data);
      },
      messageerror: (event) => {
        if (isTheirs(event)) ears.garbled();
      },
    });
    return {
      post: (message) => target.postMessage(message, { targetOrigin: origin }),
      start: () => undefined,
      release: deafen,
    };
  }, options);
};

const isForUs = (data: unknown): boolean =>
  isArray(data) || (isObject(data) && data['jsonrpc'] !== undefined) || isAside(data, 'rxmcp/goodbye');
