/**
 * A channel with both ends of the conversation on it: requests asked over it, and requests of the far side answered.
 */
import { asyncScheduler, Observable, Subscription, type Subscriber } from 'rxjs';
import { Concerning } from '../frame/concerning.ts';
import { codes, ConnectionClosed, InvalidAnswer, RpcError } from '../frame/errors.ts';
import { tell, type Frame, type NotificationFrame, type RequestFrame, type RequestId } from '../frame/frame.ts';
import { Demultiplexer, type DemultiplexOptions } from './demultiplex.ts';
import { cancelledMethod } from './envelope.ts';
import { Unreadable, type Channel, type Notification } from './exchange.ts';
import { Unanswered } from '../frame/unanswered.ts';
import { UnreadableResponse } from '../frame/unreadable-response.ts';
import { Multiplexer } from './multiplex.ts';
import { errorFrame } from './settle.ts';

export interface LinkOptions extends Omit<DemultiplexOptions, 'send' | 'onIdle'> {
  /** How long, in milliseconds, requests in flight may go on after the far side has closed. Default 0. */
  readonly drainMs?: number;
  /**
   * Takes the far side's requests, usually to hand them to `link.demultiplexer`, with the id of the request of ours on
   * whose stream one came, where there are such streams.
   */
  readonly request: (frame: RequestFrame, link: Link, concerning: RequestId | undefined) => void;
  /** Takes the notifications that belong to no request in flight. */
  readonly notification: (frame: NotificationFrame, link: Link) => void;
  /** Takes an array; by default its items, one by one. */
  readonly batch?: (items: readonly unknown[], link: Link) => void;
  /** Hears what could not be read, or was no message. */
  readonly malformed?: (reason: string, excerpt: string) => void;
  /** Whether the far side is told of its malformed messages. */
  readonly answersMalformed?: (link: Link) => boolean;
}

export interface Link {
  readonly multiplexer: Multiplexer;
  readonly demultiplexer: Demultiplexer;
  readonly send: (frame: Frame | readonly Frame[]) => void;
  readonly receive: (value: unknown) => void;
}

/**
 * Opens a channel. Emits one {@link Link} and stays; completes when the far side closed, fails when the channel broke.
 * Unsubscribing closes the channel; whatever still waits on it then fails with {@link ConnectionClosed}.
 */
export const openLink = (channel: Channel, options: LinkOptions): Observable<Link> =>
  new Observable((subscriber) => {
    const { drainMs = 0 } = options;
    let out: Subscriber<Frame | readonly Frame[]> | undefined;
    // One listener, and every frame passes here: a Subject would copy its list of listeners for each.
    const outbound = new Observable<Frame | readonly Frame[]>((listener) => {
      out = listener;
      return () => (out = undefined);
    });
    const send = (frame: Frame | readonly Frame[]): void => out?.next(frame);
    const multiplexer = new Multiplexer(send);
    const demultiplexer = new Demultiplexer({ ...options, send, onIdle: () => drain?.() });
    /** Set while nothing but work in flight keeps the link open. */
    let drain: (() => void) | undefined;

    const refuse = (reason: string, code: number, id: RequestId | undefined): void => {
      if (options.answersMalformed?.(link) === false) return;
      // An id in flight is not answered twice: the first answer would be taken for this one.
      const free = id === undefined || demultiplexer.has(id) ? undefined : id;
      send(errorFrame(free, new RpcError({ code, message: reason })));
    };

    const receive = (value: unknown, concerning?: RequestId): void => {
      if (value instanceof Unreadable) {
        options.malformed?.(value.reason, value.excerpt);
        if (value instanceof UnreadableResponse) return unanswered(value.answers, value.reason);
        return refuse(value.reason, value.code, value.id);
      }
      const told = tell(value);
      if (told.kind === 'request') return options.request(told.frame, link, concerning);
      if (told.kind === 'response') return multiplexer.response(told.frame);
      if (told.kind === 'notification') return notified(told.frame);
      if (told.kind === 'batch') {
        if (options.batch !== undefined) return options.batch(told.items, link);
        return told.items.forEach((item) => receive(item, concerning));
      }
      if (value instanceof Concerning) return receive(value.message, value.request);
      if (value instanceof Unanswered) return multiplexer.fail(value.request, () => value.error);
      options.malformed?.(told.reason, excerptOf(value));
      if (told.answerable) refuse(told.reason, codes.invalidRequest, told.id);
      else unanswered(told.id, told.reason);
    };

    /** Whoever waits for an answer that came, and is none, must not wait for ever. */
    const unanswered = (id: RequestId | undefined, reason: string): void => {
      if (id !== undefined)
        multiplexer.fail(
          id,
          (method) => new InvalidAnswer({ method, message: `the answer to ${method} is malformed: ${reason}` }),
        );
    };

    const notified = (frame: NotificationFrame): void => {
      if (multiplexer.notification(frame)) return;
      if (frame.method === cancelledMethod) demultiplexer.cancel(frame.params?.['requestId'] as RequestId);
      else options.notification(frame, link);
    };

    const link: Link = { multiplexer, demultiplexer, send, receive };
    const drained = new Subscription();
    let broken: unknown;
    const closed = (message: string): void => {
      const why = broken instanceof Error ? broken.message : message;
      multiplexer.close(
        broken instanceof ConnectionClosed ? broken : new ConnectionClosed({ message: why, cause: broken }),
      );
    };
    const inbound = channel(outbound).subscribe({
      next: (value) => receive(value),
      // Whoever holds the link is told first, and of the failure itself; the calls in flight follow, as all ends.
      error: (error: unknown) => {
        broken = error;
        subscriber.error(error);
      },
      complete: () => {
        closed('the far side closed the connection');
        demultiplexer.conclude();
        if (drainMs === 0 || demultiplexer.busy === 0) return subscriber.complete();
        drain = () => subscriber.complete();
        const late = (): void => {
          demultiplexer.abandon(new RpcError({ code: codes.internalError, message: 'the server is ending' }));
          subscriber.complete();
        };
        drained.add(asyncScheduler.schedule(late, drainMs));
      },
    });
    subscriber.next(link);
    return () => {
      drained.unsubscribe();
      closed('the connection was closed');
      demultiplexer.conclude();
      demultiplexer.close();
      out?.complete();
      inbound.unsubscribe();
    };
  });

const excerptOf = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 200);

/** A notification without its envelope. */
export const opened = ({ method, params }: NotificationFrame): Notification =>
  params === undefined ? { method } : { method, params };
