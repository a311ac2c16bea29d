/**
 * A channel over messages, whatever carries them. A port does not tell its far side everywhere that it was closed, so
 * whoever leaves says so.
 */
import { Observable } from 'rxjs';
import type { Channel } from '../exchange/exchange.ts';
import { codes, ConnectionClosed } from '../frame/errors.ts';
import { isObject } from '../frame/frame.ts';
import { Unreadable } from '../frame/unreadable.ts';
import { UnreadableResponse } from '../frame/unreadable-response.ts';
import { defaultMessageLimit, postFrame, readClone } from './clone.ts';

/** The bounds of a channel over messages. */
export interface MessageOptions {
  /** A longer message is answered with an error; in characters of JSON, more or less. Default 16 Mi. */
  readonly messageLimit?: number | undefined;
}

/** What is said beside frames; it has no `jsonrpc`, and is never taken for one. */
export type Aside = 'rxmcp/connect' | 'rxmcp/accept' | 'rxmcp/goodbye';

export const aside = (type: Aside): { readonly type: Aside } => ({ type });

export const isAside = (data: unknown, type: Aside): boolean =>
  isObject(data) && data['type'] === type && data['jsonrpc'] === undefined;

/** What hears the messages of one subscription. */
export interface Ears {
  readonly message: (data: unknown) => void;
  /** A message came that could not be cloned. */
  readonly garbled: () => void;
  /** The platform says that the far side has gone. */
  readonly gone: () => void;
  readonly failed: (error: ConnectionClosed) => void;
}

/** What carries the messages of one subscription, opened with its {@link Ears} in place. */
export interface Carried {
  readonly post: (message: unknown) => void;
  /** From now on messages may come. */
  readonly start: () => void;
  readonly release: () => void;
}

/** A channel over what `open` provides at each subscription. */
export const channelOverMessages =
  (open: (ears: Ears) => Carried, { messageLimit = defaultMessageLimit }: MessageOptions): Channel =>
  (outbound) =>
    new Observable((subscriber) => {
      /** Whether there is nobody left to take leave of. */
      let alone = false;
      const gone = (): void => {
        alone = true;
        subscriber.complete();
      };
      const { post, start, release } = open({
        message: (data) => {
          if (isAside(data, 'rxmcp/goodbye')) gone();
          else if (!isAside(data, 'rxmcp/accept')) subscriber.next(readClone(data, messageLimit));
        },
        garbled: () => subscriber.next(new Unreadable('it could not be cloned', codes.parseError, '')),
        gone,
        failed: (error) => {
          alone = true;
          subscriber.error(error);
        },
      });
      const writing = outbound.subscribe({
        next: (item) => {
          try {
            postFrame(item, post, (frame, reason) => {
              if ('method' in frame && 'id' in frame)
                subscriber.next(new UnreadableResponse(reason, codes.internalError, frame.method, frame.id));
            });
          } catch (cause) {
            subscriber.error(new ConnectionClosed({ message: 'the message could not be posted', cause }));
          }
        },
        error: (error: unknown) => subscriber.error(error),
      });
      start();
      return () => {
        writing.unsubscribe();
        if (!alone) post(aside('rxmcp/goodbye'));
        release();
      };
    });
