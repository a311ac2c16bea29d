/** The stream on which a server says what belongs to no request. There may be none, and nothing fails with it. */
import type { EventSourceMessage } from 'eventsource-parser';
import { asyncScheduler, type Subscription } from 'rxjs';
import type { ConnectionClosed } from '../../frame/errors.ts';
import type { HttpRefusal } from '../../frame/http-refusal.ts';
import { isUnproved } from '../../frame/login-failed.ts';
import { parse } from '../../frame/json.ts';
import { Waits } from '../schedule.ts';
import { Answer, type AnswerListener } from './answer.ts';
import { isResumable } from './event-id.ts';
import type { Session } from './session.ts';

export class SessionEvents implements AnswerListener {
  readonly #session: Session;
  readonly #waits: Waits;
  #answer: Answer | undefined;
  #waiting: Subscription | undefined;
  #lastEventId: string | undefined;
  #retryMs = 0;
  #over = false;
  #settled: (() => void) | undefined;

  constructor(session: Session) {
    this.#session = session;
    this.#waits = new Waits(session.wire.retry);
  }

  /** @param settled - called when it is known whether there is such a stream */
  open(settled?: () => void): void {
    this.#settled = settled;
    if (this.#over) return settled?.();
    this.#answer = new Answer(this.#session.wire, this.#session.listening(this.#lastEventId), this);
  }

  close(): void {
    this.#over = true;
    this.#waiting?.unsubscribe();
    this.#answer?.stop();
  }

  accepted(): void {
    this.#settled?.();
    this.#session.streams = true;
    this.#waits.begun();
  }

  /** No stream: none is offered here, whatever the status. */
  whole(): void {
    this.#settled?.();
    this.#over = true;
  }

  event({ id, event, data }: EventSourceMessage): void {
    if (isResumable(id)) this.#lastEventId = id;
    // An event without data only says how far the stream has come (SHTTP-20).
    if (data !== '' && (event === undefined || event === 'message')) this.#session.receive(parse(data));
  }

  retry(ms: number): void {
    this.#retryMs = ms;
  }

  ended(): void {
    // Who says when to come back has not failed.
    if (this.#retryMs > 0) this.#waits.reset();
    this.#again();
  }

  failed(error: ConnectionClosed): void {
    this.#settled?.();
    if (isUnproved(error)) this.#over = true;
    else this.#again();
  }

  refused(refusal: HttpRefusal): void {
    this.#settled?.();
    const { status, retryAfterMs } = refusal;
    this.#session.unheard(refusal);
    // 405 says that there is none (SHTTP-31); only what may be different later is asked for again.
    if (status >= 500 || status === 429 || status === 408) this.#again(retryAfterMs);
    else this.#over = true;
  }

  #again(patienceMs = 0): void {
    if (this.#over) return;
    this.#waits.ended();
    if (this.#waits.failed()) return;
    const open = (): void => this.open();
    this.#waiting = asyncScheduler.schedule(open, this.#waits.next(Math.max(this.#retryMs, patienceMs)));
  }
}
